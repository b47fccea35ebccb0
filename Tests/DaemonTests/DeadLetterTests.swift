import Basics
import Cohorts
import Configuration
import Events
import Foundation
import TestKit
import Testing
import Threads

@testable import Daemon

extension DaemonTests {
    @Suite("with a dead-letter topic")
    struct DeadLetterTests {
        /// Two bad records and a batch with a bad element, in partition 1.
        static func publish(_ broker: Broker) async throws {
            let publisher = try Publisher(broker.address)
            try await publisher.event("view", of: "good", partition: 1)
            try await publisher.send(key: "k1", value: Array("{oops".utf8), partition: 1)
            try await publisher.send(
                key: nil,
                value: Array(#"{"user_id":"a"}"#.utf8),
                partition: 1
            )
            try await publisher.send(
                key: "k2",
                value: Array(
                    #"{"events":[{"user_id":"batch","event_type":"view"}, {"event_type":"view"} ]}"#
                        .utf8
                ),
                partition: 1
            )
            try await publisher.flush()
        }

        static func configure(_ daemon: DaemonUnderTest, _ broker: Broker) throws {
            try daemon.configure(
                kafka: broker.address,
                properties: broker.properties,
                kafkaMore: "dead_letter_topic: bad-ones"
            )
            try daemon.cohorts([("viewers", "{performed: {event: view, last: 1h}}")], to: [])
        }

        /// What the dead-letter topic holds must be those records, with what a person needs to find them.
        static func check(_ broker: Broker, partitions: Int) async throws {
            try await broker.createTopic("nothing", partitions: partitions)
            let reader = try await TopicReader(
                broker,
                ("bad-ones", "nothing"),
                partitions: partitions
            )
            let letters = reader.first.sorted {
                ($0.headers["cohortd-offset"] ?? "") < ($1.headers["cohortd-offset"] ?? "")
            }
            try #require(letters.count == 3, "\(letters)")
            for letter in letters {
                #expect(letter.headers["cohortd-topic"] == "events")
                #expect(letter.headers["cohortd-partition"] == "1")
                #expect(letter.headers["cohortd-detail"]?.isEmpty == false)
                let at = milliseconds(letter.headers["cohortd-at"] ?? "")
                #expect(abs((at ?? 0) - wallClock()) < 300_000)
            }
            #expect(letters.map(\.key) == ["k1", "", "k2"])
            #expect(
                letters.map(\.value) == ["{oops", #"{"user_id":"a"}"#, #"{"event_type":"view"}"#]
            )
            #expect(
                letters.map { $0.headers["cohortd-reason"] } == [
                    "not_json", "missing_event_type", "missing_id",
                ]
            )
            #expect(letters.map { $0.headers["cohortd-offset"] } == ["1", "2", "3"])
            #expect(letters.map { $0.headers["cohortd-index"] } == [nil, nil, "1"])
        }

        @Test("rejected records get there as they came, with where from and why")
        func delivered() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            try await broker.createTopic("bad-ones", partitions: 4)
            try await Self.publish(broker)
            let daemon = try DaemonUnderTest()
            try Self.configure(daemon, broker)
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            #expect(try daemon.members(of: "viewers") == ["batch", "good"])
            try await daemon.stop()
            try await Self.check(broker, partitions: 4)
            #expect(!FileManager.default.fileExists(atPath: "\(daemon.dataDirectory)/rejects"))
            try await broker.stop()
        }
    }
}

extension DaemonStateTests.ApacheKafkaTests {
    @Test("a dead-letter topic that is not there is made, and gets what is rejected")
    func deadLetters() async throws {
        let broker = try await Broker.apache()
        try await broker.createTopic(partitions: 4)
        try await DaemonTests.DeadLetterTests.publish(broker)
        let daemon = try DaemonUnderTest()
        try DaemonTests.DeadLetterTests.configure(daemon, broker)
        try await daemon.startReady()
        try await daemon.settled(at: wallClock())
        try await daemon.stop()
        // The broker's default is four partitions.
        try await DaemonTests.DeadLetterTests.check(broker, partitions: 4)
        try await broker.stop()
    }

    @Test("what the dead-letter topic does not take is sampled, with a warning")
    func refusedDeadLetter() async throws {
        let broker = try await Broker.apache()
        try await broker.createTopic(partitions: 1)
        try await broker.createTopic(
            "bad-ones",
            partitions: 1,
            settings: ["max.message.bytes=2000"]
        )
        let publisher = try Publisher(broker.address)
        var generator = SeededGenerator(seed: 5)
        // Nothing that compresses.
        let large = (0..<5000).map { _ in UInt8(generator.below(256)) }
        try await publisher.send(key: "large", value: large)
        try await publisher.send(key: "small", value: Array("{".utf8))
        try await publisher.flush()
        let daemon = try DaemonUnderTest()
        try DaemonTests.DeadLetterTests.configure(daemon, broker)
        try await daemon.startReady()
        try await daemon.settled(at: wallClock())
        try await daemon.stop()
        try await broker.createTopic("nothing", partitions: 1)
        let reader = try await TopicReader(broker, ("bad-ones", "nothing"), partitions: 1)
        #expect(reader.first.map(\.key) == ["small"])
        let samples = try String(
            contentsOfFile: "\(daemon.dataDirectory)/rejects/not_utf8.jsonl",
            encoding: .utf8
        )
        #expect(samples.split(separator: "\n").count == 1)
        #expect(samples.contains(Data(large.prefix(4096)).base64EncodedString()))
        let log = try #require(daemon.program).errors
        #expect(log.contains("dead_letter_refused"))
        try await broker.stop()
    }

    @Test("without the right to make the dead-letter topic rejects are sampled, with a warning")
    func forbiddenDeadLetters() async throws {
        let broker = try await Broker.apache([
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found=true",
        ])
        try await broker.createTopic(partitions: 4)
        try await broker.forbid(topic: "bad-ones")
        try await DaemonTests.DeadLetterTests.publish(broker)
        let daemon = try DaemonUnderTest()
        try DaemonTests.DeadLetterTests.configure(daemon, broker)
        try await daemon.startReady()
        try await daemon.settled(at: wallClock())
        for reason in ["not_json", "missing_event_type", "missing_id"] {
            try await eventually("a sample of \(reason)") {
                FileManager.default.fileExists(
                    atPath: "\(daemon.dataDirectory)/rejects/\(reason).jsonl"
                )
            }
        }
        #expect(
            daemon.program?.errors.contains("the dead-letter topic bad-ones cannot be made")
                ?? false
        )
        #expect(try daemon.members(of: "viewers") == ["batch", "good"])
        try await daemon.stop()
        try await broker.stop()
    }
}

@Suite("Snapshots and dead letters")
struct DeadLetterSnapshotTests {
    @Test("no snapshot passes an event whose dead letter is on its way")
    func waits() throws {
        let folder = try TemporaryFolder()
        let environment = EngineEnvironment(
            measuring: PlanCompiler.compile([], PlanSettings()),
            ReplayConfiguration(),
            topic: "events",
            directory: folder.url.path,
            isDurable: false
        )
        let rejects = environment.rejects
        let worker = try PartitionWorker.open(3, environment)
        worker.start(
            PartitionStart(events: LogStart(offset: 0, end: 0, oldest: 0), floor: .distantPast)
        )
        let first = worker.report.snapshotAt
        worker.isDirty = true
        rejects.take(
            RejectedEvent(
                topic: "events",
                partition: 3,
                offset: 0,
                index: nil,
                reason: .notJSON,
                text: "no JSON",
                key: nil,
                value: []
            )
        )
        #expect(!rejects.isSettled(3))
        #expect(rejects.isSettled(2))
        // Nobody sends it: the thread has not begun.
        worker.commitIfDirty(now: 1 << 40)
        #expect(worker.isDirty)
        #expect(!rejects.settle(3, timeoutMilliseconds: 5))

        let thread = rejects.start(properties: [:])
        #expect(rejects.settle(3, timeoutMilliseconds: 30_000))
        worker.commitIfDirty(now: 1 << 40)
        #expect(!worker.isDirty)
        #expect(first != nil)
        rejects.stop()
        thread.join()
        try folder.remove()
    }
}
