import Basics

/// Makes definitions over the alphabets of ``OracleHistoryGenerator``.
struct OracleDefinitionGenerator {
    private let spanSeconds: Int
    private var ids: [String] = []

    init(spanSeconds: Int) {
        self.spanSeconds = spanSeconds
    }

    mutating func definitions(_ generator: inout SeededGenerator) -> [OracleDefinition] {
        var definitions: [OracleDefinition] = []
        let names = ["c", "b-1", "b", "a_0", "z9"]
        for id in names.prefix(generator.number(in: 1...5)) {
            let clause = clause(depth: generator.number(in: 0...3), &generator)
            definitions.append(OracleDefinition(id: id, users: clause))
            ids.append(id)
        }
        if generator.chance(percent: 50) { definitions.reverse() }
        return definitions
    }

    private func clause(depth: Int, _ generator: inout SeededGenerator) -> OracleClause {
        if depth > 0 {
            switch generator.below(5) {
            case 0, 1: return .all(parts(depth, &generator))
            case 2, 3: return .any(parts(depth, &generator))
            default: return .not(clause(depth: depth - 1, &generator))
            }
        }
        return switch generator.below(20) {
        case 0..<10: .performed(performed(&generator))
        case 10, 11: .active(window(&generator))
        case 12, 13: .inactive(window(&generator))
        case 14, 15: .new(window(&generator))
        case 16..<19: .property(properties(["tier", "country", "cart.total", "cart"], &generator))
        default: ids.isEmpty ? .active(.anyTime) : .memberOf(generator.pick(ids))
        }
    }

    private func parts(_ depth: Int, _ generator: inout SeededGenerator) -> [OracleClause] {
        (0..<generator.number(in: 1...3)).map { _ in clause(depth: depth - 1, &generator) }
    }

    private func performed(_ generator: inout SeededGenerator) -> OraclePerformed {
        var performed = OraclePerformed(events(&generator))
        performed.window = window(&generator)
        if generator.chance(percent: 25) {
            performed.whereEvent = properties(["p", "price", "cart.total", "cart"], &generator)
        }
        if generator.chance(percent: 15) {
            performed.whereUser = properties(["tier", "country", "cart.total"], &generator)
        }
        if generator.chance(percent: 60) { performed.count = count(&generator) }
        return performed
    }

    private func events(_ generator: inout SeededGenerator) -> OraclePerformed.Events {
        let types = ["buy", "view", "ping", "open", "never"]
        return switch generator.below(6) {
        case 0: .any
        case 1: .active
        case 2: .named([generator.pick(types), generator.pick(types)])
        default: .named([generator.pick(types)])
        }
    }

    private func window(_ generator: inout SeededGenerator) -> OracleWindow {
        if generator.chance(percent: 20) { return .anyTime }
        let length = Int64(generator.number(in: 1...max(1, spanSeconds / 2))) * 1000
        let offset = Int64(generator.number(in: 1...max(1, spanSeconds / 3))) * 1000
        return .last(length, offset: generator.chance(percent: 35) ? offset : nil)
    }

    private func count(_ generator: inout SeededGenerator) -> [OracleTest] {
        var tests: [OracleTest] = []
        let all: [OracleTest.Operator] = [
            .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual, .between,
        ]
        for _ in 0..<generator.pick([1, 1, 1, 2]) {
            let op = generator.pick(all)
            if tests.contains(where: { $0.op == op }) { continue }
            let low = generator.number(in: 0...3)
            let texts = [String(low), String(low), "\(low).0", "\(low).5"]
            tests.append(
                op == .between
                    ? OracleTest(
                        op,
                        [
                            .number(String(low)),
                            .number(String(low + generator.number(in: 0...2))),
                        ]
                    )
                    : OracleTest(op, [.number(generator.pick(texts))])
            )
        }
        return tests
    }

    private func properties(
        _ names: [String],
        _ generator: inout SeededGenerator
    ) -> [OracleProperty] {
        var properties: [OracleProperty] = []
        for _ in 0..<generator.pick([1, 1, 2]) {
            let name = generator.pick(names)
            if properties.contains(where: { $0.name == name }) { continue }
            properties.append(OracleProperty(name, tests(&generator)))
        }
        return properties
    }

    private func tests(_ generator: inout SeededGenerator) -> [OracleTest] {
        var tests: [OracleTest] = []
        for _ in 0..<generator.pick([1, 1, 2, 3]) {
            let op = generator.pick(OracleTest.Operator.allCases)
            if tests.contains(where: { $0.op == op }) { continue }
            tests.append(OracleTest(op, operands(op, &generator)))
        }
        return tests
    }

    private func operands(
        _ op: OracleTest.Operator,
        _ generator: inout SeededGenerator
    ) -> [OracleValue] {
        switch op {
        case .set: return [.boolean(generator.chance(percent: 50))]
        case .greater, .greaterOrEqual, .less, .lessOrEqual:
            return [OracleValues.number(&generator)]
        case .between:
            let bounds = [OracleValues.number(&generator), OracleValues.number(&generator)]
            guard let first = bounds[0].number, let second = bounds[1].number else { return bounds }
            return first.order(to: second) <= 0 ? bounds : bounds.reversed()
        default:
            return (0..<generator.pick([1, 1, 2, 3])).map { _ in OracleValues.scalar(&generator) }
        }
    }
}
