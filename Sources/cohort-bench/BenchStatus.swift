import Basics
import Glibc

/// The exit statuses of cohort-bench; the numbers are those of cohortctl.
enum BenchStatus: Int32, Error {
    case definitionInvalid = 2
    case usage = 64
    case inputMissing = 66
    case outputFailed = 74
    case configuration = 78
}

/// Prints a line on stderr; nobody is left to tell if that fails.
func printError(_ line: String) {
    _ = writeAll(line + "\n", to: STDERR_FILENO)
}

/// Prints text on stdout, completely or with an error.
func printOutput(_ text: String) throws(BenchStatus) {
    guard writeAll(text, to: STDOUT_FILENO) else {
        printError("cohort-bench: cannot write stdout: \(SystemError.text(errno))")
        throw .outputFailed
    }
}

private func writeAll(_ text: String, to descriptor: Int32) -> Bool {
    Array(text.utf8).withUnsafeBytes { buffer in
        var position = 0
        while position < buffer.count {
            let count = write(
                descriptor,
                buffer.baseAddress.map { $0 + position },
                buffer.count - position
            )
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            position += count
        }
        return true
    }
}
