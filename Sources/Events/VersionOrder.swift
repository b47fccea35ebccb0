import Basics
import Glibc

/// The order of dotted numbers, as `version_gt` and its relatives see it.
///
/// Part by part as numbers of any length, missing parts being 0: 2.9 < 2.10, and 2 = 2.0 = 2.00.
enum VersionOrder {
    /// Negative, zero or positive as the first is older than, equal to or newer than the second; nil where
    /// either is no dotted number.
    static func order(_ left: ByteView, _ right: ByteView) -> Int? {
        guard isVersion(left), isVersion(right) else { return nil }
        var leftPosition = 0
        var rightPosition = 0
        while leftPosition < left.count || rightPosition < right.count {
            let leftPart = part(of: left, &leftPosition)
            let rightPart = part(of: right, &rightPosition)
            // Without leading zeros the longer number is the greater one.
            if leftPart.count != rightPart.count {
                return leftPart.count < rightPart.count ? -1 : 1
            }
            let order = memcmp(leftPart.base, rightPart.base, leftPart.count)
            if order != 0 { return Int(order) }
        }
        return 0
    }

    /// Digits, then any number of a dot and digits.
    private static func isVersion(_ text: ByteView) -> Bool {
        var digits = 0
        for position in 0..<text.count {
            let byte = text.base[position]
            if byte &- UInt8(ascii: "0") < 10 {
                digits += 1
            } else {
                guard byte == UInt8(ascii: "."), digits > 0 else { return false }
                digits = 0
            }
        }
        return digits > 0
    }

    /// The part at `position` without leading zeros, which moves behind its dot; nothing behind the last.
    private static func part(of text: ByteView, _ position: inout Int) -> ByteView {
        while position < text.count, text.base[position] == UInt8(ascii: "0") { position += 1 }
        let start = position
        while position < text.count, text.base[position] != UInt8(ascii: ".") { position += 1 }
        let part = ByteView(base: text.base + start, count: position - start)
        if position < text.count { position += 1 }
        return part
    }
}
