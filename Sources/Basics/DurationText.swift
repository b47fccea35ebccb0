/// Durations as configuration and definitions write them: an integer and one unit.
public enum DurationText {
    /// Milliseconds in each unit; `ms` is for configuration only.
    private static let units: [(String, Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ("w", 604_800_000),
    ]

    /// Reads `500ms`, `60s`, `5m`, `24h`, `7d`, `2w` as milliseconds; nil for anything else.
    public static func milliseconds(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, let count = Int64(digits),
            let unit = units.first(where: { $0.0 == text.dropFirst(digits.count) })
        else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit.1)
        return overflow ? nil : product
    }

    /// The shortest such text for a number of milliseconds: 90000 is `90s`, 86400000 is `1d`.
    public static func text(milliseconds: Int64) -> String {
        if milliseconds == 0 { return "0s" }
        for (name, width) in units.dropLast().reversed() where milliseconds % width == 0 {
            return "\(milliseconds / width)\(name)"
        }
        return "\(milliseconds)ms"
    }
}

/// Sizes as configuration writes them: an integer and one unit, or 0.
public enum SizeText {
    private static let units: [(String, Int64)] = [
        ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
    ]

    /// Reads `64KiB`, `1MiB`, `0` as bytes; nil for anything else.
    public static func bytes(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, let count = Int64(digits) else { return nil }
        let rest = text.dropFirst(digits.count)
        if rest.isEmpty { return count == 0 ? 0 : nil }
        guard let unit = units.first(where: { $0.0 == rest }) else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit.1)
        return overflow ? nil : product
    }

    /// The shortest such text for a number of bytes.
    public static func text(bytes: Int64) -> String {
        if bytes == 0 { return "0" }
        for (name, width) in units.reversed() where bytes % width == 0 {
            return "\(bytes / width)\(name)"
        }
        return "\(bytes)B"
    }
}
