import Basics
import Sync
import Testing

@Suite("When runs are due")
struct RunScheduleTests {
    /// Central Europe by its rule alone: clocks go forward at 02:00 and back at 03:00.
    private func berlin() throws -> TimeZoneRules {
        try zone("CET-1CEST,M3.5.0,M10.5.0/3")
    }

    /// A compiled file without transitions, whose rule says everything.
    private func zone(_ rule: String) throws -> TimeZoneRules {
        func block(wide: Bool) -> [UInt8] {
            var bytes = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
            // Counts: UT and standard indicators, leap seconds, transitions, types, bytes of names.
            for count in [0, 0, 0, 0, 1, 4] as [UInt8] { bytes += [0, 0, 0, count] }
            // One type: an hour east, no summer time, the name at 0.
            return bytes + [0, 0, 0x0e, 0x10, 0, 0] + Array("CET\0".utf8)
        }
        let bytes = block(wide: false) + block(wide: true) + Array("\n\(rule)\n".utf8)
        return try bytes.withByteView { view throws(TimeZoneRules.Malformed) in
            try TimeZoneRules(tzif: view)
        }
    }

    private func instants(
        _ schedule: RunSchedule,
        after text: String,
        count: Int
    ) throws -> [String] {
        var instant = try #require(EventTime(rfc3339: text))
        var found: [String] = []
        for _ in 0..<count {
            guard let next = schedule.next(after: instant) else { break }
            found.append(next.rfc3339)
            instant = next
        }
        return found
    }

    @Test("hourly runs are due at every full hour, and the one just made is not due again")
    func hourly() throws {
        #expect(
            try instants(.hourly, after: "2026-03-29T00:00:00Z", count: 3) == [
                "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z", "2026-03-29T03:00:00Z",
            ]
        )
        #expect(
            try instants(.hourly, after: "2026-03-29T00:59:59.999Z", count: 1)
                == ["2026-03-29T01:00:00Z"]
        )
    }

    @Test("on demand nothing is due")
    func onDemand() throws {
        #expect(try instants(.onDemand, after: "2026-03-29T00:00:00Z", count: 1) == [])
    }

    @Test("a daily run over the day the clocks go forward is due at the change, once")
    func forward() throws {
        #expect(
            try instants(.daily(minute: 150, berlin()), after: "2026-03-27T12:00:00Z", count: 4)
                == [
                    "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z",
                    "2026-03-31T00:30:00Z",
                ]
        )
    }

    @Test("a daily run over the day the clocks go back is due the first time only")
    func back() throws {
        #expect(
            try instants(.daily(minute: 150, berlin()), after: "2026-10-23T12:00:00Z", count: 4)
                == [
                    "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z",
                    "2026-10-27T01:30:00Z",
                ]
        )
    }

    @Test(
        "each local date of a year has one daily run",
        arguments: [0, 1, 119, 120, 150, 180, 1439]
    )
    func everyDate(minute: Int) throws {
        let zone = try berlin()
        let schedule = RunSchedule.daily(minute: minute, zone)
        var instant = try #require(EventTime(rfc3339: "2026-01-01T22:59:30Z"))
        var day = zone.day(of: instant)
        for _ in 0..<365 {
            instant = try #require(schedule.next(after: instant))
            #expect(zone.day(of: instant) == day + 1, "\(instant.rfc3339)")
            day += 1
        }
    }
}
