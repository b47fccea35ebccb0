/// One key of a predicate on a property or on a number, with its operands.
package struct OracleTest: Sendable {
    /// The keys that are evaluated so far, by the words of definitions.
    package enum Operator: String, CaseIterable, Sendable {
        case equal = "is"
        case notEqual = "is_not"
        case greater = "gt"
        case greaterOrEqual = "gte"
        case less = "lt"
        case lessOrEqual = "lte"
        case between = "between"
        case contains = "contains"
        case notContains = "not_contains"
        case startsWith = "starts_with"
        case endsWith = "ends_with"
        case set = "set"
    }

    /// Which key.
    package var op: Operator
    /// Scalars; two of `between`, one boolean of `set`.
    package var operands: [OracleValue]

    /// A test.
    package init(_ op: Operator, _ operands: [OracleValue]) {
        self.op = op
        self.operands = operands
    }

    private var isNegative: Bool { op == .notEqual || op == .notContains }

    /// Whether a scalar matches, which of a negative key is what must not be.
    private func matches(_ value: OracleValue) -> Bool {
        guard let canonical = value.canonical else { return false }
        switch op {
        case .equal, .notEqual:
            return operands.contains { $0.canonical == canonical }
        case .contains, .notContains:
            return anyText(canonical) { whole, part in
                part.isEmpty
                    || whole.indices.contains { Array(whole[$0...].prefix(part.count)) == part }
            }
        case .startsWith:
            return anyText(canonical) { whole, part in Array(whole.prefix(part.count)) == part }
        case .endsWith:
            return anyText(canonical) { whole, part in Array(whole.suffix(part.count)) == part }
        case .greater, .greaterOrEqual, .less, .lessOrEqual, .between:
            guard let number = value.number else { return false }
            let orders = operands.map { $0.number.map { number.order(to: $0) } }
            guard let first = orders[0] else { return false }
            switch op {
            case .greater: return first > 0
            case .greaterOrEqual: return first >= 0
            case .less: return first < 0
            case .lessOrEqual: return first <= 0
            default: return first >= 0 && (orders[1] ?? 1) <= 0
            }
        case .set:
            return false
        }
    }

    private func anyText(
        _ canonical: [UInt8],
        _ holds: ([Unicode.Scalar], [Unicode.Scalar]) -> Bool
    ) -> Bool {
        let whole = lowercase(canonical)
        return operands.contains { operand in
            holds(whole, lowercase(operand.canonical ?? []))
        }
    }

    /// Scalar by scalar, where the lowercase is one scalar.
    private func lowercase(_ bytes: [UInt8]) -> [Unicode.Scalar] {
        String(decoding: bytes, as: UTF8.self).unicodeScalars.map { scalar in
            let mapped = Array(scalar.properties.lowercaseMapping.unicodeScalars)
            return mapped.count == 1 ? mapped[0] : scalar
        }
    }

    /// Whether the value of a property satisfies all the tests; nil = missing or null.
    static func allHold(_ tests: [OracleTest], for value: OracleValue?) -> Bool {
        let positives = tests.filter { !$0.isNegative && $0.op != .set }
        let negatives = tests.filter(\.isNegative)
        for test in tests where test.op == .set {
            guard case .boolean(let wanted) = test.operands[0] else { return false }
            if wanted != (value != nil) { return false }
        }
        switch value {
        case nil, .null, .object:
            return positives.isEmpty
        case .array(let elements):
            let satisfied =
                positives.isEmpty
                || elements.contains { element in positives.allSatisfy { $0.matches(element) } }
            return satisfied
                && !elements.contains { element in negatives.contains { $0.matches(element) } }
        case .some(let scalar):
            return positives.allSatisfy { $0.matches(scalar) }
                && !negatives.contains { $0.matches(scalar) }
        }
    }

    /// Whether a number of things satisfies all the tests.
    static func allHold(_ tests: [OracleTest], for number: Int) -> Bool {
        tests.allSatisfy { test in
            let matches = test.matches(.number(String(number)))
            return test.isNegative ? !matches : matches
        }
    }
}

/// A property's name and the predicate on it.
package struct OracleProperty: Sendable {
    /// The name, perhaps a path with dots.
    package var name: String
    /// All must hold.
    package var tests: [OracleTest]

    /// A predicate on a property.
    package init(_ name: String, _ tests: [OracleTest]) {
        self.name = name
        self.tests = tests
    }
}
