package import Basics
internal import CRdKafka
internal import Threads

/// Looks at single records of a topic, beside the consumer that reads it: without a group, through a client of its own.
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
    private let topic: String
    private let clock = SystemClock()

    /// Makes the client; no broker is waited for.
    ///
    /// - Parameters:
    ///   - properties: The user's librdkafka properties, already checked (`ConfigurationCheck`).
    ///   - topic: What is looked at.
    ///   - log: Lines of the client library, from any of its threads.
    /// - Throws: `KafkaError` of kind `configuration` when a property does not suit the client.
    package init(
        properties: [String: String],
        topic: String,
        log: @escaping @Sendable (ClientLogLine) -> Void
    ) throws(KafkaError) {
        self.topic = topic
        var settings = ConsumerSettings(
            properties: properties,
            groupID: "",
            clientID: "cohortd-probe",
            topic: topic,
            threads: 1
        )
        // A group would have a coordinator looked for.
        settings.properties["group.instance.id"] = nil
        // Of what is fetched one record is looked at.
        settings.properties["queued.min.messages"] = "1"
        settings.properties["fetch.error.backoff.ms"] = "50"
        handle = try ClientHandle(
            consumer: true,
            properties: settings.clientProperties.filter { $0.0 != "group.id" },
            callbacks: ClientCallbacks(log: log, failed: { _ in })
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
        let context = topic
        return try handle.use { client throws(KafkaError) in
            guard let topic = rd_kafka_topic_new(client, context, nil) else {
                throw KafkaError(rd_kafka_last_error(), "topic \(context)")
            }
            var read: [PartitionID] = []
            defer {
                for partition in read { rd_kafka_consume_stop(topic, partition) }
                rd_kafka_topic_destroy(topic)
            }
            for (partition, offset) in offsets {
                guard rd_kafka_consume_start_queue(topic, partition, offset, queue.pointer) == 0
                else {
                    throw KafkaError(
                        rd_kafka_last_error(),
                        "\(context)/\(partition) cannot be looked at"
                    )
                }
                read.append(partition)
            }
            return findings(of: offsets, timeoutMilliseconds)
        }
    }

    /// Takes the first thing that comes of each partition.
    private func findings(
        of offsets: [PartitionID: Offset],
        _ timeoutMilliseconds: Int
    ) -> [PartitionID: Finding] {
        var findings: [PartitionID: Finding] = [:]
        let end = clock.monotonicMilliseconds + Int64(timeoutMilliseconds)
        while findings.count < offsets.count {
            let left = end - clock.monotonicMilliseconds
            guard left > 0,
                let message = rd_kafka_consume_queue(queue.pointer, Int32(clamping: left))
            else { break }
            let view = RecordView(message, isOfCompanion: false)
            if offsets[view.partition] != nil, findings[view.partition] == nil {
                findings[view.partition] = Self.finding(view)
            }
            rd_kafka_message_destroy(message)
        }
        return findings
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
