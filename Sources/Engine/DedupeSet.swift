import Basics

/// The insert ids seen within the dedupe window: of each 80 bits of its 128-bit hash, and the arrival of the line it
/// came with, in one table, so that an event costs one read of far memory.
///
/// What is over leaves as a hand goes round the table, a bucket for some insertions; an answer looks at the
/// arrival, so it does not depend on how far the hand is while arrivals go back by at most the slack. Beyond `entriesMax` the oldest go, a few of a hundred at a
/// time (counted, since answers are then no longer exact). Of ten million ids that are there, a new one has the bits
/// of one with a probability of 10⁻¹⁷. See docs/decisions/compact-rows.md.
struct DedupeSet: ~Copyable {
    /// Whose insert id, and which.
    struct Key: BitwiseCopyable {
        var high: UInt64
        /// Its lowest 16 bits are kept.
        var low: UInt64
    }

    /// One seen id as a snapshot has it: 64 bits of the hash, and in one word 16 more and the arrival.
    struct Entry: BitwiseCopyable {
        private static let arrivalBits: UInt64 = 48
        private static let arrivalMask: UInt64 = 1 << arrivalBits - 1
        /// What stands for an arrival is later than this: the years 1082 to 9999 fit, and earlier ones count as the
        /// first.
        private static let origin = EventTime.latest.milliseconds - Int64(arrivalMask)

        private let high: UInt64
        private let word: UInt64

        init(_ key: Key, arrival: Int64) { self.init(key, stored: Self.stored(arrival)) }

        fileprivate init(_ key: Key, stored: UInt64) {
            high = key.high
            word = key.low << Self.arrivalBits | stored
        }

        /// What stands for an arrival: milliseconds after ``origin``, never 0.
        @inline(__always)
        static func stored(_ arrival: Int64) -> UInt64 {
            UInt64(max(1, min(arrival, EventTime.latest.milliseconds) - origin))
        }

        /// What stands for the last arrival before an instant; 0 where none does.
        @inline(__always)
        static func last(before instant: Int64) -> UInt64 {
            UInt64(max(0, min(instant - 1, EventTime.latest.milliseconds) - origin))
        }

        @inline(__always)
        static func arrival(_ stored: UInt64) -> Int64 { Int64(stored) + origin }

        fileprivate var stored: UInt64 { word & Self.arrivalMask }

        var arrival: Int64 { Self.arrival(stored) }

        /// Whose insert id it is, and which.
        var key: Key { Key(high: high, low: word >> Self.arrivalBits) }
    }

    /// The hand looks at a bucket for so many insertions.
    private static let insertionsPerBucket = 4
    /// The most entries that memory is taken for at once.
    private static let reservedMax = 1 << 28
    /// How many entries ahead of the one in hand memory is asked for.
    private static let restoredAhead = 16

    /// Milliseconds; 0 = nothing is a duplicate.
    let window: Int64
    /// How long an entry stays beyond the window, for logs whose timestamps go back; milliseconds.
    let slack: Int64
    let entriesMax: Int
    /// Entries that left before their window was over.
    private(set) var shortened = 0

    private var table: DedupeTable
    private var newestArrival = Int64.min
    /// No entry has an earlier arrival.
    private var earliestArrival = Int64.max
    /// The bucket the hand looks at next, and the earliest arrival it has seen since it began at the first.
    private var hand = 0
    private var earliestSeen = Int64.max
    /// Insertions before the hand moves.
    private var untilHand = insertionsPerBucket

    init(window: Int64, slack: Int64, entriesMax: Int) {
        self.window = window
        self.slack = slack
        self.entriesMax = entriesMax
        table = DedupeTable(reach: window + slack)
    }

    /// How many entries there are; some of them may be over.
    var count: Int { table.count }

    /// Bytes of memory held.
    var bytesReserved: Int { table.bytesReserved }

    /// The key of a line: whose insert id, and which.
    static func key(owner: ByteView, insertID: ByteView) -> Key {
        let seeds = Hashing.hash64(owner, seeds: (0, 0x5bd1_e995_0bad_cafe))
        let hashes = Hashing.hash64(insertID, seeds: seeds)
        return Key(high: hashes.0, low: hashes.1)
    }

    /// Asks for the memory where a look-up begins.
    @inline(__always)
    func prefetch(_ key: Key) { table.prefetch(key) }

    /// Asks for the memory where an entry most likely goes; reads what ``prefetch(_:)`` asks for.
    @inline(__always)
    func prefetchEnd(_ key: Key) { table.prefetchEnd(key) }

    /// Whether a line with this key that arrives now repeats one that is still in its window.
    func contains(_ key: Key, arrival: EventTime) -> Bool {
        guard window > 0, let place = table.find(key) else { return false }
        return arrival.milliseconds - Entry.arrival(place.arrival) < window
    }

    /// Remembers a line, unless it repeats one that is still in its window.
    ///
    /// Gives whether it does. A key that is there, its window over, gets the new arrival.
    mutating func insert(_ key: Key, arrival: EventTime) -> Bool {
        guard window > 0 else { return false }
        let stored = Entry.stored(arrival.milliseconds)
        if let place = table.find(key) {
            if arrival.milliseconds - Entry.arrival(place.arrival) < window { return true }
            note(arrival.milliseconds)
            table.setArrival(place, to: stored)
        } else {
            note(arrival.milliseconds)
            add(key, stored)
        }
        return false
    }

    /// Calls `body` with every entry, in the order of the table.
    func forEach(_ body: (Entry) -> Void) {
        table.forEach { key, stored in body(Entry(key, stored: stored)) }
    }

    /// Takes memory for so many entries in all, where it has less.
    mutating func reserve(_ wanted: Int) {
        table.reserve(min(wanted, entriesMax, Self.reservedMax))
        hand = 0
        earliestSeen = .max
    }

    /// Puts back entries of a snapshot, the latest of a key last.
    ///
    /// A snapshot has them in the order of a table. Where this one is smaller, that order fills it up from its
    /// beginning, and looking for a free place takes ever longer: ``reserve(_:)`` comes first.
    mutating func restore(_ bytes: ByteView) {
        guard window > 0 else { return }
        let count = bytes.count / MemoryLayout<Entry>.size
        for index in 0..<count {
            if index + Self.restoredAhead < count {
                table.prefetch(Self.entry(index + Self.restoredAhead, of: bytes).key)
            }
            restore(Self.entry(index, of: bytes))
        }
    }

    private static func entry(_ index: Int, of bytes: ByteView) -> Entry {
        bytes.buffer.loadUnaligned(
            fromByteOffset: index * MemoryLayout<Entry>.size,
            as: Entry.self
        )
    }

    @inline(__always)
    private mutating func restore(_ entry: Entry) {
        // Nothing that was written is zero, but what is read may be damaged.
        if entry.stored == 0 { return }
        note(entry.arrival)
        if let place = table.find(entry.key) {
            table.setArrival(place, to: entry.stored)
        } else {
            add(entry.key, entry.stored)
        }
    }

    @inline(__always)
    private mutating func note(_ arrival: Int64) {
        if arrival > newestArrival {
            newestArrival = arrival
            table.past = Entry.last(before: arrival - window - slack + 1)
        }
        earliestArrival = min(earliestArrival, arrival)
        earliestSeen = min(earliestSeen, arrival)
    }

    private func isPast(_ arrival: Int64) -> Bool { newestArrival - arrival >= window + slack }

    @inline(__always)
    private mutating func add(_ key: Key, _ stored: UInt64) {
        if isPast(earliestArrival) { sweep() }
        if count >= entriesMax { removeOldest() }
        let isGrowing = table.isGrowing
        table.add(key, arrival: stored)
        if table.isGrowing, !isGrowing {
            // The round begins anew, with what was known of the earliest.
            hand = 0
            earliestSeen = .max
        }
    }

    /// Takes out what is over as far as the hand gets.
    @inline(never)
    private mutating func sweep() {
        untilHand -= 1
        guard untilHand == 0 else { return }
        untilHand = Self.insertionsPerBucket
        if table.isGrowing { return }
        if hand >= table.end { beginRound() }
        guard hand < table.end else { return }
        let earliest = table.tidy(hand)
        if earliest < .max { earliestSeen = min(earliestSeen, Entry.arrival(earliest)) }
        hand += 1
    }

    private mutating func beginRound() {
        if hand > 0 { earliestArrival = earliestSeen }
        hand = 0
        earliestSeen = .max
    }

    /// Takes out the oldest, a hundredth or so: all that arrived not later than the youngest of the oldest hundredth of
    /// a sample.
    private mutating func removeOldest() {
        var sample: [UInt64] = []
        var number = 0
        let stride = max(1, count / 4096)
        table.forEach { _, stored in
            if number % stride == 0 { sample.append(stored) }
            number += 1
        }
        sample.sort()
        // Where the sample is empty the set is nearly so.
        guard let last = sample.isEmpty ? nil : sample[sample.count / 100] else { return }
        var gone = 0
        let past = table.past
        table.forEach { _, stored in
            if stored <= last, stored > past { gone += 1 }
        }
        table.removeAll(notAfter: last)
        shortened += gone
        hand = 0
        earliestSeen = .max
    }
}
