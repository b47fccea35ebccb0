extension EventTime {
    /// Reads a date of HTTP (RFC 9110 §5.6.7) in any of its three forms; nil for anything else.
    ///
    /// ```
    /// Sun, 06 Nov 1994 08:49:37 GMT
    /// Sunday, 06-Nov-94 08:49:37 GMT
    /// Sun Nov  6 08:49:37 1994
    /// ```
    /// A year of two digits is the one at most fifty years after `now`. The name of the day must be one, but
    /// is not compared with the date.
    public init?(httpDate text: String, now: EventTime) {
        let words = text.split { $0 == " " || $0 == "-" }
        guard let day = words.first, Self.dayNames.contains(String(day.prefix(3))) else {
            return nil
        }
        let parts: (year: Substring, month: Substring, day: Substring, time: Substring)
        if day.hasSuffix(","), words.count == 6, words[5] == "GMT" {
            parts = (words[3], words[2], words[1], words[4])
        } else if day.utf8.count == 3, words.count == 5 {
            parts = (words[4], words[1], words[2], words[3])
        } else {
            return nil
        }
        guard let month = Self.monthNames.firstIndex(of: String(parts.month)),
            let day = Self.number(parts.day, digits: 1...2), day >= 1,
            let year = Self.year(parts.year, now: now),
            day <= CivilDate.dayCount(year: year, month: month + 1),
            let seconds = Self.secondsOfDay(parts.time)
        else { return nil }
        let date = CivilDate(year: year, month: month + 1, day: day)
        self.init(milliseconds: (date.daysSince1970 * 86_400 + Int64(seconds)) * 1000)
    }

    private static let dayNames = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func number(_ text: Substring, digits: ClosedRange<Int>) -> Int? {
        guard digits.contains(text.utf8.count), text.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else {
            return nil
        }
        return Int(text)
    }

    private static func year(_ text: Substring, now: EventTime) -> Int? {
        guard let year = number(text, digits: 2...4) else { return nil }
        if text.utf8.count == 4 { return year == 0 ? nil : year }
        guard text.utf8.count == 2 else { return nil }
        let midnight = now.roundedDown(toMultipleOf: 86_400_000)
        let thisYear = CivilDate(daysSince1970: midnight.milliseconds / 86_400_000).year
        let latest = thisYear + 50
        return latest - (latest - year) % 100
    }

    /// `08:49:37`; a leap second counts as the second before it.
    private static func secondsOfDay(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let hour = number(parts[0], digits: 2...2), hour < 24,
            let minute = number(parts[1], digits: 2...2), minute < 60,
            let second = number(parts[2], digits: 2...2), second <= 60
        else { return nil }
        return (hour * 60 + minute) * 60 + min(second, 59)
    }
}
