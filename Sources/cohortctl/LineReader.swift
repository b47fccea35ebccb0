import Basics
import Glibc
import InputFiles

/// Reads a file or stdin line by line in large pieces, so that a file larger than memory can be read.
struct LineReader: ~Copyable {
    private let descriptor: Int32
    private let path: String
    private var buffer: [UInt8]
    private var start = 0
    private var end = 0
    private var isAtEnd = false

    /// Opens a file; `-` is stdin.
    init(path: String) throws(InputError) {
        self.path = path
        descriptor = path == "-" ? STDIN_FILENO : try InputFiles.open(path)
        buffer = [UInt8](repeating: 0, count: 1 << 18)
    }

    deinit {
        if descriptor != STDIN_FILENO { close(descriptor) }
    }

    /// Calls `body` with every line, without its LF; the last one may lack it.
    mutating func forEachLine<Failure: Error>(
        _ body: (ByteView) throws(Failure) -> Void
    ) throws(Failure) -> InputError? {
        while true {
            if let length = lengthOfLine() {
                try lend(length, body)
                start += length + 1
            } else if isAtEnd {
                if end > start { try lend(end - start, body) }
                return nil
            } else if let error = fill() {
                return error
            }
        }
    }

    private func lend<Failure: Error>(
        _ length: Int,
        _ body: (ByteView) throws(Failure) -> Void
    ) throws(Failure) {
        let start = start
        try buffer.withByteView { (view: ByteView) throws(Failure) -> Void in
            try body(ByteView(base: view.base + start, count: length))
        }
    }

    private func lengthOfLine() -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, end > start,
                let found = memchr(base + start, 0x0a, end - start)
            else { return nil }
            return UnsafeRawPointer(found) - (base + start)
        }
    }

    private mutating func fill() -> InputError? {
        if start > 0 {
            buffer.replaceSubrange(0..<(end - start), with: Array(buffer[start..<end]))
            end -= start
            start = 0
        }
        if end == buffer.count { buffer += [UInt8](repeating: 0, count: buffer.count) }
        while true {
            let room = buffer.count - end
            let count = buffer.withUnsafeMutableBytes { bytes in
                Glibc.read(descriptor, bytes.baseAddress.map { $0 + end }, room)
            }
            if count > 0 {
                end += count
                return nil
            }
            if count == 0 {
                isAtEnd = true
                return nil
            }
            if errno != EINTR { return InputError(path: path, reason: SystemError.text(errno)) }
        }
    }
}
