package import Basics
import Glibc

/// The file system of the machine.
package struct DiskFileSystem: FileSystem, Sendable {
    /// Nothing is kept: every call is one system call or a few.
    package init() {}

    /// Opens a file, `O_CLOEXEC`, never through a symbolic link in its last component.
    package func open(_ path: String, _ mode: FileOpenMode) throws(FileError) -> OpenFile {
        let flags: Int32 =
            switch mode {
            case .read: O_RDONLY
            case .update: O_RDWR
            case .create: O_RDWR | O_CREAT | O_EXCL
            case .createOrUpdate: O_RDWR | O_CREAT
            }
        let number = try Self.retrying(.open, path) {
            Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        }
        return OpenFile(number: number, path: path)
    }

    /// Closes the descriptor.
    ///
    /// Not repeated when interrupted: it is gone by then.
    package func close(_ handle: OpenFile) throws(FileError) {
        if Glibc.close(handle.number) != 0, errno != EINTR {
            throw FileError(operation: .close, path: handle.path, code: errno)
        }
    }

    /// Reads until the buffer is full or the file ends.
    package func read(
        _ handle: OpenFile,
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: Int64
    ) throws(FileError) -> Int {
        try Self.completing(.read, handle.path, count: buffer.count) { done in
            guard let base = buffer.baseAddress else { return 0 }
            return pread(handle.number, base + done, buffer.count - done, Int(offset) + done)
        }
    }

    /// Writes until everything is written.
    package func write(_ handle: OpenFile, _ bytes: ByteView, at offset: Int64) throws(FileError) {
        let written = try Self.completing(.write, handle.path, count: bytes.count) { done in
            pwrite(handle.number, bytes.base + done, bytes.count - done, Int(offset) + done)
        }
        guard written == bytes.count else {
            // A write of nothing without an error: there is no room and no better reason.
            throw FileError(operation: .write, path: handle.path, code: ENOSPC)
        }
    }

    /// The length by `fstat`.
    package func size(_ handle: OpenFile) throws(FileError) -> Int64 {
        var information = Glibc.stat()
        _ = try Self.retrying(.status, handle.path) { fstat(handle.number, &information) }
        return Int64(information.st_size)
    }

    /// `ftruncate`.
    package func truncate(_ handle: OpenFile, to size: Int64) throws(FileError) {
        _ = try Self.retrying(.truncate, handle.path) { ftruncate(handle.number, Int(size)) }
    }

    /// `fdatasync`, once.
    package func synchronizeData(_ handle: OpenFile) throws(FileError) {
        if fdatasync(handle.number) != 0 {
            throw FileError(operation: .synchronize, path: handle.path, code: errno)
        }
    }

    /// `fsync` of the directory, once.
    package func synchronizeDirectory(_ path: String) throws(FileError) {
        let number = try Self.retrying(.synchronizeDirectory, path) {
            Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        let code = fsync(number) == 0 ? 0 : errno
        _ = Glibc.close(number)
        guard code == 0 else {
            throw FileError(operation: .synchronizeDirectory, path: path, code: code)
        }
    }

    /// `rename`.
    package func rename(_ path: String, to target: String) throws(FileError) {
        _ = try Self.retrying(.rename, path) { Glibc.rename(path, target) }
    }

    /// `unlink`.
    package func unlink(_ path: String) throws(FileError) {
        _ = try Self.retrying(.unlink, path) { Glibc.unlink(path) }
    }

    /// `opendir`, `readdir`.
    package func list(_ directory: String) throws(FileError) -> [String] {
        guard let stream = opendir(directory) else {
            throw FileError(operation: .list, path: directory, code: errno)
        }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        let code = errno
        closedir(stream)
        guard code == 0 else { throw FileError(operation: .list, path: directory, code: code) }
        return names.sorted { $0.precedesByBytes($1) }
    }

    /// `mkdir`, 0700.
    package func makeDirectory(_ path: String) throws(FileError) {
        _ = try Self.retrying(.makeDirectory, path) { mkdir(path, 0o700) }
    }

    /// `lstat`: a link is not followed.
    package func status(_ path: String) throws(FileError) -> FileStatus? {
        var information = Glibc.stat()
        do {
            _ = try Self.retrying(.status, path) { lstat(path, &information) }
        } catch {
            if error.isMissing { return nil }
            throw error
        }
        let kind: FileStatus.Kind =
            switch information.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            default: .other
            }
        return FileStatus(
            kind: kind,
            size: Int64(information.st_size),
            owner: information.st_uid,
            permissions: information.st_mode & 0o7777
        )
    }

    /// `flock`, without waiting.
    package func lock(_ handle: OpenFile) throws(FileError) -> Bool {
        do {
            _ = try Self.retrying(.lock, handle.path) { flock(handle.number, LOCK_EX | LOCK_NB) }
            return true
        } catch {
            if error.code == EWOULDBLOCK { return false }
            throw error
        }
    }

    /// The effective user.
    package var userID: UInt32 { geteuid() }

    /// Repeats a call that was interrupted.
    private static func retrying(
        _ operation: FileError.Operation,
        _ path: String,
        _ call: () -> Int32
    ) throws(FileError) -> Int32 {
        while true {
            let result = call()
            if result >= 0 { return result }
            let code = errno
            if code != EINTR { throw FileError(operation: operation, path: path, code: code) }
        }
    }

    /// Repeats a call that does a part of `count` bytes until all are done or it does nothing.
    static func completing(
        _ operation: FileError.Operation,
        _ path: String,
        count: Int,
        _ call: (_ done: Int) -> Int
    ) throws(FileError) -> Int {
        var done = 0
        while done < count {
            let result = call(done)
            if result == 0 { break }
            if result > 0 {
                done += result
            } else {
                let code = errno
                if code != EINTR { throw FileError(operation: operation, path: path, code: code) }
            }
        }
        return done
    }
}
