import Basics
import Events
import YAML

/// Compiles checked definitions to a ``Plan``.
///
/// Equal leaves of all definitions become one condition, and conditions that differ only in window or
/// threshold share one trace, so that a thousand cohorts over forty events cost little more than forty.
package struct PlanCompiler {
    private var plan = Plan()
    private let inactiveEvents: Set<String>
    private var traceIndex: [EventFilter: Int] = [:]
    private var eventPropertyIndex: [String: Int] = [:]
    private var userPropertyIndex: [String: Int] = [:]
    private var conditionNumbers: [ConditionKey: Int] = [:]
    private var conditionIdentities: [UInt64] = []

    /// Compiles a whole set.
    ///
    /// - Parameters:
    ///   - definitions: Checked together: references exist and have no cycle, ids are unique, and
    ///     ``unsupported(in:)`` found nothing.
    ///   - inactiveEvents: Event types that do not make a user active.
    package static func compile(_ definitions: [Definition], inactiveEvents: [String]) -> Plan {
        var compiler = PlanCompiler(inactiveEvents: inactiveEvents)
        return compiler.compile(definitions)
    }

    private init(inactiveEvents: [String]) {
        self.inactiveEvents = Set(inactiveEvents)
    }

    private mutating func compile(_ definitions: [Definition]) -> Plan {
        let sorted = definitions.sorted { $0.id.precedesByBytes($1.id) }
        let indices = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1.id, $0) })
        var cohorts = [CohortPlan?](repeating: nil, count: sorted.count)
        func visit(_ index: Int, _ compiler: inout PlanCompiler) {
            guard cohorts[index] == nil else { return }
            for reference in sorted[index].users.references {
                if let target = indices[reference] { visit(target, &compiler) }
            }
            cohorts[index] = compiler.cohort(sorted[index], indices: indices, earlier: cohorts)
            compiler.plan.evaluationOrder.append(index)
        }
        for index in sorted.indices { visit(index, &self) }
        plan.cohorts = cohorts.compactMap { $0 }
        precondition(plan.cohorts.count == sorted.count, "a cohort was not compiled")
        plan.routes = routes()
        return plan
    }

    private mutating func cohort(
        _ definition: Definition, indices: [String: Int], earlier: [CohortPlan?]
    ) -> CohortPlan {
        var program: [CohortPlan.Instruction] = []
        var reach = CohortPlan.Reach.nothing
        var traces: Set<Int> = []
        emit(definition.users, indices: indices, into: &program)
        for instruction in program {
            switch instruction {
            case .condition(let index):
                guard case .count(let trace, let window, _) = plan.conditions[index] else { continue }
                traces.insert(trace)
                switch window {
                case .anyTime: reach = .everything
                case .last(let length, let offset): reach = reach.joined(.milliseconds(length + offset))
                }
            case .member(let index):
                guard let target = earlier[index] else { continue }
                traces.formUnion(target.traces)
                reach = reach.joined(target.reach)
            case .and, .or, .not: continue
            }
        }
        return CohortPlan(
            id: definition.id, name: definition.name, program: program, reach: reach, traces: traces,
            identity: identity(of: definition.id, program, earlier))
    }

    private mutating func emit(
        _ clause: Clause, indices: [String: Int], into program: inout [CohortPlan.Instruction]
    ) {
        switch clause.kind {
        case .all(let parts):
            for (position, part) in parts.enumerated() {
                emit(part, indices: indices, into: &program)
                if position > 0 { program.append(.and) }
            }
        case .any(let parts):
            for (position, part) in parts.enumerated() {
                emit(part, indices: indices, into: &program)
                if position > 0 { program.append(.or) }
            }
        case .not(let part):
            emit(part, indices: indices, into: &program)
            program.append(.not)
        case .performed(let performed):
            guard case .count(let predicate) = performed.mode else { unsupported(clause) }
            let window = countWindow(performed.window)
            let trace = traceNumber(performed.filter, reaching: window)
            let range = NumberRange(predicate)
            program.append(.condition(conditionNumber(.count(trace, window, range))))
        case .active(let window):
            program.append(activity(in: window))
        case .inactive(let window):
            program.append(activity(in: window))
            program.append(.not)
        case .new(let window):
            program.append(.condition(conditionNumber(.firstSeen(countWindow(window)))))
        case .property(let tests):
            program.append(.condition(conditionNumber(.properties(tests))))
        case .memberOf(let id):
            guard let index = indices[id] else { unsupported(clause) }
            program.append(.member(index))
        case .sequence, .retained, .hadProperty, .predicted, .uploaded:
            unsupported(clause)
        }
    }

    private func unsupported(_ clause: Clause) -> Never {
        preconditionFailure("clause at \(clause.mark) was not checked by unsupported(in:)")
    }

    private mutating func activity(in window: Window) -> CohortPlan.Instruction {
        let window = countWindow(window)
        let trace = traceNumber(EventFilter(event: .active), reaching: window)
        let once = NumberRange(
            NumberPredicate(tests: [PredicateTest(op: .greaterOrEqual, operands: [.integer(1)])]))
        return .condition(conditionNumber(.count(trace, window, once)))
    }

    private func countWindow(_ window: Window) -> Condition.CountWindow {
        switch window.form {
        case .anyTime: .anyTime
        case .last(let length, let offset): .last(length: length, offset: offset)
        default: preconditionFailure("window at \(window.mark) was not checked by unsupported(in:)")
        }
    }

    // MARK: Sharing

    private enum ConditionKey: Hashable {
        case count(Int, Condition.CountWindow, NumberRange)
        case firstSeen(Condition.CountWindow)
        case properties([PropertyTest])
    }

    private mutating func conditionNumber(_ key: ConditionKey) -> Int {
        if let number = conditionNumbers[key] { return number }
        let number = plan.conditions.count
        conditionNumbers[key] = number
        conditionIdentities.append(identity(of: key))
        switch key {
        case .count(let trace, let window, let range):
            plan.conditions.append(.count(trace: trace, window: window, range: range))
        case .firstSeen(let window):
            plan.conditions.append(.firstSeen(window))
        case .properties(let tests):
            plan.conditions.append(
                .properties(
                    tests.map {
                        PropertyCondition(name: $0.name, test: CompiledPropertyTest($0.tests))
                    }))
        }
        return number
    }

    private mutating func traceNumber(
        _ filter: EventFilter, reaching window: Condition.CountWindow
    ) -> Int {
        let number = traceNumber(filter)
        if case .last(let length, let offset) = window {
            plan.traces[number].horizon = max(plan.traces[number].horizon, length + offset)
        }
        return number
    }

    private mutating func traceNumber(_ filter: EventFilter) -> Int {
        var filter = filter
        if case .named(let names) = filter.event { filter.event = .named(Set(names).sorted()) }
        if let number = traceIndex[filter] { return number }
        let number = plan.traces.count
        traceIndex[filter] = number
        plan.traces.append(
            Trace(
                whereEvent: filter.whereEvent.map {
                    Trace.Test(
                        property: eventProperty($0.name), test: CompiledPropertyTest($0.tests))
                },
                whereUser: filter.whereUser.map {
                    Trace.Test(
                        property: userProperty($0.name), test: CompiledPropertyTest($0.tests))
                },
                horizon: 0,
                identity: identity(of: filter)))
        return number
    }

    private func identity(
        of id: String, _ program: [CohortPlan.Instruction], _ earlier: [CohortPlan?]
    ) -> UInt64 {
        var hash = id.withByteView { Hashing.hash64($0) }
        for instruction in program {
            switch instruction {
            case .condition(let index):
                hash = Hashing.combine(hash, conditionIdentities[index])
            case .member(let index):
                hash = Hashing.combine(hash, earlier[index]?.identity ?? 0)
            case .and: hash = Hashing.combine(hash, 1)
            case .or: hash = Hashing.combine(hash, 2)
            case .not: hash = Hashing.combine(hash, 3)
            }
        }
        return hash
    }

    private func identity(of key: ConditionKey) -> UInt64 {
        var writer = ByteWriter()
        func writeBounds(_ window: Condition.CountWindow) {
            if case .last(let length, let offset) = window {
                writer.write(length)
                writer.write(offset)
            }
        }
        switch key {
        case .count(let trace, let window, let range):
            writer.write(UInt8(1))
            writer.write(plan.traces[trace].identity)
            writer.write(range.identity)
            writeBounds(window)
        case .firstSeen(let window):
            writer.write(UInt8(2))
            writeBounds(window)
        case .properties(let tests):
            writer.write(UInt8(3))
            write(tests, to: &writer)
        }
        return writer.bytes.withByteView { Hashing.hash64($0) }
    }

    private func write(_ tests: [PropertyTest], to writer: inout ByteWriter) {
        for test in tests.sorted(by: { $0.name.precedesByBytes($1.name) }) {
            writer.write(prefixed: test.name)
            for part in test.tests.sorted(by: { $0.op.rawValue < $1.op.rawValue }) {
                writer.write(prefixed: part.op.rawValue)
                for operand in part.operands { writer.write(prefixed: operand.identity) }
            }
        }
    }

    private mutating func eventProperty(_ name: String) -> Int {
        if let index = eventPropertyIndex[name] { return index }
        let index = plan.extraction.eventProperties.count
        eventPropertyIndex[name] = index
        plan.extraction.eventProperties.append(name)
        return index
    }

    private mutating func userProperty(_ name: String) -> Int {
        if let index = userPropertyIndex[name] { return index }
        let index = plan.extraction.userProperties.count
        userPropertyIndex[name] = index
        plan.extraction.userProperties.append(name)
        return index
    }

    private func routes() -> EventRoutes {
        var named: [String: Set<Int>] = [:]
        var any: Set<Int> = []
        var active: Set<Int> = []
        for (filter, number) in traceIndex {
            switch filter.event {
            case .named(let names): for name in names { named[name, default: []].insert(number) }
            case .any: any.insert(number)
            case .active: active.insert(number)
            }
        }
        for name in inactiveEvents { named[name, default: []].formUnion([]) }
        return EventRoutes(
            named: named.keys.sorted().map { name in
                let always = inactiveEvents.contains(name) ? any : any.union(active)
                return (name, named[name, default: []].union(always).sorted())
            },
            others: any.union(active).sorted())
    }

    /// Structural hash of a filter: the same in every run and for every spelling of the same filter.
    private func identity(of filter: EventFilter) -> UInt64 {
        var writer = ByteWriter()
        switch filter.event {
        case .named(let names):
            writer.write(UInt8(1))
            for name in names { writer.write(prefixed: name) }
        case .any:
            writer.write(UInt8(2))
        case .active:
            writer.write(UInt8(3))
            for name in inactiveEvents.sorted() { writer.write(prefixed: name) }
        }
        for tests in [filter.whereEvent, filter.whereUser] {
            writer.write(UInt8(9))
            write(tests, to: &writer)
        }
        return writer.bytes.withByteView { Hashing.hash64($0) }
    }
}

extension Operand {
    /// Text that differs for operands that differ.
    fileprivate var identity: String {
        switch self {
        case .text(let text): "t\(text)"
        case .integer(let number): "i\(number)"
        case .double(let number): "d\(number.bitPattern)"
        case .boolean(let flag): "b\(flag)"
        }
    }
}

extension Clause {
    /// Ids of the cohorts it refers to.
    fileprivate var references: [String] {
        switch kind {
        case .all(let parts), .any(let parts): parts.flatMap(\.references)
        case .not(let part): part.references
        case .memberOf(let id): [id]
        default: []
        }
    }
}

extension CohortPlan.Reach {
    fileprivate func joined(_ other: CohortPlan.Reach) -> CohortPlan.Reach {
        switch (self, other) {
        case (.everything, _), (_, .everything): .everything
        case (.nothing, let reach), (let reach, .nothing): reach
        case (.milliseconds(let left), .milliseconds(let right)): .milliseconds(max(left, right))
        }
    }
}
