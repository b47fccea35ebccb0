import Basics

/// The sorted event times of every user and trace, in slab memory.
///
/// Invariants, for a list with entries e:
/// - times are ascending and all later than floor − horizon of the trace when it was last pruned
/// - `base` counts the accepted events that are no longer in the list; each was ≤ floor − horizon, or fell
///   to the limit
/// - so the number of events ≤ T, for any tick T ≥ floor, is `base` + the times ≤ T in the list
/// - up to two times stand in the entry itself; more stand in a block, and the entry repeats the oldest and
///   the newest, so that most questions are answered without a look at the block
///
/// ```
/// user ──► block of entries ──► { trace, count, end, oldest, newest, block of times }
///                                    [ base | pruned … | t0 t1 t2 … | free … ]
///                                      0      1          end-count    end      2^sizeClass
/// ```
struct TraceLists: ~Copyable {
    /// What a user has of one trace.
    struct Entry {
        /// The trace in the low 24 bits, the size class of the block above.
        private var traceAndClass: UInt32
        /// The block of times; ``WordSlab/none`` where all are in the entry.
        fileprivate(set) var block = WordSlab.none
        fileprivate(set) var count: UInt32 = 0
        /// Where the times end in the block.
        ///
        /// Where there is no block, its place is taken by the base: so the usual event is written to its block
        /// without a look at it.
        fileprivate var endOrBase: UInt32 = 0
        /// Meaningless where there are no times.
        fileprivate(set) var oldest: Int64 = 0
        /// The oldest again where there is one time.
        fileprivate(set) var newest: Int64 = 0

        fileprivate init(trace: Int) {
            precondition(trace < 1 << 24, "trace \(trace) of one plan")
            traceAndClass = UInt32(trace)
        }

        var trace: Int { Int(traceAndClass & 0xff_ffff) }

        fileprivate var sizeClass: UInt8 {
            get { UInt8(truncatingIfNeeded: traceAndClass >> 24) }
            set { traceAndClass = traceAndClass & 0xff_ffff | UInt32(newValue) << 24 }
        }
    }

    /// The listed times of an entry, ascending; lent until the lists change.
    struct Times: RandomAccessCollection {
        let count: Int
        private let oldest: Int64
        private let newest: Int64
        /// The first of them in their block.
        private let first: UnsafePointer<Int64>?

        fileprivate init(_ entry: Entry, first: UnsafePointer<Int64>?) {
            count = Int(entry.count)
            oldest = entry.oldest
            newest = entry.newest
            self.first = first
        }

        var startIndex: Int { 0 }
        var endIndex: Int { count }

        subscript(index: Int) -> Int64 {
            precondition(index >= 0 && index < count, "time \(index) of \(count)")
            if index == 0 { return oldest }
            if index == count - 1 { return newest }
            guard let first else { preconditionFailure("\(count) times without a block") }
            return first[index]
        }

        /// How many are ≤ `bound`.
        ///
        /// Complexity: O(log count).
        func countNotAfter(_ bound: Int64) -> Int {
            if count == 0 || bound < oldest { return 0 }
            if bound >= newest { return count }
            var low = 1
            var high = count - 1
            while low < high {
                let middle = (low + high) / 2
                if self[middle] <= bound { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    /// Where the two times that stand in an entry begin.
    private static let oldestOffset = 16
    private static let entryWords = MemoryLayout<Entry>.stride / 8
    /// The most times that stand in the entry.
    private static let inlineMax = 2

    private(set) var slab = WordSlab()

    init() {
        precondition(
            MemoryLayout<Entry>.stride == 32
                && MemoryLayout<Entry>.offset(of: \.oldest) == Self.oldestOffset
                && MemoryLayout<Entry>.offset(of: \.newest) == Self.oldestOffset + 8,
            "the layout of a trace entry"
        )
    }

    /// The user's entries.
    func entries(_ row: SlabRow) -> UnsafeMutableBufferPointer<Entry> {
        guard row.count > 0 else { return UnsafeMutableBufferPointer(start: nil, count: 0) }
        let start = UnsafeMutableRawPointer(slab.pointer(row.block)).assumingMemoryBound(
            to: Entry.self
        )
        return UnsafeMutableBufferPointer(start: start, count: Int(row.count))
    }

    /// Reads a word of each cache line of a user's entries, so that they are near when they are needed.
    func fetch(_ row: SlabRow) -> UInt64 {
        guard row.count > 0 else { return 0 }
        let words = slab.pointer(row.block)
        var sum: UInt64 = 0
        for index in stride(from: 0, to: Int(row.count) * Self.entryWords, by: 8) {
            sum &+= words[index]
        }
        return sum
    }

    /// Reads where the next time of a user and trace goes.
    func fetchEnd(_ row: SlabRow, trace: Int) -> UInt64 {
        let entries = entries(row)
        for index in 0..<entries.count where entries[index].trace == trace {
            let entry = entries[index]
            if entry.block == WordSlab.none { break }
            let end = min(Int(entry.endOrBase), 1 << Int(entry.sizeClass) - 1)
            return slab.pointer(entry.block)[end]
        }
        return 0
    }

    /// The listed times of an entry.
    func times(_ entry: Entry) -> Times {
        if entry.block == WordSlab.none { return Times(entry, first: nil) }
        let start = Int(entry.endOrBase) - Int(entry.count)
        return Times(entry, first: UnsafePointer(words(entry.block) + start))
    }

    /// The listed times of a user and trace as records of one word; lent until the lists change.
    func run(_ trace: Int, of row: SlabRow) -> RecordRun {
        let entries = entries(row)
        for index in 0..<entries.count where entries[index].trace == trace {
            let entry = entries[index]
            guard entry.count > 0 else { break }
            let times: UnsafeMutablePointer<Int64>
            if entry.block == WordSlab.none {
                // They stand one behind the other in the entry.
                guard let start = entries.baseAddress else { break }
                times = UnsafeMutableRawPointer(start + index)
                    .advanced(by: Self.oldestOffset)
                    .assumingMemoryBound(to: Int64.self)
            } else {
                times = words(entry.block) + (Int(entry.endOrBase) - Int(entry.count))
            }
            return RecordRun(
                words: UnsafeMutableRawPointer(times).assumingMemoryBound(to: UInt64.self),
                width: 1,
                count: Int(entry.count)
            )
        }
        return RecordRun(words: nil, width: 1, count: 0)
    }

    /// Events that are no longer listed.
    func base(_ entry: Entry) -> UInt32 {
        entry.block == WordSlab.none
            ? entry.endOrBase : UInt32(truncatingIfNeeded: words(entry.block)[0])
    }

    private func raiseBase(of entry: inout Entry, by gone: Int) {
        let base = UInt32(clamping: Int(base(entry)) + gone)
        if entry.block == WordSlab.none {
            entry.endOrBase = base
        } else {
            words(entry.block)[0] = Int64(base)
        }
    }

    private func words(_ block: WordSlab.Handle) -> UnsafeMutablePointer<Int64> {
        UnsafeMutableRawPointer(slab.pointer(block)).assumingMemoryBound(to: Int64.self)
    }

    /// Adds an event time.
    ///
    /// - `bound`: Times ≤ this can matter to no window of the trace any more (floor − horizon): they only
    ///   raise the base.
    /// - `limit`: The most times a list may hold; beyond it the oldest go to the base.
    ///
    /// Gives how many times are listed now, and whether the limit was hit.
    /// - Complexity: O(1) for a time that is the newest, O(count) for a late one.
    mutating func add(
        _ time: Int64,
        trace: Int,
        to row: inout SlabRow,
        bound: Int64,
        limit: Int
    ) -> (listed: Int, hitLimit: Bool) {
        let index = entryIndex(trace, in: &row)
        var entry = entries(row)[index]
        defer { entries(row)[index] = entry }
        if time <= bound {
            raiseBase(of: &entry, by: 1)
            return (Int(entry.count), false)
        }
        if entry.block == WordSlab.none, Int(entry.count) == Self.inlineMax {
            prune(&entry, bound: bound)
            if Int(entry.count) == Self.inlineMax { moveToBlock(&entry) }
        }
        if entry.block != WordSlab.none { insert(time, into: &entry, bound: bound) }
        // Also where there is a block: the entry repeats its ends.
        entry.newest = entry.count == 0 ? time : max(entry.newest, time)
        entry.oldest = entry.count == 0 ? time : min(entry.oldest, time)
        entry.count += 1
        if Int(entry.count) > limit {
            drop(1, of: &entry)
            return (Int(entry.count), true)
        }
        return (Int(entry.count), false)
    }

    /// Moves times of a user and trace that no window can use any more to the base.
    mutating func prune(_ row: SlabRow, trace: Int, bound: Int64) {
        let entries = entries(row)
        for index in 0..<entries.count where entries[index].trace == trace {
            prune(&entries[index], bound: bound)
        }
    }

    /// Moves times that no window can use any more to the base, and frees memory that is no longer needed.
    mutating func prune(_ entry: inout Entry, bound: Int64) {
        guard entry.count > 0, entry.oldest <= bound else { return }
        drop(times(entry).countNotAfter(bound), of: &entry)
    }

    /// Restores an entry from a snapshot; the user must not have one of this trace.
    mutating func restore(
        trace: Int,
        base: UInt32,
        times: [Int64],
        to row: inout SlabRow
    ) {
        let index = entryIndex(trace, in: &row)
        var entry = entries(row)[index]
        entry.endOrBase = base
        if let oldest = times.first, let newest = times.last {
            (entry.oldest, entry.newest) = (oldest, newest)
            entry.count = UInt32(times.count)
            if times.count > Self.inlineMax {
                entry.sizeClass = WordSlab.sizeClass(words: times.count + 1)
                entry.block = slab.allocate(sizeClass: entry.sizeClass)
                let list = words(entry.block)
                list[0] = Int64(base)
                for (position, time) in times.enumerated() { list[1 + position] = time }
                entry.endOrBase = UInt32(1 + times.count)
            }
        }
        entries(row)[index] = entry
    }

    /// Gives back everything of a user.
    mutating func clear(_ row: inout SlabRow) {
        for entry in entries(row) where entry.block != WordSlab.none {
            slab.release(entry.block, sizeClass: entry.sizeClass)
        }
        slab.clear(&row)
    }

    private mutating func entryIndex(_ trace: Int, in row: inout SlabRow) -> Int {
        let present = entries(row)
        for index in present.indices where present[index].trace == trace { return index }
        // A snapshot counts them in 16 bits.
        precondition(row.count < UInt16.max, "more than 65,534 traces of one user")
        let used = Int(row.count) * Self.entryWords
        slab.reserve(&row, words: used + Self.entryWords, keeping: used)
        row.count += 1
        entries(row)[Int(row.count) - 1] = Entry(trace: trace)
        return Int(row.count) - 1
    }

    /// Moves the oldest times to the base.
    ///
    /// What fits into the entry again leaves its block.
    private mutating func drop(_ gone: Int, of entry: inout Entry) {
        let left = Int(entry.count) - gone
        precondition(gone >= 0 && left >= 0, "\(gone) of \(entry.count) times to drop")
        if left > 0 { entry.oldest = times(entry)[gone] }
        raiseBase(of: &entry, by: gone)
        entry.count = UInt32(left)
        guard entry.block != WordSlab.none, left <= Self.inlineMax else { return }
        let base = base(entry)
        slab.release(entry.block, sizeClass: entry.sizeClass)
        entry.block = WordSlab.none
        entry.endOrBase = base
    }

    /// The entry is full: its times begin a block.
    private mutating func moveToBlock(_ entry: inout Entry) {
        entry.sizeClass = 2
        entry.block = slab.allocate(sizeClass: entry.sizeClass)
        let list = words(entry.block)
        list[0] = Int64(entry.endOrBase)
        list[1] = entry.oldest
        list[2] = entry.newest
        entry.endOrBase = 3
    }

    /// Puts a time into the block of an entry, which counts it afterwards.
    private mutating func insert(_ time: Int64, into entry: inout Entry, bound: Int64) {
        let capacity = 1 << Int(entry.sizeClass)
        if Int(entry.endOrBase) == capacity {
            makeRoom(&entry, bound: bound)
            // So much was past that the entry holds the rest.
            if entry.block == WordSlab.none {
                if Int(entry.count) < Self.inlineMax { return }
                moveToBlock(&entry)
            }
        }
        let list = words(entry.block)
        var position = Int(entry.endOrBase)
        entry.endOrBase += 1
        if time < entry.newest {
            let first = position - Int(entry.count)
            while position > first, list[position - 1] > time {
                list[position] = list[position - 1]
                position -= 1
            }
        }
        list[position] = time
    }

    /// The block is full to its end: drops what is past, else moves the times to its front, else to a
    /// block twice as large.
    private mutating func makeRoom(_ entry: inout Entry, bound: Int64) {
        prune(&entry, bound: bound)
        guard entry.block != WordSlab.none else { return }
        let capacity = (1 << Int(entry.sizeClass)) - 1
        let count = Int(entry.count)
        var list = words(entry.block)
        let base = list[0]
        let source = list + (Int(entry.endOrBase) - count)
        if count * 4 <= capacity * 3 {
            (list + 1).update(from: source, count: count)
        } else {
            let sizeClass = entry.sizeClass + 1
            let block = slab.allocate(sizeClass: sizeClass)
            list = words(block)
            (list + 1).update(from: source, count: count)
            slab.release(entry.block, sizeClass: entry.sizeClass)
            entry.block = block
            entry.sizeClass = sizeClass
        }
        list[0] = base
        entry.endOrBase = UInt32(1 + count)
    }
}
