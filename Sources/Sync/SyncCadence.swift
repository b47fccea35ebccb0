package import Basics

/// When the changes of a sync leave.
package enum SyncCadence: Sendable {
    /// At every tick.
    case realtime
    /// At the start of every hour of UTC.
    case hourly
    /// Once a day, when the clocks of a zone first show that time.
    case daily(minutesOfDay: Int, TimeZoneRules)
    /// When a person asks.
    case onDemand

    /// Whether changes leave in runs.
    package var hasRuns: Bool {
        if case .realtime = self { false } else { true }
    }

    /// The newest instant at or before `instant` at which a run is due; nil where none ever is.
    ///
    /// A time of day that the clocks skip is due when they have skipped it, one that comes twice the first time,
    /// and one of a day that a zone left out not at all.
    package func newestDue(at instant: EventTime) -> EventTime? {
        switch self {
        case .realtime, .onDemand: return nil
        case .hourly: return instant.roundedDown(toMultipleOf: Self.hourMilliseconds)
        case .daily(let minutes, let zone):
            // The next day may have been there already, where clocks went back over midnight.
            var day = zone.day(of: instant) + 1
            while true {
                if let due = Self.due(day, minutes, zone), due <= instant { return due }
                day -= 1
            }
        }
    }

    /// The first instant after `instant` at which a run is due; nil where none ever is.
    package func nextDue(after instant: EventTime) -> EventTime? {
        switch self {
        case .realtime, .onDemand: return nil
        case .hourly:
            return instant.roundedDown(toMultipleOf: Self.hourMilliseconds) + Self.hourMilliseconds
        case .daily(let minutes, let zone):
            var day = zone.day(of: instant)
            while true {
                if let due = Self.due(day, minutes, zone), due > instant { return due }
                day += 1
            }
        }
    }

    private static func due(_ day: Int64, _ minutes: Int, _ zone: TimeZoneRules) -> EventTime? {
        guard zone.day(of: zone.start(ofDay: day)) == day else { return nil }
        return zone.instant(ofDay: day, minute: minutes)
    }

    private static let hourMilliseconds: Int64 = 3_600_000
}
