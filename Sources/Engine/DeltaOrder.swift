import Basics

extension Shard {
    /// Sorts deltas by bytes of cohort, then of user: the order of every list we show.
    ///
    /// - Complexity: O(deltas + cohorts), and of each cohort's deltas n log n looks at an id's first 16 bytes; an id
    ///   that begins like others is looked at again. No heap allocation in steady state.
    public mutating func sortByCohortAndUser(_ deltas: inout [Delta]) {
        deltaOrder.sort(&deltas, users: users)
    }
}

/// What sorting deltas needs of memory, which is kept.
struct DeltaOrder: ~Copyable {
    /// A delta with what decides its place, so that sorting does not fetch ids from all over memory.
    private struct Key: BitwiseCopyable {
        let slot: UserSlot
        let entered: Bool
        /// The first 16 bytes of the user's id, zeros behind a shorter one.
        var prefix: UInt128 = 0
    }

    /// Where the deltas of each cohort end in ``keys``, once they are there.
    private var ends = RecordTable<Int>()
    private var keys = RecordTable<Key>()

    init(cohorts: Int) {
        for _ in 0..<cohorts { ends.append(0) }
    }

    mutating func sort(_ deltas: inout [Delta], users: borrowing UserTable) {
        if deltas.count < 2 { return }
        keys.removeAll()
        for cohort in 0..<ends.count { ends[cohort] = 0 }
        for delta in deltas {
            users.prefetch(delta.slot)
            ends[delta.cohort] += 1
            keys.append(Key(slot: 0, entered: false))
        }
        var start = 0
        for cohort in 0..<ends.count { (ends[cohort], start) = (start, start + ends[cohort]) }
        for delta in deltas {
            users.prefetchID(delta.slot)
            keys[ends[delta.cohort]] = Key(slot: delta.slot, entered: delta.entered)
            ends[delta.cohort] += 1
        }
        start = 0
        for cohort in 0..<ends.count {
            let end = ends[cohort]
            if end - start > 1 { sort(start..<end, users: users) }
            for place in start..<end {
                let key = keys[place]
                deltas[place] = Delta(cohort: cohort, slot: key.slot, entered: key.entered)
            }
            start = end
        }
    }

    /// Sorts the keys of one cohort.
    private mutating func sort(_ places: Range<Int>, users: borrowing UserTable) {
        for place in places { keys[place].prefix = Self.prefix(users[keys[place].slot]) }
        // Most cohorts have a few changes a tick.
        if places.count > 16 {
            var range = UnsafeMutableBufferPointer(
                start: keys.start + places.lowerBound,
                count: places.count
            )
            range.sort { Self.precedes($0, $1, users) }
            return
        }
        for place in places.dropFirst() {
            let key = keys[place]
            var target = place
            while target > places.lowerBound, Self.precedes(key, keys[target - 1], users) {
                keys[target] = keys[target - 1]
                target -= 1
            }
            keys[target] = key
        }
    }

    private static func precedes(_ left: Key, _ right: Key, _ users: borrowing UserTable) -> Bool {
        left.prefix != right.prefix
            ? left.prefix < right.prefix : users[left.slot].precedes(users[right.slot])
    }

    private static func prefix(_ id: ByteView) -> UInt128 {
        var prefix: UInt128 = 0
        withUnsafeMutableBytes(of: &prefix) { bytes in
            bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: id.buffer.prefix(16)))
        }
        return UInt128(bigEndian: prefix)
    }
}
