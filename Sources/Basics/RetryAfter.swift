/// Reads the header `Retry-After` (RFC 9110 §10.2.3).
public enum RetryAfter {
    /// Milliseconds from `now`, 0 for a date in the past; nil for garbage, which is then as good as
    /// absent.
    ///
    /// Not clamped, but for numbers beyond 32 bits of seconds, which stop there.
    public static func milliseconds(_ text: String, now: EventTime) -> Int64? {
        let characters = text.utf8.drop { $0 == 0x20 || $0 == 0x09 }
        let value = String(
            decoding: characters.reversed().drop { $0 == 0x20 || $0 == 0x09 }.reversed(),
            as: UTF8.self
        )
        guard let first = value.utf8.first, value.utf8.count <= 64 else { return nil }
        if isDigit(first) {
            guard value.utf8.allSatisfy(isDigit) else { return nil }
            return min(Int64(value) ?? .max, Int64(UInt32.max)) * 1000
        }
        return EventTime(httpDate: value, now: now).map { max(0, $0 - now) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
