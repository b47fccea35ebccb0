import Basics

/// What is known of one user at one destination, put together from what a ``Ledger`` keeps.
struct LedgerEntry {
    fileprivate var flags: UInt8
    /// Number of the queue element that is this user's; 0 for none.
    ///
    /// Elements with another are stale.
    var ticket: UInt32
    /// The partition that counts the user in or, when none does, that did so last.
    var claim: UInt16
    /// The partition from whose cut the last operation was planned.
    var planned: UInt16
    /// Whether the user stands in the list of those to forget.
    var isExpiring: Bool
    /// Whether the destination does not take the user: not sent until something about the user changes.
    var isSkipped: Bool

    static let noPartition = UInt16.max

    /// Whether some partition counts the user in: what the destination should hold.
    var isMember: Bool {
        get { flag(0) }
        set { setFlag(0, newValue) }
    }
    /// Whether the destination confirmed last that the user is in.
    var isAcknowledged: Bool {
        get { flag(1) }
        set { setFlag(1, newValue) }
    }
    /// The operation whose outcome nobody knows, and which nothing confirmed since.
    var unknown: Operation? {
        get { flag(2) ? (flag(3) ? .enter : .exit) : nil }
        set {
            setFlag(2, newValue != nil)
            setFlag(3, newValue == .enter)
        }
    }
    /// Whether a batch without a result holds the user.
    var isInIntent: Bool {
        get { flag(4) }
        set { setFlag(4, newValue) }
    }
    /// Whether the user is counted as pending.
    var isCounted: Bool {
        get { flag(5) }
        set { setFlag(5, newValue) }
    }
    /// Whether an attempt of unknown outcome may still be applied late.
    var isDoubtful: Bool {
        get { flag(6) }
        set { setFlag(6, newValue) }
    }

    var desired: Operation { isMember ? .enter : .exit }
    var isPending: Bool {
        isInIntent || (!isSkipped && (unknown != nil || isMember != isAcknowledged))
    }
    /// Nothing distinguishes this user from one never seen.
    var isIdle: Bool { !isMember && !isAcknowledged && !isPending && !isDoubtful }
    /// The destination holds who is wanted, and nothing is on its way.
    var isSteady: Bool {
        isMember && isAcknowledged && !isPending && !isDoubtful && !isSkipped
    }

    fileprivate func flag(_ bit: UInt8) -> Bool { flags >> bit & 1 == 1 }
    fileprivate mutating func setFlag(_ bit: UInt8, _ value: Bool) {
        flags = value ? flags | 1 << bit : flags & ~(1 << bit)
    }
}

/// The users of one sync: a byte each, and more only for those with whom something is going on.
///
/// The ids are in a directory that all syncs share; a slot is a number of it.
/// Complexity: O(1) per operation, amortised.
struct Ledger: Sendable {
    private struct Detail: Sendable {
        var ticket: UInt32
        var claim: UInt16
        var planned: UInt16
        var isExpiring: Bool
        var isSkipped: Bool
    }

    let directory: UserDirectory
    /// By slot; ``vacant`` for whom this sync does not know.
    private var flags: [UInt8] = []
    /// Where it says something else than what follows from the directory.
    private var details: [UInt32: Detail] = [:]

    /// How many users.
    private(set) var count = 0
    /// The bytes of their ids.
    private(set) var userBytes = 0

    /// An operation without an unknown outcome: a combination that no entry has.
    private static let vacant: UInt8 = 1 << 3
    private static let detailed: UInt8 = 7

    init(directory: UserDirectory) {
        self.directory = directory
    }

    /// Every slot is below this.
    var slotBound: UInt32 { UInt32(flags.count) }
    /// How many bytes of flags there are; one for each user of the directory.
    var flagCount: Int { flags.count }
    /// How many users have more than a byte.
    var detailCount: Int { details.count }
    /// The bytes that this ledger takes, the shared ids apart.
    var byteCount: Int {
        flags.capacity + details.capacity * (MemoryLayout<Detail>.stride + 8)
    }

    func isVacant(_ slot: UInt32) -> Bool { flags[Int(slot)] == Self.vacant }

    subscript(slot: UInt32) -> LedgerEntry {
        get {
            let flags = flags[Int(slot)]
            if flags >> Self.detailed & 1 == 1, let detail = details[slot] {
                return LedgerEntry(
                    flags: flags,
                    ticket: detail.ticket,
                    claim: detail.claim,
                    planned: detail.planned,
                    isExpiring: detail.isExpiring,
                    isSkipped: detail.isSkipped
                )
            }
            let home = directory.home(of: slot)
            return LedgerEntry(
                flags: flags,
                ticket: 0,
                claim: home,
                planned: home,
                isExpiring: false,
                isSkipped: false
            )
        }
        set {
            if newValue.claim != LedgerEntry.noPartition {
                directory.settle(slot, at: newValue.claim)
            }
            let home = directory.home(of: slot)
            let isPlain =
                newValue.ticket == 0 && newValue.claim == home && newValue.planned == home
                && !newValue.isExpiring && !newValue.isSkipped
            let wasDetailed = flags[Int(slot)] >> Self.detailed & 1 == 1
            flags[Int(slot)] = newValue.flags & 0x7f | (isPlain ? 0 : 1 << Self.detailed)
            if !isPlain {
                details[slot] = Detail(
                    ticket: newValue.ticket,
                    claim: newValue.claim,
                    planned: newValue.planned,
                    isExpiring: newValue.isExpiring,
                    isSkipped: newValue.isSkipped
                )
            } else if wasDetailed {
                details[slot] = nil
                shrink()
            }
        }
    }

    /// Gives memory back when few are left of those with whom something was going on.
    ///
    /// Complexity: O(1), amortised over the removals.
    private mutating func shrink() {
        guard details.capacity > 1024, details.count < details.capacity / 8 else { return }
        details = Dictionary(uniqueKeysWithValues: details.lazy.map { ($0.key, $0.value) })
    }

    func find(_ user: ByteView) -> UInt32? {
        guard let slot = directory.find(user), slot < slotBound, !isVacant(slot) else { return nil }
        return slot
    }

    /// The user's slot, made if need be.
    mutating func insert(_ user: ByteView) -> UInt32 {
        let slot = directory.insert(user)
        if slot >= slotBound {
            let missing = directory.bound - flags.count
            flags.append(contentsOf: repeatElement(Self.vacant, count: missing))
        }
        guard isVacant(slot) else { return slot }
        directory.retain(slot)
        count += 1
        userBytes += user.count
        // Nobody was counted in or planned here yet, whatever other syncs know of the user.
        flags[Int(slot)] = 0
        var entry = self[slot]
        entry.claim = LedgerEntry.noPartition
        entry.planned = LedgerEntry.noPartition
        self[slot] = entry
        return slot
    }

    mutating func remove(_ slot: UInt32) {
        precondition(!isVacant(slot), "slot \(slot) is vacant")
        flags[Int(slot)] = Self.vacant
        details[slot] = nil
        count -= 1
        userBytes -= directory.length(of: slot)
        directory.release(slot)
    }

    /// Forgets everybody.
    mutating func removeAll() {
        for slot in 0..<slotBound where !isVacant(slot) { remove(slot) }
        flags = []
        details = [:]
    }

    /// Lends the id.
    func withBytes<Result>(of slot: UInt32, _ body: (ByteView) -> Result) -> Result {
        directory.withBytes(of: slot, body)
    }

    /// Sorts slots by the bytes of their ids.
    func sort(_ slots: inout [UInt32]) {
        directory.sort(&slots)
    }
}
