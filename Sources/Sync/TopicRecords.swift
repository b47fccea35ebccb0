package import Basics

/// The records that a topic of Kafka gets of a request: one per user, under the key `cohort|user`.
///
/// Source: docs/destinations/kafka-topic.md, docs/destinations/kafka-table.md.
package enum TopicRecords: Sendable {
    /// Every change: the delta record, numbered.
    case changes
    /// The newest state, for a topic that keeps one record per key: `{"tick"}`, nothing on exit.
    case table

    /// How such a topic takes users.
    ///
    /// Records sent again are told by their number, or by their key alone, so a batch is repeated as it was. What
    /// the brokers acknowledged stays, so nobody is sent again without need.
    package var shape: DeliveryShape {
        var shape = DeliveryShape()
        shape.isMixed = true
        shape.isNumbered = self == .changes
        shape.isReasserted = false
        return shape
    }

    /// Lends the records in the order of the users, until `body` returns false; a nil value is a tombstone.
    package func forEach(
        of request: DeliveryRequest,
        _ body: (_ key: ByteView, _ value: ByteView?) -> Bool
    ) {
        let tick = request.tick.rfc3339
        let prefix = Array("\(request.cohortID)|".utf8)
        var key: [UInt8] = []
        var writer = JSONWriter()
        for index in 0..<request.users.count {
            writer.clear()
            key.removeAll(keepingCapacity: true)
            key.append(contentsOf: prefix)
            request.users.withUser(at: index) { user in
                key.append(contentsOf: user.buffer)
                switch self {
                case .changes:
                    DeltaRecord.append(user, at: index, of: request, tick: tick, to: &writer)
                case .table where index >= request.exitCount:
                    writer.beginObject()
                    writer.member("tick", tick)
                    writer.endObject()
                case .table:
                    break
                }
            }
            let goesOn = key.withByteView { key in
                writer.bytes.isEmpty
                    ? body(key, nil) : writer.bytes.withByteView { body(key, $0) }
            }
            if !goesOn { return }
        }
    }
}
