import Basics
package import Events

// Events: gathered in small groups, applied group by group in the order of the log.

extension Shard {
    /// Takes one event.
    ///
    /// Events come in the order of the log; their times may be in any order. What was taken may wait until the
    /// group is full; everything of the shard that an event can change settles first, but for the counters and
    /// ``userCount``, for which there is ``settle()``.
    ///
    /// - Complexity: O(traces of its type + its assignments); no heap allocation in steady state.
    package mutating func apply(_ event: EventView) -> ApplyOutcome {
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
            filters: filters,
            recordFilters: recordFilters,
            names: &names
        )
        if staged.count == StagedEvents.countMax { settle() }
    }

    /// Whether ``apply(_:)`` would answer ``ApplyOutcome/usersMax``.
    ///
    /// Cheap while there is room.
    package mutating func wouldExceedUsers(_ event: EventView) -> Bool {
        guard users.count + staged.count >= settings.usersMax else { return false }
        settle()
        guard users.count >= settings.usersMax else { return false }
        if !event.insertID.isEmpty {
            let key = DedupeSet.key(owner: event.dedupeOwner, insertID: event.insertID)
            if dedupe.contains(high: key.high, low: key.low, arrival: event.arrival) {
                return false
            }
        }
        return users.find(event.userID, hash: Hashing.hash64(event.userID)) == nil
    }

    /// Applies every event that was taken.
    package mutating func settle() {
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
    }

    /// Reads what applying the group will read, everyone's at once: first where to look, then what is there.
    private mutating func fetchStaged() {
        var sum: UInt64 = 0
        for index in 0..<staged.count {
            let event = staged[index]
            sum &+= users.fetch(hash: event.hash)
            if event.hasKey { sum &+= dedupe.fetch(high: event.key.high) }
        }
        for index in 0..<staged.count {
            guard let slot = users.candidate(hash: staged[index].hash) else { continue }
            sum &+= users.fetchID(hash: staged[index].hash)
            sum &+= UInt64(records[Int(slot)].traces.block)
            sum &+= UInt64(records[Int(slot)].touched)
        }
        let words = evaluator.feeds.words
        for index in 0..<staged.count {
            guard let slot = users.candidate(hash: staged[index].hash) else { continue }
            sum &+= traceLists.fetch(records[Int(slot)].traces)
            sum &+= recordLists.fetch(records[Int(slot)].records)
            sum &+= propertyLists.fetch(records[Int(slot)].properties)
            if words > 0 { sum &+= truth[Int(slot) * words] }
        }
        for index in 0..<staged.count {
            guard let slot = users.candidate(hash: staged[index].hash) else { continue }
            for place in staged[index].traces {
                sum &+= traceLists.fetchEnd(records[Int(slot)].traces, trace: staged.traces[place])
            }
        }
        // Kept, or the compiler would see that nobody needs it and read nothing.
        fetched = sum
    }

    private mutating func applyStaged(_ event: borrowing StagedEvents.Event) {
        if event.hasKey {
            if dedupe.contains(high: event.key.high, low: event.key.low, arrival: event.arrival) {
                counters.deduplicated += 1
                return
            }
            dedupe.insert(high: event.key.high, low: event.key.low, arrival: event.arrival)
            if dedupe.window > 0, settings.keepsChanges {
                unsavedDedupe.append(
                    DedupeSet.Entry(
                        high: event.key.high,
                        low: event.key.low,
                        arrival: event.arrival.milliseconds
                    )
                )
            }
        }
        counters.applied += 1
        let id = staged.id(event)
        let slot: UserSlot
        if let found = users.find(id, hash: event.hash) {
            slot = found
        } else {
            slot = insert(id, hash: event.hash)
        }
        let index = Int(slot)
        if !owed.isEmpty { settleTick(of: slot) }
        if !records[index].isEvaluated { touch(slot) }
        if event.time < records[index].knownSince { records[index].knownSince = event.time }
        if event.kind == .event {
            if event.time < records[index].firstSeen {
                records[index].firstSeen = event.time
                touch(slot, for: evaluator.feeds.firstSeen)
            }
            noteEvent(at: event.time, slot: slot)
        }
        addToTraces(event, slot: slot, only: nil)
        addToRecords(event, slot: slot, only: nil)
        if !event.assignments.isEmpty { assign(event, slot: slot) }
        counters.ignoredOperations += event.ignoredOperations
        markUnsaved(slot)
    }

    /// Adds the event's time to every trace whose filter it passed.
    mutating func addToTraces(
        _ event: borrowing StagedEvents.Event,
        slot: UserSlot,
        only wanted: Set<Int>?
    ) {
        let index = Int(slot)
        for place in event.traces {
            let trace = staged.traces[place]
            if let wanted, !wanted.contains(trace) { continue }
            let (listed, hitLimit) = traceLists.add(
                event.time.milliseconds,
                trace: trace,
                to: &records[index].traces,
                bound: floor.milliseconds - filters.horizon(trace),
                limit: settings.eventsPerTraceMax
            )
            if hitLimit { noteApproximate(slot) }
            for word in 0..<evaluator.feeds.words {
                let conditions = evaluator.feeds.trace(trace, listed: listed, word: word)
                touch(slot, for: conditions, word: word, evenSettled: hitLimit)
            }
        }
    }

    /// Adds the event's records to their record traces.
    mutating func addToRecords(
        _ event: borrowing StagedEvents.Event,
        slot: UserSlot,
        only wanted: Set<Int>?
    ) {
        for place in event.records {
            let record = staged.records[place]
            if let wanted, !wanted.contains(record.trace) { continue }
            let (listed, hitLimit) = recordLists.add(
                staged.words(record),
                trace: record.trace,
                to: &records[Int(slot)].records,
                bound: recordFilters.bound(record.trace, floor: floor),
                limit: settings.eventsPerTraceMax
            )
            if hitLimit { noteApproximate(slot) }
            for word in 0..<evaluator.feeds.words {
                let conditions = evaluator.feeds
                    .recordTrace(record.trace, listed: listed, word: word)
                touch(slot, for: conditions, word: word, evenSettled: hitLimit)
            }
        }
    }

    private mutating func noteApproximate(_ slot: UserSlot) {
        guard !records[Int(slot)].isApproximate else { return }
        records[Int(slot)].isApproximate = true
        counters.approximateUsers += 1
    }
}
