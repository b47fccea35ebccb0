import Basics

// The live state as records, for a journal that is mostly dead bytes.

extension SyncPlanner {
    /// Hands out records that, replayed alone, give the present state.
    ///
    /// Every record that an earlier `advance` returned must be in the journal that they replace; results
    /// that were not returned yet are contained. A request on its way stays an intent without result.
    package mutating func rewriteRecords<Failure: Error>(
        _ emit: (JournalRecord) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(isStarted, "a rewrite before the start")
        unwritten = []
        try emit(.cuts(partitions.newestCuts))
        for machine in machines where !machine.isGone { try machine.rewrite(partitions, emit) }
    }

    /// The records of a rewrite in one list; for tests and small journals.
    package mutating func rewriteRecords() -> [JournalRecord] {
        var records: [JournalRecord] = []
        rewriteRecords { records.append($0) }
        return records
    }

    /// About how many bytes a rewritten journal would have.
    package var liveBytes: Int {
        var bytes = 64 + partitions.count * 20
        for machine in machines {
            bytes += 256 + machine.ledger.userBytes + machine.ledger.count * 4
            for intent in machine.open { bytes += 256 + intent.users.count * 24 }
        }
        return bytes
    }
}

extension SyncMachine {
    fileprivate func rewrite<Failure: Error>(
        _ partitions: PartitionTable,
        _ emit: (JournalRecord) throws(Failure) -> Void
    ) throws(Failure) {
        try emit(.begin(sync: settings.id, destination: settings.destinationKey))
        try emit(.terms(sync: settings.id, settings.terms))
        if isPopulated { try emit(.naming(.populated, sync: settings.id)) }
        if hasRelisted { try emit(.naming(.relisted, sync: settings.id)) }
        if let listID { try emit(.list(sync: settings.id, id: listID)) }
        if sequences.contains(where: { $0 > 1 }) {
            try emit(.sequences(sync: settings.id, sequences, partitions))
        }
        try rewriteHolds(emit)
        try rewriteRuns(emit)
        var batches: [LedgerState: [UInt32]] = [:]
        for slot in 0..<ledger.slotBound where !ledger.isVacant(slot) {
            let entry = ledger[slot]
            let state = LedgerState(
                isAcknowledged: entry.isAcknowledged,
                unknown: entry.unknown,
                doubt: doubts[slot]?.operation
            )
            guard state.isAcknowledged || state.doubt != nil || state.unknown != nil else {
                continue
            }
            batches[state, default: []].append(slot)
            if let full = batches[state], full.count == JournalRecord.usersMax {
                try emit(ledgerRecord(state, full, partitions))
                batches[state] = []
            }
        }
        for state in batches.keys.sorted(by: { $0.byte < $1.byte }) {
            guard let rest = batches[state], !rest.isEmpty else { continue }
            try emit(ledgerRecord(state, rest, partitions))
        }
        try rewriteSkips(partitions, emit)
        for intent in open { try emit(batchRecord(intent, partitions)) }
        for slot in 0..<ledger.slotBound where !ledger.isVacant(slot) && ledger[slot].isMember {
            let entry = ledger[slot]
            // Who is out by the records above but was counted in since, and who is split: see `count`.
            let more = Set(moreClaims[slot] ?? []).subtracting([entry.claim]).sorted()
            if entry.isInIntent || (entry.isDoubtful && !entry.isAcknowledged) || !more.isEmpty {
                try emit(claimRecord(slot, entry.claim, partitions))
            }
            for index in more {
                try emit(claimRecord(slot, index, partitions))
            }
        }
    }

    private func rewriteHolds<Failure: Error>(
        _ emit: (JournalRecord) throws(Failure) -> Void
    ) throws(Failure) {
        if let hold {
            try emit(.held(sync: settings.id, hold))
        } else if let formerHold {
            try emit(.held(sync: settings.id, .refused(reason: formerHold)))
        }
        if isPausedByPerson { try emit(.flag(.commanded, sync: settings.id, true)) }
        if isApproved { try emit(.flag(.approved, sync: settings.id, true)) }
    }

    private func rewriteRuns<Failure: Error>(
        _ emit: (JournalRecord) throws(Failure) -> Void
    ) throws(Failure) {
        if let last = run.last { try emit(.runEnded(sync: settings.id, last)) }
        if let due = run.newestDue { try emit(.runDue(sync: settings.id, due)) }
        if let tick = run.tick {
            try emit(.runBegun(sync: settings.id, tick: tick, run))
        }
        if run.isAsked { try emit(.naming(.runAsked, sync: settings.id)) }
    }

    private func rewriteSkips<Failure: Error>(
        _ partitions: PartitionTable,
        _ emit: (JournalRecord) throws(Failure) -> Void
    ) throws(Failure) {
        var groups: [SkipGroup: [UInt32]] = [:]
        for slot in skips.keys.sorted() {
            guard let skip = skips[slot] else { continue }
            groups[SkipGroup(operation: skip.operation, reason: skip.reason), default: []].append(
                slot
            )
        }
        let ordered = groups.keys.sorted {
            ($0.operation.rawValue, $0.reason) < ($1.operation.rawValue, $1.reason)
        }
        for group in ordered {
            var rest = (groups[group] ?? [])[...]
            while !rest.isEmpty {
                try emit(
                    .skipped(
                        sync: settings.id,
                        group.operation,
                        reason: group.reason,
                        users: Array(rest.prefix(JournalRecord.usersMax)),
                        in: ledger,
                        partitions: partitions
                    )
                )
                rest = rest.dropFirst(JournalRecord.usersMax)
            }
        }
    }

    private func ledgerRecord(
        _ state: LedgerState,
        _ users: [UInt32],
        _ partitions: PartitionTable
    ) -> JournalRecord {
        .ledger(sync: settings.id, state: state, users: users, in: ledger, partitions: partitions)
    }

    private func claimRecord(
        _ slot: UInt32,
        _ index: UInt16,
        _ partitions: PartitionTable
    ) -> JournalRecord {
        .claim(sync: settings.id, partition: partitions[index].id, user: slot, in: ledger)
    }

    /// The batch again; that its cuts are the newest ones changes nothing, they stand in the journal anyway.
    private func batchRecord(_ intent: OpenIntent, _ partitions: PartitionTable) -> JournalRecord {
        let involved = Set(intent.users.map { ledger[$0].claim })
            .union(intent.origins.map(\.partition)).sorted()
        return .batch(
            intent,
            sync: settings.id,
            cuts: involved.map {
                PartitionCut(partition: partitions[$0].id, cut: partitions[$0].newestPlanned)
            },
            in: ledger,
            partitions: partitions
        )
    }
}

/// Users whom a destination refused for the same reason.
private struct SkipGroup: Hashable {
    var operation: Operation
    var reason: String
}
