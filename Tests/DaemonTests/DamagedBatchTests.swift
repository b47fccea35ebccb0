import Basics
import Foundation
import Testing

extension DaemonStateTests.TopicLifeTests {
    /// How a batch on the broker's disk is spoiled.
    enum Damage: CaseIterable {
        /// Its checksum does not fit.
        case checksum
        /// Its checksum fits, and its compressed bytes are none.
        case compression
    }

    /// The batches of a segment, each with the offset of its first record.
    private func batches(_ segment: [UInt8]) -> [(offset: Int64, bytes: Range<Int>)] {
        func number(at start: Int, bytes: Int) -> Int64 {
            segment[start..<start + bytes].reduce(0) { $0 << 8 | Int64($1) }
        }
        var batches: [(Int64, Range<Int>)] = []
        var start = 0
        // The offset, and the length of what follows the length.
        while start + 61 <= segment.count {
            let end = start + 12 + Int(number(at: start + 8, bytes: 4))
            guard end > start + 12, end <= segment.count else { break }
            batches.append((number(at: start, bytes: 8), start..<end))
            start = end
        }
        return batches
    }

    /// Spoils the batch that begins with the record of an offset.
    private func spoil(_ segment: inout [UInt8], at offset: Int64, _ damage: Damage) throws {
        let batch = try #require(batches(segment).first { $0.offset == offset }).bytes
        switch damage {
        case .checksum: segment[batch.upperBound - 1] ^= 0xff
        case .compression:
            // The records follow the header of 61 bytes.
            for index in (batch.lowerBound + 61)..<batch.upperBound { segment[index] = 0x5a }
            // Of everything from the attributes on.
            let checksum = segment[(batch.lowerBound + 21)..<batch.upperBound].withUnsafeBytes {
                CRC32C.checksum(ByteView($0))
            }
            for index in 0..<4 {
                segment[batch.lowerBound + 17 + index] = UInt8(
                    truncatingIfNeeded: checksum >> (24 - 8 * UInt32(index))
                )
            }
        }
    }

    @Test(
        "a batch that cannot be read halts its partition at it, the others go on; then it is left out, and only it",
        arguments: Damage.allCases
    )
    func damagedBatch(_ damage: Damage) async throws {
        let broker = try await Broker.apache()
        try await broker.createTopic(partitions: 2)
        let daemon = try DaemonUnderTest()
        let receiver = try Receiver()
        try daemon.configure(kafka: broker.address)
        try daemon.webhook(url: receiver.url)
        try daemon.cohorts([(id: "viewers", users: "{performed: {event: view, last: 1h}}")])
        let publisher = try Publisher(broker.address)
        for name in ["early", "spoiled", "later"] {
            // A batch each, long enough to be compressed.
            for number in 0..<10 {
                try await publisher.event("view", of: "\(name)-\(number)", partition: 0)
            }
            try await publisher.flush()
        }
        try await publisher.event("view", of: "other", partition: 1)
        try await publisher.flush()
        try await broker.changeSegment(topic: "events", partition: 0) {
            try spoil(&$0, at: 10, damage)
        }
        let program = try daemon.start()
        try await eventually("partition 0 is halted: \(program.errorLines.suffix(3))") {
            try daemon.readiness()?.reasons.contains {
                $0.contains("partition 0 halted") && $0.contains("cannot be read, 10 times")
                    && $0.contains("cohortctl kafka skip events/0 10-19")
            } ?? false
        }
        #expect(program.errors.contains("partition_halted"))
        try await eventually("the other one is live") {
            try daemon.status()?.partitions.last?.state == "live"
        }
        let halted = try #require(try daemon.status()?.partitions.first)
        #expect(halted.state == "halted")
        #expect(halted.offset == 10)
        // It neither goes on behind the batch nor asks for it again and again.
        try await eventually("the other partition ticks") {
            receiver.deliveries.members()["viewers"]?.contains("other") ?? false
        }
        #expect(try daemon.status()?.partitions.first?.offset == 10)
        #expect(receiver.deliveries.allSatisfy { $0.isEnter })
        switch damage {
        case .checksum:
            for (offsets, status) in [("9-19", 1), ("10-99", 1), ("10-19", 0), ("10-19", 0)] {
                let skip = try await daemon.ask("kafka", "skip", "events/0", offsets)
                #expect(skip.ending == .exited(Int32(status)), "\(offsets): \(skip.errors)")
                if status == 0 {
                    #expect(skip.output == "events/0 goes on at offset 20; it stood at 10\n")
                }
            }
            try await daemon.ready()
        case .compression:
            // It is the same after a restart, until the configuration says otherwise.
            try await daemon.stop()
            try daemon.configure(kafka: broker.address, kafkaMore: "on_damage: skip")
            try await daemon.startReady()
            #expect(
                try #require(daemon.program).errors.contains(
                    "offsets 10 to 19 of events/0 are left out"
                )
            )
        }
        try await eventually("what follows the batch is read, and only that") {
            let members = receiver.deliveries.members()["viewers"] ?? []
            return members.count == 21 && members.contains("later-9")
        }
        guard damage == .compression else {
            try await daemon.stop()
            return try await broker.stop()
        }
        // A new cohort reads history again, and passes the batch as it was decided.
        try daemon.cohorts([
            (id: "viewers", users: "{performed: {event: view, last: 1h}}"),
            (id: "others", users: "{performed: {event: [view, buy], last: 1h}}"),
        ])
        try await daemon.reload(until: "rebuild_done")
        try await eventually("history is read again around the batch") {
            receiver.deliveries.members()["others"]?.count == 21
        }
        #expect(receiver.deliveries.allSatisfy { $0.isEnter })
        try await daemon.stop()
        try await broker.stop()
    }
}
