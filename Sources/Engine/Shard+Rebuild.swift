public import Basics
import Cohorts
public import Events

/// History is being read again for traces that a snapshot lacks.
struct Rebuild: ~Copyable {
    /// Duplicates within the history that is read again; the shard's own set stays as it is.
    var dedupe: DedupeSet
    /// By trace: the last time that is filled; nothing where the trace is whole, everything where it was empty.
    var traceEnds: [Int64]
    /// The same by record trace.
    var recordEnds: [Int64]
    /// In ``traceEnds``: nothing is filled.
    static let nothing = Int64.min
    /// In ``traceEnds``: every time is.
    static let everything = Int64.max
}

extension Shard {
    /// Begins to fill what the state lacks from history: what is given to ``reapply(_:)`` and
    /// ``reupload(_:cohort:isIn:at:)`` until ``finishRebuild()`` only adds to that.
    ///
    /// Events that are new may be applied in between, and ticks made: times and records are the same in whatever order
    /// they come, and cohorts that look at what is missing are left out of ticks. Of what does depend on
    /// the order, property values and lists of uploads, all of history must come before anything new and the next tick.
    ///
    /// Who is known, first seen and duplicates are kept for everyone and never need a rebuild; property
    /// values need one only under another `identify` rule.
    public mutating func beginRebuild(of missing: MissingTraces) {
        settle()
        self.missing = missing
        if missing.properties {
            for slot in 0..<UserSlot(users.count) {
                propertyLists.clear(&users[slot].properties)
                eventTimes.clear(slot)
            }
        }
        var rebuild = Rebuild(
            dedupe: DedupeSet(
                window: settings.dedupeWindow,
                slack: settings.dedupeSlack,
                entriesMax: settings.dedupeEntriesMax
            ),
            traceEnds: [Int64](repeating: Rebuild.nothing, count: plan.traces.count),
            recordEnds: [Int64](repeating: Rebuild.nothing, count: plan.recordTraces.count)
        )
        for trace in missing.traces {
            rebuild.traceEnds[trace] = end(of: missing.keptTraces[trace])
        }
        for trace in missing.recordTraces {
            rebuild.recordEnds[trace] = end(of: missing.keptRecordTraces[trace])
        }
        cutToEnds(rebuild)
        self.rebuild = consume rebuild
    }

    /// The last time that history fills of a trace of which this is there.
    private func end(of kept: RecordTrace.Retention?) -> Int64 {
        kept.map { $0.bound(floor: floor) } ?? Rebuild.everything
    }

    /// Takes what was kept of traces that must reach further to just where it is complete, so that history adds what lies
    /// before and nothing twice.
    private mutating func cutToEnds(_ rebuild: borrowing Rebuild) {
        let traces = missing.keptTraces.keys
        let recordTraces = missing.keptRecordTraces.keys
        if traces.isEmpty, recordTraces.isEmpty { return }
        for slot in 0..<UserSlot(users.count) {
            for trace in traces {
                traceLists.prune(
                    &users[slot].traces,
                    trace: trace,
                    bound: rebuild.traceEnds[trace]
                )
            }
            for trace in recordTraces {
                recordLists.prune(
                    users[slot].records,
                    trace: trace,
                    bound: rebuild.recordEnds[trace]
                )
            }
        }
    }

    /// Ends a rebuild: history was read up to the offset the state was stored at.
    ///
    /// The next tick looks at everyone, and says who is in the cohorts that looked at it. None is under way.
    public mutating func finishRebuild() {
        precondition(!isTicking, "a rebuild ends in the middle of a tick")
        settle()
        rebuild = nil
        missing = MissingTraces()
        for slot in 0..<UserSlot(users.count) {
            touchAnew(slot)
            markUnsaved(slot)
        }
    }

    /// Takes one event of history: of those that the state was made from.
    public mutating func reapply(_ event: EventView) -> ApplyOutcome {
        precondition(rebuild != nil, "no rebuild runs")
        stage(event, isHistory: true)
        return .taken
    }

    mutating func applyToRebuild(_ event: borrowing StagedEvents.Event) {
        guard var rebuild = rebuild.take() else { preconditionFailure("no rebuild runs") }
        apply(event, to: &rebuild)
        self.rebuild = consume rebuild
    }

    /// Takes one upload of history: of those that the state was made from.
    public mutating func reupload(
        _ id: ByteView,
        cohort: Int,
        isIn: Bool,
        at time: EventTime
    ) {
        settle()
        guard rebuild != nil, missing.uploads.contains(cohort),
            let slot = users.find(id, hash: Hashing.hash64(id))
        else { return }
        uploads.note(slot, cohort: cohort, isIn: isIn, at: time, floor: floor)
    }

    private mutating func apply(
        _ event: borrowing StagedEvents.Event,
        to rebuild: inout Rebuild
    ) {
        // Who is not in the snapshot was beyond the limit of users when the event was first read, and what is
        // rejected repeats nothing.
        guard let slot = users.find(staged.id(event), hash: event.hash) else { return }
        if event.hasKey, rebuild.dedupe.insert(event.key, arrival: event.arrival) { return }
        refillTraces(event, slot: slot, rebuild)
        refillRecords(event, slot: slot, rebuild)
        if missing.properties {
            if event.kind == .event { noteEvent(at: event.time, slot: slot) }
            assign(event, slot: slot)
        }
    }

    /// Adds the event's time to the traces that lack it; whoever reads them is looked at when all of it is there.
    private mutating func refillTraces(
        _ event: borrowing StagedEvents.Event,
        slot: UserSlot,
        _ rebuild: borrowing Rebuild
    ) {
        let time = event.time.milliseconds
        for place in event.traces.range {
            let trace = staged.traces[place]
            let end = rebuild.traceEnds[trace]
            if end == Rebuild.nothing || time > end { continue }
            let bound = floor.milliseconds - filters.horizon(trace)
            let wasCounted = end != Rebuild.everything
            // Of what was kept, the base counts what lies further back already.
            if wasCounted, time <= bound { continue }
            let (_, hitLimit) = traceLists.add(
                time,
                trace: trace,
                to: &users[slot].traces,
                bound: bound,
                limit: settings.eventsPerTraceMax
            )
            if wasCounted { traceLists.lowerBase(users[slot].traces, trace: trace) }
            if hitLimit { noteApproximate(slot) }
        }
    }

    /// The same with the event's records.
    private mutating func refillRecords(
        _ event: borrowing StagedEvents.Event,
        slot: UserSlot,
        _ rebuild: borrowing Rebuild
    ) {
        let time = event.time.milliseconds
        for place in event.records.range {
            let record = staged.records[place]
            let end = rebuild.recordEnds[record.trace]
            if end == Rebuild.nothing || time > end { continue }
            let (_, hitLimit) = recordLists.add(
                staged.words(record),
                trace: record.trace,
                to: &users[slot].records,
                bound: recordFilters.bound(record.trace, floor: floor),
                limit: settings.eventsPerTraceMax
            )
            if hitLimit { noteApproximate(slot) }
        }
    }
}
