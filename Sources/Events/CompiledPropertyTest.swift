import Basics

/// The tests of one predicate on a property, ready to be asked of encoded values.
///
/// All of them must hold. Missing and null fail everything but the negatives and `set: false`; of an array
/// one element must satisfy all positive tests and no element may match a negative one; an object satisfies
/// only `set: true` and the negatives. Source: docs/cohorts.md, "Predicates on properties".
package struct CompiledPropertyTest: Sendable {
    /// Tests that one scalar must pass together.
    private let positives: [ScalarTest]
    /// Tests that no scalar may pass: the negatives, turned round.
    private let negatives: [ScalarTest]
    /// What `set` asks for.
    private let set: Bool?

    /// A predicate from its tests, each of which is supported (see ``isSupported(_:)``).
    package init(_ tests: [PredicateTest]) {
        var positives: [ScalarTest] = []
        var negatives: [ScalarTest] = []
        var set: Bool?
        for test in tests {
            precondition(Self.isSupported(test), "`\(test.op.rawValue)` is not supported")
            if test.op == .set {
                set = test.operands.first == .boolean(true)
            } else if test.op.isNegative {
                negatives.append(ScalarTest(test))
            } else {
                positives.append(ScalarTest(test))
            }
        }
        self.positives = positives
        self.negatives = negatives
        self.set = set
    }

    /// Whether a test can be compiled today: not `glob`, not `version_*`, not the set comparisons, and no
    /// dates for `gt` … `between`.
    package static func isSupported(_ test: PredicateTest) -> Bool {
        switch test.op {
        case .equal, .notEqual, .contains, .notContains, .startsWith, .endsWith, .set: true
        case .greater, .greaterOrEqual, .less, .lessOrEqual, .between:
            test.operands.allSatisfy { NumericValue($0) != nil }
        case .glob, .versionGreater, .versionGreaterOrEqual, .versionLess, .versionLessOrEqual,
            .setIs, .setContains:
            false
        }
    }

    /// Whether the value satisfies the predicate.
    ///
    /// Complexity: O(bytes of value and operands). Allocates only to ignore case in texts beyond 1 KiB.
    package func matches(_ value: ValueView) -> Bool {
        guard !value.isMissingOrNull else { return set != true && positives.isEmpty }
        if set == false { return false }
        switch value.kind {
        case .object:
            return positives.isEmpty
        case .array:
            return matches(elements: value.elements)
        default:
            for test in positives where !test.passes(value) { return false }
            for test in negatives where test.passes(value) { return false }
            return true
        }
    }

    private func matches(elements: ValueElements) -> Bool {
        var satisfied = positives.isEmpty
        // What is no scalar satisfies nothing and matches nothing.
        for element in elements where element.isScalar {
            for test in negatives where test.passes(element) { return false }
            if !satisfied { satisfied = positives.allSatisfy { $0.passes(element) } }
        }
        return satisfied
    }
}
