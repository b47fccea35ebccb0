import Basics
import Events
import YAML

extension DefinitionReader {
    private static let numberOperators: [PredicateOperator] = [
        .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual, .between,
    ]

    /// A map of property names and predicates.
    mutating func propertyTests(_ node: Node, _ what: String) -> [PropertyTest]? {
        map(node, what).flatMap { propertyTests($0) }
    }

    /// Every key is a property's name as written.
    mutating func propertyTests(_ fields: Fields) -> [PropertyTest]? {
        var tests: [PropertyTest] = []
        for pair in fields.pairs {
            if let predicate = propertyPredicate(pair.value) {
                tests.append(PropertyTest(name: pair.key, tests: predicate))
            }
        }
        return tests.count == fields.pairs.count ? tests : nil
    }

    /// A scalar, a list (any of them) or a map of operators.
    private mutating func propertyPredicate(_ node: Node) -> [PredicateTest]? {
        guard case .mapping = node.value else {
            return operands(node, mayBeList: true).map { [PredicateTest(op: .equal, operands: $0)] }
        }
        guard let fields = map(node, "a predicate") else { return nil }
        refuseUnknownKeys(fields, known: PredicateOperator.allCases.map(\.rawValue))
        var tests: [PredicateTest] = []
        for pair in fields.pairs {
            guard let op = PredicateOperator(rawValue: pair.key),
                let operands = operands(op, pair.value)
            else { continue }
            tests.append(PredicateTest(op: op, operands: operands))
        }
        return tests.count == fields.pairs.count ? tests : nil
    }

    private mutating func operands(_ op: PredicateOperator, _ node: Node) -> [Operand]? {
        switch op {
        case .equal, .notEqual, .contains, .notContains, .startsWith, .endsWith, .setIs,
            .setContains:
            return operands(node, mayBeList: true)
        case .glob: return globs(node)
        case .set: return boolean(node, "`set`").map { [.boolean($0)] }
        case .greater, .greaterOrEqual, .less, .lessOrEqual:
            guard let operands = operands(node, mayBeList: false) else { return nil }
            return comparable(operands[0], node, "`\(op.rawValue)`") == nil ? nil : operands
        case .between: return between(node)
        case .versionGreater, .versionGreaterOrEqual, .versionLess, .versionLessOrEqual:
            return version(node, "`\(op.rawValue)`").map { [$0] }
        }
    }

    /// One scalar, or the scalars of a list where one is allowed.
    private mutating func operands(_ node: Node, mayBeList: Bool) -> [Operand]? {
        guard case .sequence = node.value else { return operand(node).map { [$0] } }
        guard mayBeList else {
            report(.listNotAllowed, node.mark, "a list is not allowed here", expected: "one value")
            return nil
        }
        guard let items = list(node, "an operand") else { return nil }
        var operands: [Operand] = []
        for item in items {
            if let operand = operand(item) { operands.append(operand) }
        }
        return operands.count == items.count ? operands : nil
    }

    private mutating func operand(_ node: Node) -> Operand? {
        switch node.value {
        case .text(let text): return .text(text)
        case .boolean(let flag): return .boolean(flag)
        case .integer(let number): return .integer(number)
        case .double(let number):
            // −0 is 0.
            if number.isFinite { return .double(number == 0 ? 0 : number) }
            report(
                .notFinite,
                node.mark,
                "\(node.source.excerpt) is no number that a property can have"
            )
        case .null:
            report(
                .nullOperand,
                node.mark,
                "null is no operand: a property that is null is missing",
                expected: "for example {set: false}"
            )
        case .sequence, .mapping:
            report(
                .wrongType,
                node.mark,
                "an operand is a text, a number or a boolean, not \(Self.kind(node))",
                expected: "one value"
            )
        }
        return nil
    }

    /// `[low, high]` of a predicate on a property.
    private mutating func between(_ node: Node) -> [Operand]? {
        guard let items = bounds(node) else { return nil }
        let operands = items.map { operand($0) }
        let keys = zip(items, operands).map { item, operand in
            operand.flatMap { comparable($0, item, "`between`") }
        }
        guard let low = operands[0], let high = operands[1], let first = keys[0],
            let second = keys[1]
        else { return nil }
        guard first.isDate == second.isDate else {
            report(
                .mixedKinds,
                items[1].mark,
                "`between` from \(items[0].source.excerpt) to \(items[1].source.excerpt): a number and a date",
                expected: "two numbers or two dates"
            )
            return nil
        }
        guard !(second < first) else {
            refuseReversed(items)
            return nil
        }
        return [low, high]
    }

    private mutating func bounds(_ node: Node) -> [Node]? {
        guard let items = list(node, "`between`") else { return nil }
        if items.count == 2 { return items }
        report(
            .outOfRange,
            node.mark,
            "`between` cannot have \(items.count) values",
            expected: "two values [low, high]"
        )
        return nil
    }

    private mutating func refuseReversed(_ items: [Node]) {
        report(
            .reversedRange,
            items[1].mark,
            "`between` from \(items[0].source.excerpt) to \(items[1].source.excerpt): the second is lower"
        )
    }

    private mutating func comparable(
        _ operand: Operand,
        _ node: Node,
        _ what: String
    ) -> Comparand? {
        if let comparand = Comparand(operand) { return comparand }
        report(
            .neverHolds,
            node.mark,
            "\(what) never holds for \(node.source.excerpt)",
            expected:
                "a number, a date such as 2026-01-31 or an instant such as 2026-01-31T12:00:00Z"
        )
        return nil
    }

    private mutating func version(_ node: Node, _ what: String) -> Operand? {
        switch node.value {
        case .text(let text):
            if Self.isVersion(text) { return .text(text) }
            report(
                .badVersion,
                node.mark,
                "\(what) never holds for \"\(text.excerpt)\"",
                expected: "dotted numbers such as \"2.10.1\""
            )
        case .integer, .double:
            report(
                .notText,
                node.mark,
                "a version is a text, and \(node.source.excerpt) without quotes is a number: quote it",
                expected: "\"\(node.source.excerpt)\""
            )
        case .sequence:
            report(
                .listNotAllowed,
                node.mark,
                "a list is not allowed here",
                expected: "one version"
            )
        default:
            report(
                .wrongType,
                node.mark,
                "a version is a text, not \(Self.kind(node))",
                expected: "dotted numbers such as \"2.10.1\""
            )
        }
        return nil
    }

    /// Digits, then any number of a dot and digits.
    static func isVersion(_ text: String) -> Bool {
        text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy {
            part in !part.isEmpty && part.allSatisfy { $0 &- 0x30 < 10 }
        }
    }

    private mutating func globs(_ node: Node) -> [Operand]? {
        guard let operands = operands(node, mayBeList: true) else { return nil }
        let nodes = if case .sequence(let items) = node.value { items } else { [node] }
        var isGood = true
        for (item, operand) in zip(nodes, operands) {
            guard case .text(let pattern) = operand, let fault = GlobSyntax.fault(in: pattern)
            else { continue }
            report(.badGlob, item.mark, "the pattern \"\(pattern.excerpt)\" \(fault)")
            isGood = false
        }
        return isGood ? operands : nil
    }

    /// A number, or a map of the operators that numbers know; every threshold must lie in the range.
    mutating func numberPredicate(
        _ node: Node,
        _ what: String,
        in range: ClosedRange<Int64>? = nil
    ) -> NumberPredicate? {
        guard case .mapping = node.value else {
            return number(node, what, in: range).map {
                NumberPredicate(tests: [PredicateTest(op: .equal, operands: [$0])])
            }
        }
        guard let fields = map(node, what) else { return nil }
        let known = Self.numberOperators.map(\.rawValue)
        refuseUnknownKeys(fields, known: known)
        var tests: [PredicateTest] = []
        for pair in fields.pairs where known.contains(pair.key) {
            guard let op = PredicateOperator(rawValue: pair.key) else { continue }
            if op == .between {
                if let bounds = numberBounds(pair.value, in: range) {
                    tests.append(PredicateTest(op: op, operands: bounds))
                }
            } else if let operand = number(pair.value, "`\(pair.key)`", in: range) {
                tests.append(PredicateTest(op: op, operands: [operand]))
            }
        }
        return tests.count == fields.pairs.count ? NumberPredicate(tests: tests) : nil
    }

    private mutating func numberBounds(
        _ node: Node,
        in range: ClosedRange<Int64>?
    ) -> [Operand]? {
        guard let items = bounds(node) else { return nil }
        let low = number(items[0], "`between`", in: range)
        let high = number(items[1], "`between`", in: range)
        guard let low, let high, let first = Comparand(low), let second = Comparand(high)
        else { return nil }
        guard !(second < first) else {
            refuseReversed(items)
            return nil
        }
        return [low, high]
    }

    private mutating func number(
        _ node: Node,
        _ what: String,
        in range: ClosedRange<Int64>?
    ) -> Operand? {
        let operand: Operand
        let isInRange: Bool
        switch node.value {
        case .integer(let number):
            operand = .integer(number)
            isInRange = range?.contains(number) ?? true
        case .double(let number):
            guard number.isFinite else {
                report(
                    .notFinite,
                    node.mark,
                    "\(node.source.excerpt) is no number that can be reached"
                )
                return nil
            }
            operand = .double(number == 0 ? 0 : number)
            isInRange =
                range.map { number >= Double($0.lowerBound) && number <= Double($0.upperBound) }
                ?? true
        case .null:
            report(.nullOperand, node.mark, "null is no operand", expected: "a number")
            return nil
        case .sequence:
            report(.listNotAllowed, node.mark, "a list is not allowed here", expected: "a number")
            return nil
        case .text(let text) where Comparand(.text(text))?.isDate == false:
            report(
                .wrongType,
                node.mark,
                "\(what) is a number: remove the quotes",
                expected: "a number"
            )
            return nil
        default:
            report(
                .wrongType,
                node.mark,
                "\(what) is a number, not \(Self.kind(node))",
                expected: "a number"
            )
            return nil
        }
        guard isInRange else {
            let expected = range.map { "\($0.lowerBound) to \($0.upperBound)" }
            report(
                .outOfRange,
                node.mark,
                "\(what) cannot be \(node.source.excerpt)",
                expected: expected
            )
            return nil
        }
        return operand
    }
}
