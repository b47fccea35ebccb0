import Basics

// Sending again what is known to be there: once after an outcome that nobody knew was turned round, and everyone
// at a slow pace.

extension SyncMachine {
    /// How long after the opposite of an unknown outcome was confirmed it is sent once more.
    static let repeatMilliseconds: Int64 = 300_000
    /// How long a user whom the destination refused is left alone.
    static let skipMilliseconds: Int64 = 86_400_000

    /// Puts those back into the lanes whom the destination refused a day ago.
    mutating func releaseSkipped(now: Int64) {
        var count = 0
        for due in skipsDue {
            guard due.at <= now else { break }
            count += 1
            if let skip = skips[due.slot], skip.since + Self.skipMilliseconds <= now {
                retrySkipped(due.slot, now: now)
            }
        }
        if count > 0 { skipsDue.removeFirst(count) }
    }

    /// Takes the next few users of the pass over everyone, at most a tenth of what the destination takes.
    mutating func reassertSome(now: Int64) {
        if settings.cadence.hasRuns || !settings.shape.isReasserted { return }
        let isAsked = reassert.askedSlots > 0
        guard isAsked || (settings.reassertMilliseconds > 0 && isPopulated) else { return }
        if reassert.dueAt == .max { reassert.dueAt = now + Reassert.stepMilliseconds }
        guard reassert.dueAt <= now else { return }
        let paced = settings.shape.usersPerMinuteMax.map { max(1, $0 / 10) }
        let room = min(paced ?? .max, Reassert.waitingMax - pendingUsers)
        if isAsked {
            // Without a bound the next ones follow as soon as these are delivered.
            reassert.dueAt = paced == nil ? now : now + Reassert.stepMilliseconds
            if room > 0 {
                reassert.askedSlots -= walk(users: room, slots: reassert.askedSlots, now)
            }
            if reassert.askedSlots == 0 { reassert.dueAt = now + Reassert.stepMilliseconds }
            return
        }
        let late = min(now - reassert.dueAt, Reassert.stepMilliseconds)
        reassert.dueAt = now + Reassert.stepMilliseconds - late
        reassert.owed += Int64(acknowledgedUsers) * Reassert.stepMilliseconds
        let users = Int(reassert.owed / settings.reassertMilliseconds)
        reassert.owed %= settings.reassertMilliseconds
        let quota = min(users, room)
        guard quota > 0 else { return }
        _ = walk(users: quota, slots: ledger.slotBound, now)
    }

    /// Sends up to `users` again, looking at up to `slots` slots from where the pass is; says at how many.
    private mutating func walk(users: Int, slots: UInt32, _ now: Int64) -> UInt32 {
        let bound = ledger.slotBound
        guard bound > 0 else { return slots }
        var looked: UInt32 = 0
        var sent = 0
        while looked < slots, sent < users {
            if reassert.slot >= bound { reassert.slot = 0 }
            let slot = reassert.slot
            reassert.slot += 1
            looked += 1
            if !ledger.isVacant(slot), ledger[slot].isSteady, sendAgain(slot, now: now) {
                sent += 1
            }
        }
        return looked
    }

    /// Sends a user's last operation once more; false where something is on its way anyway.
    @discardableResult
    mutating func sendAgain(_ slot: UInt32, now: Int64) -> Bool {
        guard slot < ledger.slotBound, !ledger.isVacant(slot) else { return false }
        let entry = ledger[slot]
        guard entry.isMember == entry.isAcknowledged, !entry.isInIntent, entry.unknown == nil,
            entry.claim != LedgerEntry.noPartition
        else { return false }
        ledger[slot].unknown = entry.desired
        reconsider(slot, age: Age(tick: .distantPast, since: now, isBackfill: true))
        return true
    }
}
