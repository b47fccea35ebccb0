import Foundation
import Glibc
import TestKit
import Testing

/// A file system of a few mebibytes, mounted on a folder of a test; it takes the right to mount.
///
/// Belongs to one test, whose folder must outlive it.
final class SmallDisk {
    /// What kind.
    enum Kind {
        /// In memory.
        case memory
        /// In a file, with a journal: one that turns read-only as a broken disk makes it.
        case file
    }

    /// Whether this process may mount such a thing; asked by doing it.
    static let canMountMemory = canMount(.memory)
    static let canMountFile = canMount(.file)

    let path: String
    private let kind: Kind
    private var filler: Int32 = -1
    private var isMounted = false

    /// Makes the folder and mounts on it.
    init(_ kind: Kind, at path: String, mebibytes: Int) throws {
        self.path = path
        self.kind = kind
        try #require(mkdir(path, 0o700) == 0)
        if kind == .file {
            let image = FileManager.default.createFile(atPath: image, contents: nil)
            try #require(image && truncate(self.image, mebibytes << 20) == 0)
            try Self.run("/sbin/mkfs.ext4", "-q", "-F", self.image)
            try mountAgain()
        } else {
            try Self.run("/bin/mount", "-t", "tmpfs", "-o", "size=\(mebibytes)m", "tmpfs", path)
            isMounted = true
        }
        chmod(path, 0o700)
    }

    deinit {
        if filler >= 0 { close(filler) }
        if isMounted { umount2(path, Int32(MNT_DETACH)) }
    }

    private var image: String { "\(path).image" }
    private var fillerPath: String { "\(path)/filler" }

    /// Takes all the space there is.
    func fill() throws {
        filler = open(fillerPath, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(filler >= 0)
        let zeros = [UInt8](repeating: 0, count: 4096)
        while write(filler, zeros, zeros.count) > 0 {}
        #expect(errno == ENOSPC)
    }

    /// Gives it back.
    func free() throws {
        close(filler)
        filler = -1
        try #require(unlink(fillerPath) == 0)
    }

    /// Does what the kernel does when the disk below fails: nothing can be written any more, whoever has files open.
    func breakDown() throws {
        try Self.run("/bin/mount", "-o", "remount,abort", path)
    }

    /// Mounts it again as it is now, as after a repair.
    func mountAgain() throws {
        if isMounted { try #require(umount2(path, 0) == 0, "\(errno)") }
        isMounted = false
        try Self.run("/bin/mount", "-o", "loop", image, path)
        isMounted = true
    }

    private static func run(_ program: String, _ arguments: String...) throws {
        let run = try ProgramRun(program, arguments)
        if run.status != 0 { throw NotInTime(what: "\(program) \(arguments): \(run.errors)") }
    }

    private static func canMount(_ kind: Kind) -> Bool {
        guard geteuid() == 0 else { return false }
        do {
            let folder = try TemporaryFolder()
            let disk = try SmallDisk(kind, at: folder.url.path + "/disk", mebibytes: 8)
            return disk.isMounted
        } catch {
            return false
        }
    }
}
