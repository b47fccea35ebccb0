import Basics
import Glibc
import InputFiles

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
        guard DescriptorWriter.writeAll(buffer, to: descriptor) else {
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
    _ = DescriptorWriter.writeAll(Array((line + "\n").utf8), to: STDERR_FILENO)
}
