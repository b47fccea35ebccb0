import Basics

extension OracleDefinitionGenerator {
    func performed(_ generator: inout SeededGenerator) -> OraclePerformed {
        var performed = OraclePerformed(.any)
        performed.filter = filter(&generator)
        performed.window = window(&generator)
        if generator.chance(percent: 25) { performed.same = same(&generator) }
        performed.mode = mode(performed, &generator)
        return performed
    }

    private func mode(
        _ performed: OraclePerformed,
        _ generator: inout SeededGenerator
    ) -> OracleMode {
        let hasSame = !performed.same.isEmpty
        switch generator.below(20) {
        case 0..<4:
            return .count(
                generator.chance(percent: 20) ? [] : countTests(notOfZero: hasSame, &generator)
            )
        case 4, 5:
            if hasSame { return .nth(1) }
            let ops: [OracleTest.Operator] = [
                .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual,
            ]
            return .relative(generator.pick(ops), filter(&generator))
        case 6..<11:
            let reduction = generator.pick(OracleMode.Reduction.allCases)
            return .reduced(
                reduction,
                generator.pick(["price", "price", "price", "price", "price", "p", "cart.total"]),
                valueTests(notOfZero: hasSame && reduction == .sum, &generator)
            )
        case 11, 12:
            return .distinct(
                generator.pick(["p", "tags", "price", "v", "cart.total"]),
                countTests(notOfZero: hasSame, &generator)
            )
        case 13, 14: return .nth(generator.pick([1, 1, 1, 2, 2, 3, 4, 5]))
        default:
            return .onDistinct(
                interval(performed.window, &generator),
                count: generator.chance(percent: 50) ? [] : countTests(notOfZero: true, &generator),
                countTests(notOfZero: hasSame, &generator)
            )
        }
    }

    private func interval(
        _ window: OracleWindow,
        _ generator: inout SeededGenerator
    ) -> OracleMode.Interval {
        switch window {
        case .anyTime, .last:
            if generator.chance(percent: 50) { return .duration(seconds(upTo: 4, &generator)) }
        case .aligned, .dates, .instants, .withinFirst: break
        }
        return generator.pick([.day, .week, .month])
    }

    private static let order: [OracleTest.Operator] = [
        .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual, .between,
    ]

    /// On a number of things.
    private func countTests(
        notOfZero: Bool,
        _ generator: inout SeededGenerator
    ) -> [OracleTest] {
        var tests: [OracleTest] = []
        for _ in 0..<generator.pick([1, 1, 1, 1, 2]) {
            let op = generator.pick(Self.order)
            if tests.contains(where: { $0.op == op }) { continue }
            // Many hold for nothing at all, which is what there is most of.
            let isUpper = op == .less || op == .lessOrEqual
            let low = generator.pick(isUpper ? [0, 0, 0, 0, 1, 2] : [0, 0, 1, 1, 1, 2, 3])
            let high = low + generator.number(in: 0...2)
            let texts = [String(low), String(low), String(low), "\(low).0", "\(low).5"]
            tests.append(
                op == .between
                    ? OracleTest(op, [.number(String(low)), .number(String(high))])
                    : OracleTest(op, [.number(generator.pick(texts))])
            )
        }
        let isTrueOfZero = OracleTest.allHold(tests, for: 0)
        return notOfZero && isTrueOfZero
            ? [OracleTest(.greaterOrEqual, [.number(generator.pick(["1", "1", "2"]))])] : tests
    }

    /// On a number of values.
    private func valueTests(
        notOfZero: Bool,
        _ generator: inout SeededGenerator
    ) -> [OracleTest] {
        let op = generator.pick(Self.order)
        let bounds = ["-3", "0", "0.1", "1", "2", "2.5", "5", "7.5", "1e2", "1e300", "0.0000005"]
        var operands = [generator.pick(bounds)]
        if op == .between {
            operands = ["-3", generator.pick(["0", "2.5", "5", "100"])]
            if generator.chance(percent: 50) { operands = ["0.1", "5.0"] }
        }
        let test = OracleTest(op, operands.map { .number($0) })
        let isTrueOfZero = OracleTest.allHold([test], forMillionths: 0, over: 1)
        return notOfZero && isTrueOfZero ? [OracleTest(.greater, [.number("0")])] : [test]
    }
}
