import Basics
import Foundation
import Testing

@Suite("Time zone rules")
struct TimeZoneRulesTests {
    private static let day: Int64 = 86_400

    @Test("agree with zdump around every transition from 2000 to 2040 of every zone")
    func everyTransition() throws {
        let zones = ZoneTable.zones(in: ZoneTable.folder)
        if zones.isEmpty {
            print("skipped: there is no tzdata in \(ZoneTable.folder)")
            return
        }
        // Debian has more, so a table that came out short is noticed.
        #expect(zones.count > 250)
        let table = try ZoneTable.transitions(of: zones.map(\.name))
        #expect(table.values.map(\.count).reduce(0, +) > 5000)
        for zone in zones {
            check(try TimeZoneRules(tzif: zone.bytes), zone.name, table[zone.name] ?? [])
        }
        // The same zones with rules in the place of lists of transitions.
        let folder = FileManager.default.temporaryDirectory.path + "/zones-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        guard try ZoneTable.compileSlim(to: folder) else {
            print("skipped: zic or tzdata.zi is not there, rules are tried from 2038 on only")
            return
        }
        for zone in zones {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(zone.name)") else {
                continue
            }
            let bytes = [UInt8](data)
            if bytes == zone.bytes { continue }
            check(try TimeZoneRules(tzif: bytes), "\(zone.name), slim", table[zone.name] ?? [])
        }
    }

    /// Compares everything around each transition.
    private func check(
        _ rules: TimeZoneRules,
        _ name: String,
        _ transitions: [ZoneTable.Transition]
    ) {
        var walked: Set<[Int64]> = []
        for (index, transition) in transitions.enumerated() {
            let last = EventTime(milliseconds: transition.at * 1000 - 1)
            let isRight =
                offset(rules, transition.at - 1) == transition.before
                && rules.offset(at: last) == transition.before * 1000
                && offset(rules, transition.at) == transition.after
                && offset(rules, transition.at + 1) == transition.after
            if !isRight { Issue.record("\(name): offsets around \(transition.at)") }
            if rules.nextChange(after: last)?.milliseconds != transition.at * 1000 {
                Issue.record("\(name): no change at \(transition.at)")
            }
            // What happens at the same time of day to the same offsets need not be walked twice.
            let kind = [transition.before, transition.after, transition.at % Self.day]
            let byMinutes = walked.insert(kind).inserted
            if let wrong = wrongDay(rules, around: index, of: transitions, byMinutes: byMinutes) {
                Issue.record("\(name): \(wrong), transition at \(transition.at)")
            }
        }
    }

    private func offset(_ rules: TimeZoneRules, _ seconds: Int64) -> Int64 {
        rules.offset(at: EventTime(milliseconds: seconds * 1000)) / 1000
    }

    /// Walks around a transition with zdump's offsets: the local dates, and the first instant that has a
    /// date or a later one.
    /// - `byMinutes`: Looks at every minute instead of at midnights and transitions only.
    private func wrongDay(
        _ rules: TimeZoneRules,
        around index: Int,
        of transitions: [ZoneTable.Transition],
        byMinutes: Bool
    ) -> String? {
        let transition = transitions[index]
        let day = Self.day
        // A day on each side of those looked at, whose starts lie in between.
        var minute = (transition.at / day - 2) * day
        let end = minute + 5 * day
        var place = max(0, index - 3)
        var offset = transitions[place].before
        var latest = Int64.min
        while minute < end {
            while place < transitions.count, transitions[place].at <= minute {
                offset = transitions[place].after
                place += 1
            }
            let local = minute + offset
            let date = local / day
            // Every hour, and at each change of date.
            let isChange = date > latest
            if isChange || minute % 3600 == 0 {
                let found = rules.day(of: EventTime(milliseconds: minute * 1000))
                if found != date { return "day \(found) instead of \(date) at \(minute)" }
            }
            if isChange, latest != .min {
                for date in (latest + 1)...date {
                    let start = rules.start(ofDay: date)
                    if start.milliseconds != minute * 1000 {
                        return
                            "day \(date) starts at \(start.milliseconds / 1000) instead of \(minute)"
                    }
                }
            }
            latest = max(latest, date)
            let midnight = (date + 1) * day - offset
            let change = place < transitions.count ? transitions[place].at : .max
            minute = byMinutes ? minute + 60 : min(midnight, change)
        }
        return nil
    }

    // MARK: Named cases

    /// A day of a zone of this machine and where it starts.
    struct NamedDay: Sendable, CustomTestStringConvertible {
        let zone: String
        let date: String
        let start: String
        var testDescription: String { "\(zone) \(date)" }

        init(_ zone: String, _ date: String, _ start: String) {
            (self.zone, self.date, self.start) = (zone, date, start)
        }
    }

    @Test(
        "days start at the earliest instant of their date or of a later one",
        arguments: [
            NamedDay("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"),
            NamedDay("Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00Z"),
            NamedDay("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z"),
            NamedDay("Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00Z"),
            // Midnight is left out: the day starts at one o'clock.
            NamedDay("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
            NamedDay("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z"),
            NamedDay("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"),
            // From midnight back to eleven: the date comes once.
            NamedDay("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z"),
            // From one o'clock back to midnight: midnight comes twice, and the first counts.
            NamedDay("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),
            NamedDay("Atlantic/Azores", "2026-10-25", "2026-10-25T00:00:00Z"),
            // From a minute past midnight back: the date comes twice, and the first counts.
            NamedDay("America/St_Johns", "2010-11-07", "2010-11-07T02:30:00Z"),
            // A day that was left out starts with the next.
            NamedDay("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z"),
            NamedDay("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
            NamedDay("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
            NamedDay("Pacific/Apia", "2012-01-01", "2011-12-31T10:00:00Z"),
            // Half an hour of summer time.
            NamedDay("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z"),
            NamedDay("Australia/Lord_Howe", "2026-04-06", "2026-04-05T13:30:00Z"),
        ]
    )
    func namedDays(_ named: NamedDay) throws {
        guard let data = FileManager.default.contents(atPath: "\(ZoneTable.folder)/\(named.zone)")
        else {
            print("skipped: there is no \(named.zone)")
            return
        }
        let rules = try TimeZoneRules(tzif: [UInt8](data))
        let midnight = try #require(EventTime(rfc3339: named.date + "T00:00:00Z"))
        #expect(rules.start(ofDay: midnight.milliseconds / 86_400_000).rfc3339 == named.start)
    }

    // MARK: Rules

    @Test("UTC has neither offset nor change")
    func utc() {
        let rules = TimeZoneRules.utc
        #expect(rules.offset(at: .earliest) == 0)
        #expect(rules.nextChange(after: .earliest) == nil)
        #expect(rules.day(of: EventTime(milliseconds: -1)) == -1)
        #expect(rules.start(ofDay: -1) == EventTime(milliseconds: -86_400_000))
    }

    @Test(
        "footers say when the clocks change",
        arguments: [
            // Northern, with the default hour.
            (
                "EST5EDT,M3.2.0,M11.1.0", "2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z", -18_000,
                -14_400
            ),
            (
                "CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", 3600,
                7200
            ),
            // Southern: summer goes over the end of the year.
            (
                "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2026-10-03T15:30:00Z",
                "2026-04-04T15:00:00Z",
                37_800, 39_600
            ),
            // Winter time is the exception.
            ("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-10-25T01:00:00Z", "2026-03-29T01:00:00Z", 3600, 0),
            // Hours before midnight and beyond the day.
            (
                "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z",
                -7200, -3600
            ),
            (
                "IST-2IDT,M3.4.4/26,M10.5.0", "2026-03-27T00:00:00Z", "2026-10-24T23:00:00Z", 7200,
                10_800
            ),
            (
                "AAA3BBB,M3.1.0/-167,M10.1.0/167", "2026-02-22T04:00:00Z", "2026-10-11T01:00:00Z",
                -10_800, -7200
            ),
            // Days of the year, the 29th of February counted or not.
            ("AAA0BBB,J60,J365/23", "2026-03-01T02:00:00Z", "2026-12-31T22:00:00Z", 0, 3600),
            ("AAA0BBB,59,364/23", "2026-03-01T02:00:00Z", "2026-12-31T22:00:00Z", 0, 3600),
        ]
    )
    func footers(
        _ rule: String,
        _ start: String,
        _ end: String,
        standard: Int64,
        summer: Int64
    ) throws {
        let rules = try TimeZoneRules(tzif: TZifFile(tail: "\n\(rule)\n").bytes)
        let starts = try #require(EventTime(rfc3339: start))
        let ends = try #require(EventTime(rfc3339: end))
        #expect(rules.offset(at: starts - 1) == standard * 1000)
        #expect(rules.offset(at: starts) == summer * 1000)
        #expect(rules.offset(at: ends - 1) == summer * 1000)
        #expect(rules.offset(at: ends) == standard * 1000)
        #expect(rules.nextChange(after: starts - 1) == starts)
        #expect(rules.nextChange(after: ends - 1) == ends)
        #expect(rules.nextChange(after: min(starts, ends)) == max(starts, ends))
    }

    @Test("a leap year moves Jn and n apart")
    func leapYear() throws {
        let julian = try TimeZoneRules(tzif: TZifFile(tail: "\nAAA0BBB,J60/0,J300/0\n").bytes)
        let zeroBased = try TimeZoneRules(tzif: TZifFile(tail: "\nAAA0BBB,59/0,300/0\n").bytes)
        let newYear = try #require(EventTime(rfc3339: "2024-01-01T00:00:00Z"))
        #expect(julian.nextChange(after: newYear)?.rfc3339 == "2024-03-01T00:00:00Z")
        #expect(zeroBased.nextChange(after: newYear)?.rfc3339 == "2024-02-29T00:00:00Z")
    }

    @Test("summer time that ends when the next one begins never ends")
    func permanentSummer() throws {
        let rules = try TimeZoneRules(tzif: TZifFile(tail: "\nAAA5BBB4,0/0,J365/25\n").bytes)
        let start = try #require(EventTime(rfc3339: "2025-01-01T00:00:00Z"))
        let hours = (0..<(24 * 1500)).filter {
            rules.offset(at: start + Int64($0) * 3_600_000) != -4 * 3_600_000
        }
        #expect(hours.isEmpty)
    }

    @Test("without a rule the last offset goes on, before the first transition the first")
    func withoutRule() throws {
        let file = TZifFile(transitions: [(0, 3600), (1000, -7200)], firstOffset: 60)
        let rules = try TimeZoneRules(tzif: file.bytes)
        #expect(rules.offset(at: .earliest) == 60_000)
        #expect(rules.offset(at: EventTime(milliseconds: -1)) == 60_000)
        #expect(rules.offset(at: EventTime(milliseconds: 0)) == 3_600_000)
        #expect(rules.offset(at: EventTime(milliseconds: 1_000_000)) == -7_200_000)
        #expect(rules.offset(at: .latest) == -7_200_000)
        #expect(rules.nextChange(after: EventTime(milliseconds: 1_000_000)) == nil)
    }

    @Test("identity tells apart what differs anywhere, and only that")
    func identity() throws {
        let files = [
            TZifFile(), TZifFile(firstOffset: 60), TZifFile(transitions: [(0, 3600)]),
            TZifFile(transitions: [(1, 3600)]), TZifFile(transitions: [(0, 3601)]),
            TZifFile(tail: "\nAAA0\n"), TZifFile(tail: "\nAAA0BBB,J60,J300\n"),
            // The same days in 2001, others in leap years.
            TZifFile(tail: "\nAAA0BBB,59,J300\n"),
        ]
        let identities = try files.map { try TimeZoneRules(tzif: $0.bytes).identity }
        #expect(Set(identities).count == files.count)
        #expect(try files.map { try TimeZoneRules(tzif: $0.bytes).identity } == identities)
    }

    // MARK: Damage

    @Test(
        "rules that are none are refused",
        arguments: [
            "CET", "CE-1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
            "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,M10.5.0",
            "CET-1CEST,366,M10.5.0", "CET-25", "CET-1:60", "CET-1CEST,M3.5.0/168,M10.5.0",
            "CET-1CEST,M3.5.0,M10.5.0/3 ", "<CET-1", "CET-1CEST,M3.5.0,M10.5.0,",
            "CET-99999999999999999999",
            "CET-1\nCET-1",
        ]
    )
    func badRules(_ rule: String) {
        #expect(throws: TimeZoneRules.Malformed.self) {
            try TimeZoneRules(tzif: TZifFile(tail: "\n\(rule)\n").bytes)
        }
    }

    @Test("what is wrong with a file is said")
    func malformed() throws {
        func problem(_ bytes: [UInt8]) -> String? {
            do throws(TimeZoneRules.Malformed) {
                _ = try TimeZoneRules(tzif: bytes)
                return nil
            } catch { return error.text }
        }
        let good = TZifFile(transitions: [(0, 3600)]).bytes
        #expect(problem(good) == nil)
        #expect(problem([]) == "it ends at byte 0, where more is announced")
        #expect(
            problem(Array("#!/bin/sh; echo this is no zone of any kind whatever".utf8))
                == "it does not begin with TZif"
        )
        #expect(problem(TZifFile(version: 0).bytes) == "it has version 0, and 2 or later is needed")
        #expect(
            problem(TZifFile(tail: "\n").bytes) == "its rule does not stand between two line feeds"
        )
        #expect(
            problem(TZifFile(tail: "UTC0\n").bytes)
                == "its rule does not stand between two line feeds"
        )
        #expect(
            problem(TZifFile(transitions: [(5, 0), (5, 60)]).bytes)
                == "its transitions are not in order"
        )
        #expect(
            problem(TZifFile(firstOffset: 200_000).bytes)
                == "an offset lies more than a day from UTC"
        )
        #expect(
            problem(TZifFile(leaps: [(78_796_800, 1)]).bytes)
                == "it counts leap seconds, which the time of events does not"
        )
        #expect(
            problem(TZifFile(tail: "\nnonsense\n").bytes) == "its rule nonsense is not understood"
        )
    }

    @Test("a transition before the Big Bang is a transition long ago")
    func bigBang() throws {
        let rules = try TimeZoneRules(tzif: TZifFile(transitions: [(.min, 60), (0, 3600)]).bytes)
        #expect(rules.offset(at: .earliest) == 60_000)
        #expect(rules.nextChange(after: .earliest) == EventTime(milliseconds: 0))
    }

    @Test("a file cut anywhere is refused, and no byte turned over makes a trap")
    func damage() throws {
        let whole = TZifFile(
            transitions: [(-1_000_000_000, 1800), (954_032_400, 7200), (972_781_200, 3600)],
            firstOffset: 3208,
            tail: "\nCET-1CEST,M3.5.0,M10.5.0/3\n"
        ).bytes
        _ = try TimeZoneRules(tzif: whole)
        for count in whole.indices {
            #expect(throws: TimeZoneRules.Malformed.self, "\(count) bytes") {
                try TimeZoneRules(tzif: Array(whole[..<count]))
            }
        }
        var accepted = 0
        for place in whole.indices {
            for value in [0, 1, 0x7f, 0x80, 0xff, whole[place] ^ 1, whole[place] ^ 0x80] {
                var bytes = whole
                bytes[place] = value
                do throws(TimeZoneRules.Malformed) {
                    use(try TimeZoneRules(tzif: bytes))
                    accepted += 1
                } catch {
                    #expect(!error.text.isEmpty)
                }
            }
        }
        // Abbreviations and reserved bytes may be anything.
        #expect(accepted > 100)
    }

    private func use(_ rules: TimeZoneRules) {
        for instant in [EventTime.earliest, .latest, EventTime(milliseconds: 972_781_200_000)] {
            let day = rules.day(of: instant)
            #expect(rules.start(ofDay: day) <= instant)
            if let change = rules.nextChange(after: instant) { #expect(change > instant) }
        }
    }
}

extension TimeZoneRules {
    /// The rules in a file's bytes.
    init(tzif bytes: [UInt8]) throws(Malformed) {
        self = try bytes.withByteView { view throws(Malformed) in try TimeZoneRules(tzif: view) }
    }
}
