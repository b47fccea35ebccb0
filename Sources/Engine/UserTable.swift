import Basics

/// From user ids to slots: open addressing over a dense list of records, the ids in an arena beside them.
///
/// A bucket holds 32 bits of the hash, the slot and where the id lies, so that a look-up reads one bucket and
/// the id's bytes. Slots are given in the order of first sight and never taken back.
struct UserTable: ~Copyable {
    /// A power of two, at most two thirds full.
    private var buckets: UnsafeMutableBufferPointer<Bucket>
    private var records: [Record] = []
    private var arena = ByteArena()

    private struct Bucket {
        /// The high half.
        var hash: UInt32
        /// 0 = free.
        var slotPlusOne: UInt32
        var id: ByteArena.Handle
        var length: UInt32

        static let free = Bucket(hash: 0, slotPlusOne: 0, id: 0, length: 0)
    }

    private struct Record {
        var hash: UInt64
        var id: ByteArena.Handle
        var length: UInt32
    }

    init() {
        buckets = TableMemory.allocate(Bucket.self, count: 1024)
        buckets.initialize(repeating: .free)
    }

    deinit {
        buckets.deallocate()
    }

    /// How many users there are.
    var count: Int { records.count }

    /// Bytes of memory held.
    var bytesReserved: Int {
        buckets.count * MemoryLayout<Bucket>.stride + records.capacity * MemoryLayout<Record>.stride
            + arena.bytesReserved
    }

    /// The user's slot, or nil if the id was never seen.
    ///
    /// No allocation.
    func find(_ id: ByteView, hash: UInt64) -> UserSlot? {
        let mask = buckets.count - 1
        var bucket = Int(truncatingIfNeeded: hash) & mask
        while buckets[bucket].slotPlusOne != 0 {
            let entry = buckets[bucket]
            if UInt64(entry.hash) == hash >> 32, Int(entry.length) == id.count,
                ByteView(base: arena.pointer(entry.id), count: id.count).equals(id)
            {
                return entry.slotPlusOne - 1
            }
            bucket = (bucket + 1) & mask
        }
        return nil
    }

    /// Reads where a look-up begins, so that it is near when it is needed.
    func fetch(hash: UInt64) -> UInt64 {
        UInt64(buckets[Int(truncatingIfNeeded: hash) & (buckets.count - 1)].slotPlusOne)
    }

    /// Whom the first look of a look-up finds: most likely the user, if there is one.
    func candidate(hash: UInt64) -> UserSlot? {
        let entry = buckets[Int(truncatingIfNeeded: hash) & (buckets.count - 1)]
        return entry.slotPlusOne != 0 && UInt64(entry.hash) == hash >> 32
            ? entry.slotPlusOne - 1 : nil
    }

    /// Reads the id of the candidate, of whom there must be one.
    func fetchID(hash: UInt64) -> UInt64 {
        let entry = buckets[Int(truncatingIfNeeded: hash) & (buckets.count - 1)]
        return entry.length == 0 ? 0 : UInt64(arena.pointer(entry.id).pointee)
    }

    /// Adds an id that is not there, and gives its slot.
    mutating func insert(_ id: ByteView, hash: UInt64) -> UserSlot {
        let slot = UserSlot(records.count)
        records.append(Record(hash: hash, id: arena.store(id), length: UInt32(id.count)))
        if records.count * 3 > buckets.count * 2 { grow() } else { place(slot, hash: hash) }
        return slot
    }

    /// The id of a slot; the view lives as long as the table.
    subscript(slot: UserSlot) -> ByteView {
        let record = records[Int(slot)]
        return ByteView(base: arena.pointer(record.id), count: Int(record.length))
    }

    private mutating func place(_ slot: UserSlot, hash: UInt64) {
        let mask = buckets.count - 1
        var bucket = Int(truncatingIfNeeded: hash) & mask
        while buckets[bucket].slotPlusOne != 0 { bucket = (bucket + 1) & mask }
        let record = records[Int(slot)]
        buckets[bucket] = Bucket(
            hash: UInt32(truncatingIfNeeded: hash >> 32),
            slotPlusOne: slot + 1,
            id: record.id,
            length: record.length
        )
    }

    private mutating func grow() {
        let larger = TableMemory.allocate(Bucket.self, count: buckets.count * 2)
        larger.initialize(repeating: .free)
        buckets.deallocate()
        buckets = larger
        for slot in records.indices { place(UserSlot(slot), hash: records[slot].hash) }
    }
}

/// Bytes that are stored once and stay where they are.
struct ByteArena: ~Copyable {
    /// Where bytes are stored, in units of 8 bytes.
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
        let rounded = (max(1, bytes.count) + 7) & ~7
        precondition(rounded <= Self.chunkBytes, "\(bytes.count) bytes in one piece")
        if cursor + rounded > Self.chunkBytes {
            chunks.append(regions.next())
            cursor = 0
        }
        let index = ((chunks.count - 1) * Self.chunkBytes + cursor) >> 3
        precondition(index <= Int(Handle.max), "user ids beyond 32 GiB in one shard")
        (chunks[chunks.count - 1] + cursor).update(from: bytes.base, count: bytes.count)
        cursor += rounded
        return Handle(index)
    }

    /// The bytes stored under a handle.
    func pointer(_ handle: Handle) -> UnsafePointer<UInt8> {
        let index = Int(handle) << 3
        return UnsafePointer(chunks[index >> 20] + (index & (Self.chunkBytes - 1)))
    }
}
