import Basics

/// The users: from their ids to slots, and by slot what is kept of each.
///
/// Open addressing over the rows, in which the ids stand. A bucket is 32 bits of the hash and the slot. Slots are given in
/// the order of first sight and never taken back.
struct UserTable: ~Copyable {
    var rows: UserRows
    private var buckets = HashCells<Bucket>(count: 1024)
    /// Bytes of all ids.
    private(set) var idBytes = 0
    /// How many of the users can be found.
    private var indexed = 0

    private struct Bucket: HashCell {
        static let free = Bucket(spread: 0, slotPlusOne: 0)

        /// The high half of the hash.
        var spread: UInt32
        /// 0 = free.
        var slotPlusOne: UInt32

        var isFree: Bool { slotPlusOne == 0 }
    }

    /// No users yet.
    ///
    /// - `rows`: Where they go; empty.
    init(rows: consuming UserRows) {
        self.rows = rows
    }

    /// How many users there are.
    var count: Int { rows.count }

    /// Bytes of memory held.
    var bytesReserved: Int {
        buckets.bytesReserved + rows.bytesReserved
    }

    /// A user's record.
    @inline(__always)
    subscript(slot: UserSlot) -> Shard.UserRecord {
        get { rows[slot] }
        _modify { yield &rows[slot] }
    }

    /// The user's slot, or nil if the id was never seen.
    ///
    /// No allocation.
    @inline(__always)
    func find(_ id: ByteView, hash: UInt64) -> UserSlot? {
        let spread = Self.spread(hash)
        let bucket = buckets.cell(spread) {
            $0.spread == spread && self.id($0.slotPlusOne - 1).equals(id)
        }
        return bucket.pointee.isFree ? nil : bucket.pointee.slotPlusOne - 1
    }

    /// Asks for the memory where a look-up begins.
    @inline(__always)
    func prefetch(hash: UInt64) { buckets.prefetch(Self.spread(hash)) }

    /// Whom a look-up finds first: most likely the user, if there is one.
    @inline(__always)
    func candidate(hash: UInt64) -> UserSlot? {
        let spread = Self.spread(hash)
        let bucket = buckets.cell(spread) { $0.spread == spread }
        return bucket.pointee.isFree ? nil : bucket.pointee.slotPlusOne - 1
    }

    /// Asks for an id that does not stand in the user's row.
    @inline(__always)
    func prefetchLongID(_ slot: UserSlot) { rows.prefetchLongID(slot) }

    /// Takes memory for so many users in all, where it has less.
    mutating func reserve(_ wanted: Int) {
        rows.reserve(wanted)
        buckets.reserve(wanted)
    }

    /// Adds a user whose id is not there, and gives its slot.
    mutating func insert(_ id: ByteView, hash: UInt64) -> UserSlot {
        let slot = add(id)
        buckets.makeRoom(used: indexed)
        put(slot, hash: hash)
        indexed += 1
        return slot
    }

    /// Adds a user of a snapshot, who is not there; the id is not found before ``index()``.
    mutating func restore(_ id: ByteView) { _ = add(id) }

    /// Makes the ids of a snapshot found, all at once: so the memory of several is asked for together.
    mutating func index() {
        reserve(count)
        var hashes = [UInt64](repeating: 0, count: 32)
        while indexed < count {
            let group = indexed..<min(indexed + hashes.count, count)
            for slot in group {
                let hash = Hashing.hash64(self.id(UserSlot(slot)))
                hashes[slot - group.lowerBound] = hash
                prefetch(hash: hash)
            }
            for slot in group {
                put(UserSlot(slot), hash: hashes[slot - group.lowerBound])
            }
            indexed = group.upperBound
        }
    }

    private mutating func add(_ id: ByteView) -> UserSlot {
        idBytes += id.count
        return rows.append(id)
    }

    /// The id of a slot; lent until a user is added.
    @inline(__always)
    func id(_ slot: UserSlot) -> ByteView { rows.id(slot) }

    @inline(__always)
    private mutating func put(_ slot: UserSlot, hash: UInt64) {
        let bucket = Bucket(spread: Self.spread(hash), slotPlusOne: slot + 1)
        buckets.cell(bucket.spread) { _ in false }.pointee = bucket
    }

    @inline(__always)
    private static func spread(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 32) }
}
