import Basics

// From the difference to a batch: what may be sent next.

extension SyncMachine {
    /// Of a batch, one user in so many may be of those who are sent with everybody.
    static let backfillShare = 5

    private enum Verdict {
        case sendAgain
        case hold
        case withdraw
    }

    /// Does what time asks for: to be called before anything is planned.
    mutating func prepare(
        now: Int64,
        partitions: PartitionTable,
        records: inout [JournalRecord],
        notes: inout [SyncNote]
    ) {
        releaseSettled(now: now)
        dropSettledDoubts(now: now)
        releaseSkipped(now: now)
        forgetExpired(partitions.oldestTick)
        if !settings.cadence.hasRuns { notePopulated(partitions, &records) }
        spendApproval(partitions, &records)
        reassertSome(now: now)
        keepRuns(now: now, partitions, &records)
        noteMassExit(&records, &notes)
        if let failure, !isDegraded, now - failure.since >= settings.degradedMilliseconds {
            isDegraded = true
            notes.append(.degraded(sync: settings.id, reason: failure.reason))
        }
    }

    /// Whether anything may leave now, as far as this sync knows.
    func isReady(now: Int64) -> Bool {
        !isHeld && !isInFlight && retryAt <= now && (!settings.cadence.hasRuns || run.tick != nil)
    }

    /// Whether users wait who may be planned; nil for neither kind.
    mutating func waitingKind(_ partitions: PartitionTable) -> Lane.Kind? {
        if !open.isEmpty { return .live }
        for kind in Lane.Kind.allCases
        where oldest(partitions, kind: kind, operation: nil, tick: nil) != nil {
            return kind
        }
        return nil
    }

    /// Decides what leaves next, if anything may; an intent is appended to `records` before its request.
    ///
    /// `allowance` is how many users the destination would take now, 1 at least.
    mutating func advance(
        now: Int64,
        allowance: Int,
        partitions: inout PartitionTable,
        generator: inout SeededGenerator,
        records: inout [JournalRecord]
    ) -> DeliveryRequest? {
        var position = 0
        while position < open.count {
            switch verdict(open[position], partitions) {
            case .sendAgain: return send(position, partitions)
            case .hold: position += 1
            case .withdraw: withdraw(position, &records)
            }
        }
        // Who was just withdrawn may have waited long enough.
        releaseSettled(now: now)
        let limit = min(settings.shape.usersMax, allowance)
        guard plan(limit: limit, &partitions, &generator, &records) else { return nil }
        return send(open.count - 1, partitions)
    }

    /// Whether a batch of unknown outcome may go out again as it is.
    private func verdict(_ intent: OpenIntent, _ partitions: PartitionTable) -> Verdict {
        guard intent.cohortID == settings.cohortID, settings.shape.isRepeatedUnchanged else {
            return .withdraw
        }
        var verdict = Verdict.sendAgain
        for (place, slot) in intent.users.enumerated() {
            let entry = ledger[slot]
            if !isOpen(entry.claim, partitions) {
                if partitions[entry.claim].availability == .unavailable { return .withdraw }
                verdict = .hold
            } else if entry.desired != intent.operation(at: place)
                || entry.desired == .exit && holdsExit(of: slot)
            {
                return .withdraw
            }
        }
        return verdict
    }

    private mutating func send(_ position: Int, _ partitions: PartitionTable) -> DeliveryRequest {
        open[position].isInFlight = true
        isInFlight = true
        let intent = open[position]
        var users = UserList()
        for slot in intent.users { ledger.withBytes(of: slot) { users.append($0) } }
        return DeliveryRequest(
            syncID: settings.id,
            destinationID: settings.destinationID,
            messageID: intent.messageID,
            cohortID: intent.cohortID,
            cohortName: intent.cohortName,
            tick: intent.tick,
            users: users,
            exitCount: intent.exitCount,
            origins: intent.origins.map {
                RecordOrigin(partition: partitions[$0.partition].id, sequence: $0.sequence)
            },
            properties: UserList(bytes: intent.properties),
            timeoutMilliseconds: settings.requestTimeoutMilliseconds
        )
    }

    /// Gives a batch up: its users are planned anew, each by what is wanted of it now.
    mutating func withdraw(_ position: Int, _ records: inout [JournalRecord]) {
        let intent = open.remove(at: position)
        records.append(
            .result(
                .withdrawn,
                sync: settings.id,
                message: intent.messageID,
                ambiguous: intent.unknownSince != nil
            )
        )
        settle(withdrawn: intent)
        for slot in intent.users { reconsider(slot, age: intent.age, returned: true) }
        series = nil
    }

    // MARK: Planning

    /// Makes the next batch durable-to-be; false if nobody may be planned.
    mutating func plan(
        limit: Int,
        _ partitions: inout PartitionTable,
        _ generator: inout SeededGenerator,
        _ records: inout [JournalRecord]
    ) -> Bool {
        while true {
            let live = oldest(partitions, kind: .live, operation: nil, tick: nil)
            let backfill = oldest(partitions, kind: .backfill, operation: nil, tick: nil)
            if backfill == nil { backfillCredit = 0 }
            let isBackfillsTurn =
                live == nil || backfillCredit >= (Self.backfillShare - 1) * limit
            guard let (head, operation) = isBackfillsTurn ? backfill ?? live : live else {
                return false
            }
            let tick = partitions[head].cut.tick
            let only = settings.shape.isMixed ? nil : operation
            let batch = take(limit, operation: only, tick: tick, partitions)
            // Everybody at hand may have been put off; then others are looked for.
            guard !batch.users.isEmpty else { continue }
            // A user of the one kind is worth four of the other; what is not used up is not saved.
            backfillCredit += batch.users.count - Self.backfillShare * batch.backfillUsers
            backfillCredit = max(backfillCredit, 1 - Self.backfillShare)
            makeIntent(batch.users, tick, batch.age, &partitions, &generator, &records)
            return true
        }
    }

    /// The open partition whose next user waits longest; exits before enters at equal age.
    mutating func oldest(
        _ partitions: PartitionTable,
        kind: Lane.Kind,
        operation wanted: Operation?,
        tick: EventTime?
    ) -> (index: UInt16, operation: Operation)? {
        var best: (index: UInt16, operation: Operation, age: EventTime)?
        for index in partitions.indices where isOpen(index, partitions) {
            if let tick, partitions[index].cut.tick != tick { continue }
            for operation in [Operation.exit, .enter] {
                if let wanted, wanted != operation { continue }
                if operation == .exit, exitsHeldSince[Int(index)] != nil { continue }
                guard let user = next(kind, operation, in: index) else { continue }
                let isOlder =
                    best.map {
                        (user.age.tick, operation.rawValue) < ($0.age, $0.operation.rawValue)
                    } ?? true
                if isOlder { best = (index, operation, user.age.tick) }
            }
        }
        return best.map { ($0.index, $0.operation) }
    }

    /// The next user of a lane; in a run only who waited when it began.
    private mutating func next(
        _ kind: Lane.Kind,
        _ operation: Operation,
        in index: UInt16
    ) -> WaitingUser? {
        lanes[Int(index)][operation].next(kind, upTo: newestWaiting, ledger)
    }

    /// Who waits since then or longer may leave.
    private var newestWaiting: EventTime { run.tick ?? .distantFuture }

    private struct Batch {
        var users: [(slot: UInt32, operation: Operation)] = []
        var age = Age(tick: .distantFuture, since: .max, isBackfill: true)
        var backfillUsers = 0
    }

    /// Takes users off the lanes whose partitions are at `tick`: those whom events moved, with a share kept for
    /// those who are sent with everybody.
    private mutating func take(
        _ limit: Int,
        operation: Operation?,
        tick: EventTime,
        _ partitions: PartitionTable
    ) -> Batch {
        var batch = Batch()
        let hasBackfill =
            oldest(partitions, kind: .backfill, operation: operation, tick: tick) != nil
        let owed = (backfillCredit + limit + Self.backfillShare - 1) / Self.backfillShare
        let reserved = hasBackfill ? min(limit, max(0, owed)) : 0
        take(.live, upTo: limit - reserved, operation, tick, partitions, &batch)
        take(.backfill, upTo: limit, operation, tick, partitions, &batch)
        take(.live, upTo: limit, operation, tick, partitions, &batch)
        return batch
    }

    private mutating func take(
        _ kind: Lane.Kind,
        upTo limit: Int,
        _ wanted: Operation?,
        _ tick: EventTime,
        _ partitions: PartitionTable,
        _ batch: inout Batch
    ) {
        while batch.users.count < limit,
            let (index, operation) = oldest(
                partitions,
                kind: kind,
                operation: wanted,
                tick: tick
            )
        {
            let lane = Int(index)
            var headTick: EventTime?
            while batch.users.count < limit, let user = next(kind, operation, in: index),
                headTick == nil || headTick == user.age.tick
            {
                headTick = user.age.tick
                lanes[lane][operation].removeFirst(kind, upTo: newestWaiting)
                var entry = ledger[user.slot]
                if entry.planned != index, entry.planned != LedgerEntry.noPartition,
                    partitions[entry.planned].newestPlanned.tick > tick
                {
                    // Time must not go back for a user who moved here from a partition that is ahead.
                    lanes[lane].deferred.append(user)
                    continue
                }
                batch.users.append((user.slot, operation))
                if user.age.since < batch.age.since {
                    batch.age.tick = user.age.tick
                    batch.age.since = user.age.since
                }
                batch.age.isBackfill = batch.age.isBackfill && user.age.isBackfill
                if kind == .backfill { batch.backfillUsers += 1 }
                entry.ticket = 0
                entry.isInIntent = true
                entry.planned = index
                ledger[user.slot] = entry
            }
        }
    }

    private mutating func makeIntent(
        _ batch: [(slot: UInt32, operation: Operation)],
        _ tick: EventTime,
        _ age: Age,
        _ partitions: inout PartitionTable,
        _ generator: inout SeededGenerator,
        _ records: inout [JournalRecord]
    ) {
        var exits = batch.filter { $0.operation == .exit }.map(\.slot)
        var enters = batch.filter { $0.operation == .enter }.map(\.slot)
        ledger.sort(&exits)
        ledger.sort(&enters)
        let users = exits + enters

        // Of a user in several partitions the intent speaks for all of them.
        let involved =
            hasSplitUsers
            ? partitions.indices.filter { isOpen($0, partitions) }
            : Set(users.map { ledger[$0].claim }).sorted()
        let intent = OpenIntent(
            messageID: nextMessageID(tick, exits: exits.count, enters: enters.count, &generator),
            cohortID: settings.cohortID,
            cohortName: settings.cohortName,
            tick: tick,
            users: users,
            exitCount: exits.count,
            origins: settings.shape.isNumbered ? number(users) : [],
            properties: settings.naming.properties.isEmpty
                ? [] : users.map { payloads[$0] ?? Array("{}".utf8) },
            age: age
        )
        let cuts = involved.map {
            PartitionCut(partition: partitions[$0].id, cut: partitions[$0].cut)
        }
        records.append(
            .batch(intent, sync: settings.id, cuts: cuts, in: ledger, partitions: partitions)
        )
        partitions.notePlanned(cuts)
        newestTick = max(newestTick, tick)
        open.append(intent)
    }

    private mutating func nextMessageID(
        _ tick: EventTime,
        exits: Int,
        enters: Int,
        _ generator: inout SeededGenerator
    ) -> String {
        if series?.tick != tick { series = Series(uuid: generator.uuid(), tick: tick) }
        var current = series ?? Series(uuid: generator.uuid(), tick: tick)
        let kind = exits > 0 && enters > 0 ? 2 : exits > 0 ? 0 : 1
        let number = current.batches[kind]
        current.batches[kind] += 1
        series = current
        return "\(current.uuid)::\(["exit", "enter", "change"][kind])::\(number)"
    }

    /// Numbers the records of a batch, each partition's from where it was.
    private mutating func number(_ users: [UInt32]) -> [(partition: UInt16, sequence: UInt64)] {
        users.map { slot in
            let claim = ledger[slot].claim
            defer { sequences[Int(claim)] += 1 }
            return (claim, sequences[Int(claim)])
        }
    }

    private mutating func notePopulated(
        _ partitions: PartitionTable,
        _ records: inout [JournalRecord]
    ) {
        guard !isPopulated, pendingUsers == 0, tickOfAll(partitions) != nil else { return }
        isPopulated = true
        hasRelisted = false
        records.append(.naming(.populated, sync: settings.id))
    }
}
