package import Basics

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
        /// The destination has failed for long and is tried again.
        case degraded
        /// Held by the configuration or a person, refused by the destination, or a change waits for approval.
        case paused
        /// Something that repeating does not mend: a person has to look.
        case failed
        /// Between two runs.
        case done
    }

    /// How a run ended.
    package enum RunResult: String, Sendable {
        case succeeded
        /// Not everybody was delivered, but at least one.
        case partiallySucceeded = "partially_succeeded"
        case failed
    }

    /// The last run that ended.
    package struct Run: Sendable, Equatable {
        /// The tick it was made of.
        package var tick: EventTime
        /// How it ended.
        package var result: RunResult
        /// Users it was to send.
        package var users: Int
        /// Of these: confirmed, or taken without a word on single users.
        package var delivered: Int
        /// Of these: left out, with a reason.
        package var skipped: Int
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
    /// Why it is degraded, paused or failed, or why what is sent does not get through at the moment.
    package var reason: String?
    /// For how long it is so, in seconds.
    package var reasonSeconds: Int64?
    /// Users in batches that were taken, since the start.
    package var deliveredUsers: UInt64
    /// Users in attempts that ended with an unknown outcome, since the start.
    package var unknownUsers: UInt64
    /// Users that were taken without a word on single users, since the start.
    package var acceptedUsers: UInt64 = 0
    /// Members whom the destination does not take or who cannot be named to it.
    package var skippedUsers: Int = 0
    /// Users who were left out with a reason, since the start.
    package var skippedTotal: UInt64 = 0
    /// Users the destination is known to hold.
    package var acknowledgedUsers: Int = 0
    /// Of the first population, in percent; nil when that is done.
    package var initialPercent: Int?
    /// Seconds until the first population is done at the rate so far; nil where that is not known.
    package var initialSecondsLeft: Int64?
    /// How many would leave at once, where that waits for approval.
    package var exitsToApprove: Int?
    /// Seconds until the next attempt; nil where none waits.
    package var retrySeconds: Int64?
    /// The last run that ended; nil for a realtime sync and before the first.
    package var lastRun: Run?
}

extension SyncPlanner {
    /// Every sync, in the configuration's order, then those that take out their users.
    ///
    /// Complexity: O(syncs × partitions), and O(users) that wait for an outcome to settle.
    package func status(now: Int64) -> [SyncStatus] {
        machines.filter { !$0.isGone }.map { $0.status(now: now, partitions: partitions) }
    }
}

extension SyncMachine {
    fileprivate func status(now: Int64, partitions: PartitionTable) -> SyncStatus {
        let (state, trouble) = state(now: now, partitions)
        let oldest = pendingUsers > 0 ? oldestSince ?? now : now
        var status = SyncStatus(
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
        status.acceptedUsers = acceptedUsers
        status.skippedUsers = skips.count + unnamed.reduce(0) { $0 + $1.count }
        status.skippedTotal = skippedTotal
        status.acknowledgedUsers = acknowledgedUsers
        if case .massExit(let users) = hold { status.exitsToApprove = users }
        if retryAt > now, !isHeld { status.retrySeconds = (retryAt - now + 999) / 1000 }
        status.lastRun = run.last
        if state == .initial { addProgress(to: &status, now: now) }
        return status
    }

    private func state(
        now: Int64,
        _ partitions: PartitionTable
    ) -> (SyncStatus.State, Failure?) {
        if settings.isPaused {
            return (.paused, Failure(reason: "paused by the configuration", since: startedAt))
        }
        if let hold {
            let trouble = Failure(reason: hold.text(sync: settings.id), since: heldSince)
            if case .failed = hold { return (.failed, trouble) }
            return (.paused, trouble)
        }
        if isPausedByPerson {
            return (.paused, Failure(reason: "paused by a command", since: pausedSince))
        }
        if let failure, isDegraded { return (.degraded, failure) }
        let former = formerHold.map {
            Failure(reason: "paused before this start, tried once: \($0)", since: startedAt)
        }
        let leaving =
            settings.isLeaving
            ? Failure(
                reason: "no longer configured: its users are taken out (on_delete: remove_all)",
                since: startedAt
            ) : nil
        let trouble = failure ?? former ?? heldExits ?? leaving
        if !partitions.indices.contains(where: { isOpen($0, partitions) }) {
            return (.pending, trouble)
        }
        if settings.cadence.hasRuns, run.tick == nil { return (.done, trouble) }
        return (isPopulated ? .live : .initial, trouble)
    }

    /// How far the first population is, and when it is done at the rate since the start.
    private func addProgress(to status: inout SyncStatus, now: Int64) {
        let total = acknowledgedUsers + pendingUsers
        guard total > 0 else { return }
        status.initialPercent = acknowledgedUsers * 100 / total
        let sent = Int64(deliveredUsers + acceptedUsers)
        guard sent > 0, now > startedAt else { return }
        status.initialSecondsLeft = Int64(pendingUsers) * (now - startedAt) / sent / 1000
    }

    /// Since when the first pending user waits; queues are in order, so their heads tell.
    private var oldestSince: Int64? {
        var oldest: Int64?
        func look(_ user: WaitingUser) {
            guard ledger[user.slot].ticket == user.ticket else { return }
            oldest = min(oldest ?? user.age.since, user.age.since)
        }
        for intent in open { oldest = min(oldest ?? intent.age.since, intent.age.since) }
        for item in settling { look(item.user) }
        for lane in lanes {
            for queue in lane.exits.all + lane.enters.all {
                queue.first { ledger[$0.slot].ticket == $0.ticket }.map(look)
            }
            lane.deferred.forEach(look)
        }
        return oldest
    }
}
