import Basics

/// What a service tells the manager that started it, as sd_notify(3) defines it.
enum ServiceMessage: Hashable, Sendable {
    /// The service does its work.
    case ready
    /// The configuration is read again, since so many microseconds of the monotonic clock; ``ready`` ends it.
    case reloading(microseconds: Int64)
    /// The service ends.
    case stopping
    /// How it is, for `systemctl status`.
    case status(String)
    /// It is alive; without this for `WatchdogSec` the manager kills it.
    case watchdog

    /// The longest status in bytes; what follows is cut.
    static let statusBytesMax = 256

    /// The assignment as it is sent.
    var text: String {
        switch self {
        case .ready: "READY=1"
        case .reloading(let microseconds): "RELOADING=1\nMONOTONIC_USEC=\(microseconds)"
        case .stopping: "STOPPING=1"
        case .status(let text): "STATUS=\(Self.oneLine(text))"
        case .watchdog: "WATCHDOG=1"
        }
    }

    /// A line of a message is an assignment of its own: what a broker or a partner said must not make one.
    private static func oneLine(_ text: String) -> String {
        var line = ""
        var bytes = 0
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || scalar.value == 0x7f
            let next = isControl ? " " : Character(scalar)
            bytes += next.utf8.count
            if bytes > statusBytesMax { break }
            line.append(next)
        }
        return line
    }
}
