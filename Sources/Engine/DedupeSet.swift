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
    struct Cell: BitwiseCopyable {
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

        var arrival: Int64 { Int64(word & Self.arrivalMask) + Self.origin }

        func isOf(_ key: Key) -> Bool {
            high == key.high && (word ^ key.low << Self.arrivalBits) & ~Self.arrivalMask == 0
                && !isFree
        }

        /// Whose insert id it is, and which.
        var key: Key { Key(high: high, low: word >> Self.arrivalBits) }
    }

    /// Cells of an empty set.
    private static let cellsMin = 1024
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

    /// At most three quarters full.
    private var cells: UnsafeMutableBufferPointer<Cell>
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
        cells = TableMemory.allocate(Cell.self, count: Self.cellsMin)
    }

    deinit {
        TableMemory.deallocate(cells)
    }

    /// Bytes of memory held.
    var bytesReserved: Int { cells.count * MemoryLayout<Cell>.stride }

    /// The key of a line: whose insert id, and which.
    static func key(owner: ByteView, insertID: ByteView) -> Key {
        let seeds = Hashing.hash64(owner, seeds: (0, 0x5bd1_e995_0bad_cafe))
        let hashes = Hashing.hash64(insertID, seeds: seeds)
        return Key(high: hashes.0, low: hashes.1)
    }

    /// Asks for the memory where a look-up begins.
    @inline(__always)
    func prefetch(_ key: Key) {
        if let start = cells.baseAddress { Prefetch.line(start + home(key.high)) }
    }

    /// Whether a line with this key that arrives now repeats one that is still in its window.
    func contains(_ key: Key, arrival: EventTime) -> Bool {
        guard window > 0 else { return false }
        let place = place(of: key)
        return !cells[place].isFree && arrival.milliseconds - cells[place].arrival < window
    }

    /// Remembers a line, unless it repeats one that is still in its window.
    ///
    /// Gives whether it does. A key that is there, its window over, gets the new arrival.
    mutating func insert(_ key: Key, arrival: EventTime) -> Bool {
        guard window > 0 else { return false }
        var place = place(of: key)
        let isThere = !cells[place].isFree
        if isThere, arrival.milliseconds - cells[place].arrival < window { return true }
        note(arrival.milliseconds)
        let cell = Cell(key, arrival: arrival.milliseconds)
        if isThere {
            cells[place] = cell
            return false
        }
        if needsRoom {
            makeRoom()
            place = self.place(of: key)
        }
        cells[place] = cell
        count += 1
        return false
    }

    /// Calls `body` with every entry, in the order of the table.
    func forEach(_ body: (Cell) -> Void) {
        for cell in cells where !cell.isFree { body(cell) }
    }

    /// Takes memory for so many entries in all, where it has less.
    mutating func reserve(_ wanted: Int) {
        let needed = min(wanted, entriesMax, Self.reservedMax) / 2 * 3 + Self.cellsMin
        if needed > cells.count { rebuild(cells: needed) { _ in true } }
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
                let later = Self.cell(index + Self.restoredAhead, of: bytes)
                if let start = cells.baseAddress { Prefetch.line(start + home(later.high)) }
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
        var place = place(of: cell.key)
        if cells[place].isFree {
            if needsRoom {
                makeRoom()
                place = self.place(of: cell.key)
            }
            count += 1
        }
        cells[place] = cell
    }

    private mutating func note(_ arrival: Int64) {
        newestArrival = max(newestArrival, arrival)
        earliestArrival = min(earliestArrival, arrival)
        earliestSeen = min(earliestSeen, arrival)
    }

    /// Whether there is something to do before a cell is filled.
    private var needsRoom: Bool {
        isPast(earliestArrival) || count >= entriesMax || (count + 1) * 4 > cells.count * 3
    }

    private func isPast(_ arrival: Int64) -> Bool { newestArrival - arrival >= window + slack }

    /// Where looking for a hash begins: ascending with a mixed hash, so that growing goes through both tables in order.
    @inline(__always)
    private func home(_ high: UInt64) -> Int {
        let mixed = (high &* 0x9e37_79b9_7f4a_7c15) >> 32
        return Int((mixed &* UInt64(cells.count)) >> 32)
    }

    @inline(__always)
    private func next(_ place: Int) -> Int { place + 1 == cells.count ? 0 : place + 1 }

    /// Where a key is, or the free cell where it belongs.
    @inline(__always)
    private func place(of key: Key) -> Int {
        var place = home(key.high)
        while !cells[place].isFree, !cells[place].isOf(key) { place = next(place) }
        return place
    }

    /// Takes out what is over as far as the hand gets, and sees to it that there is a cell for one more.
    @inline(never)
    private mutating func makeRoom() {
        if isPast(earliestArrival) { sweep() }
        if count >= entriesMax { removeOldest() }
        if (count + 1) * 4 > cells.count * 3 {
            rebuild(cells: cells.count + cells.count / 2) { _ in true }
        }
    }

    private mutating func sweep() {
        for _ in 0..<Self.cellsSwept {
            if hand == cells.count { beginRound() }
            // What moves into a freed cell is looked at as well.
            while !cells[hand].isFree, isPast(cells[hand].arrival) { free(hand) }
            if !cells[hand].isFree { earliestSeen = min(earliestSeen, cells[hand].arrival) }
            hand += 1
        }
    }

    private mutating func beginRound() {
        if hand > 0 { earliestArrival = earliestSeen }
        hand = 0
        earliestSeen = .max
    }

    /// Frees a cell and closes the gap, so that no tombstones are needed.
    private mutating func free(_ place: Int) {
        var hole = place
        var next = next(hole)
        while !cells[next].isFree {
            let home = home(cells[next].high)
            if distance(from: home, to: next) >= distance(from: hole, to: next) {
                cells[hole] = cells[next]
                hole = next
            }
            next = self.next(next)
        }
        cells[hole] = .free
        count -= 1
    }

    private func distance(from place: Int, to other: Int) -> Int {
        other >= place ? other - place : other - place + cells.count
    }

    /// Takes out the oldest, a hundredth or so: all that arrived not later than the youngest of the oldest hundredth of
    /// a sample.
    private mutating func removeOldest() {
        var sample: [Int64] = []
        let stride = max(1, cells.count / 4096)
        for place in Swift.stride(from: 0, to: cells.count, by: stride) where !cells[place].isFree {
            sample.append(cells[place].arrival)
        }
        sample.sort()
        // Where the sample is empty the set is nearly so.
        guard let last = sample.isEmpty ? nil : sample[sample.count / 100] else { return }
        var gone = 0
        let newest = newestArrival
        let lifetime = window + slack
        rebuild(cells: cells.count) { cell in
            if cell.arrival > last { return true }
            if newest - cell.arrival < lifetime { gone += 1 }
            return false
        }
        shortened += gone
    }

    /// Goes through all cells and puts those to be kept into another table.
    private mutating func rebuild(cells newCount: Int, keeping isKept: (Cell) -> Bool) {
        let old = cells
        cells = TableMemory.allocate(Cell.self, count: newCount)
        count = 0
        for cell in old where !cell.isFree && isKept(cell) {
            var place = home(cell.high)
            while !cells[place].isFree { place = next(place) }
            cells[place] = cell
            count += 1
        }
        TableMemory.deallocate(old)
        // The round begins anew, with what was known of the earliest.
        hand = 0
        earliestSeen = .max
    }
}
