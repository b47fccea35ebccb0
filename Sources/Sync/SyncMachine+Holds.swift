import Basics

// What holds a sync, and what lets it go: the guard of mass exits, refusals, a person.

extension SyncMachine {
    /// Whether nothing may be planned or sent.
    var isHeld: Bool { settings.isPaused || isPausedByPerson || hold != nil }

    /// Begins the wave of a tick where none is under way.
    mutating func beginWave(tick: EventTime) {
        guard !settings.cadence.hasRuns, tick > exitWave.tick else { return }
        exitWave.begin(tick: tick)
    }

    /// Counts an exit; too many in one wave hold the sync until a person approves.
    ///
    /// Members of a calendar window all leave at its bound, which is no surprise.
    mutating func noteExit(_ slot: UInt32, isCalendarBound: Bool, now: Int64) {
        guard ledger[slot].isAcknowledged, !isCalendarBound, !holdsExit(of: slot) else { return }
        exitWave.note(slot, acknowledged: acknowledgedUsers)
        // Until a run begins, those who left may come back.
        if !settings.cadence.hasRuns { judgeExits(now: now) }
    }

    /// Holds back the exits of a partition, or lets them go: all at once, so the guard looks at them then.
    mutating func holdExits(
        of index: UInt16,
        _ holdsExits: Bool,
        partitions: PartitionTable,
        now: Int64
    ) {
        makeRoom(for: partitions)
        guard holdsExits != (exitsHeldSince[Int(index)] != nil) else { return }
        exitsHeldSince[Int(index)] = holdsExits ? now : nil
        if holdsExits { return }
        for queue in lanes[Int(index)].exits.all {
            for user in queue where ledger[user.slot].ticket == user.ticket {
                noteExit(user.slot, isCalendarBound: false, now: now)
            }
        }
    }

    /// Whether a user's exit waits because nobody can say whether it is one.
    func holdsExit(of slot: UInt32) -> Bool {
        let claim = ledger[slot].claim
        return claim != LedgerEntry.noPartition && exitsHeldSince[Int(claim)] != nil
    }

    /// Whether exits wait for that reason, and since when.
    var heldExits: Failure? {
        for (index, since) in exitsHeldSince.enumerated() {
            guard let since, lanes[index].exits.all.contains(where: { !$0.isEmpty }) else {
                continue
            }
            return Failure(
                reason: "exits wait: the cohort looks back over records that were lost or left out",
                since: since
            )
        }
        return nil
    }

    /// Holds the sync if the wave is too large and nobody approved it.
    mutating func judgeExits(now: Int64) {
        guard !isApproved, exitWave.exceeds(settings.massExits) else { return }
        if case .massExit = hold {} else { heldSince = now }
        // What the destination refused is told by its next answer, this would be forgotten.
        hold = .massExit(users: exitWave.users)
    }

    /// Makes a hold of the guard durable, once.
    mutating func noteMassExit(_ records: inout [JournalRecord], _ notes: inout [SyncNote]) {
        guard case .massExit(let users) = hold, !isMassExitNoted else { return }
        isMassExitNoted = true
        records.append(.held(sync: settings.id, .massExit(users: users)))
        notes.append(
            .held(sync: settings.id, reason: Hold.massExit(users: users).text(sync: settings.id))
        )
    }

    /// The approval of a realtime sync is used up when nobody is left who would leave.
    ///
    /// After a start nobody would until every partition's membership is known.
    mutating func spendApproval(
        _ partitions: PartitionTable,
        _ records: inout [JournalRecord]
    ) {
        guard isApproved, !settings.cadence.hasRuns, !hasExitsUnderWay,
            tickOfAll(partitions) != nil
        else { return }
        useUpApproval(&records)
    }

    mutating func useUpApproval(_ records: inout [JournalRecord]) {
        isApproved = false
        exitWave.begin(tick: exitWave.tick)
        records.append(.flag(.approved, sync: settings.id, false))
    }

    private var hasExitsUnderWay: Bool {
        if !settling.isEmpty || open.contains(where: { $0.exitCount > 0 }) { return true }
        return lanes.contains { lane in
            !lane.deferred.isEmpty
                || lane.exits.all.contains { queue in
                    queue.contains { ledger[$0.slot].ticket == $0.ticket }
                }
        }
    }

    /// Holds the sync after an answer that repeating does not mend.
    mutating func refuse(
        _ reason: Hold,
        _ now: Int64,
        _ records: inout [JournalRecord],
        _ notes: inout [SyncNote]
    ) {
        // What a person has to look at stays: the destination says its word again at the next attempt.
        if case .massExit = hold { return }
        hold = reason
        heldSince = now
        failure = nil
        isDegraded = false
        formerHold = nil
        records.append(.held(sync: settings.id, reason))
        notes.append(.held(sync: settings.id, reason: reason.text(sync: settings.id)))
    }

    /// Another sync of the destination had its credential refused.
    mutating func credentialsRefused(
        _ reason: String,
        _ now: Int64,
        _ records: inout [JournalRecord],
        _ notes: inout [SyncNote]
    ) {
        guard hold == nil else { return }
        refuse(.refused(reason: reason), now, &records, &notes)
    }

    /// The credential changed: who was refused tries again.
    mutating func credentialsChanged(_ records: inout [JournalRecord], _ notes: inout [SyncNote]) {
        guard case .refused = hold else { return }
        release(&records, &notes)
    }

    private mutating func release(_ records: inout [JournalRecord], _ notes: inout [SyncNote]) {
        hold = nil
        isMassExitNoted = false
        formerHold = nil
        hasRelisted = false
        backoff.reset()
        retryAt = .min
        records.append(.naming(.resumed, sync: settings.id))
        notes.append(.resumed(sync: settings.id))
    }

    /// Does what a person asks, or says why not.
    mutating func command(
        _ command: SyncCommand,
        now: Int64,
        partitions: PartitionTable,
        records: inout [JournalRecord],
        notes: inout [SyncNote]
    ) -> SyncCommandResult {
        switch command {
        case .pause:
            guard !isPausedByPerson else {
                return .refused("sync \(settings.id) is paused already")
            }
            isPausedByPerson = true
            pausedSince = now
            records.append(.flag(.commanded, sync: settings.id, true))
            notes.append(.held(sync: settings.id, reason: "paused by a command"))
            return .done
        case .resume: return resume(now: now, &records, &notes)
        case .approve:
            guard case .massExit = hold else {
                return .refused("sync \(settings.id) waits for no approval")
            }
            isApproved = true
            records.append(.flag(.approved, sync: settings.id, true))
            release(&records, &notes)
            return .done
        case .run: return runNow(now: now, partitions, &records)
        }
    }

    private mutating func resume(
        now: Int64,
        _ records: inout [JournalRecord],
        _ notes: inout [SyncNote]
    ) -> SyncCommandResult {
        var isDone = isPausedByPerson
        if case .massExit(let users) = hold, !isDone {
            return .refused(
                "sync \(settings.id) waits for approval because \(users) users would leave at "
                    + "once; see cohortctl syncs approve \(settings.id)"
            )
        }
        if isPausedByPerson || !skips.isEmpty {
            isPausedByPerson = false
            records.append(.flag(.commanded, sync: settings.id, false))
        }
        switch hold {
        case .massExit: break
        case .refused, .failed:
            release(&records, &notes)
            isDone = true
        case nil: if isDone { notes.append(.resumed(sync: settings.id)) }
        }
        if !skips.isEmpty {
            for slot in skips.keys.sorted() { retrySkipped(slot, now: now) }
            skipsDue = []
            isDone = true
        }
        guard isDone else {
            return .refused(
                settings.isPaused
                    ? "sync \(settings.id) is paused in its file; set paused: false there and restart"
                    : "sync \(settings.id) is not paused"
            )
        }
        return .done
    }

    /// Lets a user whom the destination did not take be sent again.
    mutating func retrySkipped(_ slot: UInt32, now: Int64) {
        guard skips.removeValue(forKey: slot) != nil, !ledger.isVacant(slot) else { return }
        ledger[slot].isSkipped = false
        reconsider(slot, age: Age(tick: .distantPast, since: now, isBackfill: true))
    }
}
