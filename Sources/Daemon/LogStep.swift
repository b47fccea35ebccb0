import Basics

/// How a halted partition goes on.
struct LogStep: Sendable {
    /// What it goes on without; nil where the log has what comes next after all.
    var gap: LogGap?
}

/// What became of a ``LogStep``.
enum LogStepOutcome: Sendable {
    /// It is durable; the partition is to be started there.
    case moved(LogPosition, firstOffset: Offset)
    /// Why it cannot be done now.
    case refused(String)
}
