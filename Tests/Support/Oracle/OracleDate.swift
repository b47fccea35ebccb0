/// Dates and instants as texts, counted out year by year.
package enum OracleDate {
    /// Division that rounds down.
    static func floor(_ number: Int64, _ divisor: Int64) -> Int {
        let quotient = number / divisor
        return Int(number % divisor < 0 ? quotient - 1 : quotient)
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    private static func length(ofMonth month: Int, _ year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01.
    package static func day(year: Int, month: Int, day: Int) -> Int {
        var days = day - 1
        for earlier in 1..<month { days += length(ofMonth: earlier, year) }
        for earlier in min(year, 1970)..<max(year, 1970) {
            days += (isLeap(earlier) ? 366 : 365) * (year < 1970 ? -1 : 1)
        }
        return days
    }

    /// The date of a day since 1970-01-01.
    static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
        var (year, month, rest) = (1970, 1, day)
        while rest < 0 {
            year -= 1
            rest += isLeap(year) ? 366 : 365
        }
        while rest >= (isLeap(year) ? 366 : 365) {
            rest -= isLeap(year) ? 366 : 365
            year += 1
        }
        while rest >= length(ofMonth: month, year) {
            rest -= length(ofMonth: month, year)
            month += 1
        }
        return (year, month, rest + 1)
    }

    /// A day as `YYYY-MM-DD`.
    package static func text(ofDay day: Int) -> String {
        let date = date(ofDay: day)
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
    }

    /// An instant in milliseconds as RFC 3339 in UTC, with a digit that is to be cut.
    package static func text(ofInstant instant: Int64) -> String {
        let day = floor(instant, 86_400_000)
        let rest = Int(instant - Int64(day) * 86_400_000)
        let clock = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60].map { padded($0, 2) }
        return text(ofDay: day) + "T" + clock.joined(separator: ":")
            + "." + padded(rest % 1000, 3) + "9Z"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// The instant that a text is: a date's midnight in UTC, or RFC 3339 cut to milliseconds; nil for others.
    static func instant(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        func number(_ width: Int) -> Int? {
            let digits = rest.prefix(width)
            guard digits.count == width, digits.allSatisfy({ (48...57).contains($0) }) else {
                return nil
            }
            rest = rest.dropFirst(width)
            return digits.reduce(0) { $0 * 10 + Int($1) - 48 }
        }
        func take(_ any: String) -> Bool {
            guard let first = rest.first, any.utf8.contains(first) else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = number(4), take("-"), let month = number(2), take("-"),
            let day = number(2), (1...12).contains(month),
            (1...length(ofMonth: month, year)).contains(day)
        else { return nil }
        let midnight = Int64(self.day(year: year, month: month, day: day)) * 86_400_000
        if rest.isEmpty { return midnight }
        guard take("Tt"), let hour = number(2), take(":"), let minute = number(2), take(":"),
            let second = number(2), hour < 24, minute < 60, second < 60
        else { return nil }
        var fraction = 0
        if take(".") {
            let digits = rest.prefix { (48...57).contains($0) }
            if digits.isEmpty { return nil }
            rest = rest.dropFirst(digits.count)
            for place in 0..<3 {
                fraction = fraction * 10 + (digits.dropFirst(place).first.map { Int($0) - 48 } ?? 0)
            }
        }
        var east = 0
        if !take("Zz") {
            let isWest = rest.first == UInt8(ascii: "-")
            guard take("+-"), let hours = number(2), take(":"), let minutes = number(2), hours < 24,
                minutes < 60
            else { return nil }
            east = (hours * 60 + minutes) * (isWest ? -1 : 1)
        }
        guard rest.isEmpty else { return nil }
        let clock = ((hour * 60 + minute - east) * 60 + second) * 1000 + fraction
        return midnight + Int64(clock)
    }
}
