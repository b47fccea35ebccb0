import Basics
import Glibc
import InputFiles

/// A file of lines that is in memory as a whole.
struct EventFile: ~Copyable {
    private let memory: UnsafeMutableRawPointer?
    /// How long the file is.
    let count: Int
    private let dropsBehind: Bool

    /// How much of the file is dropped at a time; a multiple of any page's size.
    private static var dropBytes: Int { 16 << 20 }

    /// Maps the file and reads every page of it once.
    ///
    /// - Parameters:
    ///   - path: An ordinary file.
    ///   - dropsBehind: Reads pages when their lines are asked for instead, and lets go of those behind the
    ///     line, so that little of the file counts as memory of the process at any time.
    /// - Throws: An error that says why the file cannot be mapped.
    init(path: String, dropsBehind: Bool = false) throws(InputError) {
        self.dropsBehind = dropsBehind
        (memory, count) = try Self.map(path, flags: dropsBehind ? 0 : MAP_POPULATE)
    }

    private static func map(
        _ path: String,
        flags: Int32
    ) throws(InputError) -> (UnsafeMutableRawPointer?, Int) {
        let descriptor = try InputFiles.open(path)
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw InputError(path: path, reason: SystemError.text(errno))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw InputError(
                path: path,
                reason: "it is no ordinary file, which can be held in memory"
            )
        }
        let count = Int(status.st_size)
        if count == 0 { return (nil, 0) }
        let mapped = mmap(nil, count, PROT_READ, MAP_PRIVATE | flags, descriptor, 0)
        guard let mapped, mapped != UnsafeMutableRawPointer(bitPattern: -1) else {
            throw InputError(path: path, reason: SystemError.text(errno))
        }
        return (mapped, count)
    }

    deinit {
        if let memory { munmap(memory, count) }
    }

    /// Calls `body` with every line, without its LF; the last one may lack it.
    func forEachLine(_ body: (ByteView) -> Void) {
        guard let memory else { return }
        var position = UnsafeRawPointer(memory)
        let end = position + count
        var kept = memory
        while position < end {
            let found = memchr(position, 0x0a, end - position).map { UnsafeRawPointer($0) } ?? end
            body(ByteView(UnsafeRawBufferPointer(start: position, count: found - position)))
            position = found + 1
            if dropsBehind, position - UnsafeRawPointer(kept) >= Self.dropBytes {
                madvise(kept, Self.dropBytes, MADV_DONTNEED)
                kept += Self.dropBytes
            }
        }
    }
}
