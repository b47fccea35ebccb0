import Basics

// What a record of the journal does to a sync, and how a sync begins once all are read.

extension SyncMachine {
    /// Takes over a record that concerns no user.
    mutating func replay(
        _ kind: JournalRecord.Kind,
        _ decoder: inout JournalDecoder
    ) throws(SyncJournalError) {
        switch kind {
        case .paused: hold = .refused(reason: try decoder.text())
        case .held:
            let users = try decoder.userCount()
            let reason = try decoder.text()
            hold = users > 0 ? .massExit(users: users) : .failed(reason: reason)
        case .resumed:
            hold = nil
            hasRelisted = false
        case .populated:
            isPopulated = true
            hasRelisted = false
        case .commanded:
            isPausedByPerson = try decoder.flag()
            if !isPausedByPerson {
                // Who goes on tries everybody again.
                for slot in skips.keys { ledger[slot].isSkipped = false }
                skips = [:]
            }
        case .approved: isApproved = try decoder.flag()
        case .list: listID = try decoder.text()
        case .relisted:
            forgetDeliveries()
            hasRelisted = true
        case .runDue: run.newestDue = try decoder.instant()
        case .runAsked: run.isAsked = true
        case .runBegun:
            run.tick = try decoder.instant()
            run.newestDue = try decoder.instant()
            run.delivered = try decoder.userCount()
            run.skipped = try decoder.userCount()
            run.isAsked = false
        case .runEnded: try replayRunEnded(&decoder)
        default: throw decoder.malformed("not of a sync")
        }
    }

    private mutating func replayRunEnded(_ decoder: inout JournalDecoder) throws(SyncJournalError) {
        let tick = try decoder.instant()
        let word = try decoder.text()
        guard let result = SyncStatus.RunResult(rawValue: word) else {
            throw decoder.malformed("result \(word)")
        }
        let delivered = try decoder.userCount()
        let skipped = try decoder.userCount()
        run.tick = nil
        run.last = SyncStatus.Run(
            tick: tick,
            result: result,
            users: delivered + skipped,
            delivered: delivered,
            skipped: skipped
        )
    }

    /// The partition is taken to count the user as the intent did, until its membership is known.
    mutating func replayIntended(
        _ user: ByteView,
        _ operation: Operation,
        _ index: UInt16
    ) -> UInt32 {
        let slot = ledger.insert(user)
        ledger[slot].isInIntent = true
        ledger[slot].planned = index
        forgetSkip(slot)
        if operation == .enter {
            replayClaim(slot, index)
        } else {
            ledger[slot].isMember = false
            ledger[slot].claim = index
            moreClaims[slot] = nil
        }
        return slot
    }

    private mutating func forgetSkip(_ slot: UInt32) {
        guard skips.removeValue(forKey: slot) != nil else { return }
        ledger[slot].isSkipped = false
    }

    mutating func replayClaim(_ slot: UInt32, _ index: UInt16) {
        let claim = ledger[slot].claim
        if claim != index, claim != LedgerEntry.noPartition { hasSplitUsers = true }
        if !ledger[slot].isMember {
            ledger[slot].isMember = true
            ledger[slot].claim = index
        } else if claim != index, moreClaims[slot]?.contains(index) != true {
            moreClaims[slot, default: []].append(index)
        }
    }

    mutating func replayState(_ user: ByteView, _ state: LedgerState, _ index: UInt16) {
        let slot = ledger.insert(user)
        acknowledge(slot, state.isAcknowledged)
        var entry = ledger[slot]
        entry.isMember = state.isAcknowledged
        entry.claim = index
        entry.planned = index
        entry.unknown = state.unknown
        ledger[slot] = entry
        if let operation = state.doubt {
            setDoubt(slot, Doubt(operation: operation, since: 0, age: .unknown))
        }
    }

    mutating func replaySkip(_ user: ByteView, _ skip: Skip, _ index: UInt16) {
        let slot = ledger.insert(user)
        var entry = ledger[slot]
        entry.isSkipped = true
        entry.isMember = skip.operation == .enter
        entry.claim = index
        entry.planned = index
        ledger[slot] = entry
        skips[slot] = skip
    }

    /// The replay is over: clocks start, and everybody is put where they belong.
    mutating func begin(now: Int64, partitions: PartitionTable) {
        makeRoom(for: partitions)
        startedAt = now
        pausedSince = now
        if !settings.cadence.hasRuns { run = RunState() }
        let age = Age(tick: .distantPast, since: now, isBackfill: true)
        for position in open.indices {
            open[position].unknownSince = now
            open[position].age = age
        }
        for slot in doubts.keys.sorted() {
            guard let operation = doubts[slot]?.operation else { continue }
            let entry = ledger[slot]
            let isAnswered =
                entry.unknown == nil && !entry.isInIntent
                && (operation == .enter) != entry.isAcknowledged
            setDoubt(
                slot,
                Doubt(
                    operation: operation,
                    since: now,
                    age: age,
                    answeredAt: isAnswered ? now : nil
                )
            )
        }
        skipsDue = skips.keys.sorted().map { Due(slot: $0, at: now + Self.skipMilliseconds) }
        for due in skipsDue { skips[due.slot]?.since = now }
        beginHeld(now: now)
        for slot in 0..<ledger.slotBound where !ledger.isVacant(slot) {
            reconsider(slot, age: age)
        }
    }

    /// What held the sync: a person's word is still needed, an answer may be another now.
    private mutating func beginHeld(now: Int64) {
        switch hold {
        case .massExit:
            heldSince = now
            isMassExitNoted = true
        case .refused(let reason), .failed(let reason):
            formerHold = reason
            hold = nil
        case nil: break
        }
    }
}
