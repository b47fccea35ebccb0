import Basics

/// The insert ids seen within the dedupe window: of each 80 bits of its 128-bit hash, and the arrival of the line it
/// came with, in one open-addressing table, so that an event costs one read of far memory.
///
/// What is over leaves as a hand goes round the table, a few cells for each insertion; an answer looks at the
/// arrival, so it does not depend on how far the hand is. Beyond `entriesMax` the oldest go, a few of a hundred at a
/// time (counted, since answers are then no longer exact). Of ten million ids that are there, a new one has the bits
/// of one with a probability of 10⁻¹⁷. See docs/decisions/compact-rows.md.
struct DedupeSet: ~Copyable {
    /// Whose insert id, and which.
    struct Key: BitwiseCopyable {
        var high: UInt64
        /// Its lowest 16 bits are kept.
        var low: UInt64
    }

    /// One seen id, and a place of the table: 64 bits of the hash, and in one word 16 more and the arrival.
    struct Cell: HashCell {
        static let arrivalBits: UInt64 = 48
        static let arrivalMask: UInt64 = 1 << arrivalBits - 1
        /// What stands for an arrival is later than this: the years 1082 to 9999 fit, and earlier ones count as the
        /// first.
        static let origin = EventTime.latest.milliseconds - Int64(arrivalMask)

        let high: UInt64
        let word: UInt64

        static let free = Cell(high: 0, word: 0)

        /// What a snapshot has of ``high`` and ``word``.
        init(high: UInt64, word: UInt64) {
            self.high = high
            self.word = word
        }

        init(_ key: Key, arrival: Int64) {
            high = key.high
            let stored = UInt64(max(1, min(arrival, EventTime.latest.milliseconds) - Self.origin))
            word = key.low << Self.arrivalBits | stored
        }

        var isFree: Bool { word == 0 }

        var spread: UInt32 { Self.spread(high) }

        @inline(__always)
        static func spread(_ high: UInt64) -> UInt32 {
            UInt32(truncatingIfNeeded: (high &* 0x9e37_79b9_7f4a_7c15) >> 32)
        }

        var arrival: Int64 { Int64(word & Self.arrivalMask) + Self.origin }

        func isOf(_ key: Key) -> Bool {
            high == key.high && (word ^ key.low << Self.arrivalBits) & ~Self.arrivalMask == 0
                && !isFree
        }

        /// Whose insert id it is, and which.
        var key: Key { Key(high: high, low: word >> Self.arrivalBits) }
    }

    /// How many cells the hand looks at for each insertion.
    private static let cellsSwept = 4
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
    /// How many entries there are; some of them may be over.
    private(set) var count = 0

    private var cells = HashCells<Cell>(count: 1024)
    private var newestArrival = Int64.min
    /// No entry has an earlier arrival.
    private var earliestArrival = Int64.max
    /// The cell the hand looks at next, and the earliest arrival it has seen since it began at the first.
    private var hand = 0
    private var earliestSeen = Int64.max

    init(window: Int64, slack: Int64, entriesMax: Int) {
        self.window = window
        self.slack = slack
        self.entriesMax = max(1, entriesMax)
    }

    /// Bytes of memory held.
    var bytesReserved: Int { cells.bytesReserved }

    /// The key of a line: whose insert id, and which.
    static func key(owner: ByteView, insertID: ByteView) -> Key {
        let seeds = Hashing.hash64(owner, seeds: (0, 0x5bd1_e995_0bad_cafe))
        let hashes = Hashing.hash64(insertID, seeds: seeds)
        return Key(high: hashes.0, low: hashes.1)
    }

    /// Asks for the memory where a look-up begins.
    @inline(__always)
    func prefetch(_ key: Key) { cells.prefetch(Cell.spread(key.high)) }

    /// Whether a line with this key that arrives now repeats one that is still in its window.
    func contains(_ key: Key, arrival: EventTime) -> Bool {
        guard window > 0 else { return false }
        let cell = cell(of: key).pointee
        return !cell.isFree && arrival.milliseconds - cell.arrival < window
    }

    /// Remembers a line, unless it repeats one that is still in its window.
    ///
    /// Gives whether it does. A key that is there, its window over, gets the new arrival.
    mutating func insert(_ key: Key, arrival: EventTime) -> Bool {
        guard window > 0 else { return false }
        var place = cell(of: key)
        let isThere = !place.pointee.isFree
        if isThere, arrival.milliseconds - place.pointee.arrival < window { return true }
        note(arrival.milliseconds)
        let cell = Cell(key, arrival: arrival.milliseconds)
        if isThere {
            place.pointee = cell
            return false
        }
        if needsRoom {
            makeRoom()
            place = self.cell(of: key)
        }
        place.pointee = cell
        count += 1
        return false
    }

    /// Calls `body` with every entry, in the order of the table.
    func forEach(_ body: (Cell) -> Void) { cells.forEach(body) }

    /// Takes memory for so many entries in all, where it has less.
    mutating func reserve(_ wanted: Int) {
        cells.reserve(min(wanted, entriesMax, Self.reservedMax))
    }

    /// Puts back entries of a snapshot, the latest of a key last.
    ///
    /// A snapshot has them in the order of a table. Where this one is smaller, that order fills it up from its
    /// beginning, and looking for a free cell takes ever longer: ``reserve(_:)`` comes first.
    mutating func restore(_ bytes: ByteView) {
        guard window > 0 else { return }
        let count = bytes.count / MemoryLayout<Cell>.size
        for index in 0..<count {
            if index + Self.restoredAhead < count {
                cells.prefetch(Self.cell(index + Self.restoredAhead, of: bytes).spread)
            }
            restore(Self.cell(index, of: bytes))
        }
    }

    private static func cell(_ index: Int, of bytes: ByteView) -> Cell {
        bytes.buffer.loadUnaligned(fromByteOffset: index * MemoryLayout<Cell>.size, as: Cell.self)
    }

    @inline(__always)
    private mutating func restore(_ cell: Cell) {
        if cell.isFree { return }
        note(cell.arrival)
        var place = self.cell(of: cell.key)
        if place.pointee.isFree {
            if needsRoom {
                makeRoom()
                place = self.cell(of: cell.key)
            }
            count += 1
        }
        place.pointee = cell
    }

    private mutating func note(_ arrival: Int64) {
        newestArrival = max(newestArrival, arrival)
        earliestArrival = min(earliestArrival, arrival)
        earliestSeen = min(earliestSeen, arrival)
    }

    /// Whether there is something to do before a cell is filled.
    private var needsRoom: Bool {
        isPast(earliestArrival) || count >= entriesMax || cells.needsRoom(used: count)
    }

    private func isPast(_ arrival: Int64) -> Bool { newestArrival - arrival >= window + slack }

    /// Where a key is, or the free cell where it belongs.
    @inline(__always)
    private func cell(of key: Key) -> UnsafeMutablePointer<Cell> {
        cells.cell(Cell.spread(key.high)) { $0.isOf(key) }
    }

    /// Takes out what is over as far as the hand gets, and sees to it that there is a cell for one more.
    @inline(never)
    private mutating func makeRoom() {
        if isPast(earliestArrival), !cells.isGrowing { sweep() }
        if count >= entriesMax { removeOldest() }
        guard cells.needsRoom(used: count) else { return }
        cells.makeRoom(used: count)
        // The round begins anew, with what was known of the earliest.
        hand = 0
        earliestSeen = .max
    }

    private mutating func sweep() {
        for _ in 0..<Self.cellsSwept {
            if hand == cells.count { beginRound() }
            // What moves into a freed cell is looked at as well.
            while !cells[hand].isFree, isPast(cells[hand].arrival) {
                cells.remove(at: hand)
                count -= 1
            }
            if !cells[hand].isFree { earliestSeen = min(earliestSeen, cells[hand].arrival) }
            hand += 1
        }
    }

    private mutating func beginRound() {
        if hand > 0 { earliestArrival = earliestSeen }
        hand = 0
        earliestSeen = .max
    }

    /// Takes out the oldest, a hundredth or so: all that arrived not later than the youngest of the oldest hundredth of
    /// a sample.
    private mutating func removeOldest() {
        var sample: [Int64] = []
        var number = 0
        let stride = max(1, count / 4096)
        cells.forEach { cell in
            if number % stride == 0 { sample.append(cell.arrival) }
            number += 1
        }
        sample.sort()
        // Where the sample is empty the set is nearly so.
        guard let last = sample.isEmpty ? nil : sample[sample.count / 100] else { return }
        var kept = 0
        var gone = 0
        let newest = newestArrival
        let lifetime = window + slack
        cells.rebuild { cell in
            if cell.arrival > last {
                kept += 1
                return true
            }
            if newest - cell.arrival < lifetime { gone += 1 }
            return false
        }
        count = kept
        shortened += gone
        hand = 0
        earliestSeen = .max
    }
}
