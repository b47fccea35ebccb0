import Basics
import Templates

// What the engine says: who is in, by partition. A user is desired in while any claim counts it in: one for
// each partition and each id behind the name.

extension SyncMachine {
    /// Takes over the full membership of one partition: whoever is not listed is not in there.
    mutating func reset(
        _ index: UInt16,
        users listed: UserList,
        cells: UserList,
        age: Age,
        partitions: PartitionTable,
        records: inout [JournalRecord]
    ) {
        makeRoom(for: partitions)
        var age = age
        // Since when somebody waits is forgotten at a start; nobody of the run under way may be missed.
        if let tick = run.tick, !resets[Int(index)] { age.tick = min(age.tick, tick) }
        resets[Int(index)] = true
        var former = stripClaims(of: index)
        forgetNames(of: index)
        listed.forEach(with: cells) { user, cells in
            guard let slot = name(user, cells, in: index) else { return }
            if former.claimed[slot], !ledger[slot].isMember {
                // As before: nothing to say of it.
                ledger[slot].isMember = true
                ledger[slot].claim = index
            } else if let copies = former.more[slot], copies > 0 {
                former.more[slot] = copies - 1
                moreClaims[slot, default: []].append(index)
            } else {
                count(slot, in: index, age: age, partitions: partitions, records: &records)
            }
        }
        former.claimed.forEach { slot in
            // Who is counted in elsewhere was moved there when the claim was taken away.
            guard !ledger[slot].isMember || ledger[slot].claim != index else { return }
            if !ledger[slot].isMember { noteExit(slot, isCalendarBound: false, now: age.since) }
            reconsider(slot, age: age)
        }
        preferOpenClaims(age: age, partitions: partitions)
    }

    /// Takes over one change in one partition.
    mutating func change(
        _ index: UInt16,
        user: ByteView,
        _ change: MembershipChange,
        cells: ByteView,
        isCalendarBound: Bool,
        age: Age,
        partitions: PartitionTable,
        records: inout [JournalRecord]
    ) {
        switch change {
        case .entered:
            guard let slot = name(user, cells, in: index) else { return }
            count(slot, in: index, age: age, partitions: partitions, records: &records)
        case .left:
            guard let slot = forgetName(user, in: index) else { return }
            discount(slot, from: index, isCalendarBound: isCalendarBound, age: age)
        case .updated:
            guard !settings.naming.followsFromID || !settings.naming.properties.isEmpty else {
                return
            }
            let before = forgetName(user, in: index)
            let after = name(user, cells, in: index)
            guard before != after else { return }
            // First the new name: who shares the old one is looked at once.
            if let after {
                count(after, in: index, age: age, partitions: partitions, records: &records)
            }
            if let before { discount(before, from: index, isCalendarBound: false, age: age) }
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

    /// Where a user is claimed by an open partition too, that one speaks for it.
    mutating func preferOpenClaims(age: Age, partitions: PartitionTable) {
        guard hasSplitUsers else { return }
        for slot in moreClaims.keys.sorted() {
            guard var more = moreClaims[slot], !isOpen(ledger[slot].claim, partitions),
                let place = more.firstIndex(where: { isOpen($0, partitions) })
            else { continue }
            (more[place], ledger[slot].claim) = (ledger[slot].claim, more[place])
            moreClaims[slot] = more
            reconsider(slot, age: age)
        }
    }

    // MARK: Claims

    private struct FormerClaims {
        /// Whose entry named the partition.
        var claimed = BitSet()
        /// How many more claims of it there were.
        var more: [UInt32: Int] = [:]
    }

    /// Takes away every claim of a partition, to be given back to those who are in.
    private mutating func stripClaims(of index: UInt16) -> FormerClaims {
        var former = FormerClaims()
        for (slot, claims) in moreClaims {
            let others = claims.filter { $0 != index }
            if others.count < claims.count {
                former.more[slot] = claims.count - others.count
                moreClaims[slot] = others.isEmpty ? nil : others
            }
        }
        for slot in 0..<ledger.slotBound where !ledger.isVacant(slot) {
            guard ledger[slot].isMember, ledger[slot].claim == index else { continue }
            former.claimed.insert(slot)
            if var others = moreClaims[slot] {
                ledger[slot].claim = others.removeFirst()
                moreClaims[slot] = others.isEmpty ? nil : others
                former.more[slot, default: 0] += 1
            } else {
                ledger[slot].isMember = false
            }
        }
        return former
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
            exitWave.withdraw(slot)
            reconsider(slot, age: age)
            // Of everybody else the journal says enough: nobody it holds as out can exit.
            let hasMoved = before.claim != index && before.claim != LedgerEntry.noPartition
            if before.isInIntent || before.unknown != nil || (hasMoved && !before.isIdle) {
                noteClaim(slot, index, partitions, &records)
                hasSplitUsers = hasSplitUsers || hasMoved
            }
            return
        }
        let isSplit = before.claim != index
        let isKnown = !isSplit || moreClaims[slot]?.contains(index) == true
        // Nobody else has the name, so this is no second claim.
        if settings.naming.isID, isKnown { return }
        moreClaims[slot, default: []].append(index)
        guard isSplit, !isKnown else { return }
        hasSplitUsers = true
        // The other one too: which of them an intent names may change until it is planned.
        noteClaim(slot, before.claim, partitions, &records)
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

    private mutating func discount(
        _ slot: UInt32,
        from index: UInt16,
        isCalendarBound: Bool,
        age: Age
    ) {
        guard ledger[slot].isMember else { return }
        var more = moreClaims[slot] ?? []
        if let place = more.firstIndex(of: index) {
            more.remove(at: place)
            moreClaims[slot] = more.isEmpty ? nil : more
        } else if ledger[slot].claim != index {
            return
        } else if let other = more.first {
            more.removeFirst()
            moreClaims[slot] = more.isEmpty ? nil : more
            ledger[slot].claim = other
            reconsider(slot, age: age)
        } else {
            ledger[slot].isMember = false
            noteExit(slot, isCalendarBound: isCalendarBound, now: age.since)
            reconsider(slot, age: age)
        }
    }

    // MARK: Names

    /// The slot of a user who is in; nil for who cannot be named.
    private mutating func name(_ user: ByteView, _ cells: ByteView, in index: UInt16) -> UInt32? {
        if settings.naming.isID {
            let slot = ledger.insert(user)
            keepPayload(slot, cells)
            return slot
        }
        var name: [UInt8] = []
        do throws(MappingRefusal) {
            try settings.naming.name(user, cells: cells, into: &name)
        } catch {
            let number = users.insert(user)
            if unnamed[Int(index)].updateValue(error, forKey: number) == nil {
                users.retain(number)
            }
            return nil
        }
        let slot = name.withByteView { ledger.insert($0) }
        keepPayload(slot, cells)
        if !settings.naming.followsFromID {
            let number = users.insert(user)
            if named[Int(index)].updateValue(slot, forKey: number) == nil { users.retain(number) }
        }
        return slot
    }

    /// The slot of a user who left, or whose name may be another now; nil for who had no name.
    private mutating func forgetName(_ user: ByteView, in index: UInt16) -> UInt32? {
        if settings.naming.isID { return ledger.find(user) }
        if let number = users.find(user) {
            if unnamed[Int(index)].removeValue(forKey: number) != nil {
                users.release(number)
                return nil
            }
            if let slot = named[Int(index)].removeValue(forKey: number) {
                users.release(number)
                return slot
            }
        }
        guard settings.naming.followsFromID else { return nil }
        var name: [UInt8] = []
        do throws(MappingRefusal) {
            try settings.naming.name(user, cells: .empty, into: &name)
        } catch {
            return nil
        }
        return name.withByteView { ledger.find($0) }
    }

    private mutating func forgetNames(of index: UInt16) {
        for number in named[Int(index)].keys { users.release(number) }
        for number in unnamed[Int(index)].keys { users.release(number) }
        named[Int(index)] = [:]
        unnamed[Int(index)] = [:]
    }

    private mutating func keepPayload(_ slot: UInt32, _ cells: ByteView) {
        guard !settings.naming.properties.isEmpty else { return }
        payloads[slot] = settings.naming.payload(cells)
    }
}
