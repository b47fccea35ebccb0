import Basics

extension OracleDefinitionGenerator {
    func properties(
        _ names: [String],
        _ generator: inout SeededGenerator
    ) -> [OracleProperty] {
        var properties: [OracleProperty] = []
        for _ in 0..<generator.pick([1, 1, 1, 1, 2]) {
            let name = generator.pick(names)
            if properties.contains(where: { $0.name == name }) { continue }
            properties.append(OracleProperty(name, tests(name, &generator)))
        }
        return properties
    }

    private func tests(_ name: String, _ generator: inout SeededGenerator) -> [OracleTest] {
        var tests: [OracleTest] = []
        for _ in 0..<generator.pick([1, 1, 1, 1, 2, 3]) {
            let kind = generator.chance(percent: 15) ? .anything : OracleValues.kind(name)
            let op = generator.pick(Self.operators(kind))
            if tests.contains(where: { $0.op == op }) { continue }
            tests.append(OracleTest(op, operands(op, kind, &generator)))
        }
        return tests
    }

    /// What is worth asking of such a value.
    private static func operators(_ kind: OracleValues.Kind) -> [OracleTest.Operator] {
        let order: [OracleTest.Operator] = [
            .greater, .greaterOrEqual, .less, .lessOrEqual, .between,
        ]
        return switch kind {
        case .anything, .cart, .item: OracleTest.Operator.allCases.filter { $0 != .setIs }
        case .number: order + [.equal, .notEqual]
        case .date: order
        case .version:
            [.versionGreater, .versionGreaterOrEqual, .versionLess, .versionLessOrEqual]
        case .path: [.glob, .startsWith, .endsWith, .contains, .notContains]
        case .tags: [.setIs, .setIs, .setContains, .equal, .notEqual, .contains]
        }
    }

    private func operands(
        _ op: OracleTest.Operator,
        _ kind: OracleValues.Kind,
        _ generator: inout SeededGenerator
    ) -> [OracleValue] {
        switch op {
        case .set: return [.boolean(generator.chance(percent: 50))]
        case .greater, .greaterOrEqual, .less, .lessOrEqual:
            return [bound(kind, &generator)]
        case .between:
            let bounds = [bound(kind, &generator), bound(kind, &generator)]
            guard let order = bounds[0].order(to: bounds[1]) else { return bounds }
            return order <= 0 ? bounds : bounds.reversed()
        case .versionGreater, .versionGreaterOrEqual, .versionLess, .versionLessOrEqual:
            return [OracleValues.version(&generator)]
        case .glob:
            return list(&generator) { .text($0.pick(OracleValues.patterns)) }
        case .setIs, .setContains:
            let whole = generator.pick(op == .setIs ? OracleValues.tagSets : [["x"], ["y"]])
            if generator.chance(percent: 90) { return whole.map { .text($0) } }
            return list(&generator) { generator in
                let tag = OracleValues.tag(&generator)
                return tag.isNull ? .text("x") : tag
            }
        case .notContains where generator.chance(percent: 60):
            // What is missing has nothing in it, so that much must match to keep the balance.
            return [.text(generator.pick(["", "a", "x", "b"])), .text(""), .text("5")]
        case .notEqual where generator.chance(percent: 80):
            if kind == .number { return OracleValues.plainNumberValues }
            return OracleValues.plainValues + (0..<3).map { _ in OracleValues.scalar(&generator) }
        case .startsWith, .endsWith, .contains, .notContains:
            if kind == .anything, generator.chance(percent: 50) {
                return list(&generator) { OracleValues.scalar(&$0) }
            }
            let parts = ["a", "A", "b", "/b", "", "5", "x", "c"]
            return list(&generator) { .text($0.pick(parts)) }
        case .equal, .notEqual:
            return list(&generator) { generator in
                switch kind {
                case .tags:
                    let tag = OracleValues.tag(&generator)
                    return tag.isNull ? .text("y") : tag
                case .number: return OracleValues.number(&generator)
                default: return OracleValues.scalar(&generator)
                }
            }
        }
    }

    private func list(
        _ generator: inout SeededGenerator,
        _ operand: (inout SeededGenerator) -> OracleValue
    ) -> [OracleValue] {
        (0..<generator.pick([1, 1, 2, 3])).map { _ in operand(&generator) }
    }

    private func bound(
        _ kind: OracleValues.Kind,
        _ generator: inout SeededGenerator
    ) -> OracleValue {
        kind == .date
            ? .text(generator.pick(OracleValues.goodDates)) : OracleValues.number(&generator)
    }
}
