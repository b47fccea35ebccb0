package import Basics
internal import CRdKafka
internal import Synchronization
internal import Threads

/// Reads a topic, record by record or whole partitions, without a group: through a client of its own, beside the consumer.
///
/// For one thread at a time, and one that may wait.
package final class LogProbe {
    /// What is at an offset.
    package enum Finding: Equatable, Sendable {
        /// The first record at the offset or behind it.
        case record(RecordFingerprint)
        /// No record is at the offset or behind it.
        case end
        /// The offset lies in a batch that cannot be read and begins at `first`.
        case damaged(first: Offset, text: String)
        /// The offset is gone, or Kafka does not know the partition.
        case failure(KafkaError)
    }

    private let handle: ClientHandle
    private let queue: ClientQueue
    private let name: String
    private let clock = SystemClock()
    private let trouble = Trouble()

    /// What the client met last.
    private final class Trouble: Sendable {
        private let last = Mutex<KafkaError?>(nil)

        var error: KafkaError? { last.withLock { $0 } }
        func keep(_ error: KafkaError) { last.withLock { $0 = error } }
    }

    /// Makes the client; no broker is waited for.
    ///
    /// - Parameters:
    ///   - properties: The user's librdkafka properties, already checked (`ConfigurationCheck`).
    ///   - topic: What is looked at.
    ///   - readsAll: Whether it is for ``readAll(of:timeoutMilliseconds:_:)``.
    ///   - log: Lines of the client library, from any of its threads.
    /// - Throws: `KafkaError` of kind `configuration` when a property does not suit the client.
    package init(
        properties: [String: String],
        topic: String,
        readsAll: Bool = false,
        log: @escaping @Sendable (ClientLogLine) -> Void
    ) throws(KafkaError) {
        name = topic
        var settings = ConsumerSettings(
            properties: properties,
            groupID: "",
            clientID: "cohortd-probe",
            topic: topic,
            threads: 1
        )
        // A group would have a coordinator looked for.
        settings.properties["group.instance.id"] = nil
        // Of what is fetched one record is looked at. Who reads on would wait a second whenever so many are queued,
        // for nobody wakes this client.
        settings.properties["queued.min.messages"] = readsAll ? "1000000" : "1"
        if readsAll { settings.properties["queued.max.messages.kbytes"] = "262144" }
        settings.properties["fetch.error.backoff.ms"] = "50"
        handle = try ClientHandle(
            consumer: true,
            properties: settings.clientProperties.filter { $0.0 != "group.id" },
            callbacks: ClientCallbacks(log: log, failed: { [trouble] in trouble.keep($0) })
        )
        queue = try handle.makeQueue()
    }

    /// What is at an offset of each of some partitions.
    ///
    /// - Parameters:
    ///   - offsets: By partition.
    ///   - timeoutMilliseconds: How long to wait for all of them.
    /// - Returns: What was found in time.
    /// - Throws: `KafkaError` where the client cannot look at all.
    package func look(
        at offsets: [PartitionID: Offset],
        timeoutMilliseconds: Int
    ) throws(KafkaError) -> [PartitionID: Finding] {
        var findings: [PartitionID: Finding] = [:]
        try read(from: offsets, timeoutMilliseconds) { view in
            // The first thing that comes of each.
            if offsets[view.partition] != nil, findings[view.partition] == nil {
                findings[view.partition] = Self.finding(view)
            }
            return findings.count < offsets.count
        }
        return findings
    }

    /// Hands every record of a partition to `body`, the oldest first, up to the end that the partition has by then.
    ///
    /// - Parameters:
    ///   - partition: Which.
    ///   - timeoutMilliseconds: How long all of it may take.
    ///   - body: Gets key and value, which are lent; a nil value is a tombstone.
    /// - Throws: `KafkaError`; some records may have been handed out by then.
    package func readAll(
        of partition: PartitionID,
        timeoutMilliseconds: Int,
        _ body: (_ key: ByteView?, _ value: ByteView?) -> Void
    ) throws(KafkaError) {
        var outcome: Result<Void, KafkaError>?
        let beginning = Offset(RD_KAFKA_OFFSET_BEGINNING)
        try read(from: [partition: beginning], timeoutMilliseconds) { view in
            switch view.content {
            case .record:
                body(view.key, view.value)
                return true
            case .endOfPartition: outcome = .success(())
            case .failure(let error): outcome = .failure(error)
            }
            return false
        }
        guard let outcome else { throw trouble.error ?? .timedOut("\(name) cannot be read") }
        try outcome.get()
    }

    /// Hands out what comes of some partitions, until `body` says no or the time is over.
    private func read(
        from offsets: [PartitionID: Offset],
        _ timeoutMilliseconds: Int,
        _ body: (borrowing RecordView) -> Bool
    ) throws(KafkaError) {
        try handle.use { client throws(KafkaError) in
            guard let topic = rd_kafka_topic_new(client, name, nil) else {
                throw KafkaError(rd_kafka_last_error(), "topic \(name)")
            }
            var started: [PartitionID] = []
            defer {
                for partition in started { rd_kafka_consume_stop(topic, partition) }
                rd_kafka_topic_destroy(topic)
            }
            for (partition, offset) in offsets {
                guard rd_kafka_consume_start_queue(topic, partition, offset, queue.pointer) == 0
                else {
                    throw KafkaError(
                        rd_kafka_last_error(),
                        "\(name)/\(partition) cannot be looked at"
                    )
                }
                started.append(partition)
            }
            let end = clock.monotonicMilliseconds + Int64(timeoutMilliseconds)
            while true {
                let left = end - clock.monotonicMilliseconds
                guard left > 0,
                    let message = rd_kafka_consume_queue(queue.pointer, Int32(clamping: left))
                else { return }
                defer { rd_kafka_message_destroy(message) }
                if !body(RecordView(message, isOfCompanion: false)) { return }
            }
        }
    }

    private static func finding(_ view: borrowing RecordView) -> Finding {
        switch view.content {
        case .record: .record(view.fingerprint)
        case .endOfPartition: .end
        case .failure(let error):
            error.kind == .damagedBatch
                ? .damaged(first: view.offset, text: error.text) : .failure(error)
        }
    }

    /// Frees the client, in a thread of its own where that takes longer than the time given.
    package func close(timeoutMilliseconds: Int) {
        _ = handle.close(timeoutMilliseconds: timeoutMilliseconds)
    }
}
