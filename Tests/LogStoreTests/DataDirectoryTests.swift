import Basics
import Foundation
import LogStore
import TestKit
import Testing

@Suite("Data directory")
struct DataDirectoryTests {
    typealias Directory = DataDirectory<SimulatedDisk>

    static func open(
        _ disk: SimulatedDisk,
        _ path: String = "/data"
    ) throws(StoreError) -> Directory {
        try Directory.open(disk, path: path, processID: 42, newStore: store)
    }

    @Test("a new directory gets its id, and keeps it")
    func identity() throws {
        let disk = SimulatedDisk()
        let first = try Self.open(disk, "/data/")
        let (isNew, path) = (first.isNew, first.path)
        #expect(isNew)
        #expect(path == "/data")
        try first.close()
        let second = try Directory.open(
            disk,
            path: "/data",
            processID: 43,
            newStore: StoreID(high: 0, low: 0)
        )
        let (kept, isNewAgain) = (second.store, second.isNew)
        #expect(kept == store)
        #expect(!isNewAgain)
        #expect(disk.contents("/data/LOCK") == Array("43\n".utf8))
        try second.close()
        #expect(
            String(decoding: disk.contents("/data/FORMAT") ?? [], as: UTF8.self).hasPrefix(
                "cohortd-store 1.0\nstore 00112233-4455-6677-8899-aabbccddeeff\ncompat\nro_compat\nincompat\n"
                    + "checksum "
            )
        )
    }

    @Test("a second holder is refused with the id of the first, and after a close not")
    func locked() throws {
        let disk = SimulatedDisk()
        let first = try Self.open(disk)
        let changes = disk.changes
        let error = #expect(throws: StoreError.self) { _ = try Self.open(disk) }
        #expect(error == .locked(path: "/data", processID: 42))
        #expect(error?.exitCode == 75)
        #expect(error?.description.contains("in use by process 42") == true)
        #expect(disk.changes == changes)
        try first.close()
        try Self.open(disk).close()
    }

    @Test("a directory locked by another process is refused on the real disk")
    func lockedByAnotherProcess() throws {
        try withTemporaryDirectory { path in
            let data = path + "/data"
            try DataDirectory.open(DiskFileSystem(), path: data, processID: 1, newStore: store)
                .close()
            let holder = Process()
            holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
            holder.arguments = [data + "/LOCK", "/bin/sh", "-c", "echo locked; read line"]
            let input = Pipe()
            let output = Pipe()
            holder.standardInput = input
            holder.standardOutput = output
            try holder.run()
            #expect(output.fileHandleForReading.availableData == Data("locked\n".utf8))
            let error = #expect(throws: StoreError.self) {
                _ = try DataDirectory.open(
                    DiskFileSystem(),
                    path: data,
                    processID: 2,
                    newStore: store
                )
            }
            #expect(error == .locked(path: data, processID: 1))
            try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
            holder.waitUntilExit()
            try DataDirectory.open(DiskFileSystem(), path: data, processID: 2, newStore: store)
                .close()
        }
    }

    @Test("another owner, or write permission for others, is refused with its remedy")
    func permissions() throws {
        let disk = SimulatedDisk()
        try Self.open(disk).close()
        for (owner, permissions, remedy) in [
            (0, 0o700, "run as its owner, or chown it"), (1000, 0o770, "chmod 0700 /data"),
            (1000, 0o702, "chmod 0700 /data"),
        ] as [(UInt32, UInt32, String)] {
            disk.ownership["/data"] = (owner, permissions)
            let error = #expect(throws: StoreError.self) { _ = try Self.open(disk) }
            guard case .unusable("/data", _, remedy)? = error else {
                Issue.record("\(error as Any)")
                continue
            }
            #expect(error?.exitCode == 73)
        }
        disk.ownership["/data"] = (1000, 0o755)
        try Self.open(disk).close()
    }

    @Test("a missing parent, a file in its place and a directory of somebody else's are refused")
    func unusable() throws {
        let disk = SimulatedDisk()
        disk.place("/file", [1])
        try disk.makeDirectory("/home")
        disk.place("/home/letters", [1])
        for path in ["/nowhere/data", "/file", "/home"] {
            let error = #expect(throws: StoreError.self) { _ = try Self.open(disk, path) }
            #expect(error?.exitCode == 73, "\(path): \(error as Any)")
        }
        #expect(disk.contents("/home/FORMAT") == nil)
    }

    @Test("unknown features and versions are refused by name, an unknown compatible one is not")
    func features() throws {
        let disk = SimulatedDisk()
        try Self.open(disk).close()
        let text = String(decoding: disk.contents("/data/FORMAT") ?? [], as: UTF8.self)
        func place(_ change: (String) -> String) {
            let lines = change(text.components(separatedBy: "checksum ")[0])
            let checksum = lines.withByteView { CRC32C.checksum($0) }
            let end = String(format: "checksum %08x\n", checksum)
            disk.place("/data/FORMAT", Array((lines + end).utf8))
        }
        place { $0.replacingOccurrences(of: "\ncompat", with: "\ncompat shorter-names") }
        try Self.open(disk).close()
        for (old, new, what) in [
            ("incompat", "incompat zstd-blocks", "the feature zstd-blocks"),
            ("ro_compat", "ro_compat index", "the feature index"),
            ("store 1.0", "store 2.0", "store version 2.0, this program knows 1"),
        ] {
            place { $0.replacingOccurrences(of: old, with: new) }
            let error = #expect(throws: StoreError.self) { _ = try Self.open(disk) }
            #expect(error == .unsupported(path: "/data/FORMAT", what: what))
            #expect(error?.exitCode == 73)
        }
    }

    @Test("a changed bit of FORMAT is damage, whichever it is")
    func formatBits() throws {
        let disk = SimulatedDisk()
        try Self.open(disk).close()
        let bytes = try #require(disk.contents("/data/FORMAT"))
        for bit in 0..<(bytes.count * 8) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            disk.place("/data/FORMAT", damaged)
            let error = #expect(throws: StoreError.self) { _ = try Self.open(disk) }
            #expect(error?.exitCode == 65, "bit \(bit)")
        }
        for length in 0..<bytes.count {
            disk.place("/data/FORMAT", Array(bytes.prefix(length)))
            let error = #expect(throws: StoreError.self) { _ = try Self.open(disk) }
            #expect(error?.exitCode == 65, "cut to \(length)")
        }
    }

    @Test("a lost FORMAT beside data is refused, not replaced")
    func lostFormat() throws {
        let disk = SimulatedDisk()
        let data = try Self.open(disk)
        _ = try data.makeDirectory("journal")
        try data.close()
        disk.remove("/data/FORMAT")
        let error = #expect(throws: StoreError.self) { _ = try Self.open(disk) }
        #expect(error?.description.contains("it has no FORMAT but holds journal") == true)
        #expect(disk.contents("/data/FORMAT") == nil)
    }

    @Test("a small file is the old or the new one after a crash at any operation")
    func atomic() throws {
        var operation = 0
        while true {
            let disk = SimulatedDisk()
            let data = try Self.open(disk)
            try data.smallFiles.writeAtomically("note", [1])
            disk.faults[disk.operations + operation] = .crash
            var returned = true
            do throws(StoreError) { try data.smallFiles.writeAtomically("note", [2, 2]) } catch {
                returned = false
            }
            for seed in 0..<8 as Range<UInt64> {
                let after = disk.afterPowerLoss(seed: seed)
                let reopened = try Self.open(after)
                let bytes = try reopened.smallFiles.read("note")
                #expect(
                    bytes == [2, 2] || (!returned && bytes == [1]),
                    "at \(operation), seed \(seed)"
                )
                try reopened.close()
            }
            if returned { break }
            operation += 1
        }
        #expect(operation > 4)
    }

    @Test("the instance id is made once; a damaged one is refused")
    func instance() throws {
        let disk = SimulatedDisk()
        let data = try Self.open(disk)
        let first = try data.instanceID(orElse: "abc-1")
        let second = try data.instanceID(orElse: "def-2")
        #expect(first == "abc-1")
        #expect(second == "abc-1")
        disk.place("/data/instance-id", Array("abc".utf8))
        var error: StoreError?
        do throws(StoreError) { _ = try data.instanceID(orElse: "def-2") } catch let thrown {
            error = thrown
        }
        #expect(error?.description.contains("another one is made at the next start") == true)
        try data.close()
    }

    @Test("creation interrupted at any operation can be begun again")
    func creationCrash() throws {
        var operation = 0
        while true {
            let disk = SimulatedDisk()
            disk.faults[operation] = .crash
            do throws(StoreError) { try Self.open(disk).close() } catch {}
            guard disk.hasCrashed else { break }
            for seed in 0..<8 as Range<UInt64> {
                let after = disk.afterPowerLoss(seed: seed)
                try Self.open(after).close()
            }
            operation += 1
        }
    }
}
