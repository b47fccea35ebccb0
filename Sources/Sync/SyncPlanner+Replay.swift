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
        case .intent: try replayIntent(&decoder)
        case .delivered, .withdrawn: try replayResult(kind, &decoder)
        case .paused:
            let machine = try machine(&decoder)
            machines[machine].pause = SyncMachine.Failure(reason: try decoder.text(), since: 0)
        case .resumed: machines[try machine(&decoder)].pause = nil
        case .populated: machines[try machine(&decoder)].isPopulated = true
        case .claim: try replayClaim(&decoder)
        case .ledger: try replayLedger(&decoder)
        case .cuts: partitions.notePlanned(try decoder.cuts())
        case .forgotten:
            let machine = try machine(&decoder)
            let sync = machines[machine].settings.id
            machines[machine] = SyncMachine(settings: .replayed(sync: sync, destination: ""))
            machineOfSync[sync] = nil
        }
        try decoder.end()
    }

    /// Ends the replay: from here on the syncs are those of the configuration.
    ///
    /// Batches without a result count as just attempted, so the settle rule holds over a crash.
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
        }
        machines = configured
        machineOfSync = numbers
        for (number, machine) in machines.enumerated() {
            machinesOfCohort[machine.settings.cohortID, default: []].append(number)
        }
    }

    private mutating func configure(_ settings: SyncSettings, now: Int64) -> SyncMachine {
        var machine = SyncMachine(settings: settings)
        if let number = machineOfSync[settings.id] {
            let previous = machines[number].settings.destinationID
            if previous == settings.destinationID {
                swap(&machine, &machines[number])
                machine.settings = settings
                machine.begin(now: now, partitions: partitions)
                return machine
            }
            notes.append(
                .destinationChanged(
                    sync: settings.id,
                    from: previous,
                    to: settings.destinationID
                )
            )
        }
        unwritten.append(.begin(sync: settings.id, destination: settings.destinationID))
        machine.begin(now: now, partitions: partitions)
        return machine
    }

    // MARK: Records

    private mutating func replayBegin(sync: String, destination: String) {
        let machine = SyncMachine(settings: .replayed(sync: sync, destination: destination))
        if let known = machineOfSync[sync] {
            machines[known] = machine
        } else {
            machineOfSync[sync] = machines.count
            machines.append(machine)
        }
    }

    private mutating func replayIntent(_ decoder: inout JournalDecoder) throws(SyncJournalError) {
        let header = try decoder.intentHeader()
        let machine = try machine(named: header.syncID, decoder)
        guard !machines[machine].open.contains(where: { $0.messageID == header.messageID }) else {
            throw decoder.malformed("message \(header.messageID) twice")
        }
        partitions.notePlanned(header.cuts)
        var users: [UInt32] = []
        try decoder.users(of: header.cuts.map(\.partition)) { user, partition in
            users.append(
                machines[machine].replayIntended(
                    user,
                    header.operation,
                    partitions.insert(partition)
                )
            )
        }
        machines[machine].open.append(
            OpenIntent(
                messageID: header.messageID,
                cohortID: header.cohortID,
                cohortName: header.cohortName,
                operation: header.operation,
                tick: header.tick,
                users: users,
                age: .unknown
            )
        )
    }

    private mutating func replayResult(
        _ kind: JournalRecord.Kind,
        _ decoder: inout JournalDecoder
    ) throws(SyncJournalError) {
        let machine = try machine(&decoder)
        let message = try decoder.text()
        let isAmbiguous = try decoder.number(UInt8.self) != 0
        guard let position = machines[machine].open.firstIndex(where: { $0.messageID == message })
        else { throw decoder.malformed("a result of message \(message), which is not open") }
        var intent = machines[machine].open.remove(at: position)
        intent.unknownSince = isAmbiguous ? 0 : nil
        if kind == .delivered {
            machines[machine].settle(delivered: intent)
        } else {
            machines[machine].settle(withdrawn: intent)
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
        var ids: [PartitionID] = []
        for _ in 0..<(try decoder.count(width: 4)) { ids.append(try decoder.number()) }
        try decoder.users(of: ids) { user, partition in
            machines[machine].replayState(user, state, partitions.insert(partition))
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

extension SyncSettings {
    /// What the journal knows of a sync before the configuration is read.
    fileprivate static func replayed(sync: String, destination: String) -> SyncSettings {
        SyncSettings(
            id: sync,
            cohortID: "",
            cohortName: "",
            destinationID: destination
        )
    }
}

extension Age {
    /// Older than every age of this run; the start sets when the waiting began.
    static let unknown = Age(tick: .distantPast, since: 0)
}

extension SyncMachine {
    /// The partition is taken to count the user as the intent did, until its membership is known.
    fileprivate mutating func replayIntended(
        _ user: ByteView,
        _ operation: Operation,
        _ index: UInt16
    ) -> UInt32 {
        let slot = ledger.insert(user)
        ledger[slot].isInIntent = true
        ledger[slot].planned = index
        if operation == .enter {
            replayClaim(slot, index)
        } else {
            ledger[slot].isMember = false
            ledger[slot].claim = index
            moreClaims[slot] = nil
        }
        return slot
    }

    fileprivate mutating func replayClaim(_ slot: UInt32, _ index: UInt16) {
        let claim = ledger[slot].claim
        if claim != index, claim != LedgerEntry.noPartition { hasSplitUsers = true }
        if !ledger[slot].isMember {
            ledger[slot].isMember = true
            ledger[slot].claim = index
        } else if claim != index, moreClaims[slot]?.contains(index) != true {
            moreClaims[slot, default: []].append(index)
        }
    }

    fileprivate mutating func replayState(_ user: ByteView, _ state: LedgerState, _ index: UInt16) {
        let slot = ledger.insert(user)
        ledger[slot].isAcknowledged = state.isAcknowledged
        ledger[slot].isMember = state.isAcknowledged
        ledger[slot].claim = index
        ledger[slot].unknown = state.unknown
        if let operation = state.doubt {
            setDoubt(slot, Doubt(operation: operation, since: 0, age: .unknown))
        }
    }

    /// The replay is over: clocks start, and everybody is put where they belong.
    fileprivate mutating func begin(now: Int64, partitions: PartitionTable) {
        makeRoom(for: partitions)
        let age = Age(tick: .distantPast, since: now)
        for position in open.indices {
            open[position].unknownSince = now
            open[position].age = age
        }
        for slot in doubts.keys.sorted() {
            guard let operation = doubts[slot]?.operation else { continue }
            setDoubt(slot, Doubt(operation: operation, since: now, age: age))
        }
        formerPause = pause?.reason
        pause = nil
        for slot in 0..<ledger.slotBound where !ledger[slot].isVacant {
            reconsider(slot, age: age)
        }
    }
}
