import Basics

/// The delta record of files, of the replay and of Kafka topics: one JSON object per user.
package enum DeltaRecord {
    /// Renders one line per user of the request, each ended by a newline.
    package static func render(_ request: DeliveryRequest) -> [UInt8] {
        let tick = request.tick.rfc3339
        var writer = JSONWriter()
        var index = 0
        request.users.forEach { user in
            append(user, at: index, of: request, tick: tick, to: &writer)
            writer.newline()
            index += 1
        }
        return writer.bytes
    }

    /// Writes the record of one user; `partition` and `seq` only where the request numbers its records.
    static func append(
        _ user: ByteView,
        at index: Int,
        of request: DeliveryRequest,
        tick: String,
        to writer: inout JSONWriter
    ) {
        let operation: Operation = index < request.exitCount ? .exit : .enter
        writer.beginObject()
        writer.member("tick", tick)
        writer.member("cohort", request.cohortID)
        writer.key("user")
        writer.value(user)
        writer.member("op", operation.name)
        if !request.origins.isEmpty {
            writer.member("partition", request.origins[index].partition)
            writer.member("seq", request.origins[index].sequence)
        }
        writer.endObject()
    }
}
