import Basics

/// The tests of one predicate on a property, ready to be asked of encoded values.
///
/// All of them must hold. Missing and null fail everything but the negatives and `set: false`; of an array
/// one element must satisfy all positive tests and no element may match a negative one; an object satisfies
/// only `set: true` and the negatives. Source: docs/cohorts.md, "Predicates on properties".
public struct CompiledPropertyTest: Sendable {
    /// Tests that one scalar must pass together.
    private let positives: [ScalarTest]
    /// Tests that no scalar may pass: the negatives, turned round.
    private let negatives: [ScalarTest]
    /// Tests of the whole value, which look into an array themselves.
    private let sets: [SetTest]
    /// What `set` asks for.
    private let set: Bool?

    /// A predicate from its tests, which the checker of definitions has found good.
    public init(_ tests: [PredicateTest]) {
        var positives: [ScalarTest] = []
        var negatives: [ScalarTest] = []
        var sets: [SetTest] = []
        var set: Bool?
        for test in tests {
            switch test.op {
            case .set: set = test.operands.first == .boolean(true)
            case .setIs, .setContains: sets.append(SetTest(test))
            case .notEqual, .notContains: negatives.append(ScalarTest(test))
            default: positives.append(ScalarTest(test))
            }
        }
        self.sets = sets
        self.positives = positives
        self.negatives = negatives
        self.set = set
    }

    /// Whether a test can be compiled: every one can.
    public static func isSupported(_ test: PredicateTest) -> Bool { true }

    /// The texts of which a scalar must be one, where the predicate asks for nothing else; nil of any other.
    public var texts: [[UInt8]]? {
        guard positives.count == 1, negatives.isEmpty, sets.isEmpty, set == nil else { return nil }
        return positives[0].texts
    }

    /// Whether the value satisfies the predicate.
    ///
    /// Complexity: O(bytes of value and operands). Allocates only to ignore case in texts beyond 1 KiB.
    public func matches(_ value: ValueView) -> Bool {
        guard !value.isMissingOrNull else {
            return set != true && positives.isEmpty && sets.isEmpty
        }
        if set == false { return false }
        // By place: a test that is taken out counts its references.
        for place in sets.indices where !sets[place].passes(value) { return false }
        switch value.kind {
        case .object:
            return positives.isEmpty
        case .array:
            return matches(elements: value.elements)
        default:
            for place in positives.indices where !positives[place].passes(value) { return false }
            for place in negatives.indices where negatives[place].passes(value) { return false }
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
