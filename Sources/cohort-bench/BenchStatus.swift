import Basics
import Glibc
import InputFiles

/// The exit statuses of cohort-bench; the numbers are those of cohortctl.
enum BenchStatus: Int32, Error {
    /// The answer is no: the result is not the one that was expected.
    case unexpected = 1
    case definitionInvalid = 2
    case usage = 64
    case inputMissing = 66
    /// Another program cannot be run, or does not say what it measured.
    case programFailed = 69
    case outputFailed = 74
    case configuration = 78
}

/// Prints a line on stderr; nobody is left to tell if that fails.
func printError(_ line: String) {
    _ = DescriptorWriter.writeAll(Array((line + "\n").utf8), to: STDERR_FILENO)
}

/// Prints text on stdout, completely or with an error.
func printOutput(_ text: String) throws(BenchStatus) {
    guard DescriptorWriter.writeAll(Array(text.utf8), to: STDOUT_FILENO) else {
        printError("cohort-bench: cannot write stdout: \(SystemError.text(errno))")
        throw .outputFailed
    }
}
