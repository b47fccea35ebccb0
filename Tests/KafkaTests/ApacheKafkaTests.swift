import Basics
import Foundation
import Synchronization
import Testing

@testable import Kafka

@Suite(
    "On Apache Kafka",
    .apacheKafka,
    .enabled(if: kafkaHome != nil, "KAFKA_HOME is not set")
)
struct ApacheKafkaTests {
    let bootstrap = ApacheKafka.bootstrap
    let scenarios: Scenarios
    let topicScenarios: TopicScenarios

    init() throws {
        let createTopic: @Sendable (String, Int) throws -> Void = { [bootstrap] name, partitions in
            let sender = try Sender(bootstrap: bootstrap)
            let outcome = try Admin(sender.producer).createTopic(
                name,
                partitions: partitions,
                // The records' timestamps are years old, and a slow run lasts until the broker clears up.
                configuration: ["retention.ms": "-1"],
                timeoutMilliseconds: 30_000
            )
            #expect(outcome == .created)
            #expect(sender.producer.close(timeoutMilliseconds: 10_000))
        }
        scenarios = Scenarios(bootstrap: bootstrap, createTopic: createTopic)
        topicScenarios = TopicScenarios(bootstrap: bootstrap, createTopic: createTopic)
    }

    @Test("a destination's changes arrive under their key, numbered, in the order of the batches")
    func destinationChanges() async throws { try await topicScenarios.changes("changes") }

    @Test("a destination's table gets a value on entry and a tombstone on exit")
    func destinationTable() async throws { try await topicScenarios.table("table") }

    @Test("records keep their order per partition and every end is said")
    func order() async throws { try await scenarios.orderAndEnds("order") }

    @Test("null, empty and arbitrary bytes arrive as they were sent")
    func shapes() async throws { try await scenarios.shapes("shapes") }

    @Test("an offset beyond the end is a typed error and a restart heals it")
    func beyondEnd() async throws { try await scenarios.offsetBeyondEnd("beyond") }

    @Test("a second member takes its half and gives it back")
    func secondMember() async throws { try await scenarios.secondMember("second") }

    @Test("a paused partition goes on without a hole")
    func pause() async throws { try await scenarios.pauseAndResume("pause") }

    @Test("while everything is held nothing comes, and then it goes on without a hole")
    func hold() async throws { try await scenarios.holdAndRelease("hold") }

    @Test("a companion is read with the topic, from when it is there, and moves with it")
    func companion() async throws { try await scenarios.companion("accompanied") }

    @Test("delivery reports carry the token of their record")
    func reports() async throws { try await scenarios.deliveryReports("reports") }

    @Test("an absent topic is said and not made")
    func absent() async throws { try await scenarios.absentTopic("absent") }

    @Test("a topic is made once, with its configuration")
    func createTopic() async throws {
        let sender = try Sender(bootstrap: bootstrap)
        let admin = Admin(sender.producer)
        let first = try admin.createTopic(
            "made",
            partitions: 3,
            configuration: ["cleanup.policy": "compact"],
            timeoutMilliseconds: 30_000
        )
        #expect(first == .created)
        let again = try admin.createTopic("made", partitions: 5, timeoutMilliseconds: 30_000)
        #expect(again == .existed)
        let unset = try admin.createTopic("unset", partitions: nil, timeoutMilliseconds: 30_000)
        #expect(unset == .created)
        let error = #expect(throws: KafkaError.self) {
            try admin.createTopic(
                "wrong",
                partitions: 1,
                configuration: ["cleanup.policy": "burn"],
                timeoutMilliseconds: 30_000
            )
        }
        #expect(error?.isRetriable == false)
        #expect(sender.producer.close(timeoutMilliseconds: 10_000))
    }

    @Test("a static member that comes back has its partitions at once, and the other sees nothing")
    func staticMember() async throws {
        try scenarios.createTopic("static", 4)
        let timeout = ["session.timeout.ms": "30000"]
        let stays = try Member(
            bootstrap: bootstrap,
            topic: "static",
            group: "static",
            instance: "one",
            properties: timeout
        )
        let goes = try Member(
            bootstrap: bootstrap,
            topic: "static",
            group: "static",
            instance: "two",
            properties: timeout
        )
        try await eventually("the division") {
            stays.consumer.assignment.count == 2 && goes.consumer.assignment.count == 2
        }
        let partitions = goes.consumer.assignment
        stays.forget()
        #expect(try await goes.close())
        let began = ProcessInfo.processInfo.systemUptime
        let back = try Member(
            bootstrap: bootstrap,
            topic: "static",
            group: "static",
            instance: "two",
            properties: timeout
        )
        try await eventually("the partitions") { back.consumer.assignment == partitions }
        #expect(ProcessInfo.processInfo.systemUptime - began < 15)
        #expect(stays.seen.events == [])
        #expect(try await back.close())
        #expect(try await stays.close())
    }

    @Test("a second process under the same static name ends the first with a fatal error")
    func fenced() async throws {
        try scenarios.createTopic("fenced", 1)
        let first = try Member(
            bootstrap: bootstrap,
            topic: "fenced",
            group: "fenced",
            instance: "same"
        )
        try await eventually("the assignment") { first.consumer.assignment == [0] }
        let second = try Member(
            bootstrap: bootstrap,
            topic: "fenced",
            group: "fenced",
            instance: "same"
        )
        try await eventually("the fence") { first.seen.errors.contains { $0.isFatal } }
        let error = try #require(first.seen.errors.first { $0.isFatal })
        #expect(error.kind == .fenced)
        #expect(!error.isRetriable)
        try await eventually("the other has it") { second.consumer.assignment == [0] }
        #expect(first.seen.errors.filter { $0.isFatal }.count == 1)
        #expect(try await first.close())
        #expect(try await second.close())
    }

    @Test("aborted records are invisible, and the end that was asked for is the end that is said")
    func transactions() async throws {
        try scenarios.createTopic("aborted", 1)
        let sender = try Sender(
            bootstrap: bootstrap,
            properties: ["transactional.id": "kafka-tests"]
        )
        let producer = sender.producer
        func send(_ texts: [String]) throws {
            for text in texts {
                try producer.send(topic: "aborted", key: nil, value: Array(text.utf8), partition: 0)
            }
            try producer.flush(timeoutMilliseconds: 30_000)
        }
        try producer.initTransactions(timeoutMilliseconds: 30_000)
        try producer.beginTransaction()
        try send(["a", "b"])
        try producer.commitTransaction(timeoutMilliseconds: 30_000)
        try producer.beginTransaction()
        try send(["lost", "lost", "lost"])
        try producer.abortTransaction(timeoutMilliseconds: 30_000)
        let member = try Member(bootstrap: bootstrap, topic: "aborted", group: "aborted")
        // Two records and their marker, three records and theirs.
        try await eventually("the end behind the last marker") { member.seen.ends[0] == 7 }
        #expect(member.seen.records[0]?.map(\.text) == ["a", "b"])
        let closed = try member.consumer.endOffsets([0], timeoutMilliseconds: 10_000)
        #expect(closed == [0: .success(7)])
        // While a transaction is open the end stays before it: the last stable offset.
        try producer.beginTransaction()
        try send(["c"])
        let open = try member.consumer.endOffsets([0], timeoutMilliseconds: 10_000)
        #expect(open == [0: .success(7)])
        #expect(member.seen.records[0]?.count == 2)
        try producer.commitTransaction(timeoutMilliseconds: 30_000)
        try await eventually("the committed record") { member.seen.ends[0] == 9 }
        #expect(member.seen.records[0]?.map(\.text) == ["a", "b", "c"])
        let end = try member.consumer.endOffsets([0], timeoutMilliseconds: 10_000)
        #expect(end == [0: .success(9)])
        #expect(try await member.close())
        #expect(producer.close(timeoutMilliseconds: 10_000))
    }

    @Test("a start before the oldest record is a typed error")
    func deletedRecords() async throws {
        try scenarios.createTopic("deleted", 2)
        let sender = try Sender(bootstrap: bootstrap)
        try sender.fill("deleted", partitions: 2, count: 50)
        let plan = FileManager.default.temporaryDirectory.appendingPathComponent(
            "cohortd-delete-\(UUID().uuidString).json"
        )
        let text = #"{"partitions":[{"topic":"deleted","partition":0,"offset":30}],"version":1}"#
        try Data(text.utf8).write(to: plan)
        _ = try await run(
            "\(kafkaHome ?? "")/bin/kafka-delete-records.sh",
            ["--bootstrap-server", bootstrap, "--offset-json-file", plan.path]
        )
        try FileManager.default.removeItem(at: plan)
        let member = try Member(bootstrap: bootstrap, topic: "deleted", group: "deleted") { _ in
            .offset(10)
        }
        try await eventually("the error") { member.seen.failures[0]?.isEmpty == false }
        #expect(member.seen.failures[0]?.first?.kind == .offsetOutOfRange)
        let marks = try member.consumer.watermarks(0, timeoutMilliseconds: 10_000)
        #expect(marks == (30, 50))
        try await eventually("the other's end") { member.seen.ends[1] == 50 }
        try member.consumer.restart(0, at: marks.first)
        try await eventually("the rest") { member.seen.ends[0] == 50 }
        #expect(member.seen.records[0]?.map(\.text) == texts(0, 30..<50))
        #expect(member.seen.records[1]?.map(\.text) == texts(1, 10..<50))
        #expect(try await member.close())
    }
}
