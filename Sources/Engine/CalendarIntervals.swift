import Basics
import Cohorts

/// Numbers the local days, weeks or months that instants lie in.
///
/// Remembers the stretch of one offset it last looked at, months long, so that the usual instant costs a division.
struct CalendarIntervals {
    private enum Unit {
        case day, week, month
    }

    private static let dayMilliseconds: Int64 = 86_400_000
    /// More than clocks ever went back by.
    private static let leapMilliseconds = dayMilliseconds + 7_200_000

    private let unit: Unit
    private let zone: TimeZoneRules
    /// The stretch: from ≤ t < end, in milliseconds.
    private var from = Int64.max
    private var end = Int64.min
    private var offset: Int64 = 0

    /// Nil for intervals of a duration, which no calendar knows.
    init?(_ interval: PlanInterval) {
        switch interval {
        case .day(let zone): (unit, self.zone) = (.day, zone)
        case .week(let zone): (unit, self.zone) = (.week, zone)
        case .month(let zone): (unit, self.zone) = (.month, zone)
        case .milliseconds: return nil
        }
    }

    /// The number of the interval that holds an instant: later intervals have greater ones.
    mutating func number(of instant: Int64) -> Int64 {
        if instant < from || instant >= end { look(at: instant) }
        let local = instant + offset
        // Rounded down before 1970, too.
        let day = local >= 0 ? local / Self.dayMilliseconds : ~(~local / Self.dayMilliseconds)
        switch unit {
        case .day: return day
        case .week:
            // 1970-01-01 was a Thursday: weeks begin three days before it.
            let shifted = day + 3
            return shifted >= 0 ? shifted / 7 : ~(~shifted / 7)
        case .month:
            let date = CivilDate(daysSince1970: day)
            return Int64(date.year * 12 + date.month)
        }
    }

    /// The first instant of the interval that holds an instant; nil where the clocks changed since or shortly before, so
    /// that the interval may not be one stretch of time.
    mutating func start(at instant: Int64) -> Int64? {
        let number = number(of: instant)
        let days: Int64
        switch unit {
        case .day: days = number
        case .week: days = number * 7 - 3
        case .month:
            let months = number - 1
            let year = months >= 0 ? months / 12 : ~(~months / 12)
            days =
                CivilDate(year: Int(year), month: Int(months - year * 12) + 1, day: 1).daysSince1970
        }
        let start = days * Self.dayMilliseconds - offset
        // Clocks that went back over midnight before the interval begins made another piece of it before.
        let calm = start - Self.leapMilliseconds
        if calm < from { look(at: calm) }
        return calm >= from && instant < end ? start : nil
    }

    private mutating func look(at instant: Int64) {
        let time = EventTime(milliseconds: instant)
        let next = zone.nextChange(after: time)?.milliseconds ?? .max
        from = next == end ? min(from, instant) : instant
        end = next
        offset = zone.offset(at: time)
    }
}
