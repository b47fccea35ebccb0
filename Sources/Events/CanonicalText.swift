public import Basics
import CSimdJSON

/// Canonical texts of values: what `is` compares and what values are the same by.
///
/// A number's is the shortest decimal that reads back, without exponent and trailing zeros; −0 is `0`, and an
/// integer of 64 bits keeps all its digits. Text is its own. Missing, null, arrays and objects have none.
/// Source: docs/cohorts.md, "Predicates on properties".
public enum CanonicalText {
    /// The most bytes of the canonical text of a number or a boolean.
    public static let countMax = Int(COHORTD_JSON_CANONICAL_MAX)

    /// Lends the canonical text of a value for the length of the call; nil where it has none.
    ///
    /// A text's own bytes are lent, and digits are written to the stack: nothing is allocated.
    public static func withBytes<Result>(
        of value: ValueView,
        _ body: (ByteView) -> Result
    ) -> Result? {
        if let text = value.text { return body(text) }
        guard value.isScalar else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: countMax, alignment: 1) { buffer in
            guard let base = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
                return nil
            }
            let count = write(value, to: base)
            return body(ByteView(base: base, count: count))
        }
    }

    /// Appends the canonical text of a value; false, with nothing appended, where it has none.
    public static func append(_ value: ValueView, to bytes: inout [UInt8]) -> Bool {
        withBytes(of: value) { bytes.append(contentsOf: $0.buffer) } != nil
    }

    /// The canonical text of an integer.
    public static func bytes(of integer: Int64) -> [UInt8] {
        Array(String(integer).utf8)
    }

    /// The canonical text of a finite double.
    public static func bytes(of double: Double) -> [UInt8] {
        precondition(double.isFinite, "\(double) has no canonical text")
        return [UInt8](unsafeUninitializedCapacity: countMax) { buffer, count in
            if let base = buffer.baseAddress { count = cohortd_json_canonical(double, base) }
        }
    }

    /// The canonical text of an operand of a predicate.
    public static func bytes(of operand: Operand) -> [UInt8] {
        switch operand {
        case .text(let text): Array(text.utf8)
        case .integer(let integer): bytes(of: integer)
        case .double(let double): bytes(of: double)
        case .boolean(let flag): Array((flag ? "true" : "false").utf8)
        }
    }

    /// Writes a scalar that is no text; `base` has room for ``countMax`` bytes.
    private static func write(_ value: ValueView, to base: UnsafeMutablePointer<UInt8>) -> Int {
        switch value.kind {
        case .yes: return copy("true", to: base)
        case .no: return copy("false", to: base)
        default:
            if let integer = value.integer { return write(integer, to: base) }
            let double = value.double ?? 0
            // Up to 2⁵³ a whole double's shortest digits are those of the integer, which are had for less.
            if double.magnitude < 0x1p53, double == double.rounded(.towardZero) {
                return write(Int64(double), to: base)
            }
            return cohortd_json_canonical(double, base)
        }
    }

    private static func write(_ integer: Int64, to base: UnsafeMutablePointer<UInt8>) -> Int {
        var rest = integer.magnitude
        var first = countMax
        repeat {
            first -= 1
            base[first] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        } while rest > 0
        if integer < 0 {
            first -= 1
            base[first] = UInt8(ascii: "-")
        }
        // To the front; the ranges may not overlap upwards, which copying forwards allows.
        for index in first..<countMax { base[index - first] = base[index] }
        return countMax - first
    }

    private static func copy(_ text: StaticString, to base: UnsafeMutablePointer<UInt8>) -> Int {
        base.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        return text.utf8CodeUnitCount
    }
}
