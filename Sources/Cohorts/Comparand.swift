import Basics
import Events

/// An operand of `gt gte lt lte between` as what it is compared as: a number or an instant.
enum Comparand {
    case integer(Int64)
    /// Finite.
    case double(Double)
    case time(EventTime)

    /// Nil for what compares with nothing: booleans, and texts that are neither numbers nor dates.
    init?(_ operand: Operand) {
        switch operand {
        case .boolean: return nil
        case .integer(let number): self = .integer(number)
        case .double(let number): self = .double(number)
        case .text(let text):
            if let number = Self.number(text) {
                self = number
            } else if let time = EventTime(dateOnly: text) ?? EventTime(rfc3339: text) {
                self = .time(time)
            } else {
                return nil
            }
        }
    }

    /// Whether it compares with dates only.
    var isDate: Bool { if case .time = self { true } else { false } }

    /// A text that, trimmed of U+0020, is a number of JSON and fits a double.
    private static func number(_ text: String) -> Comparand? {
        var bytes = text.utf8[...]
        while bytes.first == 0x20 { bytes = bytes.dropFirst() }
        while bytes.last == 0x20 { bytes = bytes.dropLast() }
        guard isNumber(bytes) else { return nil }
        let literal = String(Substring(bytes))
        if let integer = Int64(literal) { return .integer(integer) }
        guard let double = Double(literal), double.isFinite else { return nil }
        return .double(double)
    }

    /// Whether it is `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`, the numbers of JSON.
    private static func isNumber(_ bytes: Substring.UTF8View) -> Bool {
        var rest = bytes
        func digits() -> Bool {
            let count = rest.prefix { $0 &- 0x30 < 10 }.count
            rest = rest.dropFirst(count)
            return count > 0
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        if rest.first == UInt8(ascii: "0") {
            rest = rest.dropFirst()
        } else if !digits() {
            return false
        }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") {
                rest = rest.dropFirst()
            }
            guard digits() else { return false }
        }
        return rest.isEmpty
    }

    /// Exact, also between an integer and a double; false where one is a number and the other a date.
    static func < (left: Comparand, right: Comparand) -> Bool {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): left < right
        case (.double(let left), .double(let right)): left < right
        case (.integer(let left), .double(let right)): isLess(left, right)
        case (.double(let left), .integer(let right)): isLess(right, left, reversed: true)
        case (.time(let left), .time(let right)): left < right
        default: false
        }
    }

    /// Whether the integer is less than the double, or greater where reversed.
    private static func isLess(_ integer: Int64, _ double: Double, reversed: Bool = false) -> Bool {
        if double >= 0x1p63 { return !reversed }
        if double < -0x1p63 { return reversed }
        let whole = Int64(double)
        if integer != whole { return (integer < whole) != reversed }
        let fraction = double - Double(whole)
        return reversed ? fraction < 0 : fraction > 0
    }
}
