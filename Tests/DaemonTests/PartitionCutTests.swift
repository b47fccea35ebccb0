import Basics
import Kafka
import Testing

@testable import Daemon

@Suite("The cut of a partition's commit")
struct PartitionCutTests {
    private let cut = PartitionCut(
        position: LogPosition(events: 0x0102_0304, commands: 9),
        tick: EventTime(milliseconds: 1_442_102_400_000),
        floor: EventTime(milliseconds: 1_442_102_460_000),
        firstOffset: 7,
        base: LogBase(events: 3, commands: 4),
        fingerprint: RecordFingerprint(offset: 0x0102_0303, timestamp: 12, hash: .max - 1)
    )

    @Test("reads back as it was written, with and without a tick")
    func roundTrip() {
        #expect(PartitionCut(cut.encoded) == cut)
        let fresh = PartitionCut(
            position: LogPosition(events: 0),
            tick: nil,
            floor: .distantPast,
            firstOffset: 0
        )
        #expect(PartitionCut(fresh.encoded) == fresh)
    }

    @Test("is a version and ten little-endian numbers of eight bytes")
    func layout() {
        let bytes = cut.encoded
        #expect(bytes.count == 81)
        #expect(bytes[0] == 3)
        #expect(Array(bytes[1..<9]) == [4, 3, 2, 1, 0, 0, 0, 0])
        #expect(Array(bytes[9..<17]) == [9, 0, 0, 0, 0, 0, 0, 0])
        #expect(Array(bytes[33..<41]) == [7, 0, 0, 0, 0, 0, 0, 0])
        #expect(Array(bytes[41..<49]) == [3, 0, 0, 0, 0, 0, 0, 0])
        #expect(Array(bytes[57..<65]) == [3, 3, 2, 1, 0, 0, 0, 0])
        #expect(Array(bytes[73..<81]) == [254] + Array(repeating: 255, count: 7))
    }

    @Test("one of the version before is read, and says nothing of the last event")
    func former() {
        let bytes = [2] + Array(cut.encoded[1..<41])
        var former = cut
        former.base = LogBase()
        former.fingerprint = nil
        #expect(PartitionCut(bytes) == former)
        for count in 0..<41 { #expect(PartitionCut(Array(bytes.prefix(count))) == nil) }
        #expect(PartitionCut(bytes + [0]) == nil)
    }

    @Test("bytes of another version, too few and too many are refused")
    func foreign() {
        var other = cut.encoded
        other[0] = 1
        #expect(PartitionCut(other) == nil)
        #expect(PartitionCut([]) == nil)
        for count in 0..<81 { #expect(PartitionCut(Array(cut.encoded.prefix(count))) == nil) }
        #expect(PartitionCut(cut.encoded + [0]) == nil)
    }
}
