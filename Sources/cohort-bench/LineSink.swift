import Basics
import Glibc
import InputFiles
import Traffic

/// Made-up events as lines on stdout.
///
/// Belongs to one thread.
final class LineSink: TrafficSink {
    private var buffer: [UInt8] = []

    private static let bufferBytes = 1 << 16

    func take(_ event: TrafficGenerator.Event) throws(BenchStatus) -> Bool {
        buffer += event.json
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= Self.bufferBytes { try flush() }
        return true
    }

    func flush() throws(BenchStatus) {
        defer { buffer.removeAll(keepingCapacity: true) }
        guard DescriptorWriter.writeAll(buffer, to: STDOUT_FILENO) else {
            printError("cohort-bench generate: cannot write stdout: \(SystemError.text(errno))")
            throw .outputFailed
        }
    }

    var pending: Int { 0 }

    func wait(milliseconds: Int) {}

    func end() -> Int { 0 }

    var failure: String? { nil }
}
