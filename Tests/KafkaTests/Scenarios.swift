import Basics
import Foundation
import Kafka
import Synchronization
import Testing

/// What holds on the in-process broker and on Apache Kafka alike.
///
/// Each scenario uses a topic of its own.
struct Scenarios {
    let bootstrap: String
    /// Makes a topic with that many partitions.
    let createTopic: (String, Int) throws -> Void

    /// Four partitions through two queues: order, timestamps, ends, offsets.
    func orderAndEnds(_ topic: String) async throws {
        try createTopic(topic, 4)
        let sender = try Sender(bootstrap: bootstrap)
        try sender.fill(topic, partitions: 4, count: 500)
        let member = try Member(bootstrap: bootstrap, topic: topic, group: topic)
        try await eventually("four ends") { member.seen.ends.count == 4 }
        let seen = member.seen
        for partition in PartitionID(0)..<4 {
            let records = seen.records[partition] ?? []
            #expect(records.map(\.text) == texts(partition, 0..<500))
            #expect(records.map(\.offset) == Array(0..<500))
            #expect(records.first?.timestamp == 1_700_000_000_000)
            #expect(records.last?.key == Array("k499".utf8))
            #expect(seen.ends[partition] == 500)
            #expect(seen.queueOfPartition[partition] == [Int(partition) % 2])
        }
        #expect(seen.events == [.assigned([0, 1, 2, 3])])
        #expect(seen.startsAsked == [0, 1, 2, 3])
        #expect(member.consumer.assignment == [0, 1, 2, 3])
        #expect(try member.consumer.partitionCount(timeoutMilliseconds: 10_000) == 4)
        let ends = try member.consumer.endOffsets([0, 1, 2, 3], timeoutMilliseconds: 10_000)
        #expect(ends == [0: .success(500), 1: .success(500), 2: .success(500), 3: .success(500)])
        let marks = try member.consumer.watermarks(2, timeoutMilliseconds: 10_000)
        #expect(marks == (0, 500))
        #expect(member.consumer.reachability.isReachable)
        // An end is said again after later records, with the new offset.
        try sender.fill(topic, partitions: 4, count: 1, from: 500)
        try await eventually("the next ends") { member.seen.ends.values.allSatisfy { $0 == 501 } }
        try member.consumer.commitOffsets([0: 501, 1: 501, 2: 501, 3: 501])
        #expect(try await member.close())
        #expect(member.seen.log.filter { $0.facility == "COMMIT" } == [])
        #expect(sender.producer.close(timeoutMilliseconds: 10_000))
    }

    /// Records of every shape come as they were sent.
    func shapes(_ topic: String) async throws {
        try createTopic(topic, 1)
        let sender = try Sender(bootstrap: bootstrap)
        let headers = [
            RecordHeader(name: "reason", text: "not_json"), RecordHeader(name: "none", value: nil),
            RecordHeader(name: "empty", value: []), RecordHeader(name: "raw", value: [0, 255]),
            RecordHeader(name: "reason", text: "again"),
        ]
        let shapes: [(key: [UInt8]?, value: [UInt8]?, headers: [RecordHeader])] = [
            (nil, nil, []), ([], [], []), (Array("k".utf8), nil, []), (nil, [0xFF, 0, 0xFE], []),
            (Array(repeating: 7, count: 5000), Array(0...255), headers),
        ]
        for shape in shapes {
            try sender.producer.send(
                topic: topic,
                key: shape.key,
                value: shape.value,
                headers: shape.headers,
                partition: 0
            )
        }
        try sender.producer.flush(timeoutMilliseconds: 30_000)
        let member = try Member(bootstrap: bootstrap, topic: topic, group: topic, threads: 1)
        try await eventually("all shapes") { member.seen.ends[0] == Offset(shapes.count) }
        let records = member.seen.records[0] ?? []
        #expect(records.map(\.key) == shapes.map(\.key))
        #expect(records.map(\.value) == shapes.map(\.value))
        #expect(records.map(\.headers) == shapes.map(\.headers))
        #expect(records.allSatisfy { ($0.timestamp ?? 0) > 1_600_000_000_000 })
        #expect(try await member.close())
        #expect(sender.producer.close(timeoutMilliseconds: 10_000))
    }

    /// An offset beyond the end is a typed error of its partition alone, and a restart heals it.
    func offsetBeyondEnd(_ topic: String) async throws {
        try createTopic(topic, 3)
        let sender = try Sender(bootstrap: bootstrap)
        try sender.fill(topic, partitions: 3, count: 100)
        let member = try Member(bootstrap: bootstrap, topic: topic, group: topic) { partition in
            partition == 0 ? .offset(5000) : partition == 1 ? .offset(40) : .hold
        }
        try await eventually("the error") { member.seen.failures[0]?.isEmpty == false }
        try await eventually("the other's end") { member.seen.ends[1] == 100 }
        let error = try #require(member.seen.failures[0]?.first)
        #expect(error.kind == .offsetOutOfRange)
        #expect(!error.isRetriable)
        #expect(error.text.contains("\(topic)/0"))
        #expect(member.seen.records[0] == nil)
        #expect(member.seen.records[1]?.map(\.text) == texts(1, 40..<100))
        // A held partition stays silent, also when others are restarted.
        #expect(member.consumer.assignment == [0, 1, 2])
        try member.consumer.restart(0, at: 90)
        try await eventually("the rest") { member.seen.ends[0] == 100 }
        #expect(member.seen.records[0]?.map(\.text) == texts(0, 90..<100))
        #expect(member.seen.records[2] == nil)
        try member.consumer.restart(2, at: 95)
        try await eventually("the held one") { member.seen.ends[2] == 100 }
        #expect(member.seen.records[2]?.map(\.text) == texts(2, 95..<100))
        // The partitions beside it went on where they were.
        try sender.fill(topic, partitions: 3, count: 1, from: 100)
        try await eventually("new records") { member.seen.ends.values.allSatisfy { $0 == 101 } }
        #expect(member.seen.records[0]?.map(\.text) == texts(0, 90..<101))
        #expect(member.seen.records[1]?.map(\.text) == texts(1, 40..<101))
        #expect(throws: KafkaError.self) { try member.consumer.restart(9, at: 0) }
        #expect(try await member.close())
        #expect(sender.producer.close(timeoutMilliseconds: 10_000))
    }

    /// A second member takes half of the partitions, and gives them back when it leaves.
    func secondMember(_ topic: String) async throws {
        try createTopic(topic, 4)
        let sender = try Sender(bootstrap: bootstrap)
        try sender.fill(topic, partitions: 4, count: 50)
        let first = try Member(bootstrap: bootstrap, topic: topic, group: topic)
        try await eventually("everything") { first.seen.ends.count == 4 }
        first.forget()
        let second = try Member(bootstrap: bootstrap, topic: topic, group: topic) { _ in
            .offset(50)
        }
        try await eventually("the division") {
            first.consumer.assignment.count == 2 && second.consumer.assignment.count == 2
        }
        let events = first.seen.events
        #expect(events.first == .revoked([0, 1, 2, 3], isLost: false))
        #expect(events.last == .assigned(first.consumer.assignment))
        #expect(
            (first.consumer.assignment + second.consumer.assignment).sorted() == [0, 1, 2, 3]
        )
        try sender.fill(topic, partitions: 4, count: 10, from: 50)
        try await eventually("the new owner's records") {
            second.consumer.assignment.allSatisfy { second.seen.ends[$0] == 60 }
        }
        for partition in second.consumer.assignment {
            #expect(second.seen.records[partition]?.map(\.text) == texts(partition, 50..<60))
        }
        #expect(try await second.close())
        try await eventually("the partitions come back") { first.consumer.assignment.count == 4 }
        #expect(try await first.close())
        #expect(sender.producer.close(timeoutMilliseconds: 10_000))
    }

    /// A paused partition is silent and goes on without a hole.
    func pauseAndResume(_ topic: String) async throws {
        try createTopic(topic, 2)
        let sender = try Sender(bootstrap: bootstrap)
        try sender.fill(topic, partitions: 2, count: 20)
        let member = try Member(bootstrap: bootstrap, topic: topic, group: topic)
        try await eventually("both ends") { member.seen.ends.count == 2 }
        try member.consumer.pause(0)
        try sender.fill(topic, partitions: 2, count: 20, from: 20)
        try await eventually("the other goes on") { member.seen.ends[1] == 40 }
        #expect(member.seen.records[0]?.map(\.text) == texts(0, 0..<20))
        try member.consumer.resume(0)
        try await eventually("the paused goes on") { member.seen.ends[0] == 40 }
        #expect(member.seen.records[0]?.map(\.text) == texts(0, 0..<40))
        #expect(try await member.close())
        #expect(sender.producer.close(timeoutMilliseconds: 10_000))
    }

    /// While everything is held nothing comes; afterwards it goes on without a hole, but for what was paused before.
    func holdAndRelease(_ topic: String) async throws {
        try createTopic(topic, 3)
        let sender = try Sender(bootstrap: bootstrap)
        try sender.fill(topic, partitions: 3, count: 20)
        let member = try Member(bootstrap: bootstrap, topic: topic, group: topic)
        try await eventually("all ends") { member.seen.ends.count == 3 }
        try member.consumer.pause(2)
        try member.consumer.hold()
        try sender.fill(topic, partitions: 3, count: 20, from: 20)
        // To restart one makes all be assigned anew.
        try member.consumer.restart(0, at: 20)
        for _ in 0..<2 { try member.consumer.hold() }
        try sender.fill(topic, partitions: 3, count: 20, from: 40)
        try await Task.sleep(for: .milliseconds(500))
        #expect(member.seen.records.values.allSatisfy { $0.count == 20 })
        for _ in 0..<2 { try member.consumer.release() }
        try await eventually("everything held goes on") {
            member.seen.ends[0] == 60 && member.seen.ends[1] == 60
        }
        #expect(member.seen.records[0]?.map(\.text) == texts(0, 0..<60))
        #expect(member.seen.records[1]?.map(\.text) == texts(1, 0..<60))
        #expect(member.seen.records[2]?.map(\.text) == texts(2, 0..<20))
        try member.consumer.resume(2)
        try await eventually("the paused goes on") { member.seen.ends[2] == 60 }
        #expect(member.seen.records[2]?.map(\.text) == texts(2, 0..<60))
        #expect(try await member.close())
        #expect(sender.producer.close(timeoutMilliseconds: 10_000))
    }

    private final class Shared: Sendable {
        let isThere = Mutex(false)
    }

    /// A companion's partitions come through the queues of the topic's, also when they start later, and move with
    /// them.
    func companion(_ topic: String) async throws {
        let other = topic + ".companion"
        try createTopic(topic, 4)
        let sender = try Sender(bootstrap: bootstrap)
        try sender.fill(topic, partitions: 4, count: 50)
        let start = Shared()
        let first = try Member(
            bootstrap: bootstrap,
            topic: topic,
            group: topic,
            companion: other,
            companionStart: { partition in
                start.isThere.withLock { $0 } ? Offset(partition) : nil
            }
        )
        try await eventually("four ends") { first.seen.ends.count == 4 }
        // To look for a topic does not make it.
        for _ in 0..<2 {
            #expect(
                try first.consumer.partitionCount(ifThere: other, timeoutMilliseconds: 10_000)
                    == nil
            )
        }
        try createTopic(other, 4)
        try sender.fill(other, partitions: 4, count: 20)
        #expect(
            try first.consumer.partitionCount(ifThere: other, timeoutMilliseconds: 10_000) == 4
        )
        start.isThere.withLock { $0 = true }
        try first.consumer.startCompanions()
        try await eventually("the companion's ends") { first.seen.companionEnds.count == 4 }
        try sender.fill(topic, partitions: 4, count: 50, from: 50)
        try sender.fill(other, partitions: 4, count: 20, from: 20)
        try await eventually("all of both") {
            let seen = first.seen
            return seen.ends.values.allSatisfy { $0 == 100 }
                && seen.companionEnds.values.allSatisfy { $0 == 40 }
        }
        let seen = first.seen
        for partition in PartitionID(0)..<4 {
            #expect(seen.records[partition]?.map(\.text) == texts(partition, 0..<100))
            #expect(
                seen.companionRecords[partition]?.map(\.text)
                    == texts(partition, Int(partition)..<40)
            )
            #expect(seen.queueOfPartition[partition] == [Int(partition) % 2])
        }
        let ends = try first.consumer.endOffsets([0, 3], of: other, timeoutMilliseconds: 10_000)
        #expect(ends == [0: .success(40), 3: .success(40)])

        // A second member takes the companions of what it is given.
        let second = try Member(
            bootstrap: bootstrap,
            topic: topic,
            group: topic,
            companion: other,
            start: { _ in .offset(100) },
            companionStart: { _ in 30 }
        )
        try await eventually("its half") { second.consumer.assignment.count == 2 }
        let half = second.consumer.assignment
        try await eventually("its companions") {
            Set(second.seen.companionEnds.keys) == Set(half)
                && second.seen.companionEnds.values.allSatisfy { $0 == 40 }
        }
        for partition in half {
            #expect(
                second.seen.companionRecords[partition]?.map(\.text) == texts(partition, 30..<40)
            )
        }
        #expect(first.seen.errors == [])
        #expect(second.seen.errors == [])
        #expect(try await second.close())
        #expect(try await first.close())
        #expect(sender.producer.close(timeoutMilliseconds: 10_000))
    }

    /// Each delivery report carries the token of its record.
    func deliveryReports(_ topic: String) async throws {
        try createTopic(topic, 1)
        let sender = try Sender(bootstrap: bootstrap)
        for token in UInt64(1)...100 {
            try sender.producer.send(
                topic: topic,
                key: nil as [UInt8]?,
                value: [1],
                token: token
            )
        }
        // The topic has no such partition: the client learns it from the broker, and says so.
        do {
            try sender.producer.send(
                topic: topic,
                key: nil as [UInt8]?,
                value: [1],
                partition: 7,
                token: .max
            )
            try await eventually("the refusal") { sender.reports.failed.withLock { !$0.isEmpty } }
            let errors = sender.reports.failed.withLock { $0 }
            #expect(errors.mapValues(\.kind) == [.max: .unknownTopicOrPartition])
        } catch let error as KafkaError {
            #expect(error.kind == .unknownTopicOrPartition)
        }
        try sender.producer.flush(timeoutMilliseconds: 30_000)
        #expect(sender.reports.delivered.withLock { $0 } == Array(1...100))
        #expect(sender.producer.pendingCount == 0)
        #expect(sender.producer.close(timeoutMilliseconds: 10_000))
        #expect(throws: KafkaError.closed) {
            try sender.producer.send(topic: topic, key: nil as [UInt8]?, value: [1])
        }
    }

    /// A topic that does not exist is said, and made by nobody.
    func absentTopic(_ topic: String) async throws {
        let member = try Member(bootstrap: bootstrap, topic: topic, group: topic)
        try await eventually("the error") {
            member.seen.errors.contains { $0.kind == .unknownTopicOrPartition }
        }
        let error = #expect(throws: KafkaError.self) {
            try member.consumer.partitionCount(timeoutMilliseconds: 10_000)
        }
        #expect(error?.kind == .unknownTopicOrPartition)
        #expect(member.consumer.assignment == [])
        #expect(try await member.close())
    }
}
