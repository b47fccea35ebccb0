import Basics
import Glibc

/// One test of a predicate, asked of one scalar.
///
/// A negative operator stands here for what must not hold.
struct ScalarTest: Sendable {
    private enum Comparison {
        case equal, greater, greaterOrEqual, less, lessOrEqual, between
        case contains, startsWith, endsWith
    }

    private let comparison: Comparison
    /// Of `equal`, in canonical form.
    private var equals: [EqualOperand] = []
    /// Of the operators that ignore case: operands in lowercase.
    private var texts: [[UInt8]] = []
    /// Of the comparisons of order; high is used by `between` only.
    private var low = NumericValue.integer(0)
    private var high = NumericValue.integer(0)

    /// An operand of `is`, prepared so that no number has to be turned into text when it is compared.
    private struct EqualOperand {
        let canonical: [UInt8]
        /// The integer, and the double, whose canonical text this is; nil = none.
        let integer: Int64?
        let double: Double?
        let boolean: Bool?

        init(_ operand: Operand) {
            let canonical = CanonicalText.bytes(of: operand)
            self.canonical = canonical
            boolean =
                canonical == Array("true".utf8)
                ? true : canonical == Array("false".utf8) ? false : nil
            let number = canonical.withByteView { NumericValue(text: $0) }
            switch number {
            case .integer(let value):
                integer = CanonicalText.bytes(of: value) == canonical ? value : nil
                let nearest = Double(value)
                double = CanonicalText.bytes(of: nearest) == canonical ? nearest : nil
            case .double(let value):
                integer = nil
                double = CanonicalText.bytes(of: value) == canonical ? value : nil
            case nil:
                integer = nil
                double = nil
            }
        }
    }

    /// A test of any operator but `set`.
    init(_ test: PredicateTest) {
        switch test.op {
        case .greater: comparison = .greater
        case .greaterOrEqual: comparison = .greaterOrEqual
        case .less: comparison = .less
        case .lessOrEqual: comparison = .lessOrEqual
        case .between: comparison = .between
        case .contains, .notContains: comparison = .contains
        case .startsWith: comparison = .startsWith
        case .endsWith: comparison = .endsWith
        default: comparison = .equal
        }
        switch comparison {
        case .equal:
            equals = test.operands.map(EqualOperand.init)
        case .contains, .startsWith, .endsWith:
            texts = test.operands.map { operand in
                CanonicalText.bytes(of: operand).withByteView { Lowercase.bytes(of: $0) }
            }
        default:
            let bounds = test.operands.compactMap { NumericValue($0) }
            precondition(!bounds.isEmpty, "`\(test.op.rawValue)` without a number")
            low = bounds[0]
            high = bounds[bounds.count - 1]
        }
    }

    /// Whether the scalar satisfies it; a negative operator is satisfied where this is false.
    func passes(_ value: ValueView) -> Bool {
        switch comparison {
        case .equal: isEqual(value)
        case .greater: order(value, low).map { $0 > 0 } ?? false
        case .greaterOrEqual: order(value, low).map { $0 >= 0 } ?? false
        case .less: order(value, low).map { $0 < 0 } ?? false
        case .lessOrEqual: order(value, low).map { $0 <= 0 } ?? false
        case .between: isBetween(value)
        case .contains, .startsWith, .endsWith: isTextual(value)
        }
    }

    private func isEqual(_ value: ValueView) -> Bool {
        switch value.kind {
        case .text:
            guard let text = value.text else { return false }
            for operand in equals where operand.canonical.count == text.count {
                // Not `withByteView`: a generic of another module costs more than the comparison.
                if operand.canonical.withUnsafeBytes({ ByteView($0).equals(text) }) { return true }
            }
            return false
        case .integer:
            let integer = value.integer
            return equals.contains { $0.integer == integer && integer != nil }
        case .double:
            let double = value.double
            return equals.contains { $0.double == double && double != nil }
        default:
            let boolean = value.boolean
            return equals.contains { $0.boolean == boolean && boolean != nil }
        }
    }

    private func order(_ value: ValueView, _ bound: NumericValue) -> Int? {
        NumericValue(value)?.order(to: bound)
    }

    private func isBetween(_ value: ValueView) -> Bool {
        guard let number = NumericValue(value) else { return false }
        return number.order(to: low) >= 0 && number.order(to: high) <= 0
    }

    private func isTextual(_ value: ValueView) -> Bool {
        CanonicalText.withBytes(of: value) { canonical in
            Lowercase.withBytes(of: canonical) { lowercase in
                texts.contains { text in text.withUnsafeBytes { finds(ByteView($0), in: lowercase) }
                }
            }
        } ?? false
    }

    private func finds(_ text: ByteView, in whole: ByteView) -> Bool {
        guard text.count <= whole.count else { return false }
        return switch comparison {
        case .startsWith: memcmp(whole.base, text.base, text.count) == 0
        case .endsWith: memcmp(whole.base + (whole.count - text.count), text.base, text.count) == 0
        default: contains(text, in: whole)
        }
    }

    /// Tries each place that begins like `text`; operands are short.
    private func contains(_ text: ByteView, in whole: ByteView) -> Bool {
        guard !text.isEmpty else { return true }
        let end = whole.base + (whole.count - text.count + 1)
        var position = whole.base
        while position < end, let found = memchr(position, Int32(text.base[0]), end - position) {
            position = UnsafePointer(found.assumingMemoryBound(to: UInt8.self))
            if memcmp(position, text.base, text.count) == 0 { return true }
            position += 1
        }
        return false
    }
}
