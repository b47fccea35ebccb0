/// One key of a predicate on a property or on a number, with its operands.
package struct OracleTest: Sendable {
    /// The keys, by the words of definitions.
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
        case glob = "glob"
        case versionGreater = "version_gt"
        case versionGreaterOrEqual = "version_gte"
        case versionLess = "version_lt"
        case versionLessOrEqual = "version_lte"
        case set = "set"
        case setIs = "set_is"
        case setContains = "set_contains"
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

    /// Whether it looks at a value as a whole, also where that is an array.
    private var isWhole: Bool { op == .set || op == .setIs || op == .setContains }

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
        case .glob:
            return operands.contains { OracleGlob.matches($0.canonical ?? [], canonical) }
        case .greater, .greaterOrEqual, .less, .lessOrEqual, .between:
            let orders = operands.map { value.order(to: $0) }
            guard let first = orders[0] else { return false }
            switch op {
            case .greater: return first > 0
            case .greaterOrEqual: return first >= 0
            case .less: return first < 0
            case .lessOrEqual: return first <= 0
            default: return first >= 0 && (orders[1] ?? 1) <= 0
            }
        case .versionGreater, .versionGreaterOrEqual, .versionLess, .versionLessOrEqual:
            let operand = operands[0].canonical ?? []
            guard let order = OracleVersion.order(canonical, operand) else { return false }
            switch op {
            case .versionGreater: return order > 0
            case .versionGreaterOrEqual: return order >= 0
            case .versionLess: return order < 0
            default: return order <= 0
            }
        case .set, .setIs, .setContains:
            return false
        }
    }

    /// Whether a whole value, nil = missing or null, satisfies one of the keys that look at it so.
    private func holdsWhole(_ value: OracleValue?) -> Bool {
        if op == .set {
            guard case .boolean(let wanted) = operands[0] else { return false }
            return wanted == (value != nil)
        }
        let wanted = Set(operands.compactMap(\.canonical))
        switch value {
        case nil, .null, .object: return false
        case .array(let elements):
            let set = Set(elements.compactMap(\.canonical))
            return op == .setIs ? set == wanted : set.isSuperset(of: wanted)
        case .some(let scalar):
            return scalar.canonical.map { wanted == [$0] } ?? false
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
        let positives = tests.filter { !$0.isNegative && !$0.isWhole }
        let negatives = tests.filter(\.isNegative)
        if tests.contains(where: { $0.isWhole && !$0.holdsWhole(value) }) { return false }
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
        allHold(tests, for: .number(String(number)))
    }

    /// Whether `sum` / `count`, in millionths, satisfies all the tests.
    static func allHold(_ tests: [OracleTest], forMillionths sum: Int128, over count: Int) -> Bool {
        tests.allSatisfy { test in
            let bounds = test.operands.compactMap(\.number).map { $0.millionths * Int128(count) }
            return switch test.op {
            case .equal: sum == bounds[0]
            case .notEqual: sum != bounds[0]
            case .greater: sum > bounds[0]
            case .greaterOrEqual: sum >= bounds[0]
            case .less: sum < bounds[0]
            case .lessOrEqual: sum <= bounds[0]
            default: sum >= bounds[0] && sum <= bounds[1]
            }
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
