/// Numbers texts in the order in which they come: an open-addressing table from bytes to a dense index.
///
/// For names (event types, property names), of which there are few; users have a table of their own.
public struct ByteKeyTable: Sendable {
    /// All keys, one behind the other.
    private var bytes: [UInt8] = []
    /// Where each key ends there.
    private var ends: [Int] = []
    private var hashes: [UInt64] = []
    /// Index + 1, 0 = free; a power of two, at most half full.
    private var buckets: [UInt32] = [0, 0, 0, 0]

    /// An empty table.
    public init() {}

    /// How many keys there are.
    public var count: Int { ends.count }

    /// The bytes of a key by its index.
    public subscript(index: Int) -> [UInt8] { Array(bytes[range(index)]) }

    /// The index of a key; nil if it is not there.
    ///
    /// No allocation.
    public func find(_ key: ByteView) -> Int? { find(key, hash: Hashing.hash64(key)) }

    private func find(_ key: ByteView, hash: UInt64) -> Int? {
        let mask = buckets.count - 1
        var bucket = Int(truncatingIfNeeded: hash) & mask
        while buckets[bucket] != 0 {
            let index = Int(buckets[bucket] - 1)
            if hashes[index] == hash, isKey(index, key) { return index }
            bucket = (bucket + 1) & mask
        }
        return nil
    }

    /// The index of a key, which is added if it is not there.
    public mutating func insert(_ key: ByteView) -> Int {
        let hash = Hashing.hash64(key)
        if let index = find(key, hash: hash) { return index }
        let index = ends.count
        bytes.append(contentsOf: key.buffer)
        ends.append(bytes.count)
        hashes.append(hash)
        if ends.count * 2 > buckets.count {
            buckets = [UInt32](repeating: 0, count: buckets.count * 2)
            for index in ends.indices { place(index) }
        } else {
            place(index)
        }
        return index
    }

    private func range(_ index: Int) -> Range<Int> {
        (index == 0 ? 0 : ends[index - 1])..<ends[index]
    }

    private func isKey(_ index: Int, _ key: ByteView) -> Bool {
        let range = range(index)
        guard range.count == key.count else { return false }
        return bytes.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return true }
            return ByteView(base: start + range.lowerBound, count: range.count).equals(key)
        }
    }

    private mutating func place(_ index: Int) {
        let mask = buckets.count - 1
        var bucket = Int(truncatingIfNeeded: hashes[index]) & mask
        while buckets[bucket] != 0 { bucket = (bucket + 1) & mask }
        buckets[bucket] = UInt32(index + 1)
    }
}
