import Basics

/// What is known of one user at one destination, put together from what a ``Ledger`` keeps.
struct LedgerEntry {
    fileprivate var flags: UInt8
    /// Number of the queue element that is this user's; 0 for none.
    ///
    /// Elements with another are stale.
    var ticket: UInt32 = 0
    /// The partition that counts the user in or, when none does, that did so last.
    var claim = Self.noPartition
    /// The partition from whose cut the last operation was planned.
    var planned = Self.noPartition
    /// Whether the user stands in the list of those to forget.
    var isExpiring = false
    /// Whether the destination does not take the user: not sent until something about the user changes.
    var isSkipped = false

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

/// The users of one sync: two bits each, and more only for those with whom something is going on.
///
/// The ids are in a directory that all syncs share; a slot is a number of it.
/// Complexity: O(1) per operation, amortised.
struct Ledger: Sendable {
    /// What the two bits say.
    private enum Code {
        /// This sync does not know the user.
        static let vacant: UInt64 = 0
        /// In, acknowledged, with nothing on its way; counted in and planned where the directory says.
        static let steady: UInt64 = 1
        /// Something else, which ``details`` holds.
        static let detailed: UInt64 = 2
    }

    /// In and acknowledged.
    private static let steadyFlags: UInt8 = 0b11

    let directory: UserDirectory
    /// By slot, 32 of them in a word.
    private var codes: [UInt64] = []
    private var details: [UInt32: LedgerEntry] = [:]

    /// How many users.
    private(set) var count = 0
    /// The bytes of their ids.
    private(set) var userBytes = 0

    init(directory: UserDirectory) {
        self.directory = directory
    }

    /// Every slot is below this.
    var slotBound: UInt32 { UInt32(codes.count * 32) }
    /// How many users have more than two bits.
    var detailCount: Int { details.count }
    /// The bytes that this ledger takes, the shared ids apart.
    var byteCount: Int {
        codes.capacity * 8 + (details.isEmpty ? 0 : details.capacity)
            * (MemoryLayout<LedgerEntry>.stride + 8)
    }

    func isVacant(_ slot: UInt32) -> Bool { code(slot) == Code.vacant }

    subscript(slot: UInt32) -> LedgerEntry {
        get {
            switch code(slot) {
            case Code.steady:
                let home = directory.home(of: slot)
                return LedgerEntry(flags: Self.steadyFlags, claim: home, planned: home)
            default: return details[slot] ?? LedgerEntry(flags: 0)
            }
        }
        set {
            if newValue.claim != LedgerEntry.noPartition {
                directory.settle(slot, at: newValue.claim)
            }
            let home = directory.home(of: slot)
            let isSteady =
                newValue.flags == Self.steadyFlags && newValue.ticket == 0
                && newValue.claim == home && newValue.planned == home && !newValue.isExpiring
                && !newValue.isSkipped
            if !isSteady {
                details[slot] = newValue
                setCode(slot, Code.detailed)
            } else if code(slot) == Code.detailed {
                details[slot] = nil
                shrink()
                setCode(slot, Code.steady)
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
        while slot >= slotBound { codes.append(0) }
        guard isVacant(slot) else { return slot }
        directory.retain(slot)
        count += 1
        userBytes += user.count
        // Nobody was counted in or planned here yet, whatever other syncs know of the user.
        details[slot] = LedgerEntry(flags: 0)
        setCode(slot, Code.detailed)
        return slot
    }

    mutating func remove(_ slot: UInt32) {
        precondition(!isVacant(slot), "slot \(slot) is vacant")
        setCode(slot, Code.vacant)
        details[slot] = nil
        count -= 1
        userBytes -= directory.length(of: slot)
        directory.release(slot)
    }

    /// Forgets everybody.
    mutating func removeAll() {
        for slot in 0..<slotBound where !isVacant(slot) { remove(slot) }
        codes = []
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

    private func code(_ slot: UInt32) -> UInt64 {
        codes[Int(slot >> 5)] >> (UInt64(slot & 31) * 2) & 3
    }

    private mutating func setCode(_ slot: UInt32, _ code: UInt64) {
        let shift = UInt64(slot & 31) * 2
        codes[Int(slot >> 5)] = codes[Int(slot >> 5)] & ~(3 << shift) | code << shift
    }
}
