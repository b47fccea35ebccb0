import Basics
import Configuration
import InputFiles
import Kafka
import LogStore
import Telemetry
import Threads

/// Keeps what was made through the API: the control topic has it, and a file of the data directory what that had last, so
/// that a start needs no broker.
///
/// Lives as long as the process. Confined to the control thread.
final class ControlTopic {
    /// The file in the data directory.
    static let file = "control"
    private static let readMilliseconds = 10_000
    private static let writeMilliseconds: Int64 = 10_000
    private static let topicMilliseconds = 5000
    /// How long the topic is left alone after it could not be read.
    private static let againMilliseconds: Int64 = 10_000

    private let name: String
    private let files: SmallFiles<DiskFileSystem>
    private let logger: Logger
    private let clock = SystemClock()
    /// What is durable.
    private(set) var objects: ControlObjects
    /// Whether what the topic has is known.
    private(set) var isRead = false
    private var triedAt = Int64.min

    init(_ kafka: KafkaConfiguration, _ files: SmallFiles<DiskFileSystem>, logger: Logger) {
        name = kafka.controlTopic
        self.files = files
        self.logger = logger
        objects = Self.objects(in: files.path)
    }

    /// Whether this is the topic of a configuration.
    func isOf(_ kafka: KafkaConfiguration) -> Bool {
        name == kafka.controlTopic
    }

    /// What the file of a data directory has; nothing where there is no such file, or none that we may read.
    static func objects(in directory: String) -> ControlObjects {
        do throws(InputError) {
            return ControlObjects(file: try InputFiles.read("\(directory)/\(file)"))
        } catch {
            return ControlObjects()
        }
    }

    /// Reads the topic if that was not done yet; where it cannot be read, that is said and tried again later.
    func readIfNeeded(_ consumer: Consumer, properties: [String: String]) throws(DaemonError) {
        let now = clock.monotonicMilliseconds
        guard !isRead, triedAt == .min || now - triedAt >= Self.againMilliseconds else { return }
        triedAt = now
        var found = ControlObjects()
        var count = 0
        do throws(KafkaError) {
            let isThere = try consumer.partitionCount(ifThere: name, timeoutMilliseconds: 2000)
            if isThere != nil {
                let probe = try LogProbe(properties: properties, topic: name, readsAll: true) {
                    _ in
                }
                defer { probe.close(timeoutMilliseconds: 1000) }
                try probe.readAll(of: 0, timeoutMilliseconds: Self.readMilliseconds) { key, value in
                    count += 1
                    if let key { found.take(key.string, value?.array) }
                }
            }
            isRead = true
            if count == 0, objects != found {
                logger.warning(
                    "control_topic",
                    "the control topic \(name) has no records: what the API made before is written to it again"
                )
                try send(objects.records, properties)
                return
            }
        } catch {
            logger.warning(
                "control_topic",
                "the control topic \(name) cannot be used: \(error.description). What the API made goes on as it was last"
                    + " known",
                repeatKey: "control_topic"
            )
            return
        }
        if found != objects { try keep(found) }
    }

    /// Makes a change durable: in the topic, which is made if need be, then in the file.
    ///
    /// - Throws: `DaemonError` where the file cannot be written: the process must end.
    /// - Returns: Why the topic did not take it; nil where it did.
    func write(
        _ changed: ControlObjects,
        properties: [String: String]
    ) throws(DaemonError) -> KafkaError? {
        do throws(KafkaError) {
            try send(changed.records(from: objects), properties)
        } catch {
            // Maybe it has it all the same.
            isRead = false
            return error
        }
        try keep(changed)
        return nil
    }

    private func keep(_ changed: ControlObjects) throws(DaemonError) {
        do throws(StoreError) {
            try files.writeAtomically(Self.file, changed.file)
        } catch {
            throw DaemonError(error)
        }
        objects = changed
    }

    private func send(
        _ records: [ControlObjects.Record],
        _ properties: [String: String]
    ) throws(KafkaError) {
        if records.isEmpty { return }
        let answers = Mailbox<KafkaError?>(capacity: records.count)
        let producer = try Producer(
            ProducerSettings(properties: properties, clientID: "cohortd-control"),
            delivered: { _, error in answers.postAtOnce(error) },
            failed: { _ in },
            log: { _ in }
        )
        defer { _ = producer.close(timeoutMilliseconds: 1000) }
        let outcome = try Admin(producer).createTopic(
            name,
            partitions: 1,
            configuration: ["cleanup.policy": "compact"],
            timeoutMilliseconds: Self.topicMilliseconds
        )
        if outcome == .created {
            logger.notice("control_topic", "made the control topic \(name)")
        }
        for record in records {
            try Self.send(record, to: name, producer)
        }
        let deadline = clock.monotonicMilliseconds + Self.writeMilliseconds
        var left = records.count
        while left > 0 {
            let wait = deadline - clock.monotonicMilliseconds
            let taken = wait > 0 ? answers.takeAll(timeoutMilliseconds: wait) : []
            for case .some(let error) in taken { throw error }
            if taken.isEmpty, wait <= 0 {
                throw KafkaError.timedOut("topic \(name) did not confirm what was written")
            }
            left -= taken.count
        }
    }

    private static func send(
        _ record: ControlObjects.Record,
        to topic: String,
        _ producer: Producer
    ) throws(KafkaError) {
        try record.key.withByteView { (key) throws(KafkaError) in
            guard let value = record.value else {
                try producer.send(topic: topic, key: key, value: nil, partition: 0)
                return
            }
            try value.withByteView { (value) throws(KafkaError) in
                try producer.send(topic: topic, key: key, value: value, partition: 0)
            }
        }
    }
}
