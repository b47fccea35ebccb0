import Basics

// Syncs whose changes leave now and then: the same difference, looked at when a run is due.

extension SyncMachine {
    /// The most users of one batch of a run that is sent as a whole.
    private static let wholeBatchMax = JournalRecord.usersMax

    /// Begins a run that is due, and ends the one that has nothing left to do.
    mutating func keepRuns(
        now: Int64,
        _ partitions: PartitionTable,
        _ records: inout [JournalRecord]
    ) {
        guard settings.cadence.hasRuns else { return }
        endRun(partitions, &records)
        guard run.tick == nil, !isHeld else { return }
        beginRun(now: now, partitions, &records)
        // Without a change it is over already.
        endRun(partitions, &records)
    }

    private mutating func beginRun(
        now: Int64,
        _ partitions: PartitionTable,
        _ records: inout [JournalRecord]
    ) {
        guard let tick = tickOfAll(partitions) else { return }
        if run.isAsked { return beginRun(tick, now: now, &records) }
        guard let due = settings.cadence.newestDue(at: tick) else { return }
        guard let newest = run.newestDue else {
            // A new sync waits for its first hour or time of day, as its second run does.
            run.newestDue = tick
            records.append(.runDue(sync: settings.id, tick))
            return
        }
        if due > newest { beginRun(tick, now: now, &records) }
    }

    private mutating func beginRun(
        _ tick: EventTime,
        now: Int64,
        _ records: inout [JournalRecord]
    ) {
        judgeExits(now: now)
        guard !isHeld else { return }
        if isApproved { useUpApproval(&records) }
        exitWave.begin(tick: tick)
        if settings.shape.isWholeRun {
            // What an earlier run left behind is looked at anew.
            while !open.isEmpty { withdraw(0, &records) }
        }
        if let due = settings.cadence.newestDue(at: tick) { run.newestDue = due }
        run.tick = tick
        run.delivered = 0
        run.skipped = 0
        run.isAsked = false
        records.append(.runBegun(sync: settings.id, tick: tick, run))
    }

    private mutating func endRun(_ partitions: PartitionTable, _ records: inout [JournalRecord]) {
        // After a start the run goes on once everybody's membership is known.
        guard let tick = run.tick, !settings.shape.isWholeRun, !isInFlight, open.isEmpty,
            tickOfAll(partitions) != nil,
            !settling.contains(where: {
                $0.user.age.tick <= tick && ledger[$0.user.slot].ticket == $0.user.ticket
            }),
            Lane.Kind.allCases.allSatisfy({
                oldest(partitions, kind: $0, operation: nil, tick: nil) == nil
            })
        else { return }
        endRun(tick, delivered: run.delivered, &records)
    }

    private mutating func endRun(
        _ tick: EventTime,
        delivered: Int,
        _ records: inout [JournalRecord]
    ) {
        let users = delivered + run.skipped
        let result: SyncStatus.RunResult =
            Double(delivered) >= settings.success * Double(users)
            ? .succeeded : delivered > 0 ? .partiallySucceeded : .failed
        let ended = SyncStatus.Run(
            tick: tick,
            result: result,
            users: users,
            delivered: delivered,
            skipped: run.skipped
        )
        run.last = ended
        run.tick = nil
        isPopulated = true
        hasRelisted = false
        records.append(.naming(.populated, sync: settings.id))
        records.append(.runEnded(sync: settings.id, ended))
    }

    /// Begins a run, or for a realtime sync a pass over everyone, because a person asks.
    mutating func runNow(
        now: Int64,
        _ partitions: PartitionTable,
        _ records: inout [JournalRecord]
    ) -> SyncCommandResult {
        guard !isHeld else {
            return .refused("sync \(settings.id) is paused; cohortctl syncs show \(settings.id)")
        }
        guard settings.cadence.hasRuns else {
            guard settings.shape.isReasserted else {
                return .refused(
                    "sync \(settings.id) sends each change once; there is nothing to send again"
                )
            }
            reassert.askedSlots = ledger.slotBound
            reassert.dueAt = now
            return .done
        }
        guard run.tick == nil, !run.isAsked else {
            return .refused("a run of sync \(settings.id) is under way")
        }
        run.isAsked = true
        records.append(.naming(.runAsked, sync: settings.id))
        beginRun(now: now, partitions, &records)
        return .done
    }

    /// The oldest tick of all partitions; nil while one of them is still to come.
    func tickOfAll(_ partitions: PartitionTable) -> EventTime? {
        var tick: EventTime?
        for index in partitions.indices where partitions[index].availability != .unavailable {
            guard isOpen(index, partitions) else { return nil }
            tick = min(tick ?? .distantFuture, partitions[index].cut.tick)
        }
        return tick
    }

    // MARK: Runs that are one set of files

    /// Plans everything that the run under way sends, and says what is to be written.
    ///
    /// After a start the properties of those who stay must be known first.
    mutating func advanceWhole(
        partitions: inout PartitionTable,
        generator: inout SeededGenerator,
        records: inout [JournalRecord]
    ) -> RunRequest? {
        guard let tick = run.tick, tickOfAll(partitions) != nil else { return nil }
        // All batches of a run are durable together, so whoever is in one is in all that follow.
        if open.isEmpty {
            while plan(limit: Self.wholeBatchMax, &partitions, &generator, &records) {}
        }
        isInFlight = true
        var entering: [UInt32] = []
        var exiting: [UInt32] = []
        var properties: [UInt32: [UInt8]] = [:]
        var changing = BitSet()
        for intent in open {
            exiting += intent.users.prefix(intent.exitCount)
            entering += intent.users.dropFirst(intent.exitCount)
            for (place, slot) in intent.users.enumerated() {
                changing.insert(slot)
                if !intent.properties.isEmpty { properties[slot] = intent.properties[place] }
            }
        }
        let existing = (0..<ledger.slotBound).filter {
            !ledger.isVacant($0) && ledger[$0].isAcknowledged && !changing[$0]
        }
        return RunRequest(
            syncID: settings.id,
            destinationID: settings.destinationID,
            cohortID: settings.cohortID,
            tick: tick,
            entering: members(entering, properties),
            exiting: members(exiting, properties),
            existing: members(existing, payloads)
        )
    }

    private func members(
        _ unsorted: [UInt32],
        _ properties: [UInt32: [UInt8]]
    ) -> RunRequest.Members {
        var slots = unsorted
        ledger.sort(&slots)
        var members = RunRequest.Members()
        for slot in slots {
            ledger.withBytes(of: slot) { members.users.append($0) }
            guard !settings.naming.properties.isEmpty else { continue }
            (properties[slot] ?? Array("{}".utf8)).withByteView { members.properties.append($0) }
        }
        return members
    }

    /// Takes over how the writing of a run ended: it is delivered as a whole or not at all.
    mutating func completeRun(
        _ outcome: DeliveryOutcome,
        now: Int64,
        partitions: PartitionTable,
        generator: inout SeededGenerator,
        records: inout [JournalRecord],
        notes: inout [SyncNote]
    ) {
        guard let tick = run.tick, settings.shape.isWholeRun, isInFlight else { return }
        isInFlight = false
        switch outcome {
        case .delivered, .settled:
            let users = open.reduce(0) { $0 + $1.users.count }
            // First the end: a run of which only some batches are known to be over would be written again
            // without these.
            endRun(tick, delivered: users, &records)
            while !open.isEmpty { close(0, nil, now: now, partitions, &records) }
            deliveredUsers += UInt64(users)
            noteSuccess(&records, &notes)
        case .retriable(let detail, let retryAfter, let knownNotApplied):
            if !knownNotApplied {
                for position in open.indices {
                    open[position].unknownSince = now
                    unknownUsers += UInt64(open[position].users.count)
                }
            }
            fail(detail, retryAfter, now: now, &generator, &notes)
        case .authenticationRefused(let detail):
            take(.authentication(detail: detail), now: now, &records, &notes)
        case .gone(let detail), .failed(let detail):
            take(.failed(detail: detail), now: now, &records, &notes)
        }
    }
}
