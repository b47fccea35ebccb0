import Basics

// What a destination answered.

extension SyncMachine {
    /// Takes over the outcome of the batch in flight; an answer to anything else is ignored.
    mutating func complete(
        _ messageID: String,
        _ outcome: DeliveryOutcome,
        now: Int64,
        partitions: PartitionTable,
        generator: inout SeededGenerator,
        records: inout [JournalRecord],
        notes: inout [SyncNote]
    ) {
        guard
            let position = open.firstIndex(where: { $0.messageID == messageID && $0.isInFlight })
        else { return }
        open[position].isInFlight = false
        isInFlight = false
        take(position, outcome, now: now, partitions, &generator, &records, &notes)
    }

    private mutating func take(
        _ position: Int,
        _ outcome: DeliveryOutcome,
        now: Int64,
        _ partitions: PartitionTable,
        _ generator: inout SeededGenerator,
        _ records: inout [JournalRecord],
        _ notes: inout [SyncNote]
    ) {
        switch outcome {
        case .delivered:
            let count = open[position].users.count
            close(position, nil, now: now, partitions, &records)
            deliveredUsers += UInt64(count)
            noteSuccess(&records, &notes)
        case .settled(let outcomes, let detail, let retryAfter, let refusal):
            precondition(outcomes.outcomes.count == open[position].users.count, "other users")
            close(position, outcomes, now: now, partitions, &records)
            count(outcomes)
            if outcomes.isFinal { return noteSuccess(&records, &notes) }
            if outcomes.outcomes.contains(where: { $0 != .notApplied && $0 != .unknown }) {
                noteTaken(&records, &notes)
            }
            if let refusal { return take(refusal, now: now, &records, &notes) }
            fail(detail ?? "some users were not taken", retryAfter, now: now, &generator, &notes)
        case .authenticationRefused(let detail):
            take(.authentication(detail: detail), now: now, &records, &notes)
        case .failed(let detail): take(.failed(detail: detail), now: now, &records, &notes)
        case .gone(let detail): take(.gone(detail: detail), now: now, &records, &notes)
        case .retriable(let detail, let retryAfter, let knownNotApplied):
            if !knownNotApplied {
                open[position].unknownSince = now
                unknownUsers += UInt64(open[position].users.count)
            }
            fail(detail, retryAfter, now: now, &generator, &notes)
        }
    }

    mutating func take(
        _ refusal: DeliveryRefusal,
        now: Int64,
        _ records: inout [JournalRecord],
        _ notes: inout [SyncNote]
    ) {
        switch refusal {
        case .authentication(let detail): refuse(.refused(reason: detail), now, &records, &notes)
        case .failed(let detail): refuse(.failed(reason: detail), now, &records, &notes)
        case .gone(let detail):
            guard settings.shape.hasList, !hasRelisted else {
                return refuse(.failed(reason: detail), now, &records, &notes)
            }
            startAnew(now: now, &records)
            hasRelisted = true
            notes.append(.relisted(sync: settings.id, reason: detail))
        }
    }

    private mutating func count(_ outcomes: UserOutcomes) {
        for outcome in outcomes.outcomes {
            switch outcome {
            case .delivered: deliveredUsers += 1
            case .accepted: acceptedUsers += 1
            case .skipped: skippedTotal += 1
            case .unknown: unknownUsers += 1
            case .notApplied: break
            }
        }
        // A partner may say how many it did not take without saying whom.
        for skipped in outcomes.unnamedSkips.values {
            acceptedUsers -= UInt64(skipped)
            skippedTotal += UInt64(skipped)
            guard run.tick != nil else { continue }
            run.delivered -= skipped
            run.skipped += skipped
        }
    }

    mutating func fail(
        _ detail: String,
        _ retryAfter: Int64?,
        now: Int64,
        _ generator: inout SeededGenerator,
        _ notes: inout [SyncNote]
    ) {
        if failure == nil {
            failure = Failure(reason: detail, since: now)
            notes.append(.failing(sync: settings.id, reason: detail))
        }
        failure?.reason = detail
        retryAt = now + backoff.delay(retryAfter: retryAfter, generator: &generator)
    }

    /// The destination took something, be it not everything.
    private mutating func noteTaken(_ records: inout [JournalRecord], _ notes: inout [SyncNote]) {
        backoff.reset()
        retryAt = .min
        if formerHold != nil {
            formerHold = nil
            hasRelisted = false
            records.append(.naming(.resumed, sync: settings.id))
            notes.append(.resumed(sync: settings.id))
        }
    }

    mutating func noteSuccess(_ records: inout [JournalRecord], _ notes: inout [SyncNote]) {
        noteTaken(&records, &notes)
        if failure != nil {
            failure = nil
            isDegraded = false
            notes.append(.recovered(sync: settings.id))
        }
    }

    /// Ends a batch: `outcomes` by user, nil where all were delivered.
    mutating func close(
        _ position: Int,
        _ outcomes: UserOutcomes?,
        now: Int64,
        _ partitions: PartitionTable,
        _ records: inout [JournalRecord]
    ) {
        let intent = open.remove(at: position)
        let isAmbiguous = intent.unknownSince != nil
        if let outcomes {
            records.append(
                .settled(
                    sync: settings.id,
                    message: intent.messageID,
                    ambiguous: isAmbiguous,
                    outcomes
                )
            )
            settle(intent, outcomes, now: now)
        } else {
            records.append(
                .result(
                    .delivered,
                    sync: settings.id,
                    message: intent.messageID,
                    ambiguous: isAmbiguous
                )
            )
            settle(delivered: intent, now: now)
        }
        for (place, slot) in intent.users.enumerated() {
            let isRepeated: Bool
            switch outcomes?.outcomes[place] {
            case nil, .delivered, .accepted, .skipped: isRepeated = false
            case .notApplied, .unknown: isRepeated = true
            }
            // Whoever changed while the batch was on its way waits from now on, in the lane of events.
            let tick = partitions[ledger[slot].claim].cut.tick
            reconsider(
                slot,
                age: isRepeated ? intent.age : Age(tick: tick, since: now),
                returned: isRepeated
            )
        }
    }

    // MARK: What a batch leaves behind in the ledger, now or when the journal is replayed

    /// A batch that was given up.
    mutating func settle(withdrawn intent: OpenIntent) {
        for (place, slot) in intent.users.enumerated() {
            ledger[slot].isInIntent = false
            guard let since = intent.unknownSince else { continue }
            doubt(slot, intent.operation(at: place), since: since, age: intent.age)
        }
    }

    /// A batch that was taken.
    mutating func settle(delivered intent: OpenIntent, now: Int64) {
        for (place, slot) in intent.users.enumerated() {
            confirm(slot, intent.operation(at: place), of: intent, now: now)
        }
        if run.tick != nil { run.delivered += intent.users.count }
    }

    /// A batch of which every user ended in an own way.
    mutating func settle(_ intent: OpenIntent, _ outcomes: UserOutcomes, now: Int64) {
        for (place, slot) in intent.users.enumerated() {
            let operation = intent.operation(at: place)
            switch outcomes.outcomes[place] {
            case .delivered, .accepted:
                confirm(slot, operation, of: intent, now: now)
                if run.tick != nil { run.delivered += 1 }
            case .skipped:
                if run.tick != nil { run.skipped += 1 }
                ledger[slot].isInIntent = false
                ledger[slot].isSkipped = true
                // What an earlier attempt did is still unknown; its opposite is sent when it is wanted.
                if let since = intent.unknownSince {
                    doubt(slot, operation, since: since, age: intent.age)
                }
                skips[slot] = Skip(
                    operation: operation,
                    reason: outcomes.reasons[place] ?? "",
                    since: now
                )
                skipsDue.append(Due(slot: slot, at: now + Self.skipMilliseconds))
            case .notApplied:
                ledger[slot].isInIntent = false
                if let since = intent.unknownSince {
                    doubt(slot, operation, since: since, age: intent.age)
                }
            case .unknown:
                ledger[slot].isInIntent = false
                doubt(slot, operation, since: now, age: intent.age)
            }
        }
    }

    private mutating func doubt(_ slot: UInt32, _ operation: Operation, since: Int64, age: Age) {
        ledger[slot].unknown = operation
        setDoubt(slot, Doubt(operation: operation, since: since, age: age))
    }

    private mutating func confirm(
        _ slot: UInt32,
        _ operation: Operation,
        of intent: OpenIntent,
        now: Int64
    ) {
        var entry = ledger[slot]
        entry.isInIntent = false
        entry.unknown = nil
        ledger[slot] = entry
        acknowledge(slot, operation == .enter)
        if let since = intent.unknownSince {
            // An earlier attempt of this batch may still be applied; see the settle rule.
            setDoubt(slot, Doubt(operation: operation, since: since, age: intent.age))
        } else if entry.isDoubtful, var doubt = doubts[slot] {
            if doubt.operation != operation, doubt.answeredAt != nil {
                // This was the repetition.
                clearDoubt(slot)
            } else {
                doubt.answeredAt = doubt.operation == operation ? nil : now
                setDoubt(slot, doubt)
            }
        }
    }

    /// The list is gone: nobody is on it any more, and everybody is sent again.
    mutating func startAnew(now: Int64, _ records: inout [JournalRecord]) {
        records.append(.naming(.relisted, sync: settings.id))
        forgetDeliveries()
        let age = Age(tick: .distantPast, since: now, isBackfill: true)
        for slot in 0..<ledger.slotBound where !ledger.isVacant(slot) {
            reconsider(slot, age: age)
        }
    }

    /// What ``startAnew(now:_:)`` does to the ledger.
    mutating func forgetDeliveries() {
        listID = nil
        isPopulated = false
        open = []
        doubts = [:]
        // Whom the lost list kept against our will is gone with it.
        for (slot, skip) in skips where skip.operation == .exit {
            skips[slot] = nil
            ledger[slot].isSkipped = false
        }
        for slot in 0..<ledger.slotBound where !ledger.isVacant(slot) {
            var entry = ledger[slot]
            entry.isInIntent = false
            entry.isDoubtful = false
            entry.unknown = nil
            ledger[slot] = entry
            acknowledge(slot, false)
        }
    }
}
