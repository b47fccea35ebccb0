import Basics
import Cohorts
import Events

/// Evaluates the conditions that need more than a count of times: from the records in their window,
/// anew each time.
///
/// Plain and exact; deadlines are lower bounds, so a look too many costs time and nothing else.
struct GeneralEvaluator {
    /// What an evaluation found.
    struct Outcome {
        var isTrue: Bool
        /// An instant after the tick, in milliseconds, not later than the first change by the clock alone.
        var change: Int64
    }

    private let conditions: [GeneralCondition]
    private let traces: [RecordTrace]
    /// Ranges of shared windows at ``tick``, by condition.
    private var ranges: [PlanWindow.Range] = []
    private var tick = EventTime.distantPast
    /// Look-ups of `hadMostRecent`, by condition.
    private let lookUps: [[PropertyLookUp]]
    private var reducer = RecordReducer()

    init(plan: Plan, names: inout PropertyNames) {
        var conditions: [GeneralCondition] = []
        var lookUps: [[PropertyLookUp]] = []
        for condition in plan.conditions {
            guard case .general(let general) = condition else { continue }
            conditions.append(general)
            if case .hadMostRecent(_, _, let tests) = general {
                lookUps.append(tests.map { PropertyLookUp($0, names: &names) })
            } else {
                lookUps.append([])
            }
        }
        self.conditions = conditions
        self.lookUps = lookUps
        traces = plan.recordTraces
    }

    /// Whether any condition looks at property values.
    var readsProperties: Bool { lookUps.contains { !$0.isEmpty } }

    /// Numbers of the names whose value at an earlier instant may be asked for.
    var historicNames: Set<UInt32> { Set(lookUps.joined().flatMap(\.names)) }

    /// Works out the windows of a tick; to be called before its first evaluation.
    mutating func prepare(_ tick: EventTime) {
        guard self.tick != tick else { return }
        self.tick = tick
        ranges = conditions.map { $0.window.range(at: tick, firstSeen: .distantFuture) }
    }

    /// Whether condition number `index` among the general ones holds at the prepared tick.
    mutating func evaluate(
        _ index: Int,
        _ record: Shard.UserRecord,
        slot: UserSlot,
        recordLists: borrowing RecordLists,
        propertyLists: borrowing PropertyLists,
        uploads: borrowing Uploads
    ) -> Outcome {
        let window = conditions[index].window
        let range =
            window.isShared ? ranges[index] : window.range(at: tick, firstSeen: record.firstSeen)
        switch conditions[index] {
        case .firstSeen:
            var outcome = Outcome(isTrue: false, change: .max)
            place(record.firstSeen, in: range, &outcome)
            return outcome
        case .records(let condition):
            return evaluate(condition, range, record, recordLists)
        case .retained(let condition):
            return evaluate(condition, range, record, recordLists)
        case .hadMostRecent(let active, _, _):
            let run = recordLists.records(active, of: record.records)
            var outcome = Outcome(isTrue: false, change: change(of: run, in: range))
            let inside = run.firstIndex(from: range.from)..<run.firstIndex(from: range.end)
            guard let newest = inside.last else { return outcome }
            let instant = EventTime(milliseconds: run.time(newest))
            outcome.isTrue = lookUps[index].allSatisfy {
                $0.test.matches($0.value(record.properties, at: instant, in: propertyLists))
            }
            return outcome
        case .uploaded(let cohort):
            return uploads.outcome(slot, cohort: cohort, at: tick)
        }
    }

    /// Whether one instant lies in the range, and when that changes.
    private func place(
        _ time: EventTime,
        in range: PlanWindow.Range,
        _ outcome: inout Outcome
    ) {
        guard time != .distantFuture else { return }
        let instant = time.milliseconds
        outcome.isTrue = instant >= range.from && instant < range.end
        if let next = range.next { outcome.change = next.milliseconds }
        if instant >= range.end { later(instant + range.delay, &outcome.change) }
        if outcome.isTrue, let lifetime = range.lifetime {
            later(instant + lifetime, &outcome.change)
        }
        later(instant, &outcome.change)
    }

    private func later(_ instant: Int64, _ change: inout Int64) {
        if instant > tick.milliseconds, instant < change { change = instant }
    }

    /// The first instant after the tick at which some record enters, leaves, or becomes known.
    private func change(of run: RecordRun, in range: PlanWindow.Range) -> Int64 {
        var change = range.next?.milliseconds ?? .max
        let first = run.firstIndex(from: range.from)
        let end = run.firstIndex(from: range.end)
        if end < run.count { later(run.time(end) + range.delay, &change) }
        if first < end, let lifetime = range.lifetime { later(run.time(first) + lifetime, &change) }
        let coming = run.firstIndex(from: tick.milliseconds + 1)
        if coming < run.count { later(run.time(coming), &change) }
        return change
    }

    private mutating func evaluate(
        _ condition: RecordsCondition,
        _ range: PlanWindow.Range,
        _ record: Shard.UserRecord,
        _ recordLists: borrowing RecordLists
    ) -> Outcome {
        let run = recordLists.records(condition.trace, of: record.records)
        var outcome = Outcome(isTrue: false, change: change(of: run, in: range))
        if record.firstSeen > tick { later(record.firstSeen.milliseconds, &outcome.change) }
        let inside = run.firstIndex(from: range.from)..<run.firstIndex(from: range.end)
        let known = run.firstIndex(from: tick.milliseconds + 1)
        let trace = traces[condition.trace]
        switch condition.mode {
        case .relative(let op, let other):
            let right = recordLists.records(other, of: record.records)
            outcome.change = min(outcome.change, change(of: right, in: range))
            let count = right.firstIndex(from: range.end) - right.firstIndex(from: range.from)
            outcome.isTrue = op.holds(inside.count, count)
        case .onDistinct(.milliseconds(let length), _, _):
            for index in inside {
                let age = tick.milliseconds - range.delay - run.time(index)
                let edge = run.time(index) + (age / length + 1) * length + range.delay
                later(edge, &outcome.change)
            }
            outcome.isTrue = reducer.holds(
                condition,
                run,
                trace,
                inside: inside,
                known: known,
                range: range,
                end: tick.milliseconds - range.delay
            )
        default:
            outcome.isTrue = reducer.holds(
                condition,
                run,
                trace,
                inside: inside,
                known: known,
                range: range,
                end: tick.milliseconds - range.delay
            )
        }
        return outcome
    }

    private func evaluate(
        _ condition: RetainedCondition,
        _ range: PlanWindow.Range,
        _ record: Shard.UserRecord,
        _ recordLists: borrowing RecordLists
    ) -> Outcome {
        let run = recordLists.records(condition.trace, of: record.records)
        let trace = traces[condition.trace]
        let known = run.firstIndex(from: tick.milliseconds + 1)
        var outcome = Outcome(isTrue: false, change: change(of: run, in: range))
        func returns(after start: Int64) -> Bool {
            var index = run.firstIndex(from: max(start + 1, start + condition.least))
            while index < known, run.time(index) < start + condition.end {
                if run.word(index, trace.maskWord) & 2 != 0 { return true }
                index += 1
            }
            return false
        }
        if condition.startsAtFirstSeen {
            var first = Outcome(isTrue: false, change: .max)
            place(record.firstSeen, in: range, &first)
            outcome.change = min(outcome.change, first.change)
            outcome.isTrue = first.isTrue && returns(after: record.firstSeen.milliseconds)
            return outcome
        }
        for index in run.firstIndex(from: range.from)..<run.firstIndex(from: range.end)
        where run.word(index, trace.maskWord) & 1 != 0 && returns(after: run.time(index)) {
            outcome.isTrue = true
            break
        }
        return outcome
    }
}

extension GeneralCondition {
    /// Its window; any time where it has none.
    fileprivate var window: PlanWindow {
        switch self {
        case .firstSeen(let window): window
        case .records(let condition): condition.window
        case .retained(let condition): condition.window
        case .hadMostRecent(_, let window, _): window
        case .uploaded: .anyTime
        }
    }
}

extension PredicateOperator {
    /// Compares two counts.
    fileprivate func holds(_ left: Int, _ right: Int) -> Bool {
        switch self {
        case .equal: left == right
        case .notEqual: left != right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        case .less: left < right
        case .lessOrEqual: left <= right
        default: preconditionFailure("\(self) between two counts: the checker refuses it")
        }
    }
}
