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
        switch outcome {
        case .delivered:
            deliver(position, now: now, partitions, &records, &notes)
        case .settled: preconditionFailure("settled user by user")
        case .authenticationRefused(let detail), .gone(let detail), .failed(let detail):
            refuse(detail, now, &records, &notes)
        case .retriable(let detail, let retryAfter, let knownNotApplied):
            if !knownNotApplied {
                open[position].unknownSince = now
                unknownUsers += UInt64(open[position].users.count)
            }
            if failure == nil {
                failure = Failure(reason: detail, since: now)
                notes.append(.degraded(sync: settings.id, reason: detail))
            }
            failure?.reason = detail
            retryAt = now + backoff.delay(retryAfter: retryAfter, generator: &generator)
        }
    }

    private mutating func deliver(
        _ position: Int,
        now: Int64,
        _ partitions: PartitionTable,
        _ records: inout [JournalRecord],
        _ notes: inout [SyncNote]
    ) {
        let intent = open.remove(at: position)
        records.append(
            .result(
                .delivered,
                sync: settings.id,
                message: intent.messageID,
                ambiguous: intent.unknownSince != nil
            )
        )
        settle(delivered: intent)
        // Whoever changed while the batch was on its way waits from now on.
        for slot in intent.users {
            let tick = partitions[ledger[slot].claim].cut.tick
            reconsider(slot, age: Age(tick: tick, since: now))
        }
        deliveredUsers += UInt64(intent.users.count)
        backoff.reset()
        retryAt = .min
        if formerPause != nil {
            formerPause = nil
            records.append(.naming(.resumed, sync: settings.id))
            notes.append(.resumed(sync: settings.id))
        }
        if failure != nil {
            failure = nil
            notes.append(.recovered(sync: settings.id))
        }
    }

    /// Stops the sync until the next start.
    ///
    /// Nothing was applied and nobody is skipped.
    private mutating func refuse(
        _ reason: String,
        _ now: Int64,
        _ records: inout [JournalRecord],
        _ notes: inout [SyncNote]
    ) {
        pause = Failure(reason: reason, since: now)
        failure = nil
        formerPause = nil
        records.append(.paused(sync: settings.id, reason: reason))
        notes.append(.paused(sync: settings.id, reason: reason))
    }
}
