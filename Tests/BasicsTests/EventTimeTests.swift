import Basics
import Testing

@Suite("Instants")
struct EventTimeTests {
    @Test(
        "RFC 3339 is read to the millisecond, with any zone",
        arguments: [
            ("1970-01-01T00:00:00Z", Int64(0)), ("1970-01-01T00:00:00.001Z", 1),
            ("1969-12-31T23:59:59.999Z", -1), ("2026-01-05T10:00:00Z", 1_767_607_200_000),
            ("2026-01-05t10:00:00z", 1_767_607_200_000),
            ("2026-01-05T12:30:00+02:30", 1_767_607_200_000),
            ("2026-01-05T08:00:00-02:00", 1_767_607_200_000),
            ("2026-01-05T10:00:00.1Z", 1_767_607_200_100),
            ("2026-01-05T10:00:00.1239999999Z", 1_767_607_200_123),
            ("1969-12-31T23:59:59.9999Z", -1), ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ]
    )
    func reads(_ text: String, _ milliseconds: Int64) {
        #expect(EventTime(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(
        "What is not RFC 3339, or outside the years 0001…9999, is no instant",
        arguments: [
            "", "2026-01-05", "2026-01-05T10:00:00", "2026-01-05 10:00:00Z", "2026-01-05T10:00Z",
            "2026-01-05T10:00:60Z", "2026-01-05T24:00:00Z", "2026-01-05T10:60:00Z",
            "2026-13-05T10:00:00Z",
            "2026-00-05T10:00:00Z", "2026-02-29T10:00:00Z", "1900-02-29T10:00:00Z",
            "2026-01-00T10:00:00Z",
            "2026-01-32T10:00:00Z", "2026-1-5T10:00:00Z", "2026-01-05T10:00:00.Z",
            "2026-01-05T10:00:00ZZ",
            "2026-01-05T10:00:00+24:00", "2026-01-05T10:00:00+0200", "2026-01-05T10:00:00+02:60",
            "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
            " 2026-01-05T10:00:00Z", "2026-01-05T10:00:00Z\n", "+026-01-05T10:00:00Z",
        ]
    )
    func refuses(_ text: String) {
        #expect(EventTime(rfc3339: text) == nil)
    }

    @Test("The export form is UTC and has a space and no zone")
    func exportForm() {
        func read(_ text: String) -> Int64? {
            Array(text.utf8).withUnsafeBytes { EventTime(exportForm: $0)?.milliseconds }
        }
        #expect(read("2026-01-05 10:00:00") == 1_767_607_200_000)
        #expect(read("2026-01-05 10:00:00.123456") == 1_767_607_200_123)
        #expect(read("2026-01-05T10:00:00") == nil)
        #expect(read("2026-01-05 10:00:00Z") == nil)
    }

    @Test("Written text has three decimals only where they are not zero, and reads back")
    func writes() {
        #expect(EventTime(milliseconds: 1_767_607_200_000).rfc3339 == "2026-01-05T10:00:00Z")
        #expect(EventTime(milliseconds: 1_767_607_200_070).rfc3339 == "2026-01-05T10:00:00.070Z")
        #expect(EventTime(milliseconds: -1).rfc3339 == "1969-12-31T23:59:59.999Z")
        #expect(EventTime.earliest.rfc3339 == "0001-01-01T00:00:00Z")
        #expect(EventTime.latest.rfc3339 == "9999-12-31T23:59:59.999Z")
        var generator = SeededGenerator(seed: 1)
        let span = Int(EventTime.latest - EventTime.earliest)
        for _ in 0..<2000 {
            let time = EventTime.earliest + Int64(generator.number(in: 0...span))
            #expect(EventTime(rfc3339: time.rfc3339) == time)
        }
    }

    @Test("A flag takes RFC 3339 or epoch milliseconds")
    func argument() {
        #expect(EventTime(argument: "-1")?.milliseconds == -1)
        #expect(EventTime(argument: "1767607200000")?.rfc3339 == "2026-01-05T10:00:00Z")
        #expect(EventTime(argument: "2026-01-05T10:00:00Z")?.milliseconds == 1_767_607_200_000)
        #expect(EventTime(argument: "253402300800000") == nil)
        #expect(EventTime(argument: "1e3") == nil)
        #expect(EventTime(argument: "") == nil)
    }

    @Test("Rounding to multiples goes the same way before 1970")
    func rounding() {
        for milliseconds in Int64(-250)...250 {
            let time = EventTime(milliseconds: milliseconds)
            for width in Int64(1)...17 {
                let up = time.roundedUp(toMultipleOf: width).milliseconds
                let down = time.roundedDown(toMultipleOf: width).milliseconds
                #expect(up % width == 0 && up >= milliseconds && up - milliseconds < width)
                #expect(down % width == 0 && down <= milliseconds && milliseconds - down < width)
            }
        }
    }
}

@Suite("Dates")
struct CivilDateTests {
    @Test(
        "Each day follows the day before, and goes there and back",
        arguments: [1, 1896, 1999, 2096, 9990]
    )
    func followingDays(_ year: Int) {
        var date = CivilDate(year: year, month: 1, day: 1)
        var days = date.daysSince1970
        while date.year < min(year + 9, 10_000) {
            if date.daysSince1970 != days || CivilDate(daysSince1970: days) != date {
                Issue.record("\(date) is day \(date.daysSince1970), expected \(days)")
                return
            }
            days += 1
            date.day += 1
            if date.day > CivilDate.dayCount(year: date.year, month: date.month) {
                date.day = 1
                date.month += 1
            }
            if date.month > 12 {
                date.month = 1
                date.year += 1
            }
        }
    }

    @Test("Days of all years go there and back")
    func allYears() {
        let first = CivilDate(year: 1, month: 1, day: 1).daysSince1970
        let last = CivilDate(year: 9999, month: 12, day: 31).daysSince1970
        #expect(first == -719_162)
        #expect(last == 2_932_896)
        let faults = stride(from: first, through: last, by: 61).filter {
            CivilDate(daysSince1970: $0).daysSince1970 != $0
        }
        #expect(faults.isEmpty)
    }

    @Test("Months have their days, also in leap years")
    func dayCounts() {
        let counts = (1...12).map { CivilDate.dayCount(year: 2025, month: $0) }
        #expect(counts == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
        #expect(
            [2000, 2024, 1900, 2100, 2023].map { CivilDate.dayCount(year: $0, month: 2) } == [
                29, 29, 28, 28, 28,
            ]
        )
    }
}
