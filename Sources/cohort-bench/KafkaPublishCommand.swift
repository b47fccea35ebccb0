import Arguments
import Basics
import Daemon
import InputFiles
import Kafka

/// `cohort-bench kafka-publish`.
struct KafkaPublishCommand {
    private let events: String
    private let bootstrap: String?
    private let topic: String
    private let partitions: Int
    private let limit: Int
    private let compression: String

    /// Reads the arguments.
    init(_ arguments: ParsedArguments) throws(BenchStatus) {
        events = arguments.value("--events") ?? ""
        bootstrap = arguments.value("--bootstrap")
        topic = arguments.value("--topic") ?? "events"
        partitions = try arguments.number("--partitions", 64, in: 1...10_000)
        limit = try arguments.number("--limit", .max, in: 1...Int.max)
        compression = arguments.value("--compression") ?? "lz4"
    }

    func run() throws(BenchStatus) {
        let file: EventFile
        do throws(InputError) {
            file = try EventFile(path: events)
        } catch {
            printError("cohort-bench: \(error.description)")
            throw .inputMissing
        }
        do {
            if let bootstrap { return try publish(file, to: bootstrap) }
            let broker = try EmbeddedBroker()
            try broker.createTopic(topic, partitions: partitions)
            try publish(file, to: broker.bootstrapServers)
            while readLine() != nil {}
        } catch let status as BenchStatus {
            throw status
        } catch {
            printError("cohort-bench kafka-publish: \(KafkaFailure.text(error))")
            throw .outputFailed
        }
    }

    private func publish(_ file: borrowing EventFile, to bootstrap: String) throws {
        let publisher = try KafkaPublisher(
            bootstrap,
            topic: topic,
            partitions: partitions,
            compression: compression
        )
        if self.bootstrap != nil { try publisher.createTopic() }
        try publisher.publish(file, limit: limit)
        try publisher.check(bootstrap)
        publisher.close()
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("bootstrap", bootstrap)
        writer.member("topic", topic)
        writer.member("partitions", partitions)
        writer.member("records", publisher.records.reduce(0, +))
        writer.member("skipped", publisher.skipped)
        writer.endObject()
        writer.newline()
        try printOutput(writer.string)
    }
}

/// Errors of the benchmarks around Kafka, for people.
enum KafkaFailure {
    static func text(_ error: any Error) -> String {
        switch error {
        case let error as KafkaError: error.description
        case let error as DaemonError: error.text
        case let error as KafkaPublisher.Failure: error.text
        case let error as ChildProgram.Failure: error.text
        case let error as ScratchFolder.Failure: error.description
        default: "\(error)"
        }
    }
}
