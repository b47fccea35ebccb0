import Basics
import Glibc

/// Writes to stdout, stderr and files, completely or with an error.
struct Output {
    private let descriptor: Int32
    private let name: String
    private var buffer: [UInt8] = []

    /// stdout.
    static let standard = Output(descriptor: STDOUT_FILENO, name: "stdout")

    private init(descriptor: Int32, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    /// Opens a file for writing, from its start; `-` is stdout.
    init(path: String) throws(ExitStatus) {
        if path == "-" {
            self = .standard
            return
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        if descriptor < 0 {
            printError("cohortctl: cannot write \(path): \(SystemError.text(errno))")
            throw .outputFailed
        }
        self.init(descriptor: descriptor, name: path)
    }

    /// Appends; bytes leave in pieces of at least 64 KiB.
    mutating func write(_ bytes: [UInt8]) throws(ExitStatus) {
        buffer += bytes
        if buffer.count >= 1 << 16 { try flush() }
    }

    /// Appends text.
    mutating func write(_ text: String) throws(ExitStatus) {
        try write(Array(text.utf8))
    }

    /// Writes what is left.
    mutating func flush() throws(ExitStatus) {
        defer { buffer.removeAll(keepingCapacity: true) }
        guard writeAll(buffer, to: descriptor) else {
            printError("cohortctl: cannot write \(name): \(SystemError.text(errno))")
            throw .outputFailed
        }
    }

    /// Writes what is left and closes the file: some systems report a full disk only here.
    mutating func finish() throws(ExitStatus) {
        try flush()
        if descriptor != STDOUT_FILENO, close(descriptor) != 0 {
            printError("cohortctl: cannot write \(name): \(SystemError.text(errno))")
            throw .outputFailed
        }
    }
}

/// Prints a line on stderr; nobody is left to tell if that fails.
func printError(_ line: String) {
    _ = writeAll(Array((line + "\n").utf8), to: STDERR_FILENO)
}

private func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
        var position = 0
        while position < buffer.count {
            let count = write(descriptor, buffer.baseAddress.map { $0 + position }, buffer.count - position)
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            position += count
        }
        return true
    }
}
