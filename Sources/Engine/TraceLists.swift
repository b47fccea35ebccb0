import Basics

/// The sorted event times of every user and trace, in slab memory.
///
/// Invariants, for a list with entries e:
/// - times are ascending and all later than floor − horizon of the trace when it was last pruned
/// - `base` counts the accepted events that are no longer in the list; each was ≤ floor − horizon, or fell
///   to the limit
/// - so the number of events ≤ T, for any tick T ≥ floor, is `base` + the times ≤ T in the list
///
/// ```
/// user ──► block of entries ──► { trace, head, count, base, block of times }
///                                    [ pruned … | t0 t1 t2 … | free … ]
///                                      0      head        head+count  2^sizeClass
/// ```
struct TraceLists: ~Copyable {
    /// What a user has of one trace.
    struct Entry {
        var trace: UInt32
        /// The block of times; ``WordSlab/none`` where there are none.
        var times: WordSlab.Handle
        /// Index of the first time in the block.
        var head: UInt32
        var count: UInt32
        /// Events that are no longer listed.
        var base: UInt32
        var sizeClass: UInt8
    }

    /// The entries of one user; part of the user's record.
    struct Row {
        var block: WordSlab.Handle = WordSlab.none
        var count: UInt16 = 0
        var sizeClass: UInt8 = 0
    }

    private static let entryWords = MemoryLayout<Entry>.stride / 8

    private(set) var slab = WordSlab()

    init() {
        precondition(MemoryLayout<Entry>.stride == 24, "the layout of a trace entry")
    }

    /// The user's entries.
    func entries(_ row: Row) -> UnsafeMutableBufferPointer<Entry> {
        guard row.count > 0 else { return UnsafeMutableBufferPointer(start: nil, count: 0) }
        let start = UnsafeMutableRawPointer(slab.pointer(row.block)).assumingMemoryBound(to: Entry.self)
        return UnsafeMutableBufferPointer(start: start, count: Int(row.count))
    }

    /// The listed times of an entry, ascending.
    func times(_ entry: Entry) -> UnsafeBufferPointer<Int64> {
        guard entry.count > 0 else { return UnsafeBufferPointer(start: nil, count: 0) }
        return UnsafeBufferPointer(start: words(entry) + Int(entry.head), count: Int(entry.count))
    }

    private func words(_ entry: Entry) -> UnsafeMutablePointer<Int64> {
        UnsafeMutableRawPointer(slab.pointer(entry.times)).assumingMemoryBound(to: Int64.self)
    }

    /// Adds an event time.
    ///
    /// - Parameters:
    ///   - bound: Times ≤ this can matter to no window of the trace any more (floor − horizon): they only
    ///     raise the base.
    ///   - limit: The most times a list may hold; beyond it the oldest go to the base.
    /// - Returns: Whether the limit was hit.
    /// - Complexity: O(1) for a time that is the newest, O(count) for a late one.
    mutating func add(
        _ time: Int64, trace: Int, to row: inout Row, bound: Int64, limit: Int
    ) -> Bool {
        let index = entryIndex(trace, in: &row)
        var entry = entries(row)[index]
        defer { entries(row)[index] = entry }
        if time <= bound {
            entry.base &+= entry.base == .max ? 0 : 1
            return false
        }
        if entry.count == 0 {
            if entry.times == WordSlab.none {
                entry.sizeClass = 1
                entry.times = slab.allocate(sizeClass: 1)
            }
            entry.head = 0
        } else if Int(entry.head + entry.count) == 1 << Int(entry.sizeClass) {
            makeRoom(&entry, bound: bound)
        }
        let list = words(entry)
        var position = Int(entry.head + entry.count)
        while position > Int(entry.head), list[position - 1] > time {
            list[position] = list[position - 1]
            position -= 1
        }
        list[position] = time
        entry.count += 1
        if Int(entry.count) > limit {
            entry.head += 1
            entry.count -= 1
            entry.base &+= entry.base == .max ? 0 : 1
            return true
        }
        return false
    }

    /// Moves times that no window can use any more to the base, and frees memory that is no longer needed.
    mutating func prune(_ entry: inout Entry, bound: Int64) {
        guard entry.count > 0 else { return }
        let list = words(entry)
        guard list[Int(entry.head)] <= bound else { return }
        let gone = times(entry).countNotAfter(bound)
        entry.head += UInt32(gone)
        entry.count -= UInt32(gone)
        entry.base = UInt32(clamping: Int(entry.base) + gone)
        if entry.count == 0 {
            slab.release(entry.times, sizeClass: entry.sizeClass)
            entry.times = WordSlab.none
            entry.head = 0
        }
    }

    /// Restores an entry from a snapshot; the user must not have one of this trace.
    mutating func restore(
        trace: Int, base: UInt32, times: [Int64], to row: inout Row
    ) {
        let index = entryIndex(trace, in: &row)
        var entry = entries(row)[index]
        entry.base = base
        if !times.isEmpty {
            entry.sizeClass = WordSlab.sizeClass(words: times.count)
            entry.times = slab.allocate(sizeClass: entry.sizeClass)
            entry.head = 0
            entry.count = UInt32(times.count)
            let list = words(entry)
            for (position, time) in times.enumerated() { list[position] = time }
        }
        entries(row)[index] = entry
    }

    /// Gives back everything of a user.
    mutating func clear(_ row: inout Row) {
        for entry in entries(row) where entry.times != WordSlab.none {
            slab.release(entry.times, sizeClass: entry.sizeClass)
        }
        if row.block != WordSlab.none { slab.release(row.block, sizeClass: row.sizeClass) }
        row = Row()
    }

    private mutating func entryIndex(_ trace: Int, in row: inout Row) -> Int {
        let present = entries(row)
        for index in present.indices where present[index].trace == UInt32(trace) { return index }
        let needed = (Int(row.count) + 1) * Self.entryWords
        if row.count == 0 || needed > 1 << Int(row.sizeClass) {
            let sizeClass = WordSlab.sizeClass(words: needed)
            let block = slab.allocate(sizeClass: sizeClass)
            if row.count > 0 {
                slab.pointer(block).update(
                    from: slab.pointer(row.block), count: Int(row.count) * Self.entryWords)
                slab.release(row.block, sizeClass: row.sizeClass)
            }
            row.block = block
            row.sizeClass = sizeClass
        }
        precondition(row.count < .max, "more than 65,534 traces in one plan")
        row.count += 1
        entries(row)[Int(row.count) - 1] = Entry(
            trace: UInt32(trace), times: WordSlab.none, head: 0, count: 0, base: 0, sizeClass: 0)
        return Int(row.count) - 1
    }

    /// The block is full to its end: drops what is past, else moves the times to its front, else to a
    /// block twice as large.
    private mutating func makeRoom(_ entry: inout Entry, bound: Int64) {
        let capacity = 1 << Int(entry.sizeClass)
        var list = words(entry)
        let gone = times(entry).countNotAfter(bound)
        entry.head += UInt32(gone)
        entry.count -= UInt32(gone)
        entry.base = UInt32(clamping: Int(entry.base) + gone)
        let source = list + Int(entry.head)
        if Int(entry.count) * 4 <= capacity * 3 {
            list.update(from: source, count: Int(entry.count))
        } else {
            let sizeClass = entry.sizeClass + 1
            let block = slab.allocate(sizeClass: sizeClass)
            list = UnsafeMutableRawPointer(slab.pointer(block)).assumingMemoryBound(to: Int64.self)
            list.update(from: source, count: Int(entry.count))
            slab.release(entry.times, sizeClass: entry.sizeClass)
            entry.times = block
            entry.sizeClass = sizeClass
        }
        entry.head = 0
    }
}

extension UnsafeBufferPointer<Int64> {
    /// How many of the ascending numbers are ≤ `bound`. Complexity: O(log count).
    func countNotAfter(_ bound: Int64) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] <= bound { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
