public import Basics
import CSimdJSON

/// A number as the language compares it: a 64-bit integer stays exact, all else is a double.
public enum NumericValue: Sendable {
    case integer(Int64)
    /// Finite, never −0.
    case double(Double)

    /// The number an encoded value is: of an integer, a double, or numeric text; nil for anything else.
    public init?(_ value: ValueView) {
        switch value.kind {
        case .integer:
            guard let integer = value.integer else { return nil }
            self = .integer(integer)
        case .double:
            guard let double = value.double else { return nil }
            self = .double(double)
        case .text:
            guard let text = value.text else { return nil }
            self.init(text: text)
        default:
            return nil
        }
    }

    /// The number a text stands for: trimmed of spaces it matches JSON's grammar and fits a double.
    public init?(text: ByteView) {
        var start = 0
        var end = text.count
        while start < end, text.base[start] == UInt8(ascii: " ") { start += 1 }
        while end > start, text.base[end - 1] == UInt8(ascii: " ") { end -= 1 }
        // Most texts are not numeric: say so before anything is copied.
        guard end > start, text.base[start] == UInt8(ascii: "-") || Self.isDigit(text.base[start])
        else { return nil }
        var field = cohortd_json_field()
        guard cohortd_json_number(text.base + start, end - start, &field) else { return nil }
        self = field.kind == COHORTD_JSON_INTEGER ? .integer(field.integer) : .double(field.number)
    }

    /// The number an operand stands for, numeric text included; nil for a boolean or any other text.
    public init?(_ operand: Operand) {
        switch operand {
        case .integer(let integer): self = .integer(integer)
        case .double(let double): self = .double(double == 0 ? 0 : double)
        case .boolean: return nil
        case .text(let text):
            guard let number = text.withByteView({ NumericValue(text: $0) }) else { return nil }
            self = number
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10
    }
}

extension NumericValue {
    /// Negative, zero or positive as this number is less than, equal to or greater than `other`; exact.
    public func order(to other: NumericValue) -> Int {
        switch (self, other) {
        case (.integer(let left), .integer(let right)):
            left < right ? -1 : left > right ? 1 : 0
        case (.double(let left), .double(let right)):
            left < right ? -1 : left > right ? 1 : 0
        case (.integer(let left), .double(let right)):
            Self.order(left, right)
        case (.double(let left), .integer(let right)):
            -Self.order(right, left)
        }
    }

    private static func order(_ integer: Int64, _ double: Double) -> Int {
        // 2⁶³ is a double, and no Int64 reaches it.
        if double >= 0x1p63 { return -1 }
        if double < -0x1p63 { return 1 }
        let floor = double.rounded(.down)
        let whole = Int64(floor)
        if integer != whole { return integer < whole ? -1 : 1 }
        return double > floor ? -1 : 0
    }
}
