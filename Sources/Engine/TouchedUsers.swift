import Basics

/// The users to look at at the next tick, and which of their conditions may have changed.
///
/// A user's record holds its place here, so that touching it again finds its bits at once.
struct TouchedUsers: ~Copyable {
    /// In the order in which they were first touched since the last tick.
    private(set) var slots = RecordTable<UserSlot>()
    /// Bits of conditions, ``words`` words a user.
    private var bits = RecordTable<UInt64>()
    private let words: Int

    /// - Parameter words: Words in a row of bits of conditions.
    init(words: Int) {
        self.words = words
    }

    /// How many users there are.
    var count: Int { slots.count }

    /// Adds a user who is not there yet, with no bit set, and gives its place.
    mutating func append(_ slot: UserSlot) -> Int {
        slots.append(slot)
        bits.append(0, count: words)
        return slots.count - 1
    }

    /// A word of the bits at a place.
    @inline(__always)
    func bits(_ place: Int, word: Int) -> UInt64 { bits[place * words + word] }

    /// Sets bits at a place.
    @inline(__always)
    mutating func add(_ more: UInt64, to place: Int, word: Int) {
        bits[place * words + word] |= more
    }

    /// Forgets everyone, and keeps the memory.
    mutating func removeAll() {
        slots.removeAll()
        bits.removeAll()
    }

    /// Forgets the first `count` users and those behind them who are not to be kept; the others move up.
    ///
    /// - `isKept`: Asked with the place that a user had.
    mutating func removeFirst(_ count: Int, _ isKept: (_ place: Int, _ slot: UserSlot) -> Bool) {
        var kept = 0
        for place in count..<slots.count where isKept(place, slots[place]) {
            slots[kept] = slots[place]
            for word in 0..<words { bits[kept * words + word] = bits[place * words + word] }
            kept += 1
        }
        slots.keepFirst(kept)
        bits.keepFirst(kept * words)
    }
}
