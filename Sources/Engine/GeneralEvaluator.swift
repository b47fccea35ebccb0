import Basics
import Cohorts
import Events

/// Evaluates the conditions that need more than a count of times: from the records in their window,
/// anew each time.
///
/// Plain and exact; deadlines are lower bounds, so a look too many costs time and nothing else.
struct GeneralEvaluator {
    /// One condition, laid out flat, and small: of a thousand cohorts there are some hundred.
    private struct Step {
        enum Kind: BitwiseCopyable {
            case firstSeen, records, times, sequence, relative, retained, hadMostRecent, uploaded
        }

        var kind: Kind
        /// Of `relative`: how the counts compare.
        var comparison = PredicateOperator.equal
        /// Of `retained`.
        var startsAtFirstSeen = false
        var maskWord: UInt8 = 0
        /// Record trace, plain trace of `times`, or the index of the cohort of an upload.
        var trace: Int32 = 0
        /// Of `relative`: the other trace.
        var other: Int32 = 0
        /// Place among the tests.
        var test: Int32 = -1
        /// Place among the windows; −1 = it begins with the user's first event.
        var window: Int32 = -1
        /// Places in ``GeneralEvaluator/sequenceTraces``, where it is no sequence in ``GeneralEvaluator/lookUps``.
        var list = Stretch.empty
        /// Milliseconds: the window's length after the user's first event, where that is where it begins.
        var withinFirst: Int64 = 0
        /// Milliseconds from start to return; of a sequence ``end`` is how long it may take.
        var least: Int64 = 0
        var end: Int64 = 0
    }

    /// The range of a window at the last tick that asked for it.
    private struct TickRange {
        var tick = EventTime.distantPast
        var range = PlanWindow.Range(from: 0, end: 0, delay: 0, lifetime: nil, next: nil)
    }

    private let steps: [Step]
    private let tests: [RecordTest]
    private let windows: [PlanWindow]
    /// By window; apart from them, since those of a tick are wanted near.
    private var ranges: [TickRange]
    private let lookUps: [NumberedPropertyCondition]
    /// The plain traces of all sequences, step by step.
    private let sequenceTraces: [Int]
    private var search = SequenceSearch()
    private var clock = WindowClock(tick: .distantPast)
    private var reducer: RecordReducer
    /// The records of the user in hand that were asked for last, which the next condition often asks for too.
    private var run = RecordRun(words: nil, width: 1, count: 0)
    /// Of which trace those are; −1 = none were asked for.
    private var runTrace = -1

    init(plan: Plan, names: inout PropertyNames) {
        var steps: [Step] = []
        var tests: [RecordTest] = []
        var windows: [PlanWindow] = []
        var windowNumbers: [[UInt8]: Int] = [:]
        var lookUps: [NumberedPropertyCondition] = []
        var sequenceTraces: [Int] = []
        var reducer = RecordReducer()
        for condition in plan.conditions {
            guard case .general(let general) = condition else { continue }
            var step: Step
            switch general {
            case .firstSeen: step = Step(kind: .firstSeen)
            case .records(let condition):
                step = Step(kind: .records, trace: Int32(condition.trace))
                if case .relative(let op, let other) = condition.mode {
                    step.kind = .relative
                    step.other = Int32(other)
                    step.comparison = op
                } else {
                    step.test = Int32(tests.count)
                    tests.append(reducer.test(condition, plan.recordTraces[condition.trace]))
                }
            case .times(let condition):
                step = Step(kind: .times, trace: Int32(condition.trace))
                step.test = Int32(tests.count)
                tests.append(reducer.test(condition, nil))
            case .sequence(let condition):
                step = Step(kind: .sequence)
                step.list = sequenceTraces.appendStretch(condition.traces)
                step.end = condition.within
            case .retained(let condition):
                step = Step(kind: .retained, trace: Int32(condition.trace))
                step.startsAtFirstSeen = condition.startsAtFirstSeen
                step.least = condition.least
                step.end = condition.end
                step.maskWord = UInt8(plan.recordTraces[condition.trace].maskWord)
            case .hadMostRecent(let active, _, let tests):
                step = Step(kind: .hadMostRecent, trace: Int32(active))
                step.list = lookUps.appendStretch(
                    tests.map { NumberedPropertyCondition($0, names: &names) }
                )
            case .uploaded(let cohort): step = Step(kind: .uploaded, trace: Int32(cohort))
            }
            if case .withinFirst(let length) = general.window {
                step.withinFirst = length
            } else {
                var key = ByteWriter()
                general.window.write(to: &key)
                let number = windowNumbers[key.bytes] ?? windows.count
                if number == windows.count {
                    windowNumbers[key.bytes] = number
                    windows.append(general.window)
                }
                step.window = Int32(number)
            }
            steps.append(step)
        }
        self.steps = steps
        self.tests = tests
        self.windows = windows
        ranges = [TickRange](repeating: TickRange(), count: windows.count)
        self.lookUps = lookUps
        self.sequenceTraces = sequenceTraces
        self.reducer = reducer
    }

    /// Numbers of the names whose value at an earlier instant may be asked for.
    var historicNames: Set<UInt32> { Set(lookUps.flatMap(\.names)) }

    /// Numbers of the names whose values decide condition number `index`.
    func names(of index: Int) -> [UInt32] {
        let step = steps[index]
        return step.kind == .hadMostRecent ? lookUps[step.list.range].flatMap(\.names) : []
    }

    /// How many traces condition number `index` reads; of two record traces the first counts.
    func sourceCount(of index: Int) -> Int {
        let step = steps[index]
        switch step.kind {
        case .firstSeen, .uploaded: return 0
        case .sequence: return step.list.range.count
        case .times, .records, .relative, .retained, .hadMostRecent: return 1
        }
    }

    /// One of the traces that condition number `index` reads.
    func source(_ number: Int, of index: Int) -> Evaluator.Source {
        let step = steps[index]
        switch step.kind {
        case .times: return .times(Int(step.trace))
        case .sequence: return .times(sequenceTraces[step.list.range.lowerBound + number])
        default: return .records(Int(step.trace))
        }
    }

    /// Moves on to a tick; to be called before its first evaluation.
    mutating func prepare(_ tick: EventTime) { clock = WindowClock(tick: tick) }

    /// The range of a window at the tick, worked out for the first user of whom it is asked.
    @inline(__always)
    private mutating func range(of index: Int) -> PlanWindow.Range {
        if ranges[index].tick != clock.tick { workOutRange(of: index) }
        return ranges[index].range
    }

    @inline(never)
    private mutating func workOutRange(of index: Int) {
        ranges[index].tick = clock.tick
        ranges[index].range = windows[index].range(at: clock.tick, firstSeen: .distantFuture)
    }

    /// Begins with another user, or with one of whom something changed.
    mutating func begin() {
        runTrace = -1
        reducer.begin()
    }

    /// The user's records of a trace.
    @inline(__always)
    private mutating func records(
        _ trace: Int,
        _ record: borrowing Shard.UserRecord,
        _ recordLists: borrowing RecordLists
    ) -> RecordRun {
        if runTrace != trace {
            runTrace = trace
            run = recordLists.records(trace, of: record.records)
        }
        return run
    }

    /// Whether condition number `index` among the general ones holds at the prepared tick.
    ///
    /// - `places`: Where the user's traces stand.
    /// - `prunes`: Whether what leaves its window is of no use from then on: it wants a look then.
    mutating func evaluate(
        _ index: Int,
        _ record: borrowing Shard.UserRecord,
        slot: UserSlot,
        places: inout TracePlaces,
        prunes: Bool,
        traceLists: borrowing TraceLists,
        recordLists: borrowing RecordLists,
        propertyLists: borrowing PropertyLists,
        uploads: borrowing Uploads
    ) -> ConditionOutcome {
        let step = steps[index]
        let range =
            step.window >= 0
            ? range(of: Int(step.window))
            : PlanWindow.withinFirst(length: step.withinFirst)
                .range(at: clock.tick, firstSeen: record.firstSeen)
        switch step.kind {
        case .firstSeen:
            return clock.place(record.firstSeen, in: range)
        case .records:
            let run = records(Int(step.trace), record, recordLists)
            var outcome = evaluate(tests[Int(step.test)], range, run, prunes: prunes)
            lookAtFirstSeen(step, record, &outcome)
            return outcome
        case .times:
            let run = traceLists.run(Int(step.trace), of: record.traces)
            return evaluate(tests[Int(step.test)], range, run, prunes: prunes)
        case .sequence:
            return sequence(step, range, record.traces, &places, traceLists, prunes: prunes)
        case .relative:
            let left = records(Int(step.trace), record, recordLists)
            let right = recordLists.records(Int(step.other), of: record.records)
            let count = (
                clock.inside(left, range).count,
                clock.inside(right, range).count
            )
            var outcome = ConditionOutcome(
                isTrue: step.comparison.holds(count.0, count.1),
                change: min(
                    clock.change(of: left, in: range),
                    clock.change(of: right, in: range)
                )
            )
            lookAtFirstSeen(step, record, &outcome)
            return outcome
        case .retained:
            let run = records(Int(step.trace), record, recordLists)
            return evaluate(step, range, run, record)
        case .hadMostRecent:
            let run = records(Int(step.trace), record, recordLists)
            var outcome = ConditionOutcome(isTrue: false, change: clock.change(of: run, in: range))
            lookAtFirstSeen(step, record, &outcome)
            guard let newest = clock.inside(run, range).last else { return outcome }
            let instant = EventTime(milliseconds: run.time(newest))
            let properties = record.properties
            outcome.isTrue = lookUps.withUnsafeBufferPointer { lookUps in
                for index in step.list.range {
                    if !lookUps[index].holds(properties, at: instant, in: propertyLists) {
                        return false
                    }
                }
                return true
            }
            return outcome
        case .uploaded:
            return uploads.outcome(slot, cohort: Int(step.trace), at: clock.tick)
        }
    }

    /// A window that begins with the user's first event begins when that is no longer ahead.
    @inline(__always)
    private func lookAtFirstSeen(
        _ step: Step,
        _ record: borrowing Shard.UserRecord,
        _ outcome: inout ConditionOutcome
    ) {
        guard step.window < 0, record.firstSeen != .distantFuture else { return }
        clock.later(record.firstSeen.milliseconds, &outcome.change)
    }

    private mutating func evaluate(
        _ test: RecordTest,
        _ range: PlanWindow.Range,
        _ run: RecordRun,
        prunes: Bool
    ) -> ConditionOutcome {
        let inside = clock.inside(run, range)
        let end = clock.instant - range.delay
        let verdict = reducer.holds(
            test,
            run,
            inside: inside,
            known: inside.upperBound == run.count
                ? run.count : run.firstIndex(from: clock.instant + 1),
            range: range,
            end: end
        )
        var outcome = ConditionOutcome(
            isTrue: verdict.isTrue,
            change: clock.entering(run, range, inside)
        )
        if test.mode == .durations {
            for index in inside {
                let age = end - run.time(index)
                let edge = run.time(index) + (age / test.length + 1) * test.length + range.delay
                clock.later(edge, &outcome.change)
            }
        }
        guard !inside.isEmpty, let lifetime = range.lifetime else { return outcome }
        if verdict.isTrue, verdict.witness != RecordReducer.none {
            // Of groups another one may hold then.
            outcome.isDecided = outcome.change == .max && !test.isGrouped
            clock.later(verdict.witness + lifetime, &outcome.change)
        } else if !verdict.isTrue, test.isMonotone || verdict.isRising {
            // Leaving records change nothing; when the last is gone, their memory is free.
            if prunes { clock.later(run.time(inside.upperBound - 1) + lifetime, &outcome.change) }
        } else {
            clock.later(run.time(inside.lowerBound) + lifetime, &outcome.change)
        }
        return outcome
    }

    /// Whether there is a chain of times, one of each step.
    private mutating func sequence(
        _ step: Step,
        _ range: PlanWindow.Range,
        _ row: SlabRow,
        _ places: inout TracePlaces,
        _ traceLists: borrowing TraceLists,
        prunes: Bool
    ) -> ConditionOutcome {
        var outcome = ConditionOutcome(isTrue: false)
        let traces = step.list.range
        // No chain is there before its last time is, nor told of by a time of another step
        // (``ConditionFeeds/forEachWord(ofLateTrace:_:)``).
        let lastTrace = sequenceTraces[traces.upperBound - 1]
        guard let entry = places.find(lastTrace, in: row, of: traceLists) else { return outcome }
        let last = traceLists.times(entry)
        if last.count == 0 { return outcome }
        let newest = last.countNotAfter(range.end - 1)
        outcome.change = clock.entering(last, range, ended: newest)
        if newest == 0 || last[newest - 1] < range.from { return outcome }
        var isComplete = true
        search.begin()
        for place in traces.dropLast() {
            guard let entry = places.find(sequenceTraces[place], in: row, of: traceLists) else {
                isComplete = false
                break
            }
            let times = traceLists.times(entry)
            let end = times.countNotAfter(range.end - 1)
            if end == 0 || times[end - 1] < range.from {
                isComplete = false
                break
            }
            search.add(times, inside: times.countNotAfter(range.from - 1)..<end)
        }
        var start = RecordReducer.none
        if isComplete {
            search.add(last, inside: last.countNotAfter(range.from - 1)..<newest)
            start = search.newestStart(within: step.end)
        }
        outcome.isTrue = start != RecordReducer.none
        guard let lifetime = range.lifetime else { return outcome }
        if outcome.isTrue {
            outcome.isDecided = outcome.change == .max
            clock.later(start + lifetime, &outcome.change)
        } else if prunes {
            clock.later(last[newest - 1] + lifetime, &outcome.change)
        }
        return outcome
    }

    private func evaluate(
        _ step: Step,
        _ range: PlanWindow.Range,
        _ run: RecordRun,
        _ record: borrowing Shard.UserRecord
    ) -> ConditionOutcome {
        let known = run.firstIndex(from: clock.instant + 1)
        var outcome = ConditionOutcome(isTrue: false, change: clock.change(of: run, in: range))
        if step.startsAtFirstSeen {
            let first = clock.place(record.firstSeen, in: range)
            outcome.change = min(outcome.change, first.change)
            let start = record.firstSeen.milliseconds
            outcome.isTrue = first.isTrue && hasReturn(step, run, known, after: start)
            return outcome
        }
        for index in clock.inside(run, range)
        where run.word(index, Int(step.maskWord)) & 1 != 0
            && hasReturn(step, run, known, after: run.time(index))
        {
            outcome.isTrue = true
            break
        }
        return outcome
    }

    /// Whether one of the `known` first records is a return so long after a start.
    private func hasReturn(
        _ step: Step,
        _ run: RecordRun,
        _ known: Int,
        after start: Int64
    ) -> Bool {
        var index = run.firstIndex(from: max(start + 1, start + step.least))
        while index < known, run.time(index) < start + step.end {
            if run.word(index, Int(step.maskWord)) & 2 != 0 { return true }
            index += 1
        }
        return false
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
