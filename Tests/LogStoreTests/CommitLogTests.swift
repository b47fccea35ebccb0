import Basics
import LogStore
import TestKit
import Testing

@Suite("Commit log")
struct CommitLogTests {
    @Test("committed groups come back in order with their cuts, an open group does not")
    func roundTrip() throws {
        let disk = SimulatedDisk()
        var contents = Contents()
        var log = try SimulatedLog.open(disk, into: &contents)
        #expect(log.recovery.isNew)
        #expect(log.recovery.cut == nil)
        log.append(1, [7, 1, 2, 3])
        log.append(2, [])
        try log.commit("first")
        try log.commit("no records")
        log.append(255, [9])
        try log.commit("")
        log.append(1, [8])
        try log.close()

        let again = try SimulatedLog.open(disk, create: false, into: &contents)
        #expect(
            contents.groups == [
                [.init(type: 1, payload: [7, 1, 2, 3]), .init(type: 2, payload: [])], [],
                [.init(type: 255, payload: [9])],
            ]
        )
        #expect(contents.cuts == [Array("first".utf8), Array("no records".utf8), []])
        #expect(again.recovery.cut == [])
        #expect(again.recovery.records == 3)
        #expect(again.lastGroup == 3)
        #expect(again.payloadBytes == 5)
        #expect(again.recovery.tail == nil)
        #expect(again.recovery.orphans == [])
        try again.close()
    }

    @Test("records of any size come back, compressible or not")
    func sizes() throws {
        var generator = SeededGenerator(seed: 1)
        let disk = SimulatedDisk()
        var contents = Contents()
        var log = try SimulatedLog.open(disk, into: &contents)
        let edge = 64 << 10
        let part = 1 << 20
        // A block's edge, a part's edge, and both sides of each; 5 bytes stand before a payload.
        let groups = [
            [0, 1, edge - 6, edge - 5, edge - 4, 0], [edge, 3, part - 5],
            [part - 4, 2 * part + 7, 1],
        ]
        var expected: [[Contents.Record]] = []
        for sizes in groups {
            var group: [Contents.Record] = []
            for (index, size) in sizes.enumerated() {
                let payload =
                    index % 2 == 0
                    ? noise(size, &generator) : [UInt8](repeating: UInt8(index), count: size)
                group.append(.init(type: UInt8(generator.below(256)), payload: payload))
                log.append(group[index].type, payload)
            }
            try log.commit("c")
            expected.append(group)
        }
        let written = log.payloadBytes
        try log.close()
        let again = try SimulatedLog.open(disk, into: &contents)
        #expect(contents.groups == expected)
        #expect(again.payloadBytes == written)
        try again.close()
    }

    @Test("a rewrite replaces the history by the state and releases the old files")
    func rewrite() throws {
        let disk = SimulatedDisk()
        var contents = Contents()
        var log = try SimulatedLog.open(disk, into: &contents)
        for value in 0..<20 as Range<UInt8> {
            log.append(1, [1] + [UInt8](repeating: value, count: 200))
            try log.commit("c\(value)")
        }
        let before = log.bytesOnDisk
        try log.beginRewrite()
        log.append(1, [1] + [UInt8](repeating: 19, count: 200))
        try log.finishRewrite("c19")
        #expect(log.bytesOnDisk < before / 5)
        #expect(log.payloadBytes == 201)
        log.append(2, [1])
        try log.commit("c20")
        try log.close()
        #expect(
            disk.paths == [
                "/log/MANIFEST-2", "/log/ROOT-A", "/log/ROOT-B", "/log/SYNCED", "/log/wal-2",
            ]
        )

        let again = try SimulatedLog.open(disk, into: &contents)
        #expect(contents.cuts == [Array("c19".utf8), Array("c20".utf8)])
        #expect(contents.groups.map(\.count) == [1, 1])
        #expect(again.lastGroup == 22)
        try again.close()
    }

    @Test("ten rewrites in a row, each reopened, keep the state and use numbers once")
    func manyRewrites() throws {
        let disk = SimulatedDisk()
        for round in 0..<10 as Range<UInt8> {
            var found = Contents()
            var log = try SimulatedLog.open(disk, into: &found)
            if round > 0 { #expect(found.state.values[1] == [round - 1]) }
            try log.beginRewrite()
            log.append(1, [1, round])
            try log.finishRewrite("r\(round)")
            try log.close()
            #expect(disk.contents("/log/wal-\(round + 2)") != nil)
            #expect(disk.paths.count == 5)
        }
    }

    @Test("an abandoned rewrite changes nothing and its number is not used again")
    func abandonedRewrite() throws {
        let disk = SimulatedDisk()
        var contents = Contents()
        var log = try SimulatedLog.open(disk, into: &contents)
        log.append(1, [1, 1])
        try log.commit("a")
        try log.beginRewrite()
        log.append(1, [1, 9])
        log.abandonRewrite()
        #expect(log.leftBehind == nil)
        log.append(1, [1, 2])
        try log.commit("b")
        try log.beginRewrite()
        log.append(1, [1, 2])
        try log.finishRewrite("b")
        try log.close()
        #expect(disk.contents("/log/wal-3") != nil)
        #expect(try LogStoreTests.contents(of: disk).state.values == [1: [2]])
    }

    @Test("discarded records are not in the next group")
    func discard() throws {
        let disk = SimulatedDisk()
        var contents = Contents()
        var log = try SimulatedLog.open(disk, into: &contents)
        log.append(1, [1])
        log.discard()
        log.append(1, [2])
        try log.commit("c")
        try log.close()
        #expect(try LogStoreTests.contents(of: disk).groups == [[.init(type: 1, payload: [2])]])
    }

    @Test("a rewrite is due when the log is large and less than half of it is live")
    func due() throws {
        let disk = SimulatedDisk()
        var contents = Contents()
        var generator = SeededGenerator(seed: 5)
        var log = try SimulatedLog.open(disk, into: &contents)
        log.append(1, noise(1000, &generator))
        try log.commit("")
        let small = log.shouldRewrite(liveBytes: 0)
        #expect(!small)
        log.append(1, noise(2 << 20, &generator))
        try log.commit("")
        let mostlyDead = log.shouldRewrite(liveBytes: (1 << 20) - 1)
        let mostlyLive = log.shouldRewrite(liveBytes: (1 << 20) + 1000)
        #expect(mostlyDead)
        #expect(!mostlyLive)
        try log.close()
    }

    @Test("a log that is not there is not made unless asked for")
    func missing() {
        let disk = SimulatedDisk()
        var contents = Contents()
        #expect(throws: StoreError.missing(path: "/log")) {
            _ = try SimulatedLog.open(disk, create: false, into: &contents)
        }
        #expect(disk.changes == 0)
    }

    @Test("a record that its reader refuses is damage, with the file and the reason")
    func refused() throws {
        let disk = SimulatedDisk()
        var contents = Contents()
        var log = try SimulatedLog.open(disk, into: &contents)
        log.append(4, [1])
        try log.commit("")
        try log.close()
        let before = disk.changes
        let error = #expect(throws: StoreError.self) {
            _ = try SimulatedLog.open(
                disk,
                directory: "/log",
                identity: identity,
                createIfMissing: true
            ) { (_) throws(RecordRefused) in throw RecordRefused("no such user") }
        }
        #expect(
            error?.description.contains("a record of type 4 cannot be used: no such user") == true
        )
        #expect(error?.description.contains("/log/wal-1") == true)
        #expect(error?.exitCode == 65)
        #expect(disk.changes == before)
    }

    @Test("a log that is dropped without being closed has its commits")
    func dropped() throws {
        let disk = SimulatedDisk()
        do {
            var contents = Contents()
            var log = try SimulatedLog.open(disk, into: &contents)
            log.append(1, [1])
            try log.commit("c")
            log.append(1, [2])
        }
        #expect(try contents(of: disk).groups == [[.init(type: 1, payload: [1])]])
    }
}
