import Basics
import Foundation
import Glibc
import TestKit
import Testing

@testable import LogStore

/// Runs with an empty directory that is removed afterwards.
func withTemporaryDirectory(_ body: (String) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "cohortd-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer {
        do {
            try FileManager.default.removeItem(at: url)
        } catch {
            Issue.record("\(error)")
        }
    }
    try body(url.path)
}

@Suite("Real disk")
struct DiskFileSystemTests {
    @Test("a log on the real disk is written, rewritten and read back")
    func log() throws {
        try withTemporaryDirectory { path in
            let directory = path + "/log"
            var found = Contents()
            var log = try CommitLog<DiskFileSystem>.open(DiskFileSystem(), directory, into: &found)
            for number in 0..<50 as Range<UInt8> {
                log.append(1, [number] + [UInt8](repeating: number, count: 5000))
                try log.commit("c\(number)")
            }
            try log.beginRewrite()
            log.append(1, [49, 1])
            try log.finishRewrite("c49")
            log.append(2, [1])
            try log.commit("c50")
            try log.close()
            let again = try CommitLog<DiskFileSystem>.open(
                DiskFileSystem(),
                directory,
                create: false,
                into: &found
            )
            #expect(found.cuts == [Array("c49".utf8), Array("c50".utf8)])
            #expect(found.groups.first == [.init(type: 1, payload: [49, 1])])
            try again.close()
            #expect(
                try DiskFileSystem().list(directory) == [
                    "MANIFEST-2", "ROOT-A", "ROOT-B", "SYNCED", "wal-2",
                ]
            )
            for name in try DiskFileSystem().list(directory) {
                #expect(try DiskFileSystem().status(directory + "/" + name)?.permissions == 0o600)
            }
            #expect(try DiskFileSystem().status(directory)?.permissions == 0o700)
        }
    }

    @Test("short and interrupted calls are completed, errors end them")
    func completing() throws {
        var results = [3, -1, 2, -1, 5]
        var seen: [Int] = []
        let done = try DiskFileSystem.completing(.write, "/f", count: 10) { done in
            seen.append(done)
            errno = EINTR
            return results.removeFirst()
        }
        #expect(done == 10)
        #expect(seen == [0, 3, 3, 5, 5])
        let error = #expect(throws: FileError.self) {
            try DiskFileSystem.completing(.write, "/f", count: 10) { done in
                errno = ENOSPC
                return done == 0 ? 4 : -1
            }
        }
        #expect(error == FileError(operation: .write, path: "/f", code: ENOSPC))
        #expect(error?.description == "cannot write /f: No space left on device (error 28)")
        #expect(error?.isOutOfSpace == true)
    }

    @Test("the errors of the system come with operation and path")
    func errors() throws {
        try withTemporaryDirectory { path in
            let files = DiskFileSystem()
            #expect(throws: FileError(operation: .open, path: path + "/no", code: ENOENT)) {
                _ = try files.open(path + "/no", .read)
            }
            let handle = try files.open(path + "/one", .create)
            #expect(throws: FileError(operation: .open, path: path + "/one", code: EEXIST)) {
                _ = try files.open(path + "/one", .create)
            }
            try files.close(handle)
            #expect(throws: FileError(operation: .close, path: path + "/one", code: EBADF)) {
                try files.close(handle)
            }
            // A link in the place of a file is not followed.
            #expect(symlink(path + "/one", path + "/link") == 0)
            #expect(throws: FileError(operation: .open, path: path + "/link", code: ELOOP)) {
                _ = try files.open(path + "/link", .update)
            }
            #expect(try files.status(path + "/link")?.kind == .other)
            #expect(throws: FileError(operation: .list, path: path + "/no", code: ENOENT)) {
                _ = try files.list(path + "/no")
            }
        }
    }

    @Test("a read ends at the end of the file")
    func readToEnd() throws {
        try withTemporaryDirectory { path in
            let files = DiskFileSystem()
            let handle = try files.open(path + "/f", .create)
            try [1, 2, 3].withByteView { (view) throws(FileError) in
                try files.write(handle, view, at: 2)
            }
            var buffer = [UInt8](repeating: 9, count: 8)
            let count = try buffer.withUnsafeMutableBytes {
                try files.read(handle, into: $0, at: 1)
            }
            #expect(count == 4)
            #expect(buffer == [0, 1, 2, 3, 9, 9, 9, 9])
            #expect(try files.size(handle) == 5)
            try files.truncate(handle, to: 3)
            #expect(try files.size(handle) == 3)
            try files.synchronizeData(handle)
            try files.synchronizeDirectory(path)
            try files.close(handle)
        }
    }
}
