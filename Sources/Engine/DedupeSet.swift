import Basics

/// The insert ids seen within the dedupe window: 128-bit hashes with the arrival of the line they came with.
///
/// Entries leave in the order in which they came: when the newest arrival is further ahead than window and
/// slack, and, beyond `entriesMax`, the oldest first (counted, since answers are then no longer exact).
/// A chance collision of two different ids needs about 2⁶⁴ of them.
struct DedupeSet: ~Copyable {
    /// One seen id.
    struct Entry {
        var high: UInt64
        var low: UInt64
        var arrival: Int64
    }

    /// Milliseconds; 0 = nothing is a duplicate.
    let window: Int64
    /// How long an entry stays beyond the window, for logs whose timestamps go back; milliseconds.
    let slack: Int64
    let entriesMax: Int
    /// Entries that left before their window was over.
    private(set) var shortened = 0

    /// Entries in the order they came, a ring.
    private var ring: UnsafeMutableBufferPointer<Entry>
    private var head = 0
    private(set) var count = 0
    /// Low half of the hash's `low` | ring index + 1.
    ///
    /// 0 = free. A power of two, at most two thirds full.
    ///
    /// The part of the hash tells strangers apart without a look at the ring, which is memory far away.
    private var buckets: UnsafeMutableBufferPointer<UInt64>
    private var newestArrival = Int64.min

    init(window: Int64, slack: Int64, entriesMax: Int) {
        self.window = window
        self.slack = slack
        self.entriesMax = max(1, entriesMax)
        ring = .allocate(capacity: 1024)
        ring.initialize(repeating: Entry(high: 0, low: 0, arrival: 0))
        buckets = .allocate(capacity: 2048)
        buckets.initialize(repeating: 0)
    }

    deinit {
        ring.deallocate()
        buckets.deallocate()
    }

    /// Bytes of memory held.
    var bytesReserved: Int { ring.count * MemoryLayout<Entry>.stride + buckets.count * 8 }

    /// The key of a line: whose insert id, and which.
    static func key(owner: ByteView, insertID: ByteView) -> (high: UInt64, low: UInt64) {
        let first = Hashing.hash64(owner)
        return (
            Hashing.hash64(insertID, seed: first),
            Hashing.hash64(insertID, seed: Hashing.hash64(owner, seed: 0x5bd1_e995_0bad_cafe))
        )
    }

    /// Whether a line with this key that arrives now repeats one that is still in its window.
    func contains(high: UInt64, low: UInt64, arrival: EventTime) -> Bool {
        guard window > 0, let index = find(high: high, low: low) else { return false }
        return arrival.milliseconds - ring[index].arrival < window
    }

    /// Remembers an accepted line.
    ///
    /// A key that is there (its window over) gets the new arrival.
    mutating func insert(high: UInt64, low: UInt64, arrival: EventTime) {
        guard window > 0 else { return }
        newestArrival = max(newestArrival, arrival.milliseconds)
        expire()
        if let index = find(high: high, low: low) { removeBucket(of: index) }
        while count >= entriesMax {
            removeOldest()
            shortened += 1
        }
        if count == ring.count { grow() }
        precondition(ring.count <= Int(UInt32.max), "\(count) dedupe entries in one shard")
        let index = (head + count) & (ring.count - 1)
        ring[index] = Entry(high: high, low: low, arrival: arrival.milliseconds)
        count += 1
        if count * 3 > buckets.count * 2 {
            rebuildBuckets(capacity: buckets.count * 2)
        } else {
            place(index)
        }
    }

    /// Calls `body` with every entry, oldest first.
    func forEach(_ body: (Entry) -> Void) {
        for position in 0..<count { body(ring[(head + position) & (ring.count - 1)]) }
    }

    private func find(high: UInt64, low: UInt64) -> Int? {
        let mask = buckets.count - 1
        var bucket = Int(truncatingIfNeeded: high) & mask
        while buckets[bucket] != 0 {
            if buckets[bucket] >> 32 == low & 0xffff_ffff {
                let index = Self.index(buckets[bucket])
                if ring[index].high == high, ring[index].low == low { return index }
            }
            bucket = (bucket + 1) & mask
        }
        return nil
    }

    private static func index(_ bucket: UInt64) -> Int { Int(bucket & 0xffff_ffff) - 1 }

    private mutating func expire() {
        while count > 0, newestArrival - ring[head].arrival >= window + slack { removeOldest() }
    }

    private mutating func removeOldest() {
        // An entry that was accepted anew stands in the ring twice; its bucket belongs to the newer one.
        if find(high: ring[head].high, low: ring[head].low) == head { removeBucket(of: head) }
        head = (head + 1) & (ring.count - 1)
        count -= 1
    }

    private mutating func place(_ index: Int) {
        let mask = buckets.count - 1
        var bucket = Int(truncatingIfNeeded: ring[index].high) & mask
        while buckets[bucket] != 0 { bucket = (bucket + 1) & mask }
        buckets[bucket] = ring[index].low << 32 | UInt64(index + 1)
    }

    /// Frees the bucket of an entry and closes the gap, so that no tombstones are needed.
    private mutating func removeBucket(of index: Int) {
        let mask = buckets.count - 1
        var hole = Int(truncatingIfNeeded: ring[index].high) & mask
        while Self.index(buckets[hole]) != index {
            precondition(buckets[hole] != 0, "dedupe entry \(index) has no bucket")
            hole = (hole + 1) & mask
        }
        var next = (hole + 1) & mask
        while buckets[next] != 0 {
            let home = Int(truncatingIfNeeded: ring[Self.index(buckets[next])].high) & mask
            if (next - home) & mask >= (next - hole) & mask {
                buckets[hole] = buckets[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        buckets[hole] = 0
    }

    private mutating func grow() {
        let larger = UnsafeMutableBufferPointer<Entry>.allocate(capacity: ring.count * 2)
        for position in 0..<count {
            larger.initializeElement(at: position, to: ring[(head + position) & (ring.count - 1)])
        }
        for position in count..<larger.count {
            larger.initializeElement(at: position, to: Entry(high: 0, low: 0, arrival: 0))
        }
        ring.deallocate()
        ring = larger
        head = 0
        rebuildBuckets(capacity: buckets.count)
    }

    private mutating func rebuildBuckets(capacity: Int) {
        buckets.deallocate()
        buckets = .allocate(capacity: capacity)
        buckets.initialize(repeating: 0)
        for position in 0..<count {
            let index = (head + position) & (ring.count - 1)
            // Of two entries with one key the later one counts.
            if let older = find(high: ring[index].high, low: ring[index].low) {
                removeBucket(of: older)
            }
            place(index)
        }
    }
}
