import Basics
import Kafka
import Telemetry

/// Looks after the topic of the commands: makes it where a cohort needs it, and says whether it can be read.
///
/// Confined to the control thread.
final class CommandsTopic {
    /// How often a topic that cannot be read is looked for again, in milliseconds.
    private static let lookEvery: Int64 = 30_000
    private static let timeout = 2000

    let name: String
    /// Whether it has been found, with as many partitions as the events have.
    private(set) var isRead = false
    /// What keeps uploads from counting; nil where nothing does, or nobody waits for them.
    private(set) var problem: String?

    private let isNeeded: Bool
    private let logger: Logger
    private var lookedAt: Int64?
    private var wasAskedFor = false

    /// - Parameters:
    ///   - name: The topic.
    ///   - isNeeded: Whether some cohort has a list of uploaded users.
    ///   - logger: Told what is wrong.
    init(name: String, isNeeded: Bool, logger: Logger) {
        self.name = name
        self.isNeeded = isNeeded
        self.logger = logger
    }

    /// Whether it is time to look for it again.
    func isDue(now: Int64) -> Bool {
        guard let lookedAt else { return true }
        return !isRead && now - lookedAt >= Self.lookEvery
    }

    /// Looks for the topic, and makes it the first time that it is needed and not there.
    ///
    /// - Parameters:
    ///   - partitions: How many the topic of the events has.
    ///   - consumer: Asked what there is.
    ///   - properties: Of the producer that makes the topic.
    ///   - now: The clock that never jumps.
    /// - Throws: What the broker answered instead of what there is.
    func look(
        partitions: Int,
        _ consumer: Consumer,
        properties: [String: String],
        now: Int64
    ) throws(KafkaError) {
        lookedAt = now
        var count = try consumer.partitionCount(ifThere: name, timeoutMilliseconds: Self.timeout)
        if count == nil, isNeeded, !wasAskedFor {
            wasAskedFor = true
            make(partitions: partitions, properties)
            count = try consumer.partitionCount(ifThere: name, timeoutMilliseconds: Self.timeout)
        }
        guard let count else { return }
        isRead = count == partitions
        if isRead {
            problem = nil
            return
        }
        let text =
            "the commands topic \(name) has \(count) partitions and the topic of the events"
            + " \(partitions): they must be equal, so commands are not read"
        if isNeeded { problem = text }
        logger.error("commands_topic", text, repeatKey: "commands_topic")
    }

    private func make(partitions: Int, _ properties: [String: String]) {
        do throws(KafkaError) {
            let producer = try Producer(
                ProducerSettings(properties: properties, clientID: "cohortd-commands"),
                delivered: { _, _ in },
                failed: { _ in },
                log: { _ in }
            )
            defer { _ = producer.close(timeoutMilliseconds: Self.timeout) }
            let outcome = try Admin(producer).createTopic(
                name,
                partitions: partitions,
                timeoutMilliseconds: Self.timeout
            )
            if outcome == .created {
                logger.notice(
                    "commands_topic",
                    "made the commands topic \(name) with \(partitions) partitions"
                )
            }
        } catch {
            logger.warning(
                "commands_topic",
                "the commands topic \(name) is not there and cannot be made:"
                    + " \(error.description); uploads count when it is there"
            )
        }
    }
}
