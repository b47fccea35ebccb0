package import Basics
internal import Synchronization
internal import Threads

/// What a small topic of one partition holds at a moment.
package enum TopicSnapshot {
    /// Hands every record of partition 0 to `body`, the oldest first.
    ///
    /// - Parameters:
    ///   - topic: The topic, which is there.
    ///   - properties: The user's librdkafka properties.
    ///   - groupID: A group that we may be in; it is not joined.
    ///   - timeoutMilliseconds: How long all of it may take.
    ///   - body: Gets key and value, which are lent; a nil value is a tombstone.
    /// - Throws: `KafkaError`; some records may have been handed out by then.
    package static func read(
        _ topic: String,
        properties: [String: String],
        groupID: String,
        timeoutMilliseconds: Int,
        _ body: (_ key: ByteView?, _ value: ByteView?) -> Void
    ) throws(KafkaError) {
        let first = Atomic<Offset>(0)
        var settings = ConsumerSettings(
            properties: properties,
            groupID: groupID,
            clientID: "cohortd-control",
            topic: topic,
            threads: 1
        )
        settings.joinsAtOnce = false
        let trouble = Mutex<KafkaError?>(nil)
        return try withoutActuallyEscaping(body) { body throws(KafkaError) in
            let consumer = try Consumer(
                settings,
                ConsumerEvents(
                    startPosition: { _ in .offset(first.load(ordering: .acquiring)) },
                    assigned: { _ in },
                    revoked: { _, _ in },
                    failed: { error in trouble.withLock { $0 = error } },
                    log: { _ in }
                )
            )
            defer { _ = consumer.close(timeoutMilliseconds: 1000) }
            let clock = SystemClock()
            let deadline = clock.monotonicMilliseconds + Int64(timeoutMilliseconds)
            let offsets = try consumer.firstOffsets([0], timeoutMilliseconds: timeoutMilliseconds)
            first.store(try offsets[0]?.get() ?? 0, ordering: .releasing)
            try consumer.assign([0])
            var isOver = false
            while !isOver {
                var failure: KafkaError?
                _ = consumer.queues[0].consume(timeoutMilliseconds: 100) { record in
                    switch record.content {
                    case .record: body(record.key, record.value)
                    case .endOfPartition: isOver = true
                    case .failure(let error): failure = error
                    }
                }
                consumer.pollControl(timeoutMilliseconds: 0)
                if let failure { throw failure }
                if !isOver, clock.monotonicMilliseconds > deadline {
                    throw trouble.withLock { $0 }
                        ?? .timedOut("topic \(topic) cannot be read")
                }
            }
        }
    }
}
