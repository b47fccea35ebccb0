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

    /// Entries in the order they came.
    private var entries = ChunkQueue<Entry>()
    /// The tag of the hash | the entry's place + 1; 0 = free.
    ///
    /// A power of two, at most two thirds full. Where a bucket belongs follows from its tag, and the tag tells
    /// strangers apart without a look at the entry, which is memory far away.
    private var buckets: UnsafeMutableBufferPointer<UInt64>
    private var newestArrival = Int64.min

    init(window: Int64, slack: Int64, entriesMax: Int) {
        self.window = window
        self.slack = slack
        self.entriesMax = max(1, entriesMax)
        buckets = TableMemory.allocate(UInt64.self, count: 2048)
        buckets.initialize(repeating: 0)
    }

    deinit {
        buckets.deallocate()
    }

    /// How many entries there are.
    var count: Int { entries.count }

    /// Bytes of memory held.
    var bytesReserved: Int { entries.bytesReserved + buckets.count * 8 }

    /// The key of a line: whose insert id, and which.
    static func key(owner: ByteView, insertID: ByteView) -> (high: UInt64, low: UInt64) {
        let first = Hashing.hash64(owner)
        return (
            Hashing.hash64(insertID, seed: first),
            Hashing.hash64(insertID, seed: Hashing.hash64(owner, seed: 0x5bd1_e995_0bad_cafe))
        )
    }

    /// Reads where a look-up begins, so that it is near when it is needed.
    func fetch(high: UInt64) -> UInt64 {
        buckets[home(Self.tag(high))]
    }

    /// Whether a line with this key that arrives now repeats one that is still in its window.
    func contains(high: UInt64, low: UInt64, arrival: EventTime) -> Bool {
        guard window > 0, let place = find(high: high, low: low) else { return false }
        return arrival.milliseconds - entries[place].arrival < window
    }

    /// Remembers an accepted line.
    ///
    /// A key that is there (its window over) gets the new arrival.
    mutating func insert(high: UInt64, low: UInt64, arrival: EventTime) {
        guard window > 0 else { return }
        newestArrival = max(newestArrival, arrival.milliseconds)
        expire()
        if let place = find(high: high, low: low) { removeBucket(of: place, high: high) }
        while entries.count >= entriesMax {
            removeOldest()
            shortened += 1
        }
        let entry = Entry(high: high, low: low, arrival: arrival.milliseconds)
        let place = entries.append(entry)
        precondition(place < Int(UInt32.max), "\(entries.count) dedupe entries in one shard")
        if entries.count * 3 > buckets.count * 2 { growBuckets() }
        put(Self.tag(high) << 32 | UInt64(place + 1))
    }

    /// Calls `body` with every entry, oldest first.
    func forEach(_ body: (Entry) -> Void) {
        for index in 0..<entries.count { body(entries[entries.place(index)]) }
    }

    private static func tag(_ high: UInt64) -> UInt64 { high >> 32 }

    /// The bucket where looking for a tag begins.
    private func home(_ tag: UInt64) -> Int { Int(truncatingIfNeeded: tag) & (buckets.count - 1) }

    private func find(high: UInt64, low: UInt64) -> Int? {
        let tag = Self.tag(high)
        let mask = buckets.count - 1
        var bucket = home(tag)
        while buckets[bucket] != 0 {
            if buckets[bucket] >> 32 == tag {
                let place = Self.place(buckets[bucket])
                if entries[place].high == high, entries[place].low == low { return place }
            }
            bucket = (bucket + 1) & mask
        }
        return nil
    }

    private static func place(_ bucket: UInt64) -> Int { Int(bucket & 0xffff_ffff) - 1 }

    private mutating func expire() {
        while entries.count > 0, newestArrival - entries[entries.first].arrival >= window + slack {
            removeOldest()
        }
    }

    private mutating func removeOldest() {
        let place = entries.first
        let entry = entries[place]
        // An entry that was accepted anew is there twice; its bucket belongs to the newer one.
        if find(high: entry.high, low: entry.low) == place {
            removeBucket(of: place, high: entry.high)
        }
        entries.removeFirst()
    }

    private mutating func put(_ filled: UInt64) {
        let mask = buckets.count - 1
        var bucket = home(filled >> 32)
        while buckets[bucket] != 0 { bucket = (bucket + 1) & mask }
        buckets[bucket] = filled
    }

    /// Frees the bucket of an entry and closes the gap, so that no tombstones are needed.
    private mutating func removeBucket(of place: Int, high: UInt64) {
        let mask = buckets.count - 1
        var hole = home(Self.tag(high))
        while Self.place(buckets[hole]) != place {
            precondition(buckets[hole] != 0, "dedupe entry \(place) has no bucket")
            hole = (hole + 1) & mask
        }
        var next = (hole + 1) & mask
        while buckets[next] != 0 {
            let home = home(buckets[next] >> 32)
            if (next - home) & mask >= (next - hole) & mask {
                buckets[hole] = buckets[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        buckets[hole] = 0
    }

    /// From one table through to the other: a bucket of the one belongs near one of two of the other, so
    /// neither memory is jumped about in.
    private mutating func growBuckets() {
        let smaller = buckets
        buckets = TableMemory.allocate(UInt64.self, count: smaller.count * 2)
        buckets.initialize(repeating: 0)
        for bucket in smaller where bucket != 0 { put(bucket) }
        smaller.deallocate()
    }
}
