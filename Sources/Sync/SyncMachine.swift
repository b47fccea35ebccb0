import Basics
import Templates

/// The state of one sync: what its destination should hold, what it confirmed, what is on its way.
///
/// ```
///              desired ≠ acknowledged            intent durable, sent
///   in sync ──────────────────────────► waiting ─────────────────────► in an intent
///      ▲                                  ▲  ▲                            │     │
///      │ delivered, nothing changed since │  │ withdrawn, or changed since│     │
///      └──────────────────────────────────┼──┴────────────────────────────┘     │
///                                         │ 2 × timeout over       withdrawn after an
///                                      settling ◄───────────────── unknown outcome, and
///                                                                  the opposite is wanted
/// ```
/// A *user* is here whom the destination knows by one name: who shares a name is one user, and is desired in
/// while any of those behind the name is.
///
/// Invariants:
/// - a user is in at most one open intent, and has a queue element (a ticket) only outside of one;
/// - at most one batch is in flight;
/// - an operation is planned only from an open partition, and never with a tick before the user's last;
/// - an entry is forgotten only when nothing distinguishes it from a user never seen.
struct SyncMachine: Sendable {
    struct Failure: Sendable {
        var reason: String
        var since: Int64
    }

    /// The batches of one tick share a uuid and are counted, by direction.
    struct Series: Sendable {
        var uuid: String
        var tick: EventTime
        var batches: [Int] = [0, 0, 0]
    }

    struct Settling: Sendable {
        var user: WaitingUser
        var due: Int64
    }

    /// Something to be looked at again at a time.
    struct Due: Sendable {
        var slot: UInt32
        var at: Int64
    }

    var settings: SyncSettings
    /// What the journal knows of the settings; nil in one of an earlier version.
    var terms: SyncTerms?
    /// Whether it has taken out all of its users, and is kept for its place only.
    var isGone = false
    var ledger: Ledger
    /// The ids behind the names, where names do not follow from them.
    let users: UserDirectory
    /// By partition number: what a user's name is, where it does not follow from the id.
    var named: [[UInt32: UInt32]] = []
    /// By partition number: who has no name, and why.
    var unnamed: [[UInt32: MappingRefusal]] = []
    /// Claims beside the one in the entry: of other partitions, which is rare, and of others with the same name.
    var moreClaims: [UInt32: [UInt16]] = [:]
    /// Whether any user was ever split over partitions: then intents store the cuts of all open ones.
    var hasSplitUsers = false
    /// What is sent along with a user, as the text of a JSON object.
    var payloads: [UInt32: [UInt8]] = [:]
    /// By partition number.
    var lanes: [PartitionLanes] = []
    /// By partition number: whether its membership came since it became known.
    var resets: [Bool] = []
    /// By partition number: since when its exits wait, because the cohort looks back over records that were lost.
    var exitsHeldSince: [Int64?] = []
    /// By partition number: the number of its next record.
    var sequences: [UInt64] = []
    var settling: [Settling] = []
    var settlingDue = Int64.max
    var doubts: [UInt32: Doubt] = [:]
    var doubtsDue = Int64.max
    var open: [OpenIntent] = []
    var isInFlight = false
    var skips: [UInt32: Skip] = [:]
    /// When skipped users are tried again, the oldest first.
    var skipsDue: [Due] = []
    var expiring: [(slot: UInt32, tick: EventTime)] = []
    var expiringHead = 0
    var lastTicket: UInt32 = 0
    var pendingUsers = 0
    var acknowledgedUsers = 0
    /// The tick of the newest batch planned since the start.
    var newestTick = EventTime.distantPast
    var series: Series?
    /// Users whom an event moved planned while others waited, less four for each of those.
    var backfillCredit = 0

    var backoff = Backoff()
    var retryAt = Int64.min
    var failure: Failure?
    var isDegraded = false
    var hold: Hold?
    var heldSince: Int64 = 0
    var isMassExitNoted = false
    var isPausedByPerson = false
    /// Since when that is so, as far as this process knows.
    var pausedSince: Int64 = 0
    /// Why it was held before this start: one attempt decides.
    var formerHold: String?
    var exitWave = ExitWave()
    /// Whether a person lets the exits that wait pass.
    var isApproved = false
    var reassert = Reassert()
    /// The run under way, or the last one.
    var run = RunState()
    var listID: String?
    /// Whether the list was made again since everybody was on it.
    var hasRelisted = false
    var isPopulated = false
    var startedAt: Int64 = 0
    var deliveredUsers: UInt64 = 0
    var acceptedUsers: UInt64 = 0
    var unknownUsers: UInt64 = 0
    var skippedTotal: UInt64 = 0

    init(settings: SyncSettings, names: UserDirectory, users: UserDirectory) {
        self.settings = settings
        ledger = Ledger(directory: names)
        self.users = users
    }

    /// Whether operations of this sync may be planned from the partition.
    func isOpen(_ index: UInt16, _ partitions: PartitionTable) -> Bool {
        Int(index) < resets.count && resets[Int(index)] && partitions[index].isOpen
    }

    mutating func makeRoom(for partitions: PartitionTable) {
        while lanes.count < partitions.count {
            lanes.append(PartitionLanes())
            resets.append(false)
            exitsHeldSince.append(nil)
            sequences.append(1)
            named.append([:])
            unnamed.append([:])
        }
    }

    // MARK: Where a user belongs

    /// Puts a user where it belongs after anything about it changed.
    mutating func reconsider(_ slot: UInt32, age: Age, returned: Bool = false) {
        var entry = ledger[slot]
        if entry.isSkipped, skips[slot]?.operation != entry.desired {
            // What was refused is not wanted any more.
            entry.isSkipped = false
            skips[slot] = nil
        }
        let isPending = entry.isPending
        if isPending != entry.isCounted {
            pendingUsers += isPending ? 1 : -1
            entry.isCounted = isPending
        }
        guard isPending, !entry.isInIntent else {
            entry.ticket = 0
            ledger[slot] = entry
            if entry.isIdle { expire(slot) }
            return
        }
        lastTicket = lastTicket == .max ? 1 : lastTicket + 1
        entry.ticket = lastTicket
        ledger[slot] = entry

        let doubt = entry.isDoubtful ? doubts[slot] : nil
        var user = WaitingUser(slot: slot, ticket: entry.ticket, age: age)
        if entry.unknown != nil, let doubt { user.age = doubt.age }
        if let doubt, doubt.operation != entry.desired {
            // The settle rule: an attempt that was given up may still be applied; its opposite must
            // come after that.
            let due = doubt.since + settings.settleMilliseconds
            settling.append(Settling(user: user, due: due))
            settlingDue = min(settlingDue, due)
        } else {
            lanes[Int(entry.claim)][entry.desired].append(user, returned: returned, ledger)
        }
    }

    mutating func acknowledge(_ slot: UInt32, _ isIn: Bool) {
        guard ledger[slot].isAcknowledged != isIn else { return }
        ledger[slot].isAcknowledged = isIn
        acknowledgedUsers += isIn ? 1 : -1
    }

    /// Lists an idle user to be forgotten when no partition can plan a tick before its last operation's.
    private mutating func expire(_ slot: UInt32) {
        guard !ledger[slot].isExpiring else { return }
        ledger[slot].isExpiring = true
        let wasPlanned = ledger[slot].planned != LedgerEntry.noPartition
        expiring.append((slot, wasPlanned ? newestTick : .distantPast))
    }

    mutating func forgetExpired(_ oldestTick: EventTime) {
        while expiringHead < expiring.count, expiring[expiringHead].tick <= oldestTick {
            let slot = expiring[expiringHead].slot
            expiringHead += 1
            ledger[slot].isExpiring = false
            if ledger[slot].isIdle {
                payloads[slot] = nil
                exitWave.withdraw(slot)
                ledger.remove(slot)
            }
        }
        if expiringHead == expiring.count {
            expiring.removeAll(keepingCapacity: expiring.count <= 1024)
            expiringHead = 0
        } else if expiringHead > 1024, expiringHead > expiring.count / 2 {
            expiring.removeFirst(expiringHead)
            expiringHead = 0
        }
    }

    mutating func releaseSettled(now: Int64) {
        guard settlingDue <= now else { return }
        var waiting: [Settling] = []
        settlingDue = .max
        for item in settling where ledger[item.user.slot].ticket == item.user.ticket {
            if item.due <= now {
                let entry = ledger[item.user.slot]
                lanes[Int(entry.claim)][entry.desired].append(item.user, returned: true, ledger)
            } else {
                waiting.append(item)
                settlingDue = min(settlingDue, item.due)
            }
        }
        settling = waiting
    }

    /// Drops doubts that can no longer come true and that a later confirmation answered.
    ///
    /// Where that was the opposite, it is sent once more a while later: a partner may have applied the attempt
    /// later than any timeout.
    mutating func dropSettledDoubts(now: Int64) {
        guard doubtsDue <= now else { return }
        doubtsDue = .max
        var settled: [UInt32] = []
        for (slot, doubt) in doubts {
            let due = due(of: doubt)
            if due > now {
                doubtsDue = min(doubtsDue, due)
            } else if ledger[slot].unknown == nil, !ledger[slot].isInIntent {
                settled.append(slot)
            }
        }
        for slot in settled.sorted() {
            let isAnswered = doubts[slot]?.answeredAt != nil
            clearDoubt(slot)
            if isAnswered { sendAgain(slot, now: now) }
            if ledger[slot].isIdle { expire(slot) }
        }
    }

    private func due(of doubt: Doubt) -> Int64 {
        doubt.answeredAt.map { $0 + Self.repeatMilliseconds }
            ?? doubt.since + settings.settleMilliseconds
    }

    mutating func setDoubt(_ slot: UInt32, _ doubt: Doubt) {
        doubts[slot] = doubt
        ledger[slot].isDoubtful = true
        doubtsDue = min(doubtsDue, due(of: doubt))
    }

    mutating func clearDoubt(_ slot: UInt32) {
        guard ledger[slot].isDoubtful else { return }
        ledger[slot].isDoubtful = false
        doubts[slot] = nil
    }
}
