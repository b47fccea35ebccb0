import Basics
import Foundation
import Kafka
import Synchronization
import Testing

@Suite("On the in-process broker")
struct EmbeddedBrokerTests {
    let broker: EmbeddedBroker
    let scenarios: Scenarios

    init() throws {
        let broker = try EmbeddedBroker()
        self.broker = broker
        scenarios = Scenarios(
            bootstrap: broker.bootstrapServers,
            createTopic: { name, partitions in try broker.createTopic(name, partitions: partitions)
            }
        )
    }

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

    @Test("a start before the oldest record is a typed error")
    func truncated() async throws {
        try broker.createTopic("truncated", partitions: 1)
        let sender = try Sender(bootstrap: broker.bootstrapServers, compression: "none")
        // More than the 5 MiB that the broker keeps of a partition.
        try sender.fill("truncated", partitions: 1, count: 7_000, padding: 1_000)
        let member = try Member(
            bootstrap: broker.bootstrapServers,
            topic: "truncated",
            group: "truncated"
        )
        try await eventually("the error") { member.seen.failures[0]?.isEmpty == false }
        #expect(member.seen.failures[0]?.first?.kind == .offsetOutOfRange)
        let marks = try member.consumer.watermarks(0, timeoutMilliseconds: 10_000)
        #expect(marks.first > 0)
        #expect(marks.end == 7_000)
        try member.consumer.restart(0, at: marks.first)
        try await eventually("the end") { member.seen.ends[0] == 7_000 }
        #expect(member.seen.records[0]?.first?.offset == marks.first)
        #expect(member.count == Int(marks.end - marks.first))
        #expect(try await member.close())
    }

    /// A consumer, in a group of its own, that has the one partition of a topic from its beginning.
    private func consumer(
        of topic: String,
        _ properties: [String: String] = [:]
    ) async throws -> Consumer {
        let broker = ["bootstrap.servers": broker.bootstrapServers]
        let consumer = try Consumer(
            ConsumerSettings(
                properties: broker.merging(properties) { $1 },
                groupID: topic,
                clientID: "kafka-tests",
                topic: topic,
                threads: 1
            ),
            ConsumerEvents(
                startPosition: { _ in .offset(0) },
                assigned: { _ in },
                revoked: { _, _ in },
                failed: { _ in },
                log: { _ in }
            )
        )
        try await eventually("the assignment") {
            consumer.pollControl(timeoutMilliseconds: 10)
            return consumer.assignment == [0]
        }
        return consumer
    }

    @Test("a limit and an early stop leave the rest queued and in order")
    func limits() async throws {
        try broker.createTopic("limits", partitions: 1)
        try Sender(bootstrap: broker.bootstrapServers).fill("limits", partitions: 1, count: 100)
        let consumer = try await consumer(of: "limits")
        var offsets: [Offset] = []
        var counts: [Int] = []
        let queue = consumer.queues[0]
        while offsets.count < 60 {
            let count = queue.consume(timeoutMilliseconds: 1_000, limit: 7) {
                offsets.append($0.offset)
            }
            if count > 0 { counts.append(count) }
        }
        #expect(counts.allSatisfy { $0 <= 7 })
        var isEnd = false
        while !isEnd {
            let count = queue.consume(timeoutMilliseconds: 1_000) { record in
                if record.isRecord { offsets.append(record.offset) } else { isEnd = true }
                queue.stopEarly()
            }
            #expect(count <= 1)
        }
        #expect(offsets == Array(0..<100))
        #expect(consumer.close(timeoutMilliseconds: 10_000))
        #expect(consumer.close(timeoutMilliseconds: 10_000))
        #expect(queue.consume(timeoutMilliseconds: 10_000) { _ in } == 0)
        #expect(throws: KafkaError.closed) {
            try consumer.endOffsets([0], timeoutMilliseconds: 10_000)
        }
    }

    @Test("a queue that was full is filled again as soon as it is half empty")
    func fullQueue() async throws {
        try broker.createTopic("full", partitions: 1)
        let batches = ["batch.num.messages": "100"]
        try Sender(bootstrap: broker.bootstrapServers, properties: batches)
            .fill("full", partitions: 1, count: 20_000)
        let consumer = try await consumer(of: "full", ["queued.min.messages": "200"])
        let clock = ContinuousClock()
        let start = clock.now
        var next: Offset = 0
        while next < 20_000, clock.now - start < .seconds(60) {
            _ = consumer.queues[0].consume(timeoutMilliseconds: 1_000, limit: 50) {
                if $0.isRecord { next = $0.offset + 1 }
            }
            usleep(1000)
        }
        #expect(next == 20_000)
        // By itself the client would sleep a second for each 200 records.
        #expect(clock.now - start < .seconds(20))
        #expect(consumer.close(timeoutMilliseconds: 10_000))
    }

    @Test("a broker that is down is noticed, and nothing is lost when it comes back")
    func outage() async throws {
        try broker.createTopic("outage", partitions: 1)
        let sender = try Sender(bootstrap: broker.bootstrapServers)
        try sender.fill("outage", partitions: 1, count: 10)
        let member = try Member(
            bootstrap: broker.bootstrapServers,
            topic: "outage",
            group: "outage"
        )
        try await eventually("the first records") { member.seen.ends[0] == 10 }
        #expect(member.consumer.reachability.isReachable)
        try broker.setDown()
        try await eventually("the outage") { !member.consumer.reachability.isReachable }
        #expect(member.seen.errors.contains { $0.kind == .allBrokersDown && $0.isRetriable })
        let began = ProcessInfo.processInfo.systemUptime
        let error = #expect(throws: KafkaError.self) {
            try member.consumer.endOffsets([0], timeoutMilliseconds: 300)
        }
        #expect(error?.isRetriable == true)
        #expect(ProcessInfo.processInfo.systemUptime - began < 10)
        #expect(throws: KafkaError.self) { try member.consumer.probe(timeoutMilliseconds: 300) }
        for number in 10..<20 {
            try sender.producer.send(
                topic: "outage",
                key: nil,
                value: Array("0:\(number)".utf8),
                partition: 0
            )
        }
        try broker.setUp()
        try await eventually("an answer") {
            // Fails until the client has connected again.
            do {
                try member.consumer.probe(timeoutMilliseconds: 200)
                return true
            } catch let error as KafkaError {
                return !error.isRetriable
            }
        }
        #expect(member.consumer.reachability.isReachable)
        try sender.producer.flush(timeoutMilliseconds: 30_000)
        try await eventually("the rest") { member.seen.records[0]?.count == 20 }
        #expect(member.seen.records[0]?.map(\.text) == texts(0, 0..<20))
        #expect(try await member.close())
    }

    @Test("closing is bounded in time while no broker answers")
    func closeInOutage() async throws {
        try broker.createTopic("gone", partitions: 1)
        let member = try Member(bootstrap: broker.bootstrapServers, topic: "gone", group: "gone")
        try await eventually("the assignment") { member.consumer.assignment == [0] }
        try broker.setDown()
        let began = ProcessInfo.processInfo.systemUptime
        _ = try await member.close()
        #expect(ProcessInfo.processInfo.systemUptime - began < 60)
    }

    @Test("a full producer says so and takes the record later")
    func queueFull() async throws {
        try broker.createTopic("full", partitions: 1)
        let sender = try Sender(
            bootstrap: broker.bootstrapServers,
            properties: ["queue.buffering.max.messages": "10"]
        )
        try broker.setDown()
        for _ in 0..<10 {
            try sender.producer.send(topic: "full", key: nil as [UInt8]?, value: [1], partition: 0)
        }
        let error = #expect(throws: KafkaError.self) {
            try sender.producer.send(topic: "full", key: nil as [UInt8]?, value: [1], partition: 0)
        }
        #expect(error?.kind == .queueFull)
        #expect(error?.isRetriable == true)
        let late = #expect(throws: KafkaError.self) {
            try sender.producer.flush(timeoutMilliseconds: 50)
        }
        #expect(late?.kind == .timedOut)
        #expect(sender.producer.pendingCount == 10)
        try broker.setUp()
        try sender.producer.flush(timeoutMilliseconds: 30_000)
        try sender.producer.send(topic: "full", key: nil as [UInt8]?, value: [1], partition: 0)
        try sender.producer.flush(timeoutMilliseconds: 30_000)
        #expect(sender.reports.delivered.withLock { $0.count } == 11)
    }

    @Test("the broker that makes no topics says so, and sending makes one")
    func topicBySending() async throws {
        let sender = try Sender(bootstrap: broker.bootstrapServers)
        let outcome = try Admin(sender.producer).createTopic(
            "dead",
            partitions: nil,
            timeoutMilliseconds: 10_000
        )
        #expect(outcome == .unsupported)
        try sender.producer.send(topic: "dead", key: nil as [UInt8]?, value: [1])
        try sender.producer.flush(timeoutMilliseconds: 30_000)
        #expect(sender.reports.delivered.withLock { $0.count } == 1)
    }

    @Test("end offsets are found again after a partition moved to another broker")
    func leaderMoves() async throws {
        let broker = try EmbeddedBroker(brokers: 2)
        try broker.createTopic("moves", partitions: 2)
        for partition in Int32(0)..<2 {
            try broker.setLeader("moves", partition: partition, broker: 1)
        }
        let sender = try Sender(bootstrap: broker.bootstrapServers)
        try sender.fill("moves", partitions: 2, count: 5)
        let member = try Member(bootstrap: broker.bootstrapServers, topic: "moves", group: "moves")
        try await eventually("the ends") { member.seen.ends.count == 2 }
        let before = try member.consumer.endOffsets([0, 1], timeoutMilliseconds: 10_000)
        #expect(before == [0: .success(5), 1: .success(5)])
        try broker.setLeader("moves", partition: 1, broker: 2)
        try sender.fill("moves", partitions: 2, count: 5, from: 5)
        try await eventually("the new ends") {
            // Until the client knows the new leader, the broker that was one says so.
            do {
                let ends = try member.consumer.endOffsets([0, 1], timeoutMilliseconds: 10_000)
                return ends == [0: .success(10), 1: .success(10)]
            } catch let error as KafkaError where error.isRetriable {
                return false
            }
        }
        try await eventually("the records") { member.seen.ends == [0: 10, 1: 10] }
        #expect(member.seen.records[1]?.map(\.text) == texts(1, 0..<10))
        #expect(try await member.close())
    }

    @Test("restarts under a stream of records leave nothing out")
    func restarts() async throws {
        try broker.createTopic("restarts", partitions: 3)
        let sender = try Sender(bootstrap: broker.bootstrapServers)
        let member = try Member(
            bootstrap: broker.bootstrapServers,
            topic: "restarts",
            group: "restarts"
        )
        try await eventually("the assignment") { member.consumer.assignment == [0, 1, 2] }
        for round in 0..<20 {
            try sender.fill("restarts", partitions: 3, count: 50, from: round * 50)
            let position = member.seen.records[0]?.last.map { $0.offset + 1 } ?? 0
            try member.consumer.restart(0, at: position)
        }
        try await eventually("the ends") { member.seen.ends == [0: 1000, 1: 1000, 2: 1000] }
        for partition in PartitionID(0)..<3 {
            // A record may come twice around a restart; in the order of first sight none is missing.
            var next: Offset = 0
            for record in member.seen.records[partition] ?? [] where record.offset >= next {
                #expect(record.offset == next)
                #expect(record.text == "\(partition):\(next)")
                next = record.offset + 1
            }
            #expect(next == 1000)
        }
        #expect(member.seen.errors == [])
        #expect(try await member.close())
    }

    @Test("nothing follows a damaged batch until its partition is restarted")
    func damage() async throws {
        try broker.createTopic("damage", partitions: 2)
        let sender = try Sender(bootstrap: broker.bootstrapServers)
        try sender.fill("damage", partitions: 2, count: 10)
        let member = try Member(
            bootstrap: broker.bootstrapServers,
            topic: "damage",
            group: "damage"
        )
        try await eventually("the good records") { member.seen.ends == [0: 10, 1: 10] }
        // The next fetch (request 1) is answered with CORRUPT_MESSAGE (2), for both partitions.
        try broker.failNext(request: 1, codes: [2])
        try await eventually("the damage") { member.seen.failures.count == 2 }
        #expect(member.seen.failures[0]?.first?.kind == .damagedBatch)
        try sender.fill("damage", partitions: 2, count: 10, from: 10)
        // The client went on fetching behind the damage; the other partition's restart shows it.
        try member.consumer.restart(1, at: 10)
        try await eventually("the restarted one") { member.seen.ends[1] == 20 }
        #expect(member.seen.records[1]?.map(\.text) == texts(1, 0..<20))
        #expect(member.seen.records[0]?.map(\.text) == texts(0, 0..<10))
        try member.consumer.restart(0, at: 10)
        try await eventually("the other") { member.seen.ends[0] == 20 }
        #expect(member.seen.records[0]?.map(\.text) == texts(0, 0..<20))
        #expect(try await member.close())
    }

    @Test("a paused partition flows again when it is assigned anew")
    func pauseEndsWithTheAssignment() async throws {
        try broker.createTopic("anew", partitions: 1)
        let sender = try Sender(bootstrap: broker.bootstrapServers)
        try sender.fill("anew", partitions: 1, count: 10)
        let member = try Member(bootstrap: broker.bootstrapServers, topic: "anew", group: "anew")
        try await eventually("the records") { member.seen.ends[0] == 10 }
        try member.consumer.pause(0)
        member.forget()
        let other = try Member(bootstrap: broker.bootstrapServers, topic: "anew", group: "anew")
        try await eventually("the division") {
            !member.seen.events.isEmpty && member.consumer.assignment != other.consumer.assignment
        }
        // One of the two has it now, and the other lets it go.
        #expect(try await other.close())
        try await eventually("all records once more") { member.seen.ends[0] == 10 }
        #expect(member.seen.records[0]?.suffix(10).map(\.text) == texts(0, 0..<10))
        #expect(try await member.close())
    }

    @Test("one partition without an answer does not hide the others")
    func partialAnswer() async throws {
        try broker.createTopic("partial", partitions: 2)
        let member = try Member(
            bootstrap: broker.bootstrapServers,
            topic: "partial",
            group: "partial"
        )
        let answers = try member.consumer.endOffsets([0, 1, 9], timeoutMilliseconds: 10_000)
        #expect(answers[0] == .success(0))
        #expect(answers[1] == .success(0))
        guard case .failure(let error) = answers[9] else {
            Issue.record("partition 9 has an end offset: \(String(describing: answers[9]))")
            return
        }
        #expect(error.kind == .unknownTopicOrPartition)
        #expect(try await member.close())
    }
}
