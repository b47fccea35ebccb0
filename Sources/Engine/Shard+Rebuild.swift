public import Basics
public import Events

/// History is being read again for traces that a snapshot lacks.
struct Rebuild: ~Copyable {
    /// What is filled.
    let traces: MissingTraces
    /// Duplicates within the history that is read again; the shard's own set stays as it is.
    var dedupe: DedupeSet
}

extension Shard {
    /// Begins to fill what the state lacks from history: what is given to ``reapply(_:)`` and
    /// ``reupload(_:cohort:isIn:at:)`` until ``finishRebuild()`` only adds to that.
    ///
    /// Records that are new may be applied in between: history comes from two logs, of which one may be through
    /// before the other.
    ///
    /// Who is known, first seen and duplicates are kept for everyone and never need a rebuild; property
    /// values need one only under another `identify` rule.
    public mutating func beginRebuild(of traces: MissingTraces) {
        settle()
        if traces.properties {
            for slot in 0..<UserSlot(users.count) {
                propertyLists.clear(&records[Int(slot)].properties)
                eventTimes.clear(slot)
            }
        }
        rebuild = Rebuild(
            traces: traces,
            dedupe: DedupeSet(
                window: settings.dedupeWindow,
                slack: settings.dedupeSlack,
                entriesMax: settings.dedupeEntriesMax
            )
        )
    }

    /// Ends a rebuild: history was read up to the offset the state was stored at.
    public mutating func finishRebuild() {
        settle()
        rebuild = nil
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
        guard rebuild?.traces.uploads.contains(cohort) == true,
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
        guard let slot = users.find(staged.id(event), hash: event.hash) else {
            counters.applied += 1
            return
        }
        if event.hasKey {
            if rebuild.dedupe.insert(event.key, arrival: event.arrival) {
                counters.deduplicated += 1
                return
            }
        }
        counters.applied += 1
        addToTraces(event, slot: slot, only: rebuild.traces.traces)
        addToRecords(event, slot: slot, only: rebuild.traces.recordTraces)
        if rebuild.traces.properties {
            if event.kind == .event { noteEvent(at: event.time, slot: slot) }
            assign(event, slot: slot)
        }
    }
}
