/// Numbers texts in the order in which they come: an open-addressing table from bytes to a dense index.
///
/// For names (event types, property names), of which there are few; users have a table of their own.
package struct ByteKeyTable: Sendable {
    private var keys: [[UInt8]] = []
    private var hashes: [UInt64] = []
    /// Index + 1, 0 = free; a power of two, at most half full.
    private var buckets: [UInt32] = [0, 0, 0, 0]

    /// An empty table.
    package init() {}

    /// How many keys there are.
    package var count: Int { keys.count }

    /// The bytes of a key by its index.
    package subscript(index: Int) -> [UInt8] { keys[index] }

    /// The index of a key; nil if it is not there.
    ///
    /// No allocation.
    package func find(_ key: ByteView) -> Int? {
        let hash = Hashing.hash64(key)
        let mask = buckets.count - 1
        var bucket = Int(truncatingIfNeeded: hash) & mask
        while buckets[bucket] != 0 {
            let index = Int(buckets[bucket] - 1)
            if hashes[index] == hash, keys[index].withByteView({ $0.equals(key) }) { return index }
            bucket = (bucket + 1) & mask
        }
        return nil
    }

    /// The index of a key, which is added if it is not there.
    package mutating func insert(_ key: ByteView) -> Int {
        if let index = find(key) { return index }
        let index = keys.count
        keys.append(key.array)
        hashes.append(Hashing.hash64(key))
        if keys.count * 2 > buckets.count {
            buckets = [UInt32](repeating: 0, count: buckets.count * 2)
            for index in keys.indices { place(index) }
        } else {
            place(index)
        }
        return index
    }

    private mutating func place(_ index: Int) {
        let mask = buckets.count - 1
        var bucket = Int(truncatingIfNeeded: hashes[index]) & mask
        while buckets[bucket] != 0 { bucket = (bucket + 1) & mask }
        buckets[bucket] = UInt32(index + 1)
    }
}
