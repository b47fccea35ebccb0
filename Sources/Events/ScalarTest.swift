import Basics
import Glibc

/// One test of a predicate, asked of one scalar.
///
/// A negative operator stands here for what must not hold.
struct ScalarTest: Sendable {
    private enum Comparison {
        case equal([EqualOperand])
        case order(Direction, OrderBound)
        case between(OrderBound, OrderBound)
        /// Operands in lowercase.
        case text(Place, [[UInt8]])
        case glob([GlobPattern])
        case version(Direction, [UInt8])
    }

    /// On which side of its bound a value must lie.
    private enum Direction {
        case greater, greaterOrEqual, less, lessOrEqual

        func holds(_ order: Int?) -> Bool {
            guard let order else { return false }
            return switch self {
            case .greater: order > 0
            case .greaterOrEqual: order >= 0
            case .less: order < 0
            case .lessOrEqual: order <= 0
            }
        }
    }

    /// Where in a text another one must stand.
    private enum Place {
        case anywhere, start, end
    }

    private let comparison: Comparison

    /// An operand of `is`, prepared so that no number has to be turned into text when it is compared.
    private struct EqualOperand {
        let canonical: [UInt8]
        /// The integer, and the double, whose canonical text this is; nil = none.
        let integer: Int64?
        let double: Double?
        let boolean: Bool?

        /// Whether no scalar but a text is equal to it.
        var isTextOnly: Bool { integer == nil && double == nil && boolean == nil }

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

    /// A test of any operator that is asked of one scalar: all but `set`, `set_is` and `set_contains`.
    init(_ test: PredicateTest) {
        func bound(_ index: Int) -> OrderBound {
            guard index < test.operands.count, let bound = OrderBound(test.operands[index]) else {
                preconditionFailure("`\(test.op.rawValue)` without a number or date")
            }
            return bound
        }
        func lowercase() -> [[UInt8]] {
            test.operands.map { operand in
                CanonicalText.bytes(of: operand).withByteView { Lowercase.bytes(of: $0) }
            }
        }
        func version() -> [UInt8] {
            test.operands.first.map { CanonicalText.bytes(of: $0) } ?? []
        }
        comparison =
            switch test.op {
            case .equal, .notEqual: .equal(test.operands.map(EqualOperand.init))
            case .greater: .order(.greater, bound(0))
            case .greaterOrEqual: .order(.greaterOrEqual, bound(0))
            case .less: .order(.less, bound(0))
            case .lessOrEqual: .order(.lessOrEqual, bound(0))
            case .between: .between(bound(0), bound(1))
            case .contains, .notContains: .text(.anywhere, lowercase())
            case .startsWith: .text(.start, lowercase())
            case .endsWith: .text(.end, lowercase())
            case .glob: .glob(test.operands.map { GlobPattern(CanonicalText.bytes(of: $0)) })
            case .versionGreater: .version(.greater, version())
            case .versionGreaterOrEqual: .version(.greaterOrEqual, version())
            case .versionLess: .version(.less, version())
            case .versionLessOrEqual: .version(.lessOrEqual, version())
            case .set, .setIs, .setContains:
                preconditionFailure("`\(test.op.rawValue)` is asked of whole values")
            }
    }

    /// The texts that are all that satisfies it; nil where something else does too.
    var texts: [[UInt8]]? {
        guard case .equal(let operands) = comparison, operands.allSatisfy(\.isTextOnly) else {
            return nil
        }
        return operands.map(\.canonical)
    }

    /// Whether the scalar satisfies it; a negative operator is satisfied where this is false.
    func passes(_ value: ValueView) -> Bool {
        switch comparison {
        case .equal(let operands):
            Self.isEqual(value, operands)
        case .order(let direction, let bound):
            direction.holds(bound.order(of: value))
        case .between(let low, let high):
            Direction.greaterOrEqual.holds(low.order(of: value))
                && Direction.lessOrEqual.holds(high.order(of: value))
        case .text(let place, let texts):
            Self.finds(texts, place, in: value)
        case .glob(let patterns):
            CanonicalText.withBytes(of: value) { text in patterns.contains { $0.matches(text) } }
                ?? false
        case .version(let direction, let operand):
            CanonicalText.withBytes(of: value) { text in
                direction.holds(
                    operand.withUnsafeBytes { VersionOrder.order(text, ByteView($0)) }
                )
            } ?? false
        }
    }

    private static func isEqual(_ value: ValueView, _ equals: [EqualOperand]) -> Bool {
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

    private static func finds(_ texts: [[UInt8]], _ place: Place, in value: ValueView) -> Bool {
        CanonicalText.withBytes(of: value) { canonical in
            Lowercase.withBytes(of: canonical) { lowercase in
                texts.contains { text in
                    text.withUnsafeBytes { finds(ByteView($0), place, in: lowercase) }
                }
            }
        } ?? false
    }

    private static func finds(_ text: ByteView, _ place: Place, in whole: ByteView) -> Bool {
        guard text.count <= whole.count else { return false }
        return switch place {
        case .start: memcmp(whole.base, text.base, text.count) == 0
        case .end: memcmp(whole.base + (whole.count - text.count), text.base, text.count) == 0
        case .anywhere: contains(text, in: whole)
        }
    }

    /// Tries each place that begins like `text`; operands are short.
    private static func contains(_ text: ByteView, in whole: ByteView) -> Bool {
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
