import Basics
import Cohorts
import Events

/// Works out which conditions and cohorts hold for one user at one tick, and when that may change by the
/// clock alone. Owns the buffers for it, so that an evaluation allocates nothing.
struct Evaluator {
    /// A property condition with its names numbered.
    private struct PropertyLookUp {
        /// The name as it stands.
        var whole: UInt32
        /// The first part of a dotted name and the path inside its value.
        var path: (first: UInt32, rest: [[UInt8]])?
        /// The name among those sent at the top level.
        var sent: UInt32?
        var test: CompiledPropertyTest
    }

    private var truth: [Bool]
    private var members: [Bool]
    /// Index of the user's entry of each trace, −1 = none; only valid during an evaluation.
    private var entryOfTrace: [Int32]
    private var lookUps: [[PropertyLookUp]]
    private let readsProperties: Bool

    init(plan: Plan, names: inout PropertyNames) {
        truth = [Bool](repeating: false, count: plan.conditions.count)
        members = [Bool](repeating: false, count: plan.cohorts.count)
        entryOfTrace = [Int32](repeating: -1, count: plan.traces.count)
        var lookUps: [[PropertyLookUp]] = []
        for condition in plan.conditions {
            guard case .properties(let tests) = condition else {
                lookUps.append([])
                continue
            }
            lookUps.append(tests.map { Self.lookUp($0, names: &names) })
        }
        self.lookUps = lookUps
        readsProperties = lookUps.contains { !$0.isEmpty }
    }

    private static func lookUp(
        _ condition: PropertyCondition, names: inout PropertyNames
    ) -> PropertyLookUp {
        let bytes = Array(condition.name.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return PropertyLookUp(
            whole: bytes.withByteView { names.number(of: $0) },
            path: parts.count < 2
                ? nil
                : (
                    Array(parts[0]).withByteView { names.number(of: $0) },
                    parts.dropFirst().map { Array($0) }
                ),
            sent: bytes.withByteView { names.sentNumber(of: $0) },
            test: condition.test)
    }

    /// Whether the user last evaluated is in a cohort.
    func isMember(_ cohort: Int) -> Bool { members[cohort] }

    /// Evaluates every condition and cohort for a user who is known at `tick`.
    ///
    /// - Returns: An instant after `tick` that is not later than the first change by the clock alone; far
    ///   future where the clock alone changes nothing.
    mutating func evaluate(
        _ record: Shard.UserRecord, at tick: EventTime, plan: Plan,
        traceLists: borrowing TraceLists, propertyLists: borrowing PropertyLists
    ) -> EventTime {
        var deadline = EventTime.distantFuture
        if readsProperties, let change = propertyLists.nextChange(record.properties, after: tick) {
            deadline = change
        }
        let entries = traceLists.entries(record.traces)
        for index in entries.indices { entryOfTrace[Int(entries[index].trace)] = Int32(index) }
        for index in plan.conditions.indices {
            switch plan.conditions[index] {
            case .count(let trace, let window, let range):
                let position = entryOfTrace[trace]
                guard position >= 0 else {
                    truth[index] = range.contains(0)
                    continue
                }
                let entry = entries[Int(position)]
                let count = WindowCount(
                    times: traceLists.times(entry), base: Int64(entry.base), window: window, tick: tick)
                truth[index] = range.contains(count.count)
                deadline = min(deadline, count.nextFlip(of: range))
            case .firstSeen(let window):
                let (isIn, change) = firstSeen(record.firstSeen, in: window, at: tick)
                truth[index] = isIn
                deadline = min(deadline, change)
            case .properties:
                truth[index] = lookUps[index].allSatisfy { lookUp in
                    lookUp.test.matches(
                        value(of: lookUp, record.properties, at: tick, in: propertyLists))
                }
            }
        }
        for index in entries.indices { entryOfTrace[Int(entries[index].trace)] = -1 }
        for cohort in plan.evaluationOrder { members[cohort] = run(plan.cohorts[cohort].program) }
        return deadline
    }

    private func value(
        of lookUp: PropertyLookUp, _ row: PropertyLists.Row, at tick: EventTime,
        in lists: borrowing PropertyLists
    ) -> ValueView {
        let whole = lists.value(row, name: lookUp.whole, at: tick)
        if !whole.isMissingOrNull { return whole }
        if let path = lookUp.path {
            var inner = lists.value(row, name: path.first, at: tick)
            for part in path.rest { inner = part.withByteView { inner.member($0) } }
            if !inner.isMissingOrNull { return inner }
        }
        if let sent = lookUp.sent { return lists.value(row, name: sent, at: tick) }
        return .missing
    }

    private func firstSeen(
        _ time: EventTime, in window: Condition.CountWindow, at tick: EventTime
    ) -> (isIn: Bool, change: EventTime) {
        switch window {
        case .anyTime:
            return time <= tick ? (true, .distantFuture) : (false, time)
        case .last(let length, let offset):
            if time == .distantFuture { return (false, .distantFuture) }
            let enters = time + offset
            let leaves = enters + length
            if tick < enters { return (false, enters) }
            return tick < leaves ? (true, leaves) : (false, .distantFuture)
        }
    }

    /// Runs a program on a stack of bits: depth is bounded by the language's 32 levels.
    private func run(_ program: [CohortPlan.Instruction]) -> Bool {
        var stack: UInt64 = 0
        for instruction in program {
            switch instruction {
            case .condition(let index): stack = stack << 1 | (truth[index] ? 1 : 0)
            case .member(let index): stack = stack << 1 | (members[index] ? 1 : 0)
            case .and: stack = (stack >> 2) << 1 | (stack & (stack >> 1) & 1)
            case .or: stack = (stack >> 2) << 1 | ((stack | stack >> 1) & 1)
            case .not: stack ^= 1
            }
        }
        return stack & 1 != 0
    }
}
