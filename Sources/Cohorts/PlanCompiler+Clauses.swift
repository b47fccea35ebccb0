import Basics
import Events

// From clauses to conditions. Every condition comes with a key: bytes that are equal exactly for conditions
// that are true of the same users at every tick.

extension PlanCompiler {
    /// Appends what leaves the clause's truth on the stack.
    mutating func emit(
        _ clause: Clause,
        cohort: Int,
        indices: [String: Int],
        into program: inout [CohortPlan.Instruction]
    ) {
        switch clause.kind {
        case .all(let parts):
            for (position, part) in parts.enumerated() {
                emit(part, cohort: cohort, indices: indices, into: &program)
                if position > 0 { program.append(.and) }
            }
        case .any(let parts):
            for (position, part) in parts.enumerated() {
                emit(part, cohort: cohort, indices: indices, into: &program)
                if position > 0 { program.append(.or) }
            }
        case .not(let part):
            emit(part, cohort: cohort, indices: indices, into: &program)
            program.append(.not)
        case .memberOf(let id):
            guard let index = indices[id] else {
                preconditionFailure("cohort \(id) at \(clause.mark) was not checked")
            }
            program.append(.member(index))
        case .inactive(let window):
            program.append(.condition(activity(in: window)))
            program.append(.not)
        default:
            program.append(.condition(condition(clause, cohort: cohort)))
        }
    }

    private mutating func condition(_ clause: Clause, cohort: Int) -> Int {
        switch clause.kind {
        case .performed(let performed): return condition(performed)
        case .sequence(let sequence): return condition(sequence)
        case .active(let window): return activity(in: window)
        case .retained(let retained): return condition(retained)
        case .hadProperty(let had): return condition(had)
        case .new(let window):
            let window = planWindow(window)
            var key = self.key(1)
            window.write(to: &key)
            if let sliding = window.sliding { return number(of: .firstSeen(sliding), key: key) }
            return number(of: .general(.firstSeen(window)), key: key)
        case .property(let tests):
            var key = self.key(2)
            tests.write(to: &key)
            return number(of: .properties(tests.map(PropertyCondition.init)), key: key)
        case .uploaded:
            var key = self.key(3)
            key.write(prefixed: cohortID)
            return number(of: .general(.uploaded(cohort: cohort)), key: key)
        case .all, .any, .not, .memberOf, .inactive, .predicted:
            preconditionFailure("the clause at \(clause.mark) is no condition")
        }
    }

    /// The properties that syncs send of a cohort; nil where there are none.
    ///
    /// Cohorts of which the same are sent share a condition, in whatever order.
    mutating func synced(_ properties: [String]) -> SyncedProperties? {
        guard !properties.isEmpty else { return nil }
        let names = properties.sorted { $0.precedesByBytes($1) }
        var key = self.key(9)
        for name in names { key.write(prefixed: name) }
        return SyncedProperties(
            names: properties,
            condition: number(of: .synced(properties: names), key: key)
        )
    }

    private func key(_ kind: UInt8) -> ByteWriter {
        var writer = ByteWriter()
        writer.write(kind)
        return writer
    }

    // MARK: Windows

    /// The window in the zone of the definition in hand.
    func planWindow(_ window: Window) -> PlanWindow {
        switch window.form {
        case .anyTime: .anyTime
        case .last(let length, let offset): .last(length: length, offset: offset)
        case .aligned(let unit, let count, let excludesCurrent, let offset):
            .aligned(
                PlanWindow.Aligned(
                    unitDays: unit == .day ? 1 : 7,
                    count: count,
                    excludesCurrent: excludesCurrent,
                    offset: offset,
                    zone: zone
                )
            )
        case .dates(let from, let to):
            .between(
                from: zone.start(ofDay: from.daysSince1970),
                end: to.map { zone.start(ofDay: $0.daysSince1970 + 1) }
            )
        case .instants(let from, let to):
            .between(from: from, end: to.map { $0 + 1 })
        case .withinFirst(let length): .withinFirst(length: length)
        }
    }

    // MARK: Performed

    private mutating func activity(in window: Window) -> Int {
        let once = NumberPredicate(
            tests: [PredicateTest(op: .greaterOrEqual, operands: [.integer(1)])])
        return count(
            EventFilter(event: .active),
            group: [],
            planWindow(window),
            NumberRange(once)
        )
    }

    private mutating func count(
        _ filter: EventFilter,
        group: [String],
        _ window: PlanWindow,
        _ range: NumberRange
    ) -> Int {
        guard group.isEmpty, let sliding = window.sliding else {
            if group.isEmpty, window.horizon != nil {
                return times(filter, window, .count(range)) { $0.write(range.identity) }
            }
            let trace = RecordKey(filters: [FilterKey(filter: filter)], group: group)
            return records(
                traceNumber(trace, for: window),
                window,
                .count(range),
                isGrouped: !group.isEmpty
            ) { $0.write(range.identity) }
        }
        // Of a plain trace what is older than the horizon still counts, so "any time" needs none.
        let number = traceNumber(filter, horizon: window.horizon ?? 0)
        var key = self.key(4)
        key.write(plan.traces[number].identity)
        window.write(to: &key)
        key.write(range.identity)
        return self.number(of: .count(trace: number, window: sliding, range: range), key: key)
    }

    private mutating func condition(_ performed: Performed) -> Int {
        let window = planWindow(performed.window)
        let filters = [FilterKey(filter: performed.filter)]
        let group = performed.same
        func trace(_ value: ValueKey?) -> RecordKey {
            RecordKey(filters: filters, group: group, value: value)
        }
        let isGrouped = !group.isEmpty
        switch performed.mode {
        case .count(let predicate):
            return count(performed.filter, group: group, window, NumberRange(predicate))
        case .relative(let op, let other):
            let left = traceNumber(trace(nil), for: window)
            let right = traceNumber(RecordKey(filters: [FilterKey(filter: other)]), for: window)
            let rightIdentity = plan.recordTraces[right].identity
            return records(left, window, .relative(op: op, to: right), isGrouped: false) {
                $0.write(prefixed: op.rawValue)
                $0.write(rightIdentity)
            }
        case .sum(let property, let predicate):
            return records(trace(.number(property)), window, isGrouped, predicate) { .sum($0) }
        case .average(let property, let predicate):
            return records(trace(.number(property)), window, isGrouped, predicate) { .average($0) }
        case .minimum(let property, let predicate):
            return records(trace(.number(property)), window, isGrouped, predicate) { .minimum($0) }
        case .maximum(let property, let predicate):
            return records(trace(.number(property)), window, isGrouped, predicate) { .maximum($0) }
        case .distinct(let property, let predicate):
            let range = NumberRange(predicate)
            return records(
                traceNumber(trace(.distinct(property)), for: window),
                window,
                .distinct(range),
                isGrouped: isGrouped
            ) { $0.write(range.identity) }
        case .nth(let place):
            // Which event is the Nth is decided by all there ever were.
            return records(
                traceNumber(trace(nil), for: nil),
                window,
                .nth(place),
                isGrouped: isGrouped
            ) { $0.write(UInt32(place)) }
        case .onDistinct(let interval, let count, let intervals):
            let (count, intervals) = (NumberRange(count), NumberRange(intervals))
            let plan = planInterval(interval)
            let mode = RecordsCondition.Mode.onDistinct(plan, count: count, intervals: intervals)
            func write(_ writer: inout ByteWriter) {
                plan.write(to: &writer)
                writer.write(count.identity)
                writer.write(intervals.identity)
            }
            if !isGrouped, window.horizon != nil {
                return times(performed.filter, window, mode, write)
            }
            return records(
                traceNumber(trace(nil), for: window),
                window,
                mode,
                isGrouped: isGrouped,
                write
            )
        }
    }

    /// A condition on the plain times of a trace, which it shares with those that only count them.
    ///
    /// Not for a window without a bound: a plain trace forgets what is older than the longest window.
    private mutating func times(
        _ filter: EventFilter,
        _ window: PlanWindow,
        _ mode: RecordsCondition.Mode,
        _ writeMode: (inout ByteWriter) -> Void
    ) -> Int {
        let trace = traceNumber(filter, horizon: window.horizon ?? 0)
        var key = self.key(8)
        key.write(plan.traces[trace].identity)
        window.write(to: &key)
        key.write(mode.kind)
        writeMode(&key)
        let condition = RecordsCondition(
            trace: trace,
            window: window,
            mode: mode,
            isGrouped: false
        )
        return number(of: .general(.times(condition)), key: key)
    }

    private func planInterval(_ interval: Performed.Interval) -> PlanInterval {
        switch interval {
        case .day: .day(zone)
        case .week: .week(zone)
        case .month: .month(zone)
        case .milliseconds(let length): .milliseconds(length)
        }
    }

    private mutating func records(
        _ trace: RecordKey,
        _ window: PlanWindow,
        _ isGrouped: Bool,
        _ predicate: NumberPredicate,
        _ mode: (MicroPredicate) -> RecordsCondition.Mode
    ) -> Int {
        let micro = MicroPredicate(predicate)
        return records(traceNumber(trace, for: window), window, mode(micro), isGrouped: isGrouped) {
            micro.write(to: &$0)
        }
    }

    private mutating func records(
        _ trace: Int,
        _ window: PlanWindow,
        _ mode: RecordsCondition.Mode,
        isGrouped: Bool,
        _ writeMode: (inout ByteWriter) -> Void
    ) -> Int {
        let identity = plan.recordTraces[trace].identity
        let key = recordsKey(identity, window, mode, isGrouped: isGrouped, writeMode)
        return number(
            of: .general(
                .records(
                    RecordsCondition(
                        trace: trace,
                        window: window,
                        mode: mode,
                        isGrouped: isGrouped
                    )
                )
            ),
            key: key
        )
    }

    private func recordsKey(
        _ trace: UInt64,
        _ window: PlanWindow,
        _ mode: RecordsCondition.Mode,
        isGrouped: Bool,
        _ writeMode: (inout ByteWriter) -> Void
    ) -> ByteWriter {
        var key = self.key(5)
        key.write(trace)
        window.write(to: &key)
        key.write(mode.kind)
        key.write(UInt8(isGrouped ? 1 : 0))
        writeMode(&key)
        return key
    }

    // MARK: Sequences, retention, property history

    private mutating func condition(_ sequence: Sequence) -> Int {
        let window = planWindow(sequence.window)
        let record = RecordKey(
            filters: sequence.steps.map { FilterKey(filter: $0) },
            group: sequence.same,
            keepsMask: true
        )
        let mode = RecordsCondition.Mode.sequence(
            steps: sequence.steps.count,
            within: sequence.within
        )
        guard sequence.same.isEmpty, let horizon = window.horizon else {
            return records(
                traceNumber(record, for: window),
                window,
                mode,
                isGrouped: !sequence.same.isEmpty
            ) { $0.write(sequence.within ?? .max) }
        }
        // When events happened is all it takes, and that is kept once for all clauses on them.
        let condition = SequenceCondition(
            traces: sequence.steps.map { traceNumber($0, horizon: horizon) },
            window: window,
            within: sequence.within ?? .max
        )
        let key = recordsKey(identity(of: record), window, mode, isGrouped: false) {
            $0.write(condition.within)
        }
        return number(of: .general(.sequence(condition)), key: key)
    }

    private mutating func condition(_ retained: Retained) -> Int {
        let window = planWindow(retained.window)
        let day: Int64 = 86_400_000
        let startFilter: EventFilter? =
            if case .event(let filter) = retained.start { filter } else { nil }
        let filters = [startFilter ?? retained.end, retained.end].map { FilterKey(filter: $0) }
        // A return counts however long after the window, so all returns since the start are needed.
        let trace = traceNumber(
            RecordKey(filters: filters, keepsMask: true),
            for: startFilter == nil ? nil : window
        )
        let condition = RetainedCondition(
            trace: trace,
            startsAtFirstSeen: startFilter == nil,
            window: window,
            least: retained.days.first * day,
            end: retained.days.second * day
        )
        var key = self.key(6)
        key.write(plan.recordTraces[trace].identity)
        key.write(UInt8(condition.startsAtFirstSeen ? 1 : 0))
        window.write(to: &key)
        key.write(condition.least)
        key.write(condition.end)
        return number(of: .general(.retained(condition)), key: key)
    }

    private mutating func condition(_ had: HadProperty) -> Int {
        let window = planWindow(had.window)
        guard had.mostRecent else {
            let once = NumberRange(
                NumberPredicate(
                    tests: [PredicateTest(op: .greaterOrEqual, operands: [.integer(1)])])
            )
            let trace = traceNumber(
                RecordKey(
                    filters: [
                        FilterKey(
                            filter: EventFilter(event: .any, whereUser: had.tests),
                            carries: true
                        )
                    ]),
                for: window
            )
            return records(trace, window, .count(once), isGrouped: false) {
                $0.write(once.identity)
            }
        }
        let active = traceNumber(
            RecordKey(filters: [FilterKey(filter: EventFilter(event: .active))]),
            for: window
        )
        for test in had.tests where !plan.historicProperties.contains(test.name) {
            plan.historicProperties.append(test.name)
        }
        var key = self.key(7)
        key.write(plan.recordTraces[active].identity)
        window.write(to: &key)
        had.tests.write(to: &key)
        return number(
            of: .general(
                .hadMostRecent(
                    active: active,
                    window: window,
                    tests: had.tests.map(PropertyCondition.init)
                )
            ),
            key: key
        )
    }
}

extension PropertyCondition {
    fileprivate init(_ test: PropertyTest) {
        self.init(name: test.name, test: CompiledPropertyTest(test.tests))
    }
}

extension RecordsCondition.Mode {
    /// A number per mode, which tells their keys apart.
    fileprivate var kind: UInt8 {
        switch self {
        case .count: 1
        case .relative: 2
        case .sum: 3
        case .average: 4
        case .minimum: 5
        case .maximum: 6
        case .distinct: 7
        case .nth: 8
        case .onDistinct: 9
        case .sequence: 10
        }
    }
}

extension PlanInterval {
    fileprivate func write(to writer: inout ByteWriter) {
        switch self {
        case .day(let zone):
            writer.write(UInt8(1))
            writer.write(zone.identity)
        case .week(let zone):
            writer.write(UInt8(2))
            writer.write(zone.identity)
        case .month(let zone):
            writer.write(UInt8(3))
            writer.write(zone.identity)
        case .milliseconds(let length):
            writer.write(UInt8(4))
            writer.write(length)
        }
    }
}
