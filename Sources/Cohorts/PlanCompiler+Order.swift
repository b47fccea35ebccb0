import Events

// The order of conditions. Definitions give them numbers as they come; the engine looks at those of one user by bits,
// 64 to a word, so it helps when what an event touches together stands together.

extension PlanCompiler {
    /// Numbers the conditions by what they read of a user: those of one trace are neighbours, the longer windows behind
    /// the shorter ones.
    ///
    /// An event then touches few words of bits, what was found of a trace serves the next condition too, and a sum over
    /// a week begins with that of the day.
    mutating func orderConditions() {
        let order = plan.conditions.indices.sorted { left, right in
            let (first, second) = (plan.conditions[left].place, plan.conditions[right].place)
            return first != second ? first < second : left < right
        }
        var numbers = [Int](repeating: 0, count: order.count)
        for (number, condition) in order.enumerated() { numbers[condition] = number }
        plan.conditions = order.map { plan.conditions[$0] }
        conditionIdentities = order.map { conditionIdentities[$0] }
        plan.cohorts = plan.cohorts.map { $0.renumbered(numbers) }
    }
}

/// Where a condition stands among others.
private struct ConditionPlace: Comparable {
    /// Plain traces, record traces, and what is no trace.
    var source: Int
    var trace = 0
    /// What is computed: those that compute the same may begin where the one before ended.
    var mode = 0
    /// Milliseconds that its window looks back.
    var reach: Int64 = 0

    static func < (left: ConditionPlace, right: ConditionPlace) -> Bool {
        (left.source, left.trace, left.mode, left.reach)
            < (right.source, right.trace, right.mode, right.reach)
    }
}

extension Condition {
    fileprivate var place: ConditionPlace {
        switch self {
        case .count(let trace, let window, _):
            ConditionPlace(source: 0, trace: trace, reach: window.horizon ?? .max)
        case .general(.times(let condition)):
            ConditionPlace(source: 0, trace: condition.trace, mode: 1, reach: condition.reach)
        case .general(.sequence(let condition)):
            // An event that is the last step may make it true, one that is another step hardly ever.
            ConditionPlace(
                source: 0,
                trace: condition.traces.last ?? 0,
                mode: 2,
                reach: condition.window.horizon ?? .max
            )
        case .general(.records(let condition)):
            ConditionPlace(
                source: 1,
                trace: condition.trace,
                mode: condition.mode.place,
                reach: condition.reach
            )
        case .general(.retained(let condition)):
            ConditionPlace(source: 1, trace: condition.trace, mode: 11)
        case .general(.hadMostRecent(let trace, _, _)):
            ConditionPlace(source: 1, trace: trace, mode: 12)
        case .firstSeen, .general(.firstSeen): ConditionPlace(source: 2)
        case .general(.uploaded): ConditionPlace(source: 3)
        case .properties: ConditionPlace(source: 4)
        case .synced: ConditionPlace(source: 5)
        }
    }
}

extension RecordsCondition {
    fileprivate var reach: Int64 { window.horizon ?? .max }
}

extension RecordsCondition.Mode {
    fileprivate var place: Int {
        switch self {
        case .count: 0
        case .sum: 1
        case .average: 2
        case .minimum: 3
        case .maximum: 4
        case .distinct: 5
        case .nth: 6
        case .onDistinct: 7
        case .sequence: 8
        case .relative: 9
        }
    }
}

extension CohortPlan {
    /// The same with its conditions under other numbers.
    fileprivate func renumbered(_ numbers: [Int]) -> CohortPlan {
        CohortPlan(
            id: id,
            name: name,
            program: program.map { instruction in
                if case .condition(let index) = instruction {
                    .condition(numbers[index])
                } else {
                    instruction
                }
            },
            reach: reach,
            traces: traces,
            recordTraces: recordTraces,
            calendarConditions: Set(calendarConditions.map { numbers[$0] }),
            synced: synced.map {
                SyncedProperties(names: $0.names, condition: numbers[$0.condition])
            },
            identity: identity
        )
    }
}
