import Basics
import Cohorts

/// The records of every user and record trace, sorted by time, in slab memory.
///
/// Like ``TraceLists``, but a record is several words wide (``RecordTrace``), and what is dropped does not
/// count any more: a trace whose conditions look at everything keeps everything.
struct RecordLists: ~Copyable {
    /// What a user has of one trace.
    struct Entry {
        /// The trace, and in the highest bits the size class of the block.
        private var sized: UInt32
        /// The block of records; ``WordSlab/none`` where there are none.
        var block = WordSlab.none
        /// Number of the first record in the block.
        var head: UInt32 = 0
        var count: UInt32 = 0

        init(trace: UInt32) {
            precondition(trace < 1 << 24, "record trace \(trace) of one plan")
            sized = trace
        }

        var trace: UInt32 { sized & 0xff_ffff }

        var sizeClass: UInt8 {
            get { UInt8(truncatingIfNeeded: sized >> 24) }
            set { sized = sized & 0xff_ffff | UInt32(newValue) << 24 }
        }
    }

    private static let entryWords = 2

    private(set) var slab = WordSlab()
    /// Words in a record, by trace.
    private let widths: [Int]

    init(plan: Plan) {
        precondition(MemoryLayout<Entry>.stride <= Self.entryWords * 8, "the layout of an entry")
        widths = plan.recordTraces.map(\.words)
    }

    private func entries(_ row: SlabRow) -> UnsafeMutablePointer<Entry>? {
        guard row.count > 0 else { return nil }
        return UnsafeMutableRawPointer(slab.pointer(row.block)).assumingMemoryBound(to: Entry.self)
    }

    /// The entry of a trace; nil where the user has none.
    private func find(_ trace: Int, in row: SlabRow) -> UnsafeMutablePointer<Entry>? {
        guard var entry = entries(row) else { return nil }
        let end = entry + Int(row.count)
        let trace = UInt32(truncatingIfNeeded: trace)
        while entry < end {
            if entry.pointee.trace == trace { return entry }
            entry += 1
        }
        return nil
    }

    /// Asks for the user's entries, so that they are near when they are needed.
    @inline(__always)
    func prefetch(_ row: SlabRow) { slab.prefetch(row, words: Int(row.count) * Self.entryWords) }

    /// Asks for where the next record of a user and trace goes, which is where the newest stand.
    @inline(__always)
    func prefetchEnd(_ row: SlabRow, trace: Int) {
        guard let entry = find(trace, in: row), entry.pointee.block != WordSlab.none else { return }
        let end = Int(entry.pointee.head + entry.pointee.count) * widths[trace]
        Prefetch.line(slab.pointer(entry.pointee.block) + max(0, end - 1))
        Prefetch.line(slab.pointer(entry.pointee.block) + end)
    }

    /// The user's records of a trace.
    func records(_ trace: Int, of row: SlabRow) -> RecordRun {
        guard let entry = find(trace, in: row), entry.pointee.count > 0 else {
            return RecordRun(words: nil, width: widths[trace], count: 0)
        }
        return run(entry.pointee)
    }

    /// The records of an entry that has some.
    private func run(_ entry: Entry) -> RecordRun {
        let width = widths[Int(entry.trace)]
        return RecordRun(
            words: slab.pointer(entry.block) + Int(entry.head) * width,
            width: width,
            count: Int(entry.count)
        )
    }

    /// Adds a record, unless its time is ≤ `bound`, which no coming tick can need.
    ///
    /// - `limit`: The most records a list may hold; beyond it the oldest go.
    ///
    /// Gives how many records are listed now, and whether the limit was hit.
    mutating func add(
        _ record: UnsafePointer<UInt64>,
        trace: Int,
        to row: inout SlabRow,
        bound: Int64,
        limit: Int
    ) -> (listed: Int, hitLimit: Bool) {
        let time = Int64(bitPattern: record[0])
        if time <= bound { return (0, false) }
        let width = widths[trace]
        let slot = entry(trace, in: &row)
        if slot.pointee.count == 0 {
            if slot.pointee.block == WordSlab.none {
                slot.pointee.sizeClass = WordSlab.sizeClass(words: width)
                slot.pointee.block = slab.allocate(sizeClass: slot.pointee.sizeClass)
            }
            slot.pointee.head = 0
        } else if (Int(slot.pointee.head + slot.pointee.count) + 1) * width
            > WordSlab.words(slot.pointee.sizeClass)
        {
            makeRoom(slot, width: width, bound: bound)
        }
        let words = slab.pointer(slot.pointee.block)
        let head = Int(slot.pointee.head)
        var position = head + Int(slot.pointee.count)
        while position > head, Int64(bitPattern: words[(position - 1) * width]) > time {
            (words + position * width).update(from: words + (position - 1) * width, count: width)
            position -= 1
        }
        (words + position * width).update(from: record, count: width)
        slot.pointee.count += 1
        if Int(slot.pointee.count) > limit {
            slot.pointee.head += 1
            slot.pointee.count -= 1
            return (Int(slot.pointee.count), true)
        }
        return (Int(slot.pointee.count), false)
    }

    /// Takes memory for a user's records of so many traces.
    mutating func reserve(_ row: inout SlabRow, traces: Int) {
        if traces > 0 {
            slab.reserve(
                &row,
                words: traces * Self.entryWords,
                keeping: Int(row.count) * Self.entryWords
            )
        }
    }

    /// Puts back the records of a user and trace, as ``RecordRun/bytes`` gave them; the user has none of that trace.
    mutating func restore(_ bytes: ByteView, trace: Int, to row: inout SlabRow) {
        guard bytes.count > 0 else { return }
        let entry = entry(trace, in: &row)
        entry.pointee.sizeClass = WordSlab.sizeClass(words: bytes.count / 8)
        entry.pointee.block = slab.allocate(sizeClass: entry.pointee.sizeClass)
        entry.pointee.count = UInt32(bytes.count / 8 / widths[trace])
        UnsafeMutableRawPointer(slab.pointer(entry.pointee.block))
            .copyMemory(from: bytes.base, byteCount: bytes.count)
    }

    /// Drops records of a user and trace with times ≤ `bound`, which no coming tick can need.
    mutating func prune(_ row: SlabRow, trace: Int, bound: Int64) {
        guard let entry = find(trace, in: row), entry.pointee.count > 0 else { return }
        let run = run(entry.pointee)
        guard run.time(0) <= bound else { return }
        let gone = run.firstIndex(from: bound + 1)
        entry.pointee.head += UInt32(gone)
        entry.pointee.count -= UInt32(gone)
        if entry.pointee.count == 0 {
            slab.release(entry.pointee.block, sizeClass: entry.pointee.sizeClass)
            entry.pointee.block = WordSlab.none
            entry.pointee.head = 0
        }
    }

    /// Gives back everything of a user.
    mutating func clear(_ row: inout SlabRow) {
        if let entries = entries(row) {
            for index in 0..<Int(row.count) where entries[index].block != WordSlab.none {
                slab.release(entries[index].block, sizeClass: entries[index].sizeClass)
            }
        }
        slab.clear(&row)
    }

    /// Calls `body` with every trace the user ever had records of, and how many there are.
    @inline(__always)
    func forEachTrace(_ row: SlabRow, _ body: (_ trace: Int, _ count: Int) -> Void) {
        guard let entries = entries(row) else { return }
        for index in 0..<Int(row.count) {
            body(Int(entries[index].trace), Int(entries[index].count))
        }
    }

    /// Calls `body` with every trace the user has records of.
    func forEach(_ row: SlabRow, _ body: (Int, RecordRun) -> Void) {
        guard let entries = entries(row) else { return }
        for index in 0..<Int(row.count) where entries[index].count > 0 {
            let trace = Int(entries[index].trace)
            body(trace, records(trace, of: row))
        }
    }

    private mutating func entry(
        _ trace: Int,
        in row: inout SlabRow
    ) -> UnsafeMutablePointer<Entry> {
        if let found = find(trace, in: row) { return found }
        let used = Int(row.count) * Self.entryWords
        slab.reserve(&row, words: used + Self.entryWords, keeping: used)
        row.count += 1
        let slot =
            UnsafeMutableRawPointer(slab.pointer(row.block)).assumingMemoryBound(to: Entry.self)
            + Int(row.count - 1)
        slot.pointee = Entry(trace: UInt32(trace))
        return slot
    }

    /// The block is full to its end: drops what is past, then moves the records to its front or to a larger
    /// block.
    private mutating func makeRoom(_ slot: UnsafeMutablePointer<Entry>, width: Int, bound: Int64) {
        var entry = slot.pointee
        let run = RecordRun(
            words: slab.pointer(entry.block) + Int(entry.head) * width,
            width: width,
            count: Int(entry.count)
        )
        let gone = run.firstIndex(from: bound == .max ? bound : bound + 1)
        entry.head += UInt32(gone)
        entry.count -= UInt32(gone)
        let source = slab.pointer(entry.block) + Int(entry.head) * width
        let used = Int(entry.count) * width
        let capacity = WordSlab.words(entry.sizeClass)
        if used * 4 <= capacity * 3, used + width <= capacity {
            slab.pointer(entry.block).update(from: source, count: used)
        } else {
            let sizeClass = WordSlab.sizeClass(words: used + width)
            let block = slab.allocate(sizeClass: sizeClass)
            slab.pointer(block).update(from: source, count: used)
            slab.release(entry.block, sizeClass: entry.sizeClass)
            entry.block = block
            entry.sizeClass = sizeClass
        }
        entry.head = 0
        slot.pointee = entry
    }
}

/// Borrowed records of one user and trace, ascending by time.
struct RecordRun {
    /// Where the first record stands; nil where there is none.
    let words: UnsafeMutablePointer<UInt64>?
    /// Words in a record; 0 of times of four bytes, which are records of one word that stand in less.
    let width: Int
    let count: Int
    /// What such times count from, in milliseconds.
    private let epoch: Int64

    init(words: UnsafeMutablePointer<UInt64>?, width: Int, count: Int, epoch: Int64 = 0) {
        self.words = words
        self.width = width
        self.count = count
        self.epoch = epoch
    }

    /// A word of a record.
    @inline(__always)
    func word(_ index: Int, _ word: Int) -> UInt64 {
        precondition(index >= 0 && index < count, "record \(index) of \(count)")
        guard let words else { return 0 }
        if width > 0 { return words[index * width + word] }
        let later = UnsafeRawPointer(words).loadUnaligned(
            fromByteOffset: index * 4,
            as: UInt32.self
        )
        return UInt64(bitPattern: epoch + Int64(later))
    }

    /// All words of all records.
    var bytes: ByteView {
        ByteView(UnsafeRawBufferPointer(start: words, count: count * width * 8))
    }

    /// The time of a record, in milliseconds.
    @inline(__always)
    func time(_ index: Int) -> Int64 { Int64(bitPattern: word(index, 0)) }

    /// The first record whose time is not before `time`.
    ///
    /// ``count`` where there is none. O(log count).
    func firstIndex(from time: Int64) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self.time(middle) < time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
