import Basics
import Events

/// A predicate on a number in millionths, against which sums and values are compared exactly.
///
/// Source: docs/cohorts.md, "Modes": a value counts as the integer nearest, half-even, to the double product
/// value × 10⁶; an integer exactly × 10⁶; a bound likewise.
package struct MicroPredicate: Hashable, Sendable {
    private struct Test: Hashable, Sendable {
        var op: PredicateOperator
        var bounds: [Int128]
    }

    /// Beyond this no sum of kept values comes, and a product with a count still fits.
    private static let boundMax: Int128 = 20_000_000_000_000_000_000_000_000_000

    private let tests: [Test]

    /// The predicate with its bounds in millionths.
    package init(_ predicate: NumberPredicate) {
        tests = predicate.tests.map { test in
            Test(op: test.op, bounds: test.operands.map(Self.micro))
        }
    }

    /// Whether `number` / `count` satisfies every test; both exact.
    package func holds(of number: Int128, over count: Int128 = 1) -> Bool {
        tests.allSatisfy { test in
            let bounds = test.bounds.map { $0 * count }
            guard let first = bounds.first, let last = bounds.last else { return false }
            switch test.op {
            case .equal: return bounds.contains(number)
            case .notEqual: return !bounds.contains(number)
            case .greater: return number > first
            case .greaterOrEqual: return number >= first
            case .less: return number < first
            case .lessOrEqual: return number <= first
            case .between: return number >= first && number <= last
            default: preconditionFailure("\(test.op) on a number: the checker refuses it")
            }
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
