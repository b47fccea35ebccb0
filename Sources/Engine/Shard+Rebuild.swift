import Basics
import Events

/// History is being read again for traces that a snapshot lacks.
struct Rebuild: ~Copyable {
    /// Which traces of the plan are filled.
    let traces: MissingTraces
    /// Duplicates within the history that is read again; the shard's own set stays as it is.
    var dedupe: DedupeSet
}

extension Shard {
    /// Begins to fill traces that the state lacks from history: events until ``finishRebuild()``
    /// only add to these traces.
    ///
    /// Who is known, first seen, property values and duplicates are kept for everyone and need no
    /// rebuild.
    package mutating func beginRebuild(of traces: MissingTraces) {
        settle()
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
    package mutating func finishRebuild() {
        settle()
        rebuild = nil
        for slot in 0..<UserSlot(users.count) {
            touchAnew(slot)
            markUnsaved(slot)
        }
    }

    mutating func applyToRebuild(_ event: borrowing StagedEvents.Event) {
        guard var rebuild = rebuild.take() else { preconditionFailure("no rebuild runs") }
        apply(event, to: &rebuild)
        self.rebuild = consume rebuild
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
            let key = event.key
            if rebuild.dedupe.contains(high: key.high, low: key.low, arrival: event.arrival) {
                counters.deduplicated += 1
                return
            }
            rebuild.dedupe.insert(high: key.high, low: key.low, arrival: event.arrival)
        }
        counters.applied += 1
        addToTraces(event, slot: slot, only: rebuild.traces.traces)
        addToRecords(event, slot: slot, only: rebuild.traces.recordTraces)
    }
}
