import Basics

// What the engine says: who is in, by partition. A user is desired in when any partition counts it in.

extension SyncMachine {
    /// Takes over the full membership of one partition: whoever is not listed is not in there.
    mutating func reset(
        _ index: UInt16,
        users: UserList,
        age: Age,
        partitions: PartitionTable,
        records: inout [JournalRecord]
    ) {
        makeRoom(for: partitions)
        resets[Int(index)] = true
        var listed = BitSet()
        users.forEach { user in
            let slot = ledger.insert(user)
            listed.insert(slot)
            count(slot, in: index, age: age, partitions: partitions, records: &records)
        }
        for slot in 0..<ledger.slotBound where !listed[slot] && !ledger[slot].isVacant {
            discount(slot, from: index, age: age)
        }
        preferOpenClaims(age: age, partitions: partitions)
    }

    /// Takes over one change in one partition.
    mutating func change(
        _ index: UInt16,
        user: ByteView,
        entered: Bool,
        age: Age,
        partitions: PartitionTable,
        records: inout [JournalRecord]
    ) {
        if entered {
            let slot = ledger.insert(user)
            count(slot, in: index, age: age, partitions: partitions, records: &records)
        } else if let slot = ledger.find(user) {
            discount(slot, from: index, age: age)
        }
    }

    /// The partition may plan again: those who waited for its tick are looked at anew.
    mutating func ticked(_ index: UInt16) {
        guard Int(index) < lanes.count, !lanes[Int(index)].deferred.isEmpty else { return }
        let deferred = lanes[Int(index)].deferred
        lanes[Int(index)].deferred = []
        for user in deferred where ledger[user.slot].ticket == user.ticket {
            reconsider(user.slot, age: user.age, returned: true)
        }
    }

    /// The partition's membership is not known any more; what was known last is kept, so nobody exits.
    mutating func lost(_ index: UInt16, age: Age, partitions: PartitionTable) {
        makeRoom(for: partitions)
        resets[Int(index)] = false
        preferOpenClaims(age: age, partitions: partitions)
    }

    /// Where a split user is counted in by an open partition, that one speaks for it.
    mutating func preferOpenClaims(age: Age, partitions: PartitionTable) {
        for slot in moreClaims.keys.sorted() {
            guard var more = moreClaims[slot], !isOpen(ledger[slot].claim, partitions),
                let place = more.firstIndex(where: { isOpen($0, partitions) })
            else { continue }
            (more[place], ledger[slot].claim) = (ledger[slot].claim, more[place])
            moreClaims[slot] = more
            reconsider(slot, age: age)
        }
    }

    private mutating func count(
        _ slot: UInt32,
        in index: UInt16,
        age: Age,
        partitions: PartitionTable,
        records: inout [JournalRecord]
    ) {
        let before = ledger[slot]
        guard before.isMember else {
            ledger[slot].isMember = true
            ledger[slot].claim = index
            reconsider(slot, age: age)
            // Of everybody else the journal says enough: nobody it holds as out can exit.
            let hasMoved = before.claim != index && before.claim != LedgerEntry.noPartition
            if before.isInIntent || before.unknown != nil || (hasMoved && !before.isIdle) {
                noteClaim(slot, index, partitions, &records)
                hasSplitUsers = hasSplitUsers || hasMoved
            }
            return
        }
        guard ledger[slot].claim != index, moreClaims[slot]?.contains(index) != true else { return }
        moreClaims[slot, default: []].append(index)
        hasSplitUsers = true
        // The other one too: which of them an intent names may change until it is planned.
        noteClaim(slot, ledger[slot].claim, partitions, &records)
        noteClaim(slot, index, partitions, &records)
        if !isOpen(ledger[slot].claim, partitions), isOpen(index, partitions) {
            preferOpenClaims(age: age, partitions: partitions)
        }
    }

    /// Remembers durably that a partition counts a user in, where the journal does not say so already.
    ///
    /// Should that partition be halted at a later start, the others must not make the user exit.
    private mutating func noteClaim(
        _ slot: UInt32,
        _ index: UInt16,
        _ partitions: PartitionTable,
        _ records: inout [JournalRecord]
    ) {
        records.append(
            .claim(sync: settings.id, partition: partitions[index].id, user: slot, in: ledger)
        )
    }

    private mutating func discount(_ slot: UInt32, from index: UInt16, age: Age) {
        guard ledger[slot].isMember else { return }
        var more = moreClaims[slot] ?? []
        if ledger[slot].claim != index {
            more.removeAll { $0 == index }
            moreClaims[slot] = more.isEmpty ? nil : more
        } else if let other = more.first {
            more.removeFirst()
            moreClaims[slot] = more.isEmpty ? nil : more
            ledger[slot].claim = other
            reconsider(slot, age: age)
        } else {
            ledger[slot].isMember = false
            reconsider(slot, age: age)
        }
    }
}
