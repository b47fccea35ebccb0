package import Basics

// From the journal to the state it describes, and from there to the configuration of this start.

extension SyncPlanner {
    /// Takes over one record of the journal; to be called for each, oldest first, before `start`.
    /// - Throws: ``SyncJournalError`` when the record cannot be understood; the start must be refused.
    package mutating func replay(type: UInt8, payload: [UInt8]) throws(SyncJournalError) {
        try payload.withByteView { (view) throws(SyncJournalError) in
            try replay(type: type, payload: view)
        }
    }

    /// Takes over one record of the journal; see ``replay(type:payload:)-([UInt8],_)``.
    package mutating func replay(type: UInt8, payload: ByteView) throws(SyncJournalError) {
        precondition(!isStarted, "replay after the start")
        guard let kind = JournalRecord.Kind(rawValue: type) else { throw .unknownType(type) }
        var decoder = JournalDecoder(type: type, payload: payload)
        switch kind {
        case .begin: replayBegin(sync: try decoder.text(), destination: try decoder.text())
        case .intent, .batch: try replayBatch(kind, &decoder)
        case .delivered, .withdrawn, .settled: try replayResult(kind, &decoder)
        case .claim: try replayClaim(&decoder)
        case .ledger: try replayLedger(&decoder)
        case .skipped: try replaySkipped(&decoder)
        case .cuts: partitions.notePlanned(try decoder.cuts())
        case .forgotten:
            let number = try machine(&decoder)
            let sync = machines[number].settings.id
            machines[number].ledger.removeAll()
            machines[number] = replayed(sync: sync, destination: "")
            machineOfSync[sync] = nil
        case .terms:
            let number = try machine(&decoder)
            machines[number].terms = try decoder.terms()
        case .sequences: try replaySequences(&decoder)
        case .paused, .resumed, .populated, .commanded, .approved, .held, .list, .relisted, .runDue,
            .runAsked, .runBegun, .runEnded:
            try machines[machine(&decoder)].replay(kind, &decoder)
        }
        try decoder.end()
    }

    /// Ends the replay: from here on the syncs are those of the configuration.
    ///
    /// Syncs that are not among these are forgotten. Batches without a result count as just attempted, so the settle rule
    /// holds over a crash.
    package mutating func start(_ syncs: [SyncSettings], now: Int64) {
        precondition(!isStarted, "started twice")
        isStarted = true
        var configured: [SyncMachine] = []
        var numbers: [String: Int] = [:]
        for settings in syncs {
            precondition(numbers[settings.id] == nil, "sync \(settings.id) twice")
            numbers[settings.id] = configured.count
            configured.append(configure(settings, now: now))
        }
        for number in machineOfSync.values.sorted() {
            let sync = machines[number].settings.id
            guard numbers[sync] == nil else { continue }
            unwritten.append(.naming(.forgotten, sync: sync))
            notes.append(.forgotten(sync: sync, users: machines[number].ledger.count))
            machines[number].ledger.removeAll()
        }
        machines = configured
        machineOfSync = numbers
        // Whoever is in the cohort is nobody to a sync that takes out its users.
        for (number, machine) in machines.enumerated() where !machine.settings.isLeaving {
            machinesOfCohort[machine.settings.cohortID, default: []].append(number)
        }
    }

    private mutating func configure(_ settings: SyncSettings, now: Int64) -> SyncMachine {
        let names = settings.naming.isMapped ? rows : users
        var machine = SyncMachine(settings: settings, names: names, users: users)
        if let number = machineOfSync[settings.id] {
            let previous = machines[number].settings.destinationID
            if previous == settings.destinationKey {
                swap(&machine, &machines[number])
                machine.settings = settings
                if machine.terms?.isLeaving == true, !settings.isLeaving {
                    machine.stay(&unwritten)
                }
                noteTerms(of: &machine)
                machine.begin(now: now, partitions: partitions)
                machine.holdLeaving(now: now)
                if settings.isLeaving {
                    notes.append(
                        .leaving(
                            sync: settings.id,
                            destination: settings.destinationID,
                            users: machine.usersThere
                        )
                    )
                }
                return machine
            }
            machines[number].ledger.removeAll()
            notes.append(
                .destinationChanged(
                    sync: settings.id,
                    from: previous,
                    to: settings.destinationKey
                )
            )
        }
        unwritten.append(.begin(sync: settings.id, destination: settings.destinationKey))
        noteTerms(of: &machine)
        machine.begin(now: now, partitions: partitions)
        return machine
    }

    /// Has the journal keep what will be needed once the sync is not configured any more.
    private mutating func noteTerms(of machine: inout SyncMachine) {
        let terms = machine.settings.terms
        if machine.terms == terms { return }
        machine.terms = terms
        unwritten.append(.terms(sync: machine.settings.id, terms))
    }

    // MARK: Records

    /// A sync as the journal knows it, before the configuration is read.
    private func replayed(sync: String, destination: String) -> SyncMachine {
        SyncMachine(
            settings: SyncSettings(
                id: sync,
                cohortID: "",
                cohortName: "",
                destinationID: destination
            ),
            names: destination.hasSuffix("/rows") ? rows : users,
            users: users
        )
    }

    private mutating func replayBegin(sync: String, destination: String) {
        let machine = replayed(sync: sync, destination: destination)
        if let known = machineOfSync[sync] {
            machines[known].ledger.removeAll()
            machines[known] = machine
        } else {
            machineOfSync[sync] = machines.count
            machines.append(machine)
        }
    }

    private mutating func replayBatch(
        _ kind: JournalRecord.Kind,
        _ decoder: inout JournalDecoder
    ) throws(SyncJournalError) {
        let header = try decoder.batchHeader(kind)
        let machine = try machine(named: header.syncID, decoder)
        guard !machines[machine].open.contains(where: { $0.messageID == header.messageID }) else {
            throw decoder.malformed("message \(header.messageID) twice")
        }
        partitions.notePlanned(header.cuts)
        var users: [UInt32] = []
        var places: [PartitionID] = []
        try decoder.users(of: header.cuts.map(\.partition)) { user, partition in
            let isExit = header.exitCount.map { users.count < $0 } ?? (header.operation == .exit)
            users.append(
                machines[machine].replayIntended(
                    user,
                    isExit ? .exit : .enter,
                    partitions.insert(partition)
                )
            )
            places.append(partition)
        }
        var intent = OpenIntent(
            messageID: header.messageID,
            cohortID: header.cohortID,
            cohortName: header.cohortName,
            tick: header.tick,
            users: users,
            exitCount: header.exitCount ?? (header.operation == .exit ? users.count : 0),
            age: .unknown
        )
        guard intent.exitCount <= users.count else {
            throw decoder.malformed("\(intent.exitCount) of \(users.count) users leave")
        }
        if kind == .batch {
            if try decoder.flag() {
                var next: [PartitionID: UInt64] = [:]
                for cut in header.cuts { next[cut.partition] = try decoder.number() }
                machines[machine].makeRoom(for: partitions)
                for place in places {
                    let sequence = next[place] ?? 0
                    next[place] = sequence &+ 1
                    let index = partitions.insert(place)
                    intent.origins.append((index, sequence))
                    machines[machine].sequences[Int(index)] = sequence &+ 1
                }
            }
            for _ in 0..<(try decoder.count(width: 4)) {
                intent.properties.append(try decoder.longBytes())
            }
            guard intent.properties.isEmpty || intent.properties.count == users.count else {
                throw decoder.malformed("\(intent.properties.count) properties")
            }
        }
        machines[machine].open.append(intent)
    }

    private mutating func replayResult(
        _ kind: JournalRecord.Kind,
        _ decoder: inout JournalDecoder
    ) throws(SyncJournalError) {
        let machine = try machine(&decoder)
        let message = try decoder.text()
        let isAmbiguous = try decoder.flag()
        guard let position = machines[machine].open.firstIndex(where: { $0.messageID == message })
        else { throw decoder.malformed("a result of message \(message), which is not open") }
        var intent = machines[machine].open.remove(at: position)
        intent.unknownSince = isAmbiguous ? 0 : nil
        switch kind {
        case .delivered: machines[machine].settle(delivered: intent, now: 0)
        case .settled:
            let outcomes = try decoder.outcomes()
            guard outcomes.outcomes.count == intent.users.count else {
                throw decoder.malformed("\(outcomes.outcomes.count) outcomes")
            }
            machines[machine].settle(intent, outcomes, now: 0)
        default: machines[machine].settle(withdrawn: intent)
        }
    }

    private mutating func replayClaim(_ decoder: inout JournalDecoder) throws(SyncJournalError) {
        let machine = try machine(&decoder)
        let index = partitions.insert(try decoder.number())
        let slot = machines[machine].ledger.insert(try decoder.bytes())
        machines[machine].replayClaim(slot, index)
    }

    private mutating func replayLedger(_ decoder: inout JournalDecoder) throws(SyncJournalError) {
        let machine = try machine(&decoder)
        let byte: UInt8 = try decoder.number()
        guard let state = LedgerState(byte: byte) else { throw decoder.malformed("state \(byte)") }
        try decoder.users(of: decoder.partitions()) { user, partition in
            machines[machine].replayState(user, state, partitions.insert(partition))
        }
    }

    private mutating func replaySkipped(_ decoder: inout JournalDecoder) throws(SyncJournalError) {
        let machine = try machine(&decoder)
        let operation = try decoder.operation()
        let reason = try decoder.text()
        try decoder.users(of: decoder.partitions()) { user, partition in
            machines[machine].replaySkip(
                user,
                Skip(operation: operation, reason: reason, since: 0),
                partitions.insert(partition)
            )
        }
    }

    private mutating func replaySequences(_ decoder: inout JournalDecoder) throws(SyncJournalError)
    {
        let machine = try machine(&decoder)
        for _ in 0..<(try decoder.count(width: 12)) {
            let index = partitions.insert(try decoder.number())
            machines[machine].makeRoom(for: partitions)
            machines[machine].sequences[Int(index)] = try decoder.number()
        }
    }

    private func machine(_ decoder: inout JournalDecoder) throws(SyncJournalError) -> Int {
        try machine(named: decoder.text(), decoder)
    }

    private func machine(
        named sync: String,
        _ decoder: JournalDecoder
    ) throws(SyncJournalError) -> Int {
        guard let machine = machineOfSync[sync] else {
            throw decoder.malformed("sync \(sync) never began")
        }
        return machine
    }
}
