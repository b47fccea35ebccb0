import Basics
import Destinations
import Events
import Glibc
import InputFiles

/// Files of refused events, one a reason.
///
/// Each is `<reason>.jsonl`, at most 1,000 lines and 16 MiB, then renamed to `<reason>.jsonl.1`, of which one
/// is kept. So a flood of bad events cannot fill the disk.
struct RejectSamples {
    private static let linesMax = 1000
    private static let bytesMax = 16 << 20
    private static let valueMax = 4096

    private let folder: String
    private var counts: [String: (lines: Int, bytes: Int)] = [:]

    init(folder: String) {
        self.folder = folder
    }

    /// Appends one event; the text of what failed, or nil.
    mutating func append(_ event: RejectedEvent, at: EventTime) -> String? {
        mkdir(folder, 0o700)
        let path = "\(folder)/\(event.reason.rawValue).jsonl"
        let line = Self.line(event, at: at)
        var count = counts[path] ?? Self.present(path)
        if count.lines >= Self.linesMax || count.bytes + line.count > Self.bytesMax {
            rename(path, path + ".1")
            count = (0, 0)
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            return "cannot open \(path): \(SystemError.text(errno)); the event is only counted"
        }
        defer { close(descriptor) }
        guard DescriptorWriter.writeAll(line, to: descriptor) else {
            return "cannot write \(path): \(SystemError.text(errno)); the event is only counted"
        }
        counts[path] = (count.lines + 1, count.bytes + line.count)
        return nil
    }

    private static func present(_ path: String) -> (lines: Int, bytes: Int) {
        do throws(InputError) {
            let bytes = try InputFiles.read(path)
            return (bytes.count { $0 == UInt8(ascii: "\n") }, bytes.count)
        } catch {
            // No earlier run left a file, or one that cannot be written either, which is said then.
            return (0, 0)
        }
    }

    private static func line(_ event: RejectedEvent, at: EventTime) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("at", at.rfc3339)
        writer.member("topic", event.topic)
        writer.member("partition", event.partition)
        writer.member("offset", event.offset)
        writer.key("index")
        if let index = event.index { writer.value(index) } else { writer.null() }
        writer.member("reason", event.reason.rawValue)
        writer.member("text", event.text)
        writer.member("value", Base64.encode(Array(event.value.prefix(valueMax))))
        writer.endObject()
        writer.newline()
        return writer.bytes
    }
}
