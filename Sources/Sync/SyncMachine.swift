import Basics

/// A durable batch without a result.
struct OpenIntent: Sendable {
    var messageID: String
    var cohortID: String
    var cohortName: String
    var operation: Operation
    var tick: EventTime
    /// Slots in the ledger, sorted by the bytes of the ids.
    var users: [UInt32]
    /// The oldest of its users' ages.
    var age: Age
    /// When an attempt last ended with nobody knowing how; nil while none did.
    var unknownSince: Int64?
    var isInFlight = false
}

/// An attempt of unknown outcome that may still be applied late.
struct Doubt: Sendable {
    var operation: Operation
    /// When the attempt was given up.
    var since: Int64
    var age: Age
}

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

    /// The batches of one tick share a uuid and are counted.
    struct Run: Sendable {
        var uuid: String
        var tick: EventTime
        var batches: [Int] = [0, 0]
    }

    struct Settling: Sendable {
        var user: WaitingUser
        var due: Int64
    }

    var settings: SyncSettings
    var ledger = Ledger()
    /// Partitions that count a user in beside the one in the entry; a user split over partitions is rare.
    var moreClaims: [UInt32: [UInt16]] = [:]
    /// Whether any user was ever split: then intents store the cuts of all open partitions.
    var hasSplitUsers = false
    /// By partition number.
    var lanes: [PartitionLanes] = []
    /// By partition number: whether its membership came since it became known.
    var resets: [Bool] = []
    var settling: [Settling] = []
    var settlingDue = Int64.max
    var doubts: [UInt32: Doubt] = [:]
    var doubtsDue = Int64.max
    var open: [OpenIntent] = []
    var isInFlight = false
    var expiring: [(slot: UInt32, tick: EventTime)] = []
    var expiringHead = 0
    var lastTicket: UInt32 = 0
    var pendingUsers = 0
    /// The tick of the newest batch planned since the start.
    var newestTick = EventTime.distantPast
    var run: Run?

    var backoff = Backoff()
    var retryAt = Int64.min
    var failure: Failure?
    /// Why the destination refuses us; set until the next start.
    var pause: Failure?
    /// Why it refused us before this start: one attempt decides.
    var formerPause: String?
    var isPopulated = false
    var deliveredUsers: UInt64 = 0
    var unknownUsers: UInt64 = 0

    init(settings: SyncSettings) {
        self.settings = settings
    }

    /// Whether operations of this sync may be planned from the partition.
    func isOpen(_ index: UInt16, _ partitions: PartitionTable) -> Bool {
        Int(index) < resets.count && resets[Int(index)] && partitions[index].isOpen
    }

    mutating func makeRoom(for partitions: PartitionTable) {
        while lanes.count < partitions.count {
            lanes.append(PartitionLanes())
            resets.append(false)
        }
    }

    // MARK: Where a user belongs

    /// Puts a user where it belongs after anything about it changed.
    mutating func reconsider(_ slot: UInt32, age: Age, returned: Bool = false) {
        var entry = ledger[slot]
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
            if ledger[slot].isIdle { ledger.remove(slot) }
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
    mutating func dropSettledDoubts(now: Int64) {
        guard doubtsDue <= now else { return }
        doubtsDue = .max
        var settled: [UInt32] = []
        for (slot, doubt) in doubts {
            let due = doubt.since + settings.settleMilliseconds
            if due > now {
                doubtsDue = min(doubtsDue, due)
            } else if ledger[slot].unknown == nil, !ledger[slot].isInIntent {
                settled.append(slot)
            }
        }
        for slot in settled.sorted() {
            clearDoubt(slot)
            if ledger[slot].isIdle { expire(slot) }
        }
    }

    mutating func setDoubt(_ slot: UInt32, _ doubt: Doubt) {
        doubts[slot] = doubt
        ledger[slot].isDoubtful = true
        doubtsDue = min(doubtsDue, doubt.since + settings.settleMilliseconds)
    }

    mutating func clearDoubt(_ slot: UInt32) {
        guard ledger[slot].isDoubtful else { return }
        ledger[slot].isDoubtful = false
        doubts[slot] = nil
    }
}
