import Basics

// From the difference to a batch: what may be sent next, and how it ended.

extension SyncMachine {
    /// The most users one request holds.
    static let batchUsersMax = 1000

    private enum Verdict {
        case sendAgain
        case hold
        case withdraw
    }

    /// Decides what leaves next, if anything may; an intent is appended to `records` before its request.
    mutating func advance(
        now: Int64,
        partitions: inout PartitionTable,
        generator: inout SeededGenerator,
        records: inout [JournalRecord]
    ) -> DeliveryRequest? {
        releaseSettled(now: now)
        dropSettledDoubts(now: now)
        forgetExpired(partitions.oldestTick)
        notePopulated(partitions, &records)
        guard !settings.isPaused, pause == nil, !isInFlight, retryAt <= now else { return nil }
        var position = 0
        while position < open.count {
            switch verdict(open[position], partitions) {
            case .sendAgain: return send(position)
            case .hold: position += 1
            case .withdraw: withdraw(position, &records)
            }
        }
        guard plan(now: now, &partitions, &generator, &records) else { return nil }
        return send(open.count - 1)
    }

    /// Whether a batch of unknown outcome may go out again as it is.
    private func verdict(_ intent: OpenIntent, _ partitions: PartitionTable) -> Verdict {
        guard intent.cohortID == settings.cohortID else { return .withdraw }
        var verdict = Verdict.sendAgain
        for slot in intent.users {
            let entry = ledger[slot]
            if !isOpen(entry.claim, partitions) {
                if partitions[entry.claim].availability == .unavailable { return .withdraw }
                verdict = .hold
            } else if entry.desired != intent.operation {
                return .withdraw
            }
        }
        return verdict
    }

    private mutating func send(_ position: Int) -> DeliveryRequest {
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
            exitCount: intent.operation == .exit ? users.count : 0,
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
        run = nil
    }

    /// What a batch that was given up leaves behind in the ledger.
    mutating func settle(withdrawn intent: OpenIntent) {
        for slot in intent.users {
            ledger[slot].isInIntent = false
            guard let since = intent.unknownSince else { continue }
            ledger[slot].unknown = intent.operation
            setDoubt(slot, Doubt(operation: intent.operation, since: since, age: intent.age))
        }
    }

    /// What a batch that was taken leaves behind in the ledger.
    mutating func settle(delivered intent: OpenIntent) {
        for slot in intent.users {
            ledger[slot].isInIntent = false
            ledger[slot].unknown = nil
            ledger[slot].isAcknowledged = intent.operation == .enter
            if let since = intent.unknownSince {
                // An earlier attempt of this batch may still be applied; see the settle rule.
                setDoubt(slot, Doubt(operation: intent.operation, since: since, age: intent.age))
            } else if let doubt = doubts[slot] {
                if doubt.operation == intent.operation {
                    setDoubt(slot, doubt)
                } else {
                    clearDoubt(slot)
                }
            }
        }
    }

    // MARK: Planning

    /// Makes the next batch durable-to-be; false if nobody may be planned.
    private mutating func plan(
        now: Int64,
        _ partitions: inout PartitionTable,
        _ generator: inout SeededGenerator,
        _ records: inout [JournalRecord]
    ) -> Bool {
        while let (head, operation) = oldest(partitions, operation: nil, tick: nil) {
            let tick = partitions[head].cut.tick
            let (users, age) = take(operation, tick: tick, partitions)
            // Everybody at hand may have been put off; then others are looked for.
            guard !users.isEmpty else { continue }
            makeIntent(users, operation, tick, age, &partitions, &generator, &records)
            return true
        }
        return false
    }

    /// The open partition whose next user waits longest; exits before enters at equal age.
    private mutating func oldest(
        _ partitions: PartitionTable,
        operation wanted: Operation?,
        tick: EventTime?
    ) -> (UInt16, Operation)? {
        var best: (index: UInt16, operation: Operation, age: EventTime)?
        for index in partitions.indices where isOpen(index, partitions) {
            if let tick, partitions[index].cut.tick != tick { continue }
            for operation in [Operation.exit, .enter] {
                if let wanted, wanted != operation { continue }
                guard let user = lanes[Int(index)][operation].next(ledger) else { continue }
                let isOlder =
                    best.map {
                        (user.age.tick, operation.rawValue) < ($0.age, $0.operation.rawValue)
                    } ?? true
                if isOlder { best = (index, operation, user.age.tick) }
            }
        }
        return best.map { ($0.index, $0.operation) }
    }

    /// Takes up to a batch of users off the lanes whose partitions are at `tick`.
    private mutating func take(
        _ operation: Operation,
        tick: EventTime,
        _ partitions: PartitionTable
    ) -> (users: [UInt32], age: Age) {
        var users: [UInt32] = []
        var age = Age(tick: .distantFuture, since: .max)
        while users.count < Self.batchUsersMax,
            let (index, _) = oldest(partitions, operation: operation, tick: tick)
        {
            let lane = Int(index)
            var headTick: EventTime?
            while users.count < Self.batchUsersMax, let user = lanes[lane][operation].next(ledger),
                headTick == nil || headTick == user.age.tick
            {
                headTick = user.age.tick
                lanes[lane][operation].removeFirst()
                let planned = ledger[user.slot].planned
                if planned != index, planned != LedgerEntry.noPartition,
                    partitions[planned].newestPlanned.tick > tick
                {
                    // Time must not go back for a user who moved here from a partition that is ahead.
                    lanes[lane].deferred.append(user)
                    continue
                }
                users.append(user.slot)
                if user.age.since < age.since { age = user.age }
                ledger[user.slot].ticket = 0
                ledger[user.slot].isInIntent = true
                ledger[user.slot].planned = index
            }
        }
        return (users, age)
    }

    private mutating func makeIntent(
        _ unsorted: [UInt32],
        _ operation: Operation,
        _ tick: EventTime,
        _ age: Age,
        _ partitions: inout PartitionTable,
        _ generator: inout SeededGenerator,
        _ records: inout [JournalRecord]
    ) {
        var users = unsorted
        ledger.sort(&users)
        if run?.tick != tick { run = Run(uuid: generator.uuid(), tick: tick) }
        var batch = run ?? Run(uuid: generator.uuid(), tick: tick)
        let number = batch.batches[Int(operation.rawValue)]
        batch.batches[Int(operation.rawValue)] += 1
        run = batch

        // Of a user in several partitions the intent speaks for all of them.
        let involved =
            hasSplitUsers
            ? partitions.indices.filter { isOpen($0, partitions) }
            : Set(users.map { ledger[$0].claim }).sorted()
        let header = IntentHeader(
            syncID: settings.id,
            messageID: "\(batch.uuid)::\(operation.name)::\(number)",
            cohortID: settings.cohortID,
            cohortName: settings.cohortName,
            operation: operation,
            tick: tick,
            cuts: involved.map {
                PartitionCut(partition: partitions[$0].id, cut: partitions[$0].cut)
            }
        )
        records.append(.intent(header, users: users, in: ledger, partitions: partitions))
        partitions.notePlanned(header.cuts)
        newestTick = max(newestTick, tick)
        open.append(
            OpenIntent(
                messageID: header.messageID,
                cohortID: header.cohortID,
                cohortName: header.cohortName,
                operation: operation,
                tick: tick,
                users: users,
                age: age
            )
        )
    }

    private mutating func notePopulated(
        _ partitions: PartitionTable,
        _ records: inout [JournalRecord]
    ) {
        guard !isPopulated, pendingUsers == 0, partitions.count > 0 else { return }
        var isAnyOpen = false
        for index in partitions.indices where partitions[index].availability != .unavailable {
            guard isOpen(index, partitions) else { return }
            isAnyOpen = true
        }
        guard isAnyOpen else { return }
        isPopulated = true
        records.append(.naming(.populated, sync: settings.id))
    }
}
