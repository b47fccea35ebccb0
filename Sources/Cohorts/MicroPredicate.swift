import Basics
import Events

/// A predicate on a number in millionths, against which sums and values are compared exactly.
///
/// Source: docs/cohorts.md, "Modes": a value counts as the integer nearest, half-even, to the double product
/// value × 10⁶; an integer exactly × 10⁶; a bound likewise.
public struct MicroPredicate: Hashable, Sendable {
    private struct Test: Hashable, Sendable {
        var op: PredicateOperator
        var bounds: [Int128]

        /// Whether the numbers that satisfy it are an interval, from the first bound to the last.
        var isInterval: Bool {
            switch op {
            case .greater, .greaterOrEqual, .less, .lessOrEqual, .between: true
            default: false
            }
        }
    }

    /// Beyond this no sum of kept values comes, and a product with a count still fits.
    private static let boundMax: Int128 = 20_000_000_000_000_000_000_000_000_000

    /// What all intervals among the tests have in common: asking costs two comparisons and no reference counts.
    public struct Bounds: Hashable, Sendable, BitwiseCopyable {
        @usableFromInline let lowest: Int128
        @usableFromInline let lowestIsIn: Bool
        @usableFromInline let highest: Int128
        @usableFromInline let highestIsIn: Bool
        /// Whether the predicate asks for nothing else.
        public let areAll: Bool

        /// Whether `number` / `count` is between them; both exact, and `count` is positive.
        @inlinable @inline(__always)
        public func hold(_ number: Int128, over count: Int128 = 1) -> Bool {
            // A product of this width costs more than all the rest.
            let least = count == 1 ? lowest : lowest * count
            let most = count == 1 ? highest : highest * count
            return (lowestIsIn ? number >= least : number > least)
                && (highestIsIn ? number <= most : number < most)
        }
    }

    private let tests: [Test]
    /// The ends.
    public let bounds: Bounds
    /// The tests that are no intervals.
    private let others: [Test]

    /// The predicate with its bounds in millionths.
    public init(_ predicate: NumberPredicate) {
        tests = predicate.tests.map { test in
            Test(op: test.op, bounds: test.operands.map(Self.micro))
        }
        var lower = (bound: -Self.boundMax, isIn: true)
        var upper = (bound: Self.boundMax, isIn: true)
        for test in tests {
            guard let first = test.bounds.first, let last = test.bounds.last else { continue }
            switch test.op {
            case .greater, .greaterOrEqual, .between:
                let isIn = test.op != .greater
                if first > lower.bound || (first == lower.bound && !isIn) { lower = (first, isIn) }
            default: break
            }
            switch test.op {
            case .less, .lessOrEqual, .between:
                let isIn = test.op != .less
                if last < upper.bound || (last == upper.bound && !isIn) { upper = (last, isIn) }
            default: break
            }
        }
        others = tests.filter { !$0.isInterval }
        bounds = Bounds(
            lowest: lower.bound,
            lowestIsIn: lower.isIn,
            highest: upper.bound,
            highestIsIn: upper.isIn,
            areAll: others.isEmpty
        )
    }

    /// Whether `number` / `count` satisfies every test; both exact, and `count` is positive.
    public func holds(of number: Int128, over count: Int128 = 1) -> Bool {
        bounds.hold(number, over: count)
            && (others.isEmpty || others.allSatisfy { Self.holds($0, number, count) })
    }

    /// Whether a number that holds still does when it grows.
    public var isAtLeast: Bool { others.isEmpty && bounds.highest == Self.boundMax }

    /// Whether a number that holds still does when it shrinks.
    public var isAtMost: Bool { others.isEmpty && bounds.lowest == -Self.boundMax }

    private static func holds(_ test: Test, _ number: Int128, _ count: Int128) -> Bool {
        switch test.op {
        case .equal: test.bounds.contains { $0 * count == number }
        case .notEqual: !test.bounds.contains { $0 * count == number }
        default: preconditionFailure("\(test.op) on a number: the checker refuses it")
        }
    }

    /// The same number for the same predicate, in every run.
    func write(to writer: inout ByteWriter) {
        for test in tests {
            writer.write(prefixed: test.op.rawValue)
            for bound in test.bounds {
                writer.write(Int64(truncatingIfNeeded: bound))
                writer.write(Int64(truncatingIfNeeded: bound >> 64))
            }
        }
    }

    /// A number in millionths; one beyond every sum is cut to a bound beyond every sum.
    private static func micro(_ operand: Operand) -> Int128 {
        switch operand {
        case .integer(let number): Int128(number) * 1_000_000
        case .double(let number): micro(number)
        case .text, .boolean: preconditionFailure("\(operand) is no number: the checker refuses it")
        }
    }

    private static func micro(_ number: Double) -> Int128 {
        let product = (number * 1_000_000).rounded(.toNearestOrEven)
        if product >= 1e28 { return boundMax }
        if product <= -1e28 { return -boundMax }
        return Int128(product)
    }
}
