import Basics
import Cohorts
import InputFiles
import Testing

@testable import Engine

@Suite("Days by the calendar")
struct CalendarIntervalTests {
    /// Where clocks went back from 00:01 to 23:01 until 2011.
    private static let zone = "America/St_Johns"

    private func intervals() throws -> CalendarIntervals {
        let zone = try #require(ZoneFiles.rules(Self.zone))
        return try #require(CalendarIntervals(.day(zone)))
    }

    private func instant(_ text: String) throws -> Int64 {
        try #require(EventTime(rfc3339: text)).milliseconds
    }

    @Test(
        "a day that began before the clocks went back over midnight has no one beginning",
        .enabled(if: ZoneFiles.exists(zone), "tzdata is not there")
    )
    func pieces() throws {
        var intervals = try intervals()
        // 00:00:30 and, behind an hour of the day before, 12:00 of the same day.
        let first = try instant("2010-11-07T02:30:30Z")
        let noon = try instant("2010-11-07T15:30:00Z")
        #expect(intervals.number(of: first) == intervals.number(of: noon))
        let back = try instant("2010-11-07T02:31:00Z")
        #expect(intervals.number(of: back) < intervals.number(of: noon))
        #expect(intervals.start(at: noon) == nil)
    }

    @Test(
        "any other day begins at its midnight",
        .enabled(if: ZoneFiles.exists(zone), "tzdata is not there")
    )
    func whole() throws {
        var intervals = try intervals()
        #expect(
            intervals.start(at: try instant("2010-07-10T15:30:00Z"))
                == (try instant("2010-07-10T02:30:00Z"))
        )
        #expect(
            intervals.start(at: try instant("2010-12-10T15:30:00Z"))
                == (try instant("2010-12-10T03:30:00Z"))
        )
    }
}
