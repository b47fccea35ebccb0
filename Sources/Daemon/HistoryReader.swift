import Basics
import Configuration
import Kafka
import Telemetry

/// Reads again what partitions need of the past, beside what is new: a client of its own, in no group.
///
/// Confined to the control thread; the records go to the engine threads, which take turns between them and new ones.
final class HistoryReader {
    private static let closeMilliseconds = 1000

    private let consumer: Consumer
    private let engines: [EngineThread]
    private let logger: Logger
    private var left: Set<PartitionID>

    /// Begins to read partitions, each from its offset on.
    init(
        _ kafka: KafkaConfiguration,
        properties: [String: String],
        from offsets: [PartitionID: Offset],
        engines: [EngineThread],
        logger: Logger
    ) throws(KafkaError) {
        self.engines = engines
        self.logger = logger
        left = Set(offsets.keys)
        var properties = properties
        properties["group.instance.id"] = nil
        var settings = ConsumerSettings(
            properties: properties,
            groupID: kafka.group,
            clientID: "cohortd-history",
            topic: kafka.topic,
            threads: engines.count
        )
        settings.joinsAtOnce = false
        consumer = try Consumer(
            settings,
            ConsumerEvents(
                startPosition: { partition in offsets[partition].map { .offset($0) } ?? .hold },
                assigned: { _ in },
                revoked: { _, _ in },
                failed: { error in
                    logger.warning(
                        "kafka_error",
                        "history: \(error.description)",
                        repeatKey: "history \(error.code)"
                    )
                },
                log: { logger.debug("kafka_client", $0.text, repeatKey: $0.text) }
            )
        )
        for (engine, queue) in zip(engines, consumer.queues) { engine.post(.attachHistory(queue)) }
        try consumer.assign(offsets.keys.sorted())
    }

    /// Serves the client; to be called every second or so.
    func poll() {
        consumer.pollControl(timeoutMilliseconds: 0)
    }

    /// Whether a partition is read that is not through.
    func reads(_ partition: PartitionID) -> Bool { left.contains(partition) }

    /// A partition has what it needs.
    ///
    /// - Returns: Whether none is left, so that the reader is to be closed.
    func filled(_ partition: PartitionID) -> Bool {
        left.remove(partition)
        do throws(KafkaError) {
            try consumer.pause(partition)
        } catch {
            // Then what comes is dropped where it arrives.
        }
        return left.isEmpty
    }

    /// Goes on behind what cannot be read.
    func goOn(_ partition: PartitionID, at offset: Offset) {
        do throws(KafkaError) {
            try consumer.restart(partition, at: offset)
        } catch {
            logger.warning(
                "kafka_error",
                "history: \(error.description)",
                repeatKey: "history \(error.code)"
            )
        }
    }

    /// Reads nothing for now.
    func hold() throws(KafkaError) { try consumer.hold() }

    /// Goes on after ``hold()``.
    func release() throws(KafkaError) { try consumer.release() }

    /// Ends the reading.
    func close() {
        for engine in engines { engine.post(.attachHistory(nil)) }
        _ = consumer.close(timeoutMilliseconds: Self.closeMilliseconds)
    }
}
