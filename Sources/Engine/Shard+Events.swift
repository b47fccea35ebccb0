import Basics
public import Events

// Events: gathered in small groups, applied group by group in the order of the log.

extension Shard {
    /// Takes one event.
    ///
    /// Events come in the order of the log; their times may be in any order. What was taken may wait until the
    /// group is full; everything of the shard that an event can change settles first, but for the counters and
    /// ``userCount``, for which there is ``settle()``.
    ///
    /// - Complexity: O(traces of its type + its assignments); no heap allocation in steady state.
    public mutating func apply(_ event: EventView) -> ApplyOutcome {
        if wouldExceedUsers(event) { return .usersMax }
        stage(event, isHistory: false)
        return .taken
    }

    /// Adds an event to the group, which settles when it is full.
    mutating func stage(_ event: EventView, isHistory: Bool) {
        staged.append(
            event,
            isHistory: isHistory,
            hash: Hashing.hash64(event.userID),
            types: types,
            filters: filters,
            recordFilters: recordFilters,
            names: &names
        )
        // The first look-ups of the group are far away, and near by the time the group is full.
        let last = staged.count - 1
        users.prefetch(hash: staged[last].hash)
        if staged[last].hasKey { dedupe.prefetch(staged[last].key) }
        if staged.count == StagedEvents.countMax { settle() }
    }

    /// Whether ``apply(_:)`` would answer ``ApplyOutcome/usersMax``.
    ///
    /// Cheap while there is room.
    public mutating func wouldExceedUsers(_ event: EventView) -> Bool {
        guard users.count + staged.count >= settings.usersMax else { return false }
        settle()
        guard users.count >= settings.usersMax else { return false }
        if !event.insertID.isEmpty {
            let key = DedupeSet.key(owner: event.dedupeOwner, insertID: event.insertID)
            if dedupe.contains(key, arrival: event.arrival) { return false }
        }
        return users.find(event.userID, hash: Hashing.hash64(event.userID)) == nil
    }

    /// Applies every event that was taken.
    public mutating func settle() {
        guard staged.count > 0 else { return }
        fetchStaged()
        for index in 0..<staged.count {
            if staged[index].isHistory {
                applyToRebuild(staged[index])
            } else {
                applyStaged(staged[index])
            }
        }
        staged.removeAll()
        if !isTicking {
            deadlineLists.prepare()
            deadlines.prepare()
        }
    }

    /// A row of times that is no longer has no times in blocks of their own that matter.
    private static var rowBytesOfFew: UInt32 { 40 }

    /// Asks for the memory that applying the group will read, everyone's at once: first where to look, then what is
    /// there.
    private func fetchStaged() {
        withUnsafeTemporaryAllocation(of: UserSlot.self, capacity: staged.count) { slots in
            for index in slots.indices {
                if staged[index].hasKey { dedupe.prefetchEnd(staged[index].key) }
                let slot = users.candidate(hash: staged[index].hash)
                slots.initializeElement(at: index, to: slot ?? Self.noSlot)
                guard let slot else { continue }
                users.rows.prefetch(slot)
                users.rows.prefetchID(slot)
            }
            for (index, slot) in slots.enumerated() where slot != Self.noSlot {
                users.prefetchLongID(slot)
                let event = staged[index]
                let record = users[slot]
                if !event.traces.isEmpty { traceLists.prefetch(record.traces) }
                if !event.records.isEmpty { recordLists.prefetch(record.records) }
                if !event.assignments.isEmpty { propertyLists.prefetch(record.properties) }
                users.rows.prefetchTruth(slot)
                if let place = record.place(inListOf: touchedMark) { touched.prefetch(place) }
            }
            for (index, slot) in slots.enumerated() where slot != Self.noSlot {
                // Few users have so many events of a trace, but many events are theirs.
                for place in staged[index].records.range {
                    let trace = staged.records[place].trace
                    recordLists.prefetchEnd(users[slot].records, trace: trace)
                }
                let row = users[slot].traces
                guard row.count > Self.rowBytesOfFew else { continue }
                let traces = staged[index].traces.range
                if traces.isEmpty { continue }
                traceLists.prefetchEnds(row) { trace in
                    for place in traces where staged.traces[place] == trace { return true }
                    return false
                }
            }
        }
    }

    /// Stands for a user who is not there; no shard has so many.
    private static var noSlot: UserSlot { .max }

    private mutating func applyStaged(_ event: borrowing StagedEvents.Event) {
        if event.hasKey {
            if dedupe.insert(event.key, arrival: event.arrival) {
                counters.deduplicated += 1
                return
            }
            if settings.keepsChanges, dedupe.window > 0 {
                unsavedDedupe.append(
                    DedupeSet.Entry(event.key, arrival: event.arrival.milliseconds)
                )
            }
        }
        counters.applied += 1
        let id = staged.id(event)
        let slot: UserSlot
        if let found = users.find(id, hash: event.hash) {
            slot = found
        } else {
            slot = users.insert(id, hash: event.hash)
        }
        if isTicking { settleTick(of: slot) }
        if !users[slot].isEvaluated { touch(slot) }
        if event.time < users[slot].knownSince { users[slot].knownSince = event.time }
        if event.kind == .event {
            if event.time < users[slot].firstSeen {
                users[slot].firstSeen = event.time
                touch(slot, for: evaluator.feeds.firstSeen)
            }
            noteEvent(at: event.time, slot: slot)
        }
        addToTraces(event, slot: slot)
        addToRecords(event, slot: slot)
        if !event.assignments.isEmpty { assign(event, slot: slot) }
        counters.ignoredOperations += Int(event.ignoredOperations)
        markUnsaved(slot)
    }

    /// Adds the event's time to every trace whose filter it passed.
    private mutating func addToTraces(_ event: borrowing StagedEvents.Event, slot: UserSlot) {
        var isLate = false
        if let lastTick { isLate = event.time <= lastTick }
        for place in event.traces.range {
            let trace = staged.traces[place]
            let (listed, hitLimit) = traceLists.add(
                event.time.milliseconds,
                trace: trace,
                to: &users[slot].traces,
                bound: floor.milliseconds - filters.horizon(trace),
                limit: settings.eventsPerTraceMax
            )
            if hitLimit { noteApproximate(slot) }
            evaluator.feeds.forEachWord(ofTrace: trace, listed: listed) { word, conditions in
                touch(slot, for: conditions, word: word, evenSettled: hitLimit)
            }
            guard hitLimit || isLate else { continue }
            evaluator.feeds.forEachWord(ofLateTrace: trace) { word, conditions in
                touch(slot, for: conditions, word: word, evenSettled: hitLimit)
            }
        }
    }

    /// Adds the event's records to their record traces.
    private mutating func addToRecords(_ event: borrowing StagedEvents.Event, slot: UserSlot) {
        for place in event.records.range {
            let record = staged.records[place]
            let words = staged.words(record)
            let isGain = recordFilters.isGain(words, trace: record.trace)
            let (listed, hitLimit) = recordLists.add(
                words,
                trace: record.trace,
                to: &users[slot].records,
                bound: recordFilters.bound(record.trace, floor: floor),
                limit: settings.eventsPerTraceMax
            )
            if hitLimit { noteApproximate(slot) }
            evaluator.feeds.forEachWord(ofRecordTrace: record.trace, listed: listed) {
                word,
                conditions in
                touch(slot, for: conditions, word: word, evenSettled: hitLimit, isGain: isGain)
            }
        }
    }

    mutating func noteApproximate(_ slot: UserSlot) {
        guard !users[slot].isApproximate else { return }
        users[slot].isApproximate = true
        counters.approximateUsers += 1
    }
}
