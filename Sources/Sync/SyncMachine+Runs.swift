import Basics

// Syncs whose changes leave now and then: the same difference, looked at when a run is due.

extension SyncMachine {
    /// The most users of one batch of a run that is sent as a whole.
    private static let wholeBatchMax = JournalRecord.usersMax

    /// Begins a run that is due, and ends the one that has nothing left to do.
    mutating func keepRuns(_ partitions: PartitionTable, _ records: inout [JournalRecord]) {
        guard settings.cadence.hasRuns else { return }
        if run.tick != nil {
            endRun(partitions, &records)
        } else if !isHeld {
            beginRun(partitions, &records)
        }
    }

    private mutating func beginRun(_ partitions: PartitionTable, _ records: inout [JournalRecord]) {
        guard let tick = tickOfAll(partitions) else { return }
        if run.isAsked { return beginRun(tick, &records) }
        guard let due = settings.cadence.newestDue(at: tick) else { return }
        guard let newest = run.newestDue else {
            // A new sync waits for its first hour or time of day, as its second run does.
            run.newestDue = tick
            records.append(.runDue(sync: settings.id, tick))
            return
        }
        guard due > newest else { return }
        run.newestDue = due
        beginRun(tick, &records)
    }

    private mutating func beginRun(_ tick: EventTime, _ records: inout [JournalRecord]) {
        run.tick = tick
        run.delivered = 0
        run.skipped = 0
        run.isWritten = false
        run.isAsked = false
        records.append(.runBegun(sync: settings.id, tick: tick, newestDue: run.newestDue ?? tick))
    }

    private mutating func endRun(_ partitions: PartitionTable, _ records: inout [JournalRecord]) {
        guard let tick = run.tick, !isInFlight, open.isEmpty else { return }
        if settings.shape.isWholeRun {
            guard run.isWritten else { return }
        } else {
            guard !settling.contains(where: { $0.user.age.tick <= tick }),
                Lane.Kind.allCases.allSatisfy({
                    oldest(partitions, kind: $0, operation: nil, tick: nil) == nil
                })
            else { return }
        }
        let users = run.delivered + run.skipped
        let result: SyncStatus.RunResult =
            users == 0 || Double(run.delivered) >= settings.success * Double(users)
            ? .succeeded : run.delivered > 0 ? .partiallySucceeded : .failed
        let ended = SyncStatus.Run(
            tick: tick,
            result: result,
            users: users,
            delivered: run.delivered,
            skipped: run.skipped
        )
        run.last = ended
        run.tick = nil
        exitWave.begin(tick: tick)
        isPopulated = true
        records.append(.naming(.populated, sync: settings.id))
        records.append(.runEnded(sync: settings.id, ended))
    }

    /// Begins a run, or for a realtime sync a pass over everyone, because a person asks.
    mutating func runNow(
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
            return .done
        }
        guard run.tick == nil, !run.isAsked else {
            return .refused("a run of sync \(settings.id) is under way")
        }
        run.isAsked = true
        records.append(.naming(.runAsked, sync: settings.id))
        beginRun(partitions, &records)
        return .done
    }

    /// The oldest tick of all partitions; nil while one of them is still to come.
    private func tickOfAll(_ partitions: PartitionTable) -> EventTime? {
        var tick: EventTime?
        for index in partitions.indices where partitions[index].availability != .unavailable {
            guard isOpen(index, partitions) else { return nil }
            tick = min(tick ?? .distantFuture, partitions[index].cut.tick)
        }
        return tick
    }

    // MARK: Runs that are one set of files

    /// Plans everything that the run under way sends, and says what is to be written.
    mutating func advanceWhole(
        partitions: inout PartitionTable,
        generator: inout SeededGenerator,
        records: inout [JournalRecord]
    ) -> RunRequest? {
        guard let tick = run.tick, !run.isWritten else { return nil }
        while plan(limit: Self.wholeBatchMax, &partitions, &generator, &records) {}
        isInFlight = true
        var request = RunRequest(
            syncID: settings.id,
            destinationID: settings.destinationID,
            cohortID: settings.cohortID,
            tick: tick,
            entering: RunRequest.Members(),
            exiting: RunRequest.Members(),
            existing: RunRequest.Members()
        )
        var entering: [UInt32] = []
        var exiting: [UInt32] = []
        for intent in open {
            exiting += intent.users.prefix(intent.exitCount)
            entering += intent.users.dropFirst(intent.exitCount)
        }
        let changing = Set(entering).union(exiting)
        let existing = (0..<ledger.slotBound).filter {
            !ledger.isVacant($0) && ledger[$0].isAcknowledged && !changing.contains($0)
        }
        request.entering = members(entering)
        request.exiting = members(exiting)
        request.existing = members(existing)
        return request
    }

    private func members(_ unsorted: [UInt32]) -> RunRequest.Members {
        var slots = unsorted
        ledger.sort(&slots)
        var members = RunRequest.Members()
        for slot in slots {
            ledger.withBytes(of: slot) { members.users.append($0) }
            if !settings.naming.properties.isEmpty {
                (payloads[slot] ?? Array("{}".utf8)).withByteView { members.properties.append($0) }
            }
        }
        return members
    }

    /// Takes over how the writing of a run ended.
    mutating func completeRun(
        _ outcome: DeliveryOutcome,
        now: Int64,
        partitions: PartitionTable,
        generator: inout SeededGenerator,
        records: inout [JournalRecord],
        notes: inout [SyncNote]
    ) {
        guard run.tick != nil, isInFlight else { return }
        isInFlight = false
        if outcome == .delivered { run.isWritten = true }
        if open.isEmpty {
            takeEmpty(outcome, now: now, &generator, &records, &notes)
            return
        }
        for position in open.indices.reversed() {
            take(position, outcome, now: now, partitions, &generator, &records, &notes)
        }
    }

    /// A run without a change fails and succeeds as others do.
    private mutating func takeEmpty(
        _ outcome: DeliveryOutcome,
        now: Int64,
        _ generator: inout SeededGenerator,
        _ records: inout [JournalRecord],
        _ notes: inout [SyncNote]
    ) {
        switch outcome {
        case .delivered, .settled: noteSuccess(&records, &notes)
        case .retriable(let detail, let retryAfter, _):
            fail(detail, retryAfter, now: now, &generator, &notes)
        case .authenticationRefused(let detail):
            take(.authentication(detail: detail), now: now, &records, &notes)
        case .gone(let detail), .failed(let detail):
            take(.failed(detail: detail), now: now, &records, &notes)
        }
    }
}
