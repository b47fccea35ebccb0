import Basics

/// A place in the two logs that a partition is made from: its events, and its commands.
struct LogPosition: Equatable, Sendable {
    /// Every event before it is meant.
    var events: Offset
    /// Every command before it is meant; nil where the commands topic is not read.
    var commands: Offset?

    /// Whether everything before `end` is before this.
    func reaches(_ end: LogPosition) -> Bool {
        events >= end.events && (commands ?? 0) >= (end.commands ?? 0)
    }

    /// The later of both in each log.
    func joined(_ other: LogPosition) -> LogPosition {
        LogPosition(
            events: max(events, other.events),
            commands: commands.map { max($0, other.commands ?? $0) } ?? other.commands
        )
    }

    /// How many offsets lie before it, in both logs.
    var total: Offset { events + (commands ?? 0) }
}

/// From where one log of a partition is read.
struct LogStart: Sendable {
    /// The first record to come.
    var offset: Offset
    /// The end at this moment.
    var end: Offset
    /// The oldest offset that Kafka still has.
    var oldest: Offset
}

/// What is added to the offsets of a partition so that the sum never goes back, although a log may be made anew.
struct LogBase: Equatable, Sendable {
    var events: Int64 = 0
    var commands: Int64 = 0
}
