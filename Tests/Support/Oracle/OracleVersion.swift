/// Dotted numbers.
enum OracleVersion {
    /// The parts without leading zeros, as digits; nil where it is no version.
    private static func parts(_ text: [UInt8]) -> [[UInt8]]? {
        var parts: [[UInt8]] = [[]]
        var isEmpty = true
        for byte in text {
            switch byte {
            case UInt8(ascii: "."):
                if isEmpty { return nil }
                parts.append([])
                isEmpty = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                isEmpty = false
                if byte != UInt8(ascii: "0") || !parts[parts.count - 1].isEmpty {
                    parts[parts.count - 1].append(byte)
                }
            default: return nil
            }
        }
        return isEmpty ? nil : parts
    }

    /// Negative, zero or positive as the first is less than, equal to or greater than the second; nil where
    /// one is no version.
    static func order(_ left: [UInt8], _ right: [UInt8]) -> Int? {
        guard let left = parts(left), let right = parts(right) else { return nil }
        for index in 0..<max(left.count, right.count) {
            let first = index < left.count ? left[index] : []
            let second = index < right.count ? right[index] : []
            if first == second { continue }
            if first.count != second.count { return first.count < second.count ? -1 : 1 }
            return first.lexicographicallyPrecedes(second) ? -1 : 1
        }
        return 0
    }
}
