import Basics
import Foundation
import Testing

@testable import Sync

@Suite("Cadences")
struct CadenceTests {
    private static let minute: Int64 = 60_000
    /// 2000-01-01 and 2041-01-01.
    private static let years = Int64(946_684_800_000)...2_240_524_800_000
    private static let zones = [
        "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo",
        "UTC",
    ]

    private func rules(_ name: String) throws -> TimeZoneRules {
        let data = try Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/" + name))
        return try [UInt8](data).withByteView {
            (bytes: ByteView) throws(TimeZoneRules.Malformed) in
            try TimeZoneRules(tzif: bytes)
        }
    }

    @Test(
        "A daily run is due once on every day that there is, at its time or when the clocks skipped it",
        .enabled(
            if: FileManager.default.fileExists(atPath: "/usr/share/zoneinfo/UTC"),
            "no tzdata"
        ),
        arguments: zones,
        [0, 30, 90, 150, 540, 1439]
    )
    func daily(zone: String, minutes: Int) throws {
        let rules = try rules(zone)
        let cadence = SyncCadence.daily(minutesOfDay: minutes, rules)
        var instant = EventTime(milliseconds: Self.years.lowerBound)
        let first = rules.day(of: instant)
        let last = rules.day(of: EventTime(milliseconds: Self.years.upperBound))
        var days: [Int64] = []
        while true {
            let due = try #require(cadence.nextDue(after: instant))
            if due.milliseconds > Self.years.upperBound { break }
            let local = due + rules.offset(at: due)
            let day = rules.day(of: due)
            let shown = (local.milliseconds - day * 86_400_000) / Self.minute
            // Before it the clocks showed an earlier time.
            let before = due - 1 + rules.offset(at: due - 1)
            let wanted = day * 86_400_000 + Int64(minutes) * Self.minute
            #expect(shown >= Int64(minutes) || before.milliseconds < wanted, "\(zone), \(due)")
            #expect(cadence.newestDue(at: due) == due)
            #expect(cadence.newestDue(at: due - 1).map { $0 < due } == true)
            days.append(day)
            instant = due
        }
        let wanted = (first...last).filter { rules.day(of: rules.start(ofDay: $0)) == $0 }
        // The first and the last day are whole days of UTC only.
        let inside = Set(wanted.dropFirst(2).dropLast(2))
        let counts = Dictionary(days.map { ($0, 1) }, uniquingKeysWith: +)
        #expect(inside.subtracting(counts.keys).isEmpty, "\(zone)")
        #expect(counts.filter { inside.contains($0.key) }.allSatisfy { $0.value == 1 }, "\(zone)")
    }

    @Test("Samoa left out 2011-12-30, so no run is due on it")
    func skippedDay() throws {
        let rules = try rules("Pacific/Apia")
        let cadence = SyncCadence.daily(minutesOfDay: 540, rules)
        let skipped: Int64 = 15_338
        let before = try #require(cadence.newestDue(at: rules.start(ofDay: skipped) - 1))
        #expect(rules.day(of: before) == skipped - 1)
        let after = try #require(cadence.nextDue(after: before))
        #expect(rules.day(of: after) == skipped + 1)
        #expect(after - before == 86_400_000)
    }

    @Test(
        "Around every change of the clocks until 2040 a daily sync runs once for each day",
        arguments: zones
    )
    func around(zone: String) throws {
        let rules = try rules(zone)
        var change = EventTime(milliseconds: Self.years.lowerBound)
        while let next = rules.nextChange(after: change), next.milliseconds < Self.years.upperBound
        {
            change = next
            for minutes in [0, 30, 60, 119, 120, 150, 180, 1380, 1439] {
                let cadence = SyncCadence.daily(minutesOfDay: minutes, rules)
                // A tick every half hour, as a planner looks at it.
                var newest = cadence.newestDue(at: change - 3 * 86_400_000) ?? .distantPast
                var runs = 0
                var instant = change - 3 * 86_400_000
                while instant < change + 3 * 86_400_000 {
                    instant = instant + 30 * Self.minute
                    guard let due = cadence.newestDue(at: instant) else { continue }
                    #expect(due >= newest, "\(zone) at \(instant): \(due) after \(newest)")
                    if due > newest { runs += 1 }
                    newest = max(newest, due)
                }
                #expect((5...7).contains(runs), "\(zone) around \(change): \(runs) runs")
            }
        }
    }

    @Test("Hours are those of UTC; realtime and on demand are never due")
    func others() {
        let instant = EventTime(milliseconds: 7_300_000)
        #expect(SyncCadence.hourly.newestDue(at: instant)?.milliseconds == 7_200_000)
        #expect(SyncCadence.hourly.nextDue(after: instant)?.milliseconds == 10_800_000)
        let whole = EventTime(milliseconds: 7_200_000)
        #expect(SyncCadence.hourly.newestDue(at: whole) == whole)
        #expect(SyncCadence.hourly.nextDue(after: whole)?.milliseconds == 10_800_000)
        for cadence in [SyncCadence.realtime, .onDemand] {
            #expect(cadence.newestDue(at: instant) == nil && cadence.nextDue(after: instant) == nil)
        }
        #expect(!SyncCadence.realtime.hasRuns && SyncCadence.onDemand.hasRuns)
    }

    @Test("A daily sync runs at its local time, through the change of the clocks")
    func planner() throws {
        let berlin = try rules("Europe/Berlin")
        let harness = PlannerHarness([
            .test().with { $0.cadence = .daily(minutesOfDay: 150, berlin) }
        ])
        // 2026-03-27T12:00Z; on the 29th the clocks skip 02:30.
        let start: Int64 = 1_774_612_800_000 / Self.minute
        harness.reset(["u"], offset: 1, tick: start)
        var runs: [String] = []
        for minute in start + 1..<start + 3 * 1440 {
            harness.tick(["n\(minute)"], offset: minute, tick: minute)
            if let request = harness.drain().first { runs.append(request.tick.rfc3339) }
        }
        #expect(runs == ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"])
    }
}
