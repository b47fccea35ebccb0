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
                terms.removesUsers, machines[number].ledger.count > 0
            else { return nil }
            return LeavingSync(
                sync: sync,
                destinationKey: machines[number].settings.destinationID,
                terms: terms,
                users: machines[number].ledger.count
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
        for machine in machines.indices where machines[machine].hasTakenOutAll(partitions) {
            let sync = machines[machine].settings.id
            notes.append(
                .tookOut(sync: sync, refused: machines[machine].skips.count)
            )
            unwritten.append(.naming(.forgotten, sync: sync))
            machines[machine].ledger.removeAll()
            machines[machine].isGone = true
            machineOfSync[sync] = nil
        }
    }
}

extension SyncMachine {
    /// The sync is configured again: what a person had to say of its users' leaving does not matter any more.
    mutating func stay(_ records: inout [JournalRecord]) {
        if isApproved { useUpApproval(&records) }
        guard case .massExit = hold else { return }
        hold = nil
        records.append(.naming(.resumed, sync: settings.id))
    }

    /// Whether nobody is left at the destination of a sync that is not configured any more, but those whom it refused to
    /// take out.
    fileprivate func hasTakenOutAll(_ partitions: PartitionTable) -> Bool {
        settings.isLeaving && !isGone && pendingUsers == 0 && open.isEmpty && doubts.isEmpty
            && partitions.indices.allSatisfy { isOpen($0, partitions) }
    }
}
