import Basics

/// The users: from their ids to slots, and by slot what is kept of each.
///
/// Open addressing over the rows, in which short ids stand; the others lie in an arena beside them. A bucket is 32 bits of the hash and
/// the slot. Slots are given in the order of first sight and never taken back.
struct UserTable: ~Copyable {
    var rows: UserRows
    private var buckets = HashCells<Bucket>(count: 1024)
    private var arena = ByteArena()
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
        buckets.bytesReserved + rows.bytesReserved + arena.bytesReserved
    }

    /// What is kept of a user besides the id.
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
    func prefetchLongID(_ slot: UserSlot) { rows.prefetchLongID(slot, arena: arena) }

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
        return rows.append(id, arena: &arena)
    }

    /// The id of a slot; lent until a user is added.
    @inline(__always)
    func id(_ slot: UserSlot) -> ByteView { rows.id(slot, arena: arena) }

    @inline(__always)
    private mutating func put(_ slot: UserSlot, hash: UInt64) {
        let bucket = Bucket(spread: Self.spread(hash), slotPlusOne: slot + 1)
        buckets.cell(bucket.spread) { _ in false }.pointee = bucket
    }

    @inline(__always)
    private static func spread(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 32) }
}

/// Bytes that are stored once and stay where they are.
struct ByteArena: ~Copyable {
    /// Where bytes are stored, in units of 4 bytes.
    typealias Handle = UInt32

    private static let chunkBytes = 1 << 20
    private var chunks: [UnsafeMutablePointer<UInt8>] = []
    private var regions = ChunkRegions<UInt8>(chunkCount: ByteArena.chunkBytes)
    private var cursor = ByteArena.chunkBytes

    init() {}

    /// Bytes taken from the system.
    var bytesReserved: Int { regions.bytesReserved }

    /// Copies the bytes, at most 1 MiB.
    mutating func store(_ bytes: ByteView) -> Handle {
        let rounded = (max(1, bytes.count) + 3) & ~3
        precondition(rounded <= Self.chunkBytes, "\(bytes.count) bytes in one piece")
        if cursor + rounded > Self.chunkBytes {
            chunks.append(regions.next())
            cursor = 0
        }
        let index = ((chunks.count - 1) * Self.chunkBytes + cursor) >> 2
        precondition(index <= Int(Handle.max), "user ids beyond 16 GiB in one shard")
        (chunks[chunks.count - 1] + cursor).update(from: bytes.base, count: bytes.count)
        cursor += rounded
        return Handle(index)
    }

    /// The bytes stored under a handle.
    func pointer(_ handle: Handle) -> UnsafePointer<UInt8> {
        let index = Int(handle) << 2
        return UnsafePointer(chunks[index >> 20] + (index & (Self.chunkBytes - 1)))
    }
}
