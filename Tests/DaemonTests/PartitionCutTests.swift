import Basics
import Testing

@testable import Daemon

@Suite("The cut of a partition's commit")
struct PartitionCutTests {
    private let cut = PartitionCut(
        position: LogPosition(events: 0x0102_0304, commands: 9),
        tick: EventTime(milliseconds: 1_442_102_400_000),
        floor: EventTime(milliseconds: 1_442_102_460_000),
        firstOffset: 7
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

    @Test("is a version and five little-endian numbers of eight bytes")
    func layout() {
        let bytes = cut.encoded
        #expect(bytes.count == 41)
        #expect(bytes[0] == 2)
        #expect(Array(bytes[1..<9]) == [4, 3, 2, 1, 0, 0, 0, 0])
        #expect(Array(bytes[9..<17]) == [9, 0, 0, 0, 0, 0, 0, 0])
        #expect(Array(bytes[33..<41]) == [7, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test("bytes of another version, too few and too many are refused")
    func foreign() {
        var other = cut.encoded
        other[0] = 1
        #expect(PartitionCut(other) == nil)
        #expect(PartitionCut([]) == nil)
        for count in 0..<41 { #expect(PartitionCut(Array(cut.encoded.prefix(count))) == nil) }
        #expect(PartitionCut(cut.encoded + [0]) == nil)
    }
}
