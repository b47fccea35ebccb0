import Basics
import Foundation
import Testing

@testable import Cohorts

/// Windows of local days and weeks, minute by minute against a calendar made of offsets alone.
@Suite("Windows of local days")
struct PlanWindowTests {
    private static let minute: Int64 = 60_000
    private static let dayLength: Int64 = 86_400_000

    /// A stretch of time in which a zone does something.
    struct Stretch: Sendable, CustomTestStringConvertible {
        let zone: String
        let middle: String
        let days: Int64
        var testDescription: String { "\(zone) \(middle)" }

        init(_ zone: String, _ middle: String, days: Int64 = 2) {
            (self.zone, self.middle, self.days) = (zone, middle, days)
        }

        /// The rules of the zone; nil where this machine has none.
        func rules() throws -> TimeZoneRules? {
            let path = "/usr/share/zoneinfo/\(zone)"
            guard let data = FileManager.default.contents(atPath: path) else {
                print("skipped: there is no \(path)")
                return nil
            }
            return try [UInt8](data).withByteView {
                view throws(TimeZoneRules.Malformed) in try TimeZoneRules(tzif: view)
            }
        }
    }

    static let stretches = [
        Stretch("Europe/Berlin", "2026-03-29T01:00:00Z"),
        Stretch("Europe/Berlin", "2026-10-25T01:00:00Z"),
        Stretch("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
        Stretch("America/Sao_Paulo", "2018-02-18T02:00:00Z"),
        Stretch("America/Havana", "2026-11-01T05:00:00Z"),
        Stretch("America/St_Johns", "2010-11-07T02:31:00Z"),
        Stretch("Pacific/Apia", "2011-12-30T10:00:00Z"),
        Stretch("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
        Stretch("UTC", "2026-01-01T00:00:00Z"),
    ]

    /// A window of local days or weeks.
    struct Local {
        let days: Int64
        let count: Int64
        let excludes: Bool
        let offset: Int64

        func plan(_ zone: TimeZoneRules) -> PlanWindow { .aligned(aligned(zone)) }

        func aligned(_ zone: TimeZoneRules) -> PlanWindow.Aligned {
            PlanWindow.Aligned(
                unitDays: days,
                count: count,
                excludesCurrent: excludes,
                offset: offset,
                zone: zone
            )
        }
    }

    private static let windows = [
        Local(days: 1, count: 1, excludes: false, offset: 0),
        Local(days: 1, count: 3, excludes: true, offset: 0),
        Local(days: 1, count: 2, excludes: false, offset: 90 * minute),
        Local(days: 1, count: 1, excludes: true, offset: 25 * 60 * minute),
        Local(days: 7, count: 1, excludes: false, offset: 0),
        Local(days: 7, count: 2, excludes: true, offset: 36 * 60 * minute),
    ]

    @Test("the range is that of the calendar, and changes at `next` only", arguments: stretches)
    func minuteByMinute(_ stretch: Stretch) throws {
        guard let zone = try stretch.rules() else { return }
        let middle = try #require(EventTime(rfc3339: stretch.middle))
        let ticks = Ticks(
            from: middle - stretch.days * Self.dayLength,
            to: middle + stretch.days * Self.dayLength
        )
        let calendar = MinuteCalendar(
            zone,
            from: ticks.from - 30 * Self.dayLength,
            to: ticks.to + Self.dayLength
        )
        for window in Self.windows {
            let aligned = window.plan(zone)
            var previous: PlanWindow.Range?
            var tick = ticks.from
            while tick <= ticks.to {
                let range = aligned.range(at: tick, firstSeen: tick)
                let expected = calendar.range(at: tick, window)
                guard range.from == expected.from, range.end == expected.end else {
                    Issue.record(
                        "\(window) at \(tick.rfc3339): \(range.from)..<\(range.end), not \(expected)"
                    )
                    break
                }
                if let wrong = wrongNext(range, previous, tick, window.excludes) {
                    Issue.record("\(window) at \(tick.rfc3339): \(wrong)")
                    break
                }
                #expect(range.delay == window.offset && range.lifetime == nil)
                previous = range
                tick = tick + Self.minute
            }
        }
    }

    /// Whether a range changed before the last one said it would.
    private func wrongNext(
        _ range: PlanWindow.Range,
        _ previous: PlanWindow.Range?,
        _ tick: EventTime,
        _ excludes: Bool
    ) -> String? {
        guard let next = range.next else { return "no next change" }
        if next <= tick { return "the next change \(next.rfc3339) is not ahead" }
        guard let previous, let announced = previous.next else { return nil }
        // With today inside, the end moves along.
        let isChanged = range.from != previous.from || (excludes && range.end != previous.end)
        if isChanged, announced > tick { return "changed before \(announced.rfc3339)" }
        return nil
    }

    @Test("`next` is exact to the millisecond", arguments: stretches)
    func atNext(_ stretch: Stretch) throws {
        guard let zone = try stretch.rules() else { return }
        let middle = try #require(EventTime(rfc3339: stretch.middle))
        for window in Self.windows {
            let aligned = window.plan(zone)
            var tick = middle - stretch.days * Self.dayLength
            var changes = 0
            while tick < middle + 15 * Self.dayLength {
                let range = aligned.range(at: tick, firstSeen: tick)
                let next = try #require(range.next)
                let last = aligned.range(at: next - 1, firstSeen: next)
                let then = aligned.range(at: next, firstSeen: next)
                #expect(
                    last.from == range.from && last.next == next,
                    "\(window) before \(next.rfc3339)"
                )
                if window.excludes { #expect(last.end == range.end) }
                if then.from != range.from { changes += 1 }
                tick = next
            }
            #expect(changes >= (window.days == 1 ? 15 : 2))
        }
    }

    @Test(
        "bounds are where the calendar's range changes, also ones that ticks skip",
        arguments: stretches
    )
    func bounds(_ stretch: Stretch) throws {
        guard let zone = try stretch.rules() else { return }
        let middle = try #require(EventTime(rfc3339: stretch.middle))
        let ticks = Ticks(from: middle - 5 * Self.dayLength, to: middle + 5 * Self.dayLength)
        let calendar = MinuteCalendar(
            zone,
            from: ticks.from - 30 * Self.dayLength,
            to: ticks.to + Self.dayLength
        )
        var generator = SeededGenerator(seed: 7)
        for window in Self.windows {
            let aligned = window.aligned(zone)
            let count = Int((ticks.to - ticks.from) / Self.minute)
            func tick(_ index: Int) -> EventTime { ticks.from + Int64(index) * Self.minute }
            var bounds: [Int] = []
            var last = calendar.range(at: ticks.from, window)
            for index in 1...count {
                let range = calendar.range(at: tick(index), window)
                let isBound = range.from != last.from || window.excludes && range.end != last.end
                if isBound { bounds.append(index) }
                if aligned.beginsAnew(after: tick(index - 1), upTo: tick(index)) != isBound {
                    Issue.record("\(window) at \(tick(index).rfc3339): a bound is \(isBound)")
                }
                last = range
            }
            #expect(bounds.count >= (window.days == 1 ? 8 : 1), "\(window)")
            for bound in bounds {
                #expect(aligned.beginsAnew(after: tick(bound) - 1, upTo: tick(bound)))
                #expect(!aligned.beginsAnew(after: tick(bound), upTo: tick(bound + 1) - 1))
            }
            for _ in 0..<500 {
                let first = generator.below(count)
                let end = min(count, first + generator.pick([1, 2, 60, 700, 1500, 9000]))
                let expected = bounds.contains { $0 > first && $0 <= end }
                if aligned.beginsAnew(after: tick(first), upTo: tick(end)) != expected {
                    Issue.record(
                        "\(window) in (\(tick(first).rfc3339), \(tick(end).rfc3339)]: \(expected)"
                    )
                }
            }
        }
    }

    @Test("a cohort's bounds are those of its own windows and of the cohorts it refers to")
    func boundsOfCohorts() throws {
        let (definitions, problems) = parse(
            """
            id: daily
            users: {active: {last: 2d, align: day}}
            ---
            id: sliding
            users: {active: {last: 2d}}
            ---
            id: weekly
            timezone: Asia/Kathmandu
            users: {any: [{performed: {event: e, last: 1w, align: week}}, {member_of: sliding}]}
            ---
            id: referring
            users: {not: {member_of: daily}}
            """
        )
        #expect(problems.isEmpty)
        guard let kathmandu = try Stretch("Asia/Kathmandu", "").rules() else { return }
        let plan = PlanCompiler.compile(
            definitions,
            PlanSettings(zones: ["Asia/Kathmandu": kathmandu])
        )
        func bounds(_ previous: String, _ tick: String) throws -> [String] {
            let previous = try #require(EventTime(rfc3339: previous))
            let tick = try #require(EventTime(rfc3339: tick))
            return plan.cohorts.indices
                .filter { plan.isCalendarBound(cohort: $0, after: previous, upTo: tick) }
                .map { plan.cohorts[$0].id }
        }
        // Monday begins 5:45 h earlier in Kathmandu.
        #expect(try bounds("2026-01-04T18:14:00Z", "2026-01-04T18:15:00Z") == ["weekly"])
        #expect(try bounds("2026-01-04T18:15:00Z", "2026-01-04T23:59:59.999Z") == [])
        #expect(
            try bounds("2026-01-04T23:59:00Z", "2026-01-05T00:00:00Z") == ["daily", "referring"]
        )
        #expect(try bounds("2026-01-05T00:00:00Z", "2026-01-05T23:59:00Z") == [])
        #expect(
            try bounds("2026-01-05T00:00:00Z", "2027-01-05T00:00:00Z")
                == ["daily", "referring", "weekly"]
        )
    }

    @Test("nothing that counts is older than the horizon", arguments: stretches)
    func horizon(_ stretch: Stretch) throws {
        guard let zone = try stretch.rules() else { return }
        let middle = try #require(EventTime(rfc3339: stretch.middle))
        for window in Self.windows {
            let aligned = window.plan(zone)
            let horizon = try #require(aligned.horizon)
            for hour in Int64(-24)...(24 * 20) {
                let tick = middle + hour * 60 * Self.minute
                let age = tick.milliseconds - aligned.range(at: tick, firstSeen: tick).from
                if age > horizon {
                    Issue.record("\(window) at \(tick.rfc3339): \(age) > \(horizon)")
                }
            }
        }
    }

    /// The first and the last tick of a walk.
    private struct Ticks {
        let from: EventTime
        let to: EventTime

        init(from: EventTime, to: EventTime) {
            (self.from, self.to) = (from.roundedDown(toMultipleOf: minute), to)
        }
    }

    /// The local date of every minute of some weeks, and when each date or a later one came first.
    private struct MinuteCalendar {
        private let first: EventTime
        private var dates: [Int64] = []
        private var starts: [Int64: Int64] = [:]

        init(_ zone: TimeZoneRules, from: EventTime, to: EventTime) {
            first = from
            var latest = Int64.max
            var minute = from
            while minute <= to {
                let local = minute.milliseconds + zone.offset(at: minute)
                let date = (local - (local % dayLength + dayLength) % dayLength) / dayLength
                if latest == .max { latest = date }
                while latest < date {
                    latest += 1
                    starts[latest] = minute.milliseconds
                }
                dates.append(date)
                minute = minute + PlanWindowTests.minute
            }
        }

        /// From the words of docs/cohorts.md, "Windows".
        func range(at tick: EventTime, _ window: Local) -> (from: Int64?, end: Int64?) {
            let (days, count) = (window.days, window.count)
            let anchor = tick - window.offset
            var unit = dates[Int((anchor - first) / minute)]
            // Monday is the day on which the number of days since Monday, 1970-01-05, is a multiple of 7.
            while days == 7, (unit - 4) % 7 != 0 { unit -= 1 }
            if window.excludes { return (starts[unit - count * days], starts[unit]) }
            return (starts[unit - (count - 1) * days], anchor.milliseconds + 1)
        }
    }

    // MARK: The other forms

    @Test("a sliding window is open at its old end")
    func sliding() {
        let range = PlanWindow.last(length: 100, offset: 10).range(
            at: EventTime(milliseconds: 1000),
            firstSeen: EventTime(milliseconds: 0)
        )
        #expect(range == PlanWindow.Range(from: 891, end: 991, delay: 10, lifetime: 110, next: nil))
    }

    @Test("without a window everything up to the tick counts")
    func anyTime() {
        let range = PlanWindow.anyTime.range(
            at: EventTime(milliseconds: 1000),
            firstSeen: EventTime(milliseconds: 0)
        )
        #expect(
            range == PlanWindow.Range(from: .min, end: 1001, delay: 0, lifetime: nil, next: nil)
        )
    }

    @Test("fixed ends do not reach beyond the tick")
    func between() {
        let window = PlanWindow.between(
            from: EventTime(milliseconds: 10),
            end: EventTime(milliseconds: 20)
        )
        func range(_ tick: Int64) -> Range<Int64> {
            let range = window.range(at: EventTime(milliseconds: tick), firstSeen: .distantPast)
            // Ends turned round would trap here, as they would where records are looked up.
            return range.from..<range.end
        }
        #expect(range(15) == 10..<16)
        #expect(range(19) == 10..<20)
        #expect(range(500) == 10..<20)
        #expect(range(3).isEmpty)
        #expect(range(9).isEmpty)
    }

    @Test("within_first begins with the first event and ends before its length is over")
    func withinFirst() {
        let window = PlanWindow.withinFirst(length: 50)
        func range(_ tick: Int64, _ first: EventTime) -> Range<Int64> {
            let range = window.range(at: EventTime(milliseconds: tick), firstSeen: first)
            return range.from..<max(range.from, range.end)
        }
        let first = EventTime(milliseconds: 100)
        #expect(range(120, first) == 100..<121)
        #expect(range(149, first) == 100..<150)
        #expect(range(900, first) == 100..<150)
        #expect(range(99, first).isEmpty)
        #expect(range(900, .distantFuture).isEmpty)
    }
}
