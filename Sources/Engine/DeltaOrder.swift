import Basics

extension Shard {
    /// Sorts deltas by bytes of cohort, then of user: the order of every list we show.
    ///
    /// - Complexity: O(deltas + cohorts), and of the u users among them u log u looks at an id's first 16 bytes; an id
    ///   that begins like others is looked at again. No heap allocation in steady state.
    public mutating func sortByCohortAndUser(_ deltas: inout [Delta]) {
        deltaOrder.sort(&deltas, users: users)
    }
}

/// What sorting deltas needs of memory, which is kept.
///
/// Users of many deltas are compared once: they are sorted first, and then all is counting.
struct DeltaOrder: ~Copyable {
    /// A user with what decides its place, so that sorting does not fetch ids from all over memory.
    private struct Key: BitwiseCopyable {
        let slot: UserSlot
        /// The first 16 bytes of the user's id, zeros behind a shorter one.
        var prefix: UInt128
    }

    /// A delta in eight bytes.
    private struct Packed: BitwiseCopyable {
        let slot: UserSlot
        private let cohortAndSide: UInt32

        init(_ delta: Delta) {
            slot = delta.slot
            cohortAndSide = UInt32(delta.cohort) << 1 | (delta.entered ? 1 : 0)
        }

        var cohort: Int { Int(cohortAndSide >> 1) }

        var delta: Delta { Delta(cohort: cohort, slot: slot, entered: cohortAndSide & 1 != 0) }
    }

    private let cohortCount: Int
    /// The users who have deltas.
    private var keys = RecordTable<Key>()
    /// Room for sorting them.
    private var merged = RecordTable<Key>()
    /// Which of ``keys`` a user is, by slot, once they are sorted in their order; of one who is none of them, anything.
    private var numbers = RecordTable<UInt32>()
    /// Where the deltas of each user, or of each cohort, go.
    private var places = RecordTable<Int>()
    private var packed = RecordTable<Packed>()

    init(cohorts: Int) {
        cohortCount = cohorts
    }

    mutating func sort(_ deltas: inout [Delta], users: borrowing UserTable) {
        if deltas.count < 2 { return }
        for delta in deltas { users.rows.prefetchID(delta.slot) }
        findUsers(deltas, users)
        sortUsers(users)
        for key in 0..<keys.count { numbers[Int(keys[key].slot)] = UInt32(key) }
        // By user, then by cohort in the order of users.
        Self.findPlaces(&places, keys.count, of: deltas) { Int(numbers[Int($0.slot)]) }
        packed.removeAll()
        packed.append(Packed(deltas[0]), count: deltas.count)
        for delta in deltas {
            let number = Int(numbers[Int(delta.slot)])
            packed[places[number]] = Packed(delta)
            places[number] += 1
        }
        Self.findPlaces(&places, cohortCount, of: deltas) { $0.cohort }
        for place in 0..<packed.count {
            let delta = packed[place]
            deltas[places[delta.cohort]] = delta.delta
            places[delta.cohort] += 1
        }
    }

    /// Gives each user of the deltas a number.
    private mutating func findUsers(_ deltas: [Delta], _ users: borrowing UserTable) {
        keys.removeAll()
        if numbers.count < users.count { numbers.append(0, count: users.count - numbers.count) }
        for delta in deltas {
            let slot = Int(delta.slot)
            let number = Int(numbers[slot])
            // Whose number is an old one is not at that place.
            if number < keys.count, keys[number].slot == delta.slot { continue }
            users.prefetchLongID(delta.slot)
            numbers[slot] = UInt32(keys.count)
            keys.append(Key(slot: delta.slot, prefix: 0))
        }
    }

    /// Sorts ``keys`` by merging, from one table into the other and back: the library's sort takes memory each time.
    private mutating func sortUsers(_ users: borrowing UserTable) {
        let count = keys.count
        for key in 0..<count { keys[key].prefix = Self.prefix(users.id(keys[key].slot)) }
        if merged.count < count { merged.append(keys[0], count: count - merged.count) }
        var (from, to) = (keys.start, merged.start)
        var run = 1
        while run < count {
            var start = 0
            while start < count {
                let middle = min(start + run, count)
                let end = min(middle + run, count)
                var (left, right) = (start, middle)
                for place in start..<end {
                    if right == end
                        || left < middle && !Self.precedes(from[right], from[left], users)
                    {
                        to[place] = from[left]
                        left += 1
                    } else {
                        to[place] = from[right]
                        right += 1
                    }
                }
                start = end
            }
            (from, to) = (to, from)
            run *= 2
        }
        if from != keys.start { keys.start.update(from: from, count: count) }
    }

    /// Counts the deltas of each of `count` groups, and from that says where each group begins.
    @inline(__always)
    private static func findPlaces(
        _ places: inout RecordTable<Int>,
        _ count: Int,
        of deltas: [Delta],
        group: (Delta) -> Int
    ) {
        places.removeAll()
        places.append(0, count: count)
        for delta in deltas { places[group(delta)] += 1 }
        var start = 0
        for group in 0..<count { (places[group], start) = (start, start + places[group]) }
    }

    private static func precedes(_ left: Key, _ right: Key, _ users: borrowing UserTable) -> Bool {
        left.prefix != right.prefix
            ? left.prefix < right.prefix : users.id(left.slot).precedes(users.id(right.slot))
    }

    private static func prefix(_ id: ByteView) -> UInt128 {
        var prefix: UInt128 = 0
        withUnsafeMutableBytes(of: &prefix) { bytes in
            bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: id.buffer.prefix(16)))
        }
        return UInt128(bigEndian: prefix)
    }
}
