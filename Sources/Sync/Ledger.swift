import Basics
import Glibc

/// What is known of one user at one destination; 16 bytes.
struct LedgerEntry {
    /// Offset of the id in the arena (44 bits), its length (12 bits), the flags (8 bits).
    private var packed: UInt64
    /// Number of the queue element that is this user's; 0 for none.
    ///
    /// Elements with another are stale.
    var ticket: UInt32 = 0
    /// The partition that counts the user in or, when none does, that did so last.
    var claim: UInt16 = Self.noPartition
    /// The partition from whose cut the last operation was planned.
    var planned: UInt16 = Self.noPartition

    static let noPartition = UInt16.max
    static let lengthMax = 4095
    private static let free = UInt64.max

    init(offset: Int, length: Int) {
        packed = UInt64(offset) << 20 | UInt64(length) << 8
    }

    /// A slot that holds nobody.
    static var vacant: LedgerEntry {
        var entry = LedgerEntry(offset: 0, length: 0)
        entry.packed = free
        return entry
    }

    var isVacant: Bool { packed == Self.free }
    var length: Int { Int(packed >> 8 & 0xfff) }
    var offset: Int {
        get { Int(packed >> 20) }
        set { packed = packed & 0xf_ffff | UInt64(newValue) << 20 }
    }

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
    /// Whether the user stands in the list of those to forget.
    var isExpiring: Bool {
        get { flag(6) }
        set { setFlag(6, newValue) }
    }
    /// Whether an attempt of unknown outcome may still be applied late.
    var isDoubtful: Bool {
        get { flag(7) }
        set { setFlag(7, newValue) }
    }

    var desired: Operation { isMember ? .enter : .exit }
    var isPending: Bool { isInIntent || unknown != nil || isMember != isAcknowledged }
    /// Nothing distinguishes this user from one never seen.
    var isIdle: Bool { !isMember && !isAcknowledged && !isPending && !isDoubtful }

    private func flag(_ bit: UInt64) -> Bool { packed >> bit & 1 == 1 }
    private mutating func setFlag(_ bit: UInt64, _ value: Bool) {
        packed = value ? packed | 1 << bit : packed & ~(1 << bit)
    }
}

/// The users of one sync by id: open addressing over ids in one buffer, an entry of 16 bytes each.
///
/// Slots are stable until the user is removed. Complexity: O(1) per operation, amortised.
struct Ledger: Sendable {
    private var entries: [LedgerEntry] = []
    private var vacant: [UInt32] = []
    /// Slot + 1, or 0; linear probing, at most two thirds full, no tombstones.
    private var table = [UInt32](repeating: 0, count: 16)
    private var arena: [UInt8] = []
    private var deadBytes = 0

    /// How many users.
    var count: Int { entries.count - vacant.count }
    /// The bytes of their ids.
    var userBytes: Int { arena.count - deadBytes }
    /// Every slot is below this.
    var slotBound: UInt32 { UInt32(entries.count) }

    subscript(slot: UInt32) -> LedgerEntry {
        get { entries[Int(slot)] }
        set { entries[Int(slot)] = newValue }
    }

    func find(_ user: ByteView) -> UInt32? {
        let found = table[probe(user)]
        return found == 0 ? nil : found - 1
    }

    /// The user's slot, made if need be.
    mutating func insert(_ user: ByteView) -> UInt32 {
        let position = probe(user)
        if table[position] != 0 { return table[position] - 1 }
        precondition(user.count <= LedgerEntry.lengthMax, "an id of \(user.count) bytes")
        let entry = LedgerEntry(offset: arena.count, length: user.count)
        arena.append(contentsOf: user.buffer)
        let slot: UInt32
        if let reused = vacant.popLast() {
            slot = reused
            entries[Int(slot)] = entry
        } else {
            slot = UInt32(entries.count)
            entries.append(entry)
        }
        table[position] = slot + 1
        if count * 3 > table.count * 2 { grow() }
        return slot
    }

    mutating func remove(_ slot: UInt32) {
        var hole = withBytes(of: slot) { probe($0) }
        let mask = table.count - 1
        var position = hole
        while true {
            position = (position + 1) & mask
            guard table[position] != 0 else { break }
            let home = withBytes(of: table[position] - 1) {
                Int(truncatingIfNeeded: Hashing.hash64($0)) & mask
            }
            // Moves back only what would not be found from its home any more.
            if (position - home) & mask >= (position - hole) & mask {
                table[hole] = table[position]
                hole = position
            }
        }
        table[hole] = 0
        deadBytes += entries[Int(slot)].length
        entries[Int(slot)] = .vacant
        vacant.append(slot)
        if deadBytes > 65_536, deadBytes > arena.count / 2 { compactArena() }
    }

    /// Lends the id.
    func withBytes<Result>(of slot: UInt32, _ body: (ByteView) -> Result) -> Result {
        let entry = entries[Int(slot)]
        return arena.withByteView { all in
            body(ByteView(base: all.base + entry.offset, count: entry.length))
        }
    }

    /// Sorts slots by the bytes of their ids.
    func sort(_ slots: inout [UInt32]) {
        arena.withByteView { all in
            slots.sort { left, right in
                let first = entries[Int(left)]
                let second = entries[Int(right)]
                let order = memcmp(
                    all.base + first.offset,
                    all.base + second.offset,
                    min(first.length, second.length)
                )
                return order == 0 ? first.length < second.length : order < 0
            }
        }
    }

    /// Where the user is in the table, or the empty place where it belongs.
    private func probe(_ user: ByteView) -> Int {
        let mask = table.count - 1
        var position = Int(truncatingIfNeeded: Hashing.hash64(user)) & mask
        return arena.withByteView { all in
            while table[position] != 0 {
                let entry = entries[Int(table[position] - 1)]
                if user.equals(ByteView(base: all.base + entry.offset, count: entry.length)) {
                    break
                }
                position = (position + 1) & mask
            }
            return position
        }
    }

    private mutating func grow() {
        let mask = table.count * 2 - 1
        var grown = [UInt32](repeating: 0, count: mask + 1)
        for held in table where held != 0 {
            var position =
                withBytes(of: held - 1) { Int(truncatingIfNeeded: Hashing.hash64($0)) } & mask
            while grown[position] != 0 { position = (position + 1) & mask }
            grown[position] = held
        }
        table = grown
    }

    private mutating func compactArena() {
        var compacted: [UInt8] = []
        compacted.reserveCapacity(arena.count - deadBytes)
        for slot in entries.indices where !entries[slot].isVacant {
            let entry = entries[slot]
            entries[slot].offset = compacted.count
            compacted.append(contentsOf: arena[entry.offset..<entry.offset + entry.length])
        }
        arena = compacted
        deadBytes = 0
    }
}
