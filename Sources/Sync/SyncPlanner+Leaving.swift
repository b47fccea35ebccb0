package import Basics

// Syncs that are not configured any more, and take their users out at the destination before they are forgotten.
//
// To such a sync nobody is a member: it plans exits as every other sync does, by partition and behind the guard, and
// what is under way outlives a restart in the journal.

extension SyncPlanner {
    /// The syncs of the journal that are to take their users out, of those not `configured`; to be asked between replay
    /// and `start`.
    package func leaving(configured: Set<String>) -> [LeavingSync] {
        precondition(!isStarted, "leaving after the start")
        return machineOfSync.sorted { $0.value < $1.value }.compactMap { sync, number in
            guard !configured.contains(sync), let terms = machines[number].terms,
                terms.removesUsers
            else { return nil }
            let users = machines[number].usersThere
            if users == 0 { return nil }
            return LeavingSync(
                sync: sync,
                destinationKey: machines[number].settings.destinationID,
                terms: terms,
                users: users
            )
        }
    }

    /// The membership of a partition is known up to a cut; that of each cohort follows.
    package mutating func partitionKnown(_ partition: PartitionID, cut: Cut, now: Int64) {
        precondition(isStarted, "membership before the start")
        let index = partitions.insert(partition)
        makeRoom()
        if partitions[index].availability == .known, partitions[index].cut == cut { return }
        for machine in machines.indices { machines[machine].resets[Int(index)] = false }
        partitions[index].availability = .known
        partitions[index].cut = cut
        partitions[index].gateTick = partitions.newestTick
        for machine in machines.indices where machines[machine].settings.isLeaving {
            reset(machine, index, users: UserList(), cells: UserList(), holdsExits: false, now: now)
        }
    }

    /// Forgets the syncs that have taken out everybody.
    mutating func forgetWhoLeft() {
        for machine in machines.indices where machines[machine].hasTakenOutAll {
            let sync = machines[machine].settings.id
            notes.append(.tookOut(sync: sync, refused: machines[machine].acknowledgedUsers))
            unwritten.append(.naming(.forgotten, sync: sync))
            machineOfSync[sync] = nil
            machines[machine].ledger.removeAll()
            // Its place is kept, with nothing in it that later ticks, times or answers could find.
            machines[machine] = .gone(users: users)
            machines[machine].makeRoom(for: partitions)
        }
    }
}

extension SyncMachine {
    /// What stands where a sync was that is over: of no destination and without anything to say.
    fileprivate static func gone(users: UserDirectory) -> SyncMachine {
        let nothing = SyncSettings(id: "", cohortID: "", cohortName: "", destinationID: "")
        var machine = SyncMachine(settings: nothing, names: users, users: users)
        machine.isGone = true
        machine.isPopulated = true
        return machine
    }

    /// How many users the destination holds, or may hold.
    var usersThere: Int {
        (0..<ledger.slotBound).count {
            guard !ledger.isVacant($0) else { return false }
            let entry = ledger[$0]
            return entry.isAcknowledged || entry.isInIntent || entry.unknown != nil
                || entry.isDoubtful
        }
    }

    /// Waits for a person at once where more are to leave than the guard lets go.
    ///
    /// Partitions are known one after the other: each wave of theirs would be small.
    mutating func holdLeaving(now: Int64) {
        guard settings.isLeaving, !isApproved, settings.massExits.share < 1,
            acknowledgedUsers > settings.massExits.users
        else { return }
        if hold != .massExit(users: acknowledgedUsers) { isMassExitNoted = false }
        hold = .massExit(users: acknowledgedUsers)
        heldSince = now
    }

    /// The sync is configured again: what a person had to say of its users' leaving does not matter any more.
    mutating func stay(_ records: inout [JournalRecord]) {
        if isApproved { useUpApproval(&records) }
        guard case .massExit = hold else { return }
        hold = nil
        records.append(.naming(.resumed, sync: settings.id))
    }

    /// Whether nobody is left at the destination of a sync that is not configured any more, but those whom it refused to
    /// take out.
    ///
    /// Who is counted in by a partition that is not known yet is still acknowledged.
    fileprivate var hasTakenOutAll: Bool {
        settings.isLeaving && pendingUsers == 0 && open.isEmpty
            && acknowledgedUsers == skips.values.count { $0.operation == .exit }
            && doubts.keys.allSatisfy { ledger[$0].isSkipped }
    }
}
