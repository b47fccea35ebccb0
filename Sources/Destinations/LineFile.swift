import Basics
import Glibc

/// A file that grows by whole lines: what is not yet a whole line at its end, after a crash, is cut
/// off before the first append.
///
/// Belongs to one thread. A failed write is taken back; when even that fails, the file is opened
/// anew and its end looked at again.
struct LineFile: ~Copyable {
    let path: String
    private let expectedStart: [UInt8]
    private var descriptor: Int32 = -1

    /// A file by its path, opened by the first append.
    ///
    /// `expectedStart` is how every line begins; an unfinished end that begins otherwise is not
    /// ours and is left alone.
    init(path: String, expectedStart: String) {
        self.path = path
        self.expectedStart = Array(expectedStart.utf8)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Appends whole lines, each with its newline, and returns when they are on disk.
    ///
    /// - Throws: `DiskError`; whether the lines are in the file is then open, unless it says
    ///   so.
    mutating func append(_ lines: [UInt8]) throws(DiskError) {
        if lines.isEmpty { return }
        precondition(lines.last == UInt8(ascii: "\n"), "lines without a newline at their end")
        try reopenIfMoved()
        if descriptor < 0 { try openFile() }
        let size = try currentSize()
        do {
            try write(lines)
        } catch {
            // Half a line in the middle of the file would spoil the next one.
            if ftruncate(descriptor, size) != 0 { closeFile() }
            throw error
        }
        // Without it a power cut could take lines that we reported as delivered.
        guard fdatasync(descriptor) == 0 else {
            let cause = SystemError.text(errno)
            // After a failed sync the pages may be lost and look clean: only a new look at the file
            // helps.
            closeFile()
            throw failure("cannot be made durable: \(cause)", "check the disk", isUntouched: false)
        }
    }

    /// Someone may have rotated or removed the file since the last append.
    private mutating func reopenIfMoved() throws(DiskError) {
        if descriptor < 0 { return }
        var ours = stat()
        var named = stat()
        let isSame =
            fstat(descriptor, &ours) == 0 && stat(path, &named) == 0
            && ours.st_dev == named.st_dev && ours.st_ino == named.st_ino
        if !isSame { closeFile() }
    }

    private mutating func openFile() throws(DiskError) {
        let flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
        var opened = open(path, flags | O_CREAT | O_EXCL, DiskCalls.fileMode)
        let isNew = opened >= 0
        if !isNew, errno == EEXIST { opened = open(path, flags) }
        guard opened >= 0 else {
            let cause = errno
            throw failure(
                "cannot be opened: \(SystemError.text(cause))",
                cause == ENOENT
                    ? "create the directory \(directory)" : "make it writable for this user"
            )
        }
        descriptor = opened
        do throws(DiskError) {
            try isNew ? finishCreation() : cutTornLine()
        } catch {
            closeFile()
            throw error
        }
    }

    private func finishCreation() throws(DiskError) {
        // The mode given to open() is narrowed by the umask.
        guard fchmod(descriptor, DiskCalls.fileMode) == 0 else {
            throw failure(
                "cannot get mode 0640: \(SystemError.text(errno))",
                "use a file system with permissions"
            )
        }
        // Without it a power cut could take the new file's name, and every line with it.
        if let cause = DiskCalls.synchronizeDirectory(directory) {
            throw failure(
                "its directory cannot be made durable: \(SystemError.text(cause))",
                "make \(directory) readable for this user, or check the disk"
            )
        }
    }

    private func cutTornLine() throws(DiskError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw failure("is no regular file", "name another path, or remove what is there")
        }
        let size = Int(status.st_size)
        let end = try endOfLastLine(size: size)
        if end == size { return }
        var start = [UInt8](repeating: 0, count: min(expectedStart.count, size - end))
        try read(&start, at: end)
        // After a power cut the unfinished end may be zeros.
        guard expectedStart.starts(with: start) || start.first == 0 else {
            throw failure(
                "ends in a line that is not ours and has no newline",
                "name another path, or end that line with a newline"
            )
        }
        guard ftruncate(descriptor, off_t(end)) == 0 else {
            throw failure(
                "has a torn last line that cannot be cut: \(SystemError.text(errno))",
                "make it writable for this user"
            )
        }
    }

    /// The offset behind the last newline; 0 when there is none.
    private func endOfLastLine(size: Int) throws(DiskError) -> Int {
        var end = size
        while end > 0 {
            guard size - end <= Self.tornBytesMax else {
                throw failure(
                    "has no newline in its last 16 MiB",
                    "name another path: this is no JSON Lines"
                )
            }
            var chunk = [UInt8](repeating: 0, count: min(64 << 10, end))
            try read(&chunk, at: end - chunk.count)
            if let newline = chunk.lastIndex(of: UInt8(ascii: "\n")) {
                return end - chunk.count + newline + 1
            }
            end -= chunk.count
        }
        return 0
    }

    private static let tornBytesMax = 16 << 20

    private func read(_ bytes: inout [UInt8], at offset: Int) throws(DiskError) {
        var count = 0
        while count < bytes.count {
            let step = bytes.withUnsafeMutableBytes { buffer in
                pread(
                    descriptor,
                    buffer.baseAddress.map { $0 + count },
                    buffer.count - count,
                    off_t(offset + count)
                )
            }
            if step < 0, errno == EINTR { continue }
            guard step > 0 else {
                throw failure(
                    "cannot be read: \(step == 0 ? "it shrank" : SystemError.text(errno))",
                    "make it readable for this user"
                )
            }
            count += step
        }
    }

    private func write(_ bytes: [UInt8]) throws(DiskError) {
        guard let cause = DiskCalls.write(bytes, to: descriptor) else { return }
        throw failure(
            "cannot be written: \(SystemError.text(cause))",
            cause == ENOSPC ? "make room on the disk" : "check the disk",
            isUntouched: false
        )
    }

    private func currentSize() throws(DiskError) -> off_t {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw failure("cannot be looked at: \(SystemError.text(errno))", "check the disk")
        }
        return status.st_size
    }

    private mutating func closeFile() {
        close(descriptor)
        descriptor = -1
    }

    private var directory: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private func failure(
        _ what: String,
        _ remedy: String,
        isUntouched: Bool = true
    ) -> DiskError {
        DiskError(text: "\(path) \(what); \(remedy)", isUntouched: isUntouched)
    }
}
