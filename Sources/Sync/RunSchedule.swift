package import Basics

/// When the runs of a sync are due by themselves.
///
/// Every instant follows from the calendar alone, so that a restart neither misses nor doubles one: who
/// knows the last run asks for the next after it.
package enum RunSchedule: Sendable {
    /// Only when somebody asks.
    case onDemand
    /// At every full hour of UTC.
    case hourly
    /// Once each local date: at a minute of the day, 0…1439. Where the clocks go forward over it, at the change;
    /// where they go back over it, the first time.
    case daily(minute: Int, TimeZoneRules)

    private static let hourMilliseconds: Int64 = 3_600_000

    /// The first due instant after another; nil where none is.
    package func next(after instant: EventTime) -> EventTime? {
        switch self {
        case .onDemand: return nil
        case .hourly:
            return instant.roundedDown(toMultipleOf: Self.hourMilliseconds) + Self.hourMilliseconds
        case .daily(let minute, let zone):
            // A local date may be left out, and its run is then due with the date behind it.
            let today = zone.day(of: instant)
            for day in (today - 1)...(today + 3) {
                let due = zone.instant(ofDay: day, minute: minute)
                if due > instant { return due }
            }
            return nil
        }
    }
}
