/// How much a log line matters, most serious first in ``allCases``.
///
/// info: something an operator did, or an ordinary step of life. notice: worth knowing, nothing is wrong.
/// warning: recovered, nothing lost. error: data lost, or a person must act.
package enum LogLevel: String, CaseIterable, Comparable, Sendable {
    case error
    case warning
    case notice
    case info
    case debug

    /// The priority of syslog and of sd-daemon prefixes (sd-daemon(3)); smaller is more serious.
    package var priority: Int {
        switch self {
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug: 7
        }
    }

    /// Orders by seriousness: `debug` is the least, `error` the greatest.
    package static func < (left: LogLevel, right: LogLevel) -> Bool {
        left.priority > right.priority
    }
}

/// How log lines are written.
package enum LogFormat: String, CaseIterable, Sendable {
    /// `2026-01-05T00:01:00Z warning store.torn_tail: text key=value`
    case text
    /// One JSON object per line.
    case json
    /// Text without the time and with an sd-daemon prefix (`<4>…`), for the journal.
    case journald
}
