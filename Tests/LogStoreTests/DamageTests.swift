import Basics
import LogStore
import TestKit
import Testing

/// Every way in which the files of a resting log can differ from what was written.
@Suite("Damage")
struct DamageTests {
    /// A log in its second generation: a base of two records, two groups, closed.
    static func rested(
        _ directory: String = "/log",
        identity given: LogIdentity = identity,
        on disk: SimulatedDisk,
        value: UInt8 = 1
    ) throws(StoreError) -> [Int64] {
        var found = Contents()
        var log = try SimulatedLog.open(disk, directory, identity: given, into: &found)
        log.append(1, [value])
        try log.commit("a")
        try log.beginRewrite()
        log.append(1, [value, 2])
        log.append(3, Array("compress me compress me compress me compress me compress me".utf8))
        try log.finishRewrite("a")
        var ends = [log.bytesOnDisk]
        log.append(2, [value])
        try log.commit("b")
        ends.append(log.bytesOnDisk)
        log.append(1, [value, 3])
        log.append(200, [])
        try log.commit("c")
        ends.append(log.bytesOnDisk)
        try log.close()
        return ends
    }

    static let original: SimulatedDisk.Image = {
        let disk = SimulatedDisk()
        do {
            _ = try rested(on: disk)
        } catch {
            preconditionFailure("\(error)")
        }
        return disk.image
    }()

    /// Opens a damaged copy: nil when it was refused as damaged and nothing was touched.
    static func open(
        _ disk: SimulatedDisk,
        _ what: @autoclosure () -> String
    ) -> Contents? {
        let before = disk.changes
        do throws(StoreError) {
            return try contents(of: disk)
        } catch {
            switch error {
            case .damaged, .unsupported: break
            default: Issue.record("\(what()): \(error)")
            }
            #expect(disk.changes == before, "\(what()): changed something before it refused")
            return nil
        }
    }

    /// Whether the log can do without the file: the other root, or no mark, stands in for it.
    static func isDispensable(_ path: String) -> Bool {
        path.contains("ROOT") || path.contains("SYNCED")
    }

    @Test("every single bit: of a root or the mark the same state, of all else refused as damage")
    func bitFlips() throws {
        let whole = try contents(of: SimulatedDisk(Self.original))
        for (path, bytes) in Self.original.files.sorted(by: { $0.key < $1.key }) {
            for bit in 0..<(bytes.count * 8) {
                var damaged = bytes
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                let disk = SimulatedDisk(Self.original)
                disk.place(path, damaged)
                let found = Self.open(disk, "\(path), bit \(bit)")
                #expect(found == (Self.isDispensable(path) ? whole : nil), "\(path), bit \(bit)")
            }
        }
    }

    @Test("without the synced mark, only the last group can be taken for an interrupted commit")
    func bitFlipsWithoutMark() throws {
        let whole = try contents(of: SimulatedDisk(Self.original))
        let ends = try Self.rested(on: SimulatedDisk())
        let bytes = Self.original.files["/log/wal-2"] ?? []
        #expect(bytes.count == Int(ends[2]))
        for bit in 0..<(bytes.count * 8) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            let disk = SimulatedDisk(Self.original)
            disk.place("/log/wal-2", damaged)
            disk.remove("/log/SYNCED")
            let found = Self.open(disk, "bit \(bit)")
            if bit / 8 < Int(ends[1]) {
                #expect(found == nil, "bit \(bit) lies in a group that a later one vouches for")
            } else {
                #expect(found?.groups == whole.groups.dropLast(), "bit \(bit)")
                #expect(
                    disk.paths.contains { $0.hasPrefix("/log/quarantine/tail-2-\(ends[1])-") },
                    "bit \(bit)"
                )
            }
        }
    }

    @Test("every truncation: of a root or the mark the same state, of all else refused as damage")
    func truncations() throws {
        let whole = try contents(of: SimulatedDisk(Self.original))
        for (path, bytes) in Self.original.files {
            for length in 0..<bytes.count {
                let disk = SimulatedDisk(Self.original)
                disk.place(path, Array(bytes.prefix(length)))
                let found = Self.open(disk, "\(path) cut to \(length)")
                #expect(
                    found == (Self.isDispensable(path) ? whole : nil),
                    "\(path) cut to \(length)"
                )
            }
        }
    }

    @Test(
        "without the synced mark, a cut within or before an earlier group is never hidden by a later one"
    )
    func truncationsWithoutMark() throws {
        let ends = try Self.rested(on: SimulatedDisk())
        let whole = try contents(of: SimulatedDisk(Self.original))
        let bytes = Self.original.files["/log/wal-2"] ?? []
        for length in 0..<bytes.count {
            let disk = SimulatedDisk(Self.original)
            disk.place("/log/wal-2", Array(bytes.prefix(length)))
            disk.remove("/log/SYNCED")
            let groups = ends.filter { $0 <= length }.count
            let found = Self.open(disk, "cut to \(length)")
            // The base is vouched for by the manifest; what was behind it is an earlier committed state.
            #expect(found?.groups == (groups == 0 ? nil : Array(whole.groups.prefix(groups))))
        }
    }

    @Test("every file missing: refused, or the same state; never a new log")
    func missingFiles() throws {
        let whole = try contents(of: SimulatedDisk(Self.original))
        let paths = Self.original.files.keys.sorted()
        for chosen in 1..<(1 << paths.count) {
            let disk = SimulatedDisk(Self.original)
            let missing = paths.indices.filter { chosen >> $0 & 1 == 1 }.map { paths[$0] }
            for path in missing { disk.remove(path) }
            guard missing.count < paths.count else { continue }
            let before = disk.changes
            var found = Contents()
            do throws(StoreError) {
                let log = try SimulatedLog.open(disk, into: &found)
                #expect(!log.recovery.isNew || missing.contains("/log/wal-2"), "\(missing)")
                if !log.recovery.isNew { #expect(found == whole, "\(missing)") }
                #expect(!log.recovery.isNew, "\(missing)")
                try log.close()
            } catch {
                guard case .damaged = error else {
                    Issue.record("\(missing): \(error)")
                    continue
                }
                #expect(disk.changes == before, "\(missing)")
            }
        }
    }

    @Test("a file of another log, store or kind, or an older one, is refused whatever it holds")
    func foreignFiles() throws {
        let others = [
            LogIdentity(store: store, topic: "events", partition: 4),
            LogIdentity(store: store, topic: "other", partition: 3),
            LogIdentity(store: StoreID(high: 1, low: 2), topic: "events", partition: 3),
            LogIdentity(journalOf: store),
        ]
        for other in others {
            let foreign = SimulatedDisk()
            _ = try Self.rested(identity: other, on: foreign, value: 9)
            for path in Self.original.files.keys {
                let disk = SimulatedDisk(Self.original)
                disk.place(path, try #require(foreign.contents(path)))
                #expect(Self.open(disk, "\(path) of \(other)") == nil, "\(path) of \(other)")
            }
            // The whole directory of another log.
            #expect(Self.open(foreign, "all of \(other)") == nil)
        }
    }

    @Test("two files of one log swapped are refused, or the same state")
    func permutedFiles() throws {
        let whole = try contents(of: SimulatedDisk(Self.original))
        let paths = Self.original.files.keys.sorted()
        for left in paths {
            for right in paths where left < right {
                let disk = SimulatedDisk(Self.original)
                disk.place(left, Self.original.files[right] ?? [])
                disk.place(right, Self.original.files[left] ?? [])
                let found = Self.open(disk, "\(left) and \(right)")
                #expect(found == nil || found == whole, "\(left) and \(right)")
            }
        }
    }

    @Test("an older state of each file alone is refused")
    func staleFiles() throws {
        let disk = SimulatedDisk()
        _ = try Self.rested(on: disk)
        let old = disk.image
        var found = Contents()
        var log = try SimulatedLog.open(disk, into: &found)
        log.append(1, [5])
        try log.commit("d")
        try log.close()
        let later = try contents(of: SimulatedDisk(disk.image))
        for path in old.files.keys {
            let mixed = SimulatedDisk(disk.image)
            mixed.place(path, old.files[path] ?? [])
            let found = Self.open(mixed, path)
            #expect(path.contains("wal") ? found == nil : found == later, "\(path)")
        }
    }

    @Test("roots of an older generation with its manifest and file are refused by the synced mark")
    func staleGeneration() throws {
        let disk = SimulatedDisk()
        _ = try Self.rested(on: disk)
        let old = disk.image
        var found = Contents()
        var log = try SimulatedLog.open(disk, into: &found)
        try log.beginRewrite()
        log.append(1, [7, 7])
        try log.finishRewrite("z")
        try log.close()
        for path in old.files.keys where !path.contains("SYNCED") {
            disk.place(path, old.files[path] ?? [])
        }
        #expect(Self.open(disk, "old generation") == nil)
    }

    @Test("sectors zeroed, doubled or swapped are refused, or the same state")
    func sectors() throws {
        let disk = SimulatedDisk()
        var generator = SeededGenerator(seed: 8)
        var found = Contents()
        var log = try SimulatedLog.open(disk, into: &found)
        for number in 0..<6 {
            log.append(1, [UInt8(number)] + noise(700, &generator))
            try log.commit("c\(number)")
        }
        try log.close()
        let image = disk.image
        let bytes = image.files["/log/wal-1"] ?? []
        let count = bytes.count / 512
        #expect(count > 7)
        for first in 0..<count {
            for second in 0...count where second != first {
                var damaged = bytes
                let a = first * 512..<first * 512 + 512
                if second == count {
                    damaged.replaceSubrange(a, with: [UInt8](repeating: 0, count: 512))
                } else {
                    let b = second * 512..<second * 512 + 512
                    damaged.replaceSubrange(a, with: bytes[b])
                    if first < second { damaged.replaceSubrange(b, with: bytes[a]) }
                }
                let copy = SimulatedDisk(image)
                copy.place("/log/wal-1", damaged)
                #expect(Self.open(copy, "sectors \(first), \(second)") == nil)
            }
        }
    }

    @Test("bytes behind the last group are kept aside and the state is the same")
    func extraBytes() throws {
        let whole = try contents(of: SimulatedDisk(Self.original))
        #expect(try Quarantine.bytes(SimulatedDisk(Self.original), directory: "/log") == 0)
        var generator = SeededGenerator(seed: 3)
        let bytes = Self.original.files["/log/wal-2"] ?? []
        // Zeros, garbage, the file's own beginning and its own last group once more.
        for extra in [
            [UInt8](repeating: 0, count: 700), noise(700, &generator), bytes,
            Array(bytes.suffix(100)),
        ] {
            let disk = SimulatedDisk(Self.original)
            disk.place("/log/wal-2", bytes + extra)
            var found = Contents()
            let log = try SimulatedLog.open(disk, into: &found)
            #expect(found == whole)
            #expect(log.recovery.tailBytes == Int64(extra.count))
            #expect(disk.contents(try #require(log.recovery.tail)) == extra)
            #expect(try Quarantine.bytes(disk, directory: "/log") == Int64(extra.count))
            try log.close()
            #expect(try contents(of: disk) == whole)
        }
    }

    @Test("files that nothing refers to are moved to orphans, never deleted or replaced")
    func orphans() throws {
        let disk = SimulatedDisk(Self.original)
        for round in 1...3 as ClosedRange<UInt8> {
            disk.place("/log/wal-9", [round])
            disk.place("/log/notes.txt", [round])
            var found = Contents()
            let log = try SimulatedLog.open(disk, into: &found)
            #expect(log.recovery.orphans.count == 2)
            try log.close()
        }
        #expect(disk.contents("/log/orphans/wal-9") == [1])
        #expect(disk.contents("/log/orphans/wal-9.1") == [2])
        #expect(disk.contents("/log/orphans/notes.txt.2") == [3])
        // A number that was once used, even by a stray file, is not used again.
        var found = Contents()
        var log = try SimulatedLog.open(disk, into: &found)
        try log.beginRewrite()
        try log.finishRewrite("c")
        try log.close()
        #expect(disk.contents("/log/wal-10") != nil)
    }

    @Test("the error names file, offset, reason and remedy")
    func message() throws {
        let disk = SimulatedDisk(Self.original)
        var bytes = try #require(disk.contents("/log/wal-2"))
        bytes[100] ^= 1
        disk.place("/log/wal-2", bytes)
        let error = #expect(throws: StoreError.self) { try contents(of: disk) }
        #expect(
            error?.description
                == "/log/wal-2 is damaged at byte 64: the checksum of a frame's payload is wrong, within the "
                + "\(try Self.rested(on: SimulatedDisk())[0]) bytes that the manifest vouches for; "
                + "restore this directory from a backup, or move it away while the daemon is stopped: the "
                + "state is then rebuilt from Kafka"
        )
        #expect(error?.exitCode == 65)
        #expect(error?.isRetriable == false)
    }
}
