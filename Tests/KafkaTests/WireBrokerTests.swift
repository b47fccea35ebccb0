import Basics
import BrokerKit
import Foundation
import Testing

@testable import Kafka

@Suite("On a broker scripted down to the bytes")
struct WireBrokerTests {
    /// What is wrong with a batch.
    enum Damage: CaseIterable {
        case checksum, gzip, snappy, lz4, zstd, unknownCodec
    }

    private let broker: WireBroker

    init() throws {
        broker = try WireBroker(nodes: 2)
        broker.createTopic(partitions: 2)
    }

    private func batch(_ texts: String...) -> RecordBatch {
        RecordBatch(texts.map { .init(key: $0, value: $0) }, timestamp: 1_700_000_000_000)
    }

    private func member(_ properties: [String: String] = [:]) throws -> Member {
        try Member(
            bootstrap: broker.bootstrapServers,
            topic: "events",
            group: "events",
            instance: "one",
            properties: properties
        )
    }

    private func texts(_ member: Member, _ partition: PartitionID = 0) -> [String] {
        (member.seen.records[partition] ?? []).map(\.text)
    }

    /// Waits until a partition that flows was asked for so often, each time for a tenth of a second.
    private func waitForFetches(_ count: Int, partition: Int32 = 1) async throws {
        let end = broker.fetchedOffsets(partition: partition).count + count
        try await eventually("\(count) fetches") {
            broker.fetchedOffsets(partition: partition).count >= end
        }
    }

    @Test("a batch that is damaged stops its partition, and is not asked for again and again")
    func damage() async throws {
        broker.createTopic(partitions: 7)
        for (index, damage) in Damage.allCases.enumerated() {
            let partition = Int32(index)
            var bad = batch("bad")
            switch damage {
            case .checksum: bad.isChecksumWrong = true
            case .gzip: bad.codec = .gzip
            case .snappy: bad.codec = .snappy
            case .lz4: bad.codec = .lz4
            case .zstd: bad.codec = .zstd
            case .unknownCodec: bad.codec = .unknown
            }
            if damage != .checksum { bad.body = [UInt8](repeating: 0x5a, count: 200) }
            broker.append(batch("first", "second"), partition: partition)
            broker.append(bad, partition: partition)
            broker.append(batch("later"), partition: partition)
        }
        let member = try member()
        try await eventually("all are damaged") { member.seen.failures.count == 6 }
        broker.append(batch("other"), partition: 6)
        try await eventually("the other goes on") { texts(member, 6) == ["other"] }
        try await waitForFetches(10, partition: 6)
        for partition in PartitionID(0)..<6 {
            #expect(
                member.seen.failures[partition]?.allSatisfy { $0.kind == .damagedBatch } ?? false
            )
            #expect(texts(member, partition) == ["first", "second"])
            #expect(broker.fetchedOffsets(partition: partition).count < 15)
        }
        #expect(try await member.close())
    }

    @Test(
        "a batch that would grow to a gibibyte is damaged, and the other partition goes on",
        arguments: [RecordBatch.Codec.gzip, .lz4, .zstd, .snappy]
    )
    func bomb(_ codec: RecordBatch.Codec) async throws {
        broker.append(batch("first"))
        var bomb = batch("boom")
        bomb.codec = codec
        bomb.body = CompressionBomb.bytes(codec, of: 1 << 30)
        broker.append(bomb)
        let member = try member()
        try await eventually("the damage") { member.seen.failures[0]?.isEmpty == false }
        #expect(member.seen.failures[0]?.first?.kind == .damagedBatch)
        broker.append(batch("other"), partition: 1)
        try await eventually("the other goes on") { texts(member, 1) == ["other"] }
        #expect(texts(member) == ["first"])
        #expect(try await member.close())
    }

    @Test(
        "a batch of no records, whose checksum fits, gives nothing and is not asked for all the time"
    )
    func noRecords() async throws {
        broker.append(batch("first"))
        var bad = batch("bad")
        bad.body = [UInt8](repeating: 0x5a, count: 200)
        broker.append(bad)
        broker.append(batch("later"))
        let member = try member()
        try await eventually("the first record") { texts(member) == ["first"] }
        let before = broker.fetchedOffsets().count
        // Two seconds.
        try await waitForFetches(20)
        #expect(broker.fetchedOffsets().count - before < 40)
        #expect(texts(member) == ["first"])
        #expect(try await member.close())
    }

    @Test("records of aborted transactions never come, those of open ones when they are committed")
    func transactions() async throws {
        let now: Int64 = 1_700_000_000_000
        func transaction(_ producer: Int64, _ text: String) -> RecordBatch {
            var batch = batch(text)
            batch.producerID = producer
            return batch
        }
        broker.append(transaction(7, "committed"))
        broker.append(transaction(8, "aborted"))
        broker.endTransaction(of: 7, isCommitted: true, at: now)
        broker.append(transaction(8, "aborted as well"))
        broker.endTransaction(of: 8, isCommitted: false, at: now)
        broker.append(transaction(8, "open"))
        broker.append(batch("behind"))
        let member = try member()
        // The end is where the open one begins.
        try await eventually("the end") { member.seen.ends[0] == 5 }
        #expect(texts(member) == ["committed"])
        let ends = try member.consumer.endOffsets([0], timeoutMilliseconds: 10_000)
        #expect(ends == [0: .success(5)])
        broker.endTransaction(of: 8, isCommitted: true, at: now)
        try await eventually("the rest") { member.seen.ends[0] == 8 }
        #expect(texts(member) == ["committed", "open", "behind"])
        // One that is aborted at the end leaves nothing but a greater end.
        broker.append(transaction(9, "never"))
        broker.endTransaction(of: 9, isCommitted: false, at: now)
        try await eventually("the end behind it") { member.seen.ends[0] == 10 }
        #expect(texts(member) == ["committed", "open", "behind"])
        #expect(member.seen.failures.isEmpty)
        #expect(try await member.close())
    }

    @Test("a partition that another node leads now goes on there, without a hole or a repetition")
    func leaderMoves() async throws {
        broker.append(batch("0", "1"))
        let member = try member()
        try await eventually("the first records") { texts(member) == ["0", "1"] }
        for round in 1...4 {
            broker.lead(partition: 0, by: round % 2 + 1)
            broker.append(batch("\(2 * round)", "\(2 * round + 1)"))
            try await eventually("round \(round)") { texts(member).count == 2 * round + 2 }
        }
        // The node that leads is gone; until another one leads nothing comes.
        broker.lead(partition: 0, by: 2)
        broker.behave(.refusing, node: 2)
        broker.append(batch("10"))
        try await eventually("connections to it") { broker.connectionCount(node: 2) > 3 }
        #expect(texts(member).count == 10)
        broker.lead(partition: 0, by: 1)
        try await eventually("the record of the lost node") { texts(member).count == 11 }
        #expect(texts(member) == (0..<11).map { "\($0)" })
        #expect(member.seen.failures.isEmpty)
        #expect(try await member.close())
    }

    @Test("a connection that is never answered again is given up, and another one made")
    func halfOpen() async throws {
        broker.append(batch("first"))
        let member = try member(["socket.timeout.ms": "2000"])
        try await eventually("the first record") { texts(member) == ["first"] }
        broker.deafen()
        broker.append(batch("second"))
        try await eventually("the second record") { texts(member) == ["first", "second"] }
        #expect(member.consumer.assignment == [0, 1])
        #expect(try await member.close())
    }

    @Test("a node that is no Kafka is named, and seldom asked")
    func noKafka() async throws {
        let member = try member()
        try await eventually("the assignment") { member.consumer.assignment == [0, 1] }
        broker.behave(.saying(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)))
        let began = ProcessInfo.processInfo.systemUptime
        let before = broker.connectionCount(node: 1)
        try await eventually("it is named") {
            member.seen.errors.contains { $0.text.contains("an HTTP server answers there") }
        }
        try await eventually("it is lost") { !member.consumer.reachability.isReachable }
        let seconds = ProcessInfo.processInfo.systemUptime - began
        #expect(broker.connectionCount(node: 1) - before < 10 + 10 * Int(seconds))
        broker.behave(.answering)
        broker.append(batch("back"))
        try await eventually("it is back") { texts(member) == ["back"] }
        #expect(try await member.close())
    }

    @Test("a node that takes connections and never answers is left alone, and used when it does")
    func silence() async throws {
        broker.behave(.silent)
        let member = try member(["api.version.request.timeout.ms": "1000"])
        try await eventually("it is said") {
            member.seen.errors.contains { $0.text.contains("ApiVersionRequest failed") }
        }
        // One at a time of each node.
        #expect(broker.connectionCount(node: 1) < 10)
        broker.behave(.answering)
        broker.append(batch("first"))
        try await eventually("the first record") { texts(member) == ["first"] }
        #expect(try await member.close())
    }

    @Test("a static name that somebody else has now is a fatal error")
    func fenced() async throws {
        let member = try member()
        try await eventually("the assignment") { member.consumer.assignment == [0, 1] }
        broker.replaceStaticMembers()
        try await eventually("the end") { member.seen.errors.contains { $0.kind == .fenced } }
        #expect(member.seen.errors.filter(\.isFatal).count == 1)
        _ = try await member.close()
    }
}
