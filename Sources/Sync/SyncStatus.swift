/// What a person sees of one sync.
package struct SyncStatus: Sendable, Equatable {
    /// The states of a sync, as the API shows them.
    package enum State: String, Sendable {
        /// No membership is known yet.
        case pending
        /// The first population is on its way.
        case initial
        /// The destination follows the cohort.
        case live
        /// The destination fails and is tried again.
        case degraded
        /// Held by the configuration, or refused by the destination.
        case paused
    }

    /// The sync's id.
    package var sync: String
    /// Its destination's id.
    package var destination: String
    /// Where it stands.
    package var state: State
    /// Users whose state at the destination is not known to be the wanted one.
    package var pendingUsers: Int
    /// How long the first of them waits; 0 with none.
    package var oldestPendingSeconds: Int64
    /// Why it is degraded or paused.
    package var reason: String?
    /// For how long it is so, in seconds.
    package var reasonSeconds: Int64?
    /// Users in batches that were taken, since the start.
    package var deliveredUsers: UInt64
    /// Users in attempts that ended with an unknown outcome, since the start.
    package var unknownUsers: UInt64
}

extension SyncPlanner {
    /// Every sync, in the configuration's order.
    ///
    /// Complexity: O(pending users).
    package func status(now: Int64) -> [SyncStatus] {
        machines.map { $0.status(now: now, partitions: partitions) }
    }
}

extension SyncMachine {
    fileprivate func status(now: Int64, partitions: PartitionTable) -> SyncStatus {
        var trouble: Failure?
        let state: SyncStatus.State
        if settings.isPaused {
            state = .paused
            trouble = Failure(reason: "paused by the configuration", since: now)
        } else if let pause {
            state = .paused
            trouble = pause
        } else if let failure {
            state = .degraded
            trouble = failure
        } else if let formerPause {
            state = .degraded
            trouble = Failure(
                reason: "paused before this start, tried once: \(formerPause)",
                since: now
            )
        } else if !partitions.indices.contains(where: { isOpen($0, partitions) }) {
            state = .pending
        } else {
            state = isPopulated ? .live : .initial
        }
        let oldest = pendingUsers > 0 ? oldestSince ?? now : now
        return SyncStatus(
            sync: settings.id,
            destination: settings.destinationID,
            state: state,
            pendingUsers: pendingUsers,
            oldestPendingSeconds: max(0, now - oldest) / 1000,
            reason: trouble?.reason,
            reasonSeconds: trouble.map { max(0, now - $0.since) / 1000 },
            deliveredUsers: deliveredUsers,
            unknownUsers: unknownUsers
        )
    }

    /// Since when the first pending user waits.
    private var oldestSince: Int64? {
        var oldest: Int64?
        func look(_ user: WaitingUser) {
            guard ledger[user.slot].ticket == user.ticket else { return }
            oldest = min(oldest ?? user.age.since, user.age.since)
        }
        for intent in open { oldest = min(oldest ?? intent.age.since, intent.age.since) }
        for item in settling { look(item.user) }
        for lane in lanes {
            for queue in [lane.exits, lane.enters] {
                queue.returned.all.forEach(look)
                queue.fresh.all.forEach(look)
            }
            lane.deferred.forEach(look)
        }
        return oldest
    }
}
