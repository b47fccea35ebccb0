// Instants as text. RFC 3339 is read with `T` and `Z` in either case, any zone offset, any number of
// decimals (cut to milliseconds, towards the past) and no second 60.

extension EventTime {
    /// Reads `YYYY-MM-DDTHH:MM:SS[.f…](Z|±HH:MM)`; nil for anything else or outside the years 0001…9999.
    public init?(rfc3339 bytes: UnsafeRawBufferPointer) {
        var scanner = InstantScanner(bytes: bytes)
        guard let date = scanner.date(), scanner.take("T", "t"),
            let time = scanner.timeOfDay(), let zone = scanner.zone(), scanner.atEnd
        else { return nil }
        self.init(date: date, millisecondsOfDay: time - zone)
    }

    /// Reads `YYYY-MM-DD HH:MM:SS[.f…]`, which is UTC; nil for anything else.
    ///
    /// Source: Amplitude's Export API.
    public init?(exportForm bytes: UnsafeRawBufferPointer) {
        var scanner = InstantScanner(bytes: bytes)
        guard let date = scanner.date(), scanner.take(" ", " "),
            let time = scanner.timeOfDay(), scanner.atEnd
        else { return nil }
        self.init(date: date, millisecondsOfDay: time)
    }

    /// Reads `YYYY-MM-DD`, which stands for 00:00 UTC; nil for anything else.
    public init?(dateOnly bytes: UnsafeRawBufferPointer) {
        var scanner = InstantScanner(bytes: bytes)
        guard let date = scanner.date(), scanner.atEnd else { return nil }
        self.init(date: date, millisecondsOfDay: 0)
    }

    /// Reads RFC 3339 text; see ``init(rfc3339:)-(UnsafeRawBufferPointer)``.
    public init?(rfc3339 text: String) {
        var text = text
        let parsed = text.withUTF8 { EventTime(rfc3339: UnsafeRawBufferPointer($0)) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// Reads an instant as the programs' flags take it: RFC 3339 or epoch milliseconds.
    public init?(argument text: String) {
        if let milliseconds = Int64(text) {
            let time = EventTime(milliseconds: milliseconds)
            guard time >= .earliest, time <= .latest else { return nil }
            self = time
        } else {
            self.init(rfc3339: text)
        }
    }

    private init?(date: CivilDate, millisecondsOfDay: Int64) {
        let time = EventTime(
            milliseconds: date.daysSince1970 * 86_400_000 + millisecondsOfDay
        )
        guard time >= .earliest, time <= .latest else { return nil }
        self = time
    }

    /// RFC 3339 in UTC: `2026-01-05T00:01:00Z`, with three decimals of a second only when not zero.
    public var rfc3339: String {
        var bytes: [UInt8] = []
        appendRFC3339(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends ``rfc3339`` as bytes.
    public func appendRFC3339(to bytes: inout [UInt8]) {
        let day = roundedDown(toMultipleOf: 86_400_000)
        let date = CivilDate(daysSince1970: day.milliseconds / 86_400_000)
        let inDay = Int(self - day)
        appendDigits(date.year, 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        appendDigits(date.month, 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        appendDigits(date.day, 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        appendDigits(inDay / 3_600_000, 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        appendDigits(inDay / 60_000 % 60, 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        appendDigits(inDay / 1000 % 60, 2, to: &bytes)
        if inDay % 1000 != 0 {
            bytes.append(UInt8(ascii: "."))
            appendDigits(inDay % 1000, 3, to: &bytes)
        }
        bytes.append(UInt8(ascii: "Z"))
    }
}

private func appendDigits(_ value: Int, _ width: Int, to bytes: inout [UInt8]) {
    var divisor = 1
    for _ in 1..<width { divisor *= 10 }
    while divisor > 0 {
        bytes.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
        divisor /= 10
    }
}

/// Reads the parts of an instant off its bytes, each part checked for its range.
private struct InstantScanner {
    let bytes: UnsafeRawBufferPointer
    var position = 0

    init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var atEnd: Bool { position == bytes.count }

    mutating func take(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Bool {
        guard position < bytes.count else { return false }
        let byte = UInt32(bytes[position])
        guard byte == first.value || byte == second.value else { return false }
        position += 1
        return true
    }

    mutating func digits(_ count: Int) -> Int? {
        guard position + count <= bytes.count else { return nil }
        var value = 0
        for _ in 0..<count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
            position += 1
        }
        return value
    }

    mutating func date() -> CivilDate? {
        guard let year = digits(4), year >= 1, take("-", "-"), let month = digits(2),
            (1...12).contains(month), take("-", "-"), let day = digits(2), day >= 1,
            day <= CivilDate.dayCount(year: year, month: month)
        else { return nil }
        return CivilDate(year: year, month: month, day: day)
    }

    /// Milliseconds since midnight; decimals beyond the third are cut.
    mutating func timeOfDay() -> Int64? {
        guard let hour = digits(2), hour <= 23, take(":", ":"), let minute = digits(2),
            minute <= 59,
            take(":", ":"), let second = digits(2), second <= 59
        else { return nil }
        var milliseconds = 0
        if take(".", ".") {
            var decimals = 0
            while let digit = digits(1) {
                if decimals < 3 { milliseconds = milliseconds * 10 + digit }
                decimals += 1
            }
            guard decimals > 0 else { return nil }
            for _ in min(decimals, 3)..<3 { milliseconds *= 10 }
        }
        return Int64(((hour * 60 + minute) * 60 + second) * 1000 + milliseconds)
    }

    /// Milliseconds east of UTC.
    mutating func zone() -> Int64? {
        if take("Z", "z") { return 0 }
        let east: Int64
        if take("+", "+") {
            east = 1
        } else if take("-", "-") {
            east = -1
        } else {
            return nil
        }
        guard let hour = digits(2), hour <= 23, take(":", ":"), let minute = digits(2), minute <= 59
        else { return nil }
        return east * Int64((hour * 60 + minute) * 60_000)
    }
}
