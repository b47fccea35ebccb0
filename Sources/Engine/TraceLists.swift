import Basics
import Glibc

/// The sorted event times of every user and trace, in slab memory: what a user has of all traces in one block, one
/// behind the other, so that two or three neighbouring cache lines tell everything.
///
/// Invariants, for a list with entries e:
/// - times are ascending and all later than floor − horizon of the trace when it was last pruned
/// - `base` counts the accepted events that are no longer in the list; each was ≤ floor − horizon, or fell
///   to the limit
/// - so the number of events ≤ T, for any tick T ≥ floor, is `base` + the times ≤ T in the list
/// - a time takes four bytes, as milliseconds after the row's epoch; of a user whose times lie further apart than
///   that reaches (49 days) all take eight. More than ``inlineMax`` times of one trace stand in a block of their own,
///   with an epoch of its own
///
/// ```
/// user ──► [ epoch i64 ][ entry ][ entry ] …
/// entry    [ trace u24 | count u8 | base u32 ][ t0 ][ t1 ] …
///          [ trace u24 |  255     | base u32 ][ epoch i64 | block, end, count u32 | class, wide u8 ] ──► [ … t0 t1 … ]
/// ```
struct TraceLists: ~Copyable {
    /// What a user has of one trace; lent until the lists change.
    struct Entry {
        let start: UnsafeMutableRawPointer
        fileprivate let isWide: Bool
        fileprivate let epoch: Int64

        var header: Header {
            get { Header(word: start.loadUnaligned(as: UInt64.self)) }
            nonmutating set { start.storeBytes(of: newValue.word, as: UInt64.self) }
        }

        var far: Far {
            get { (start + Header.bytes).loadUnaligned(as: Far.self) }
            nonmutating set { (start + Header.bytes).storeBytes(of: newValue, as: Far.self) }
        }

        fileprivate var width: Int { isWide ? 8 : 4 }

        var bytes: Int {
            let header = header
            return Header.bytes + (header.isFar ? Far.bytes : header.count * width)
        }

        var trace: Int { header.trace }

        /// Events that are no longer listed.
        var base: UInt32 { header.base }

        /// How many times are listed.
        var count: Int { header.isFar ? Int(far.count) : header.count }
    }

    /// The first word of an entry.
    struct Header {
        static let bytes = 8
        static let farCount = 255
        static let traceBits: UInt64 = 24

        private(set) var word: UInt64

        init(word: UInt64) { self.word = word }

        init(trace: Int, count: Int = 0, base: UInt32 = 0) {
            precondition(trace < 1 << 24, "trace \(trace) of one plan")
            word = UInt64(trace) | UInt64(count) << Self.traceBits | UInt64(base) << 32
        }

        var trace: Int { Int(word & 0xff_ffff) }

        /// Meaningless where the times stand in a block of their own.
        var count: Int {
            get { Int(word >> Self.traceBits & 0xff) }
            set { word = word & ~(0xff << Self.traceBits) | UInt64(newValue) << Self.traceBits }
        }

        var isFar: Bool { count == Self.farCount }

        var base: UInt32 {
            get { UInt32(truncatingIfNeeded: word >> 32) }
            set { word = word & 0xffff_ffff | UInt64(newValue) << 32 }
        }

        mutating func raiseBase(by gone: Int) { base = UInt32(clamping: Int(base) + gone) }
    }

    /// Where many times stand.
    struct Far: BitwiseCopyable {
        static let bytes = 24

        var epoch: Int64
        var block: WordSlab.Handle
        /// Where the times end in the block.
        var end: UInt32
        var count: UInt32
        var sizeClass: UInt8
        /// Whether a time takes eight bytes.
        var isWide: Bool

        /// Takes the layout from the times that will be there.
        init(from oldest: Int64, to newest: Int64, count: Int) {
            isWide = UInt64(bitPattern: newest &- oldest) > UInt32.max
            epoch = isWide ? 0 : TraceLists.epoch(from: oldest, to: newest)
            block = WordSlab.none
            end = UInt32(count)
            self.count = UInt32(count)
            sizeClass = 0
        }

        var width: Int { isWide ? 8 : 4 }

        var capacity: Int { WordSlab.words(sizeClass) * 8 / width }

        /// Words in which so many times find a place.
        func words(_ count: Int) -> Int { (max(1, count) * width + 7) / 8 }

        func reaches(_ time: Int64) -> Bool { isWide || TraceLists.fits(time, epoch) }
    }

    /// What a user has of every trace, in no order.
    struct Entries: Sequence, IteratorProtocol {
        fileprivate var cursor: UnsafeMutableRawPointer?
        fileprivate let end: UnsafeMutableRawPointer?
        fileprivate let isWide: Bool
        fileprivate let epoch: Int64

        @inline(__always)
        mutating func next() -> Entry? {
            guard let start = cursor, start != end else { return nil }
            let entry = Entry(start: start, isWide: isWide, epoch: epoch)
            cursor = start + entry.bytes
            return entry
        }
    }

    /// The listed times of an entry, ascending; lent until the lists change.
    struct Times: RandomAccessCollection {
        let count: Int
        private let first: UnsafeRawPointer?
        private let isWide: Bool
        private let epoch: Int64

        init(count: Int, first: UnsafeRawPointer?, isWide: Bool, epoch: Int64) {
            self.count = count
            self.first = first
            self.isWide = isWide
            self.epoch = epoch
        }

        /// The same as records of one word.
        var run: RecordRun {
            // Those of eight bytes lie at multiples of eight.
            let start = first.map {
                UnsafeMutableRawPointer(mutating: $0).assumingMemoryBound(to: UInt64.self)
            }
            return RecordRun(words: start, width: isWide ? 1 : 0, count: count, epoch: epoch)
        }

        /// No times.
        static var none: Times { Times(count: 0, first: nil, isWide: true, epoch: 0) }

        var startIndex: Int { 0 }
        var endIndex: Int { count }

        @inline(__always)
        subscript(index: Int) -> Int64 {
            guard index >= 0, index < count, let first else {
                preconditionFailure("time \(index) of \(count)")
            }
            return isWide
                ? first.loadUnaligned(fromByteOffset: index * 8, as: Int64.self)
                : epoch
                    + Int64(first.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
        }

        /// How many are ≤ `bound`.
        ///
        /// Complexity: O(log count).
        @inline(__always)
        func countNotAfter(_ bound: Int64) -> Int {
            if count == 0 || self[count - 1] <= bound { return count }
            var low = 0
            var high = count - 1
            while low < high {
                let middle = (low + high) / 2
                if self[middle] <= bound { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    /// The most times of one trace that stand in the row.
    static let inlineMax = 28
    /// So few times of a block of their own stand in the row again.
    private static let inlineAgain = 14
    static let epochBytes = 8
    /// How far before the first time of a row its epoch is put, for those that come late.
    private static let epochSlack: Int64 = 1 << 24

    private(set) var slab = WordSlab()

    init() {}

    /// The user's entries.
    @inline(__always)
    func entries(_ row: SlabRow) -> Entries {
        guard row.count > 0 else { return Entries(cursor: nil, end: nil, isWide: true, epoch: 0) }
        let start = start(row)
        return Entries(
            cursor: start + Self.epochBytes,
            end: start + Int(row.count),
            isWide: row.isWide,
            epoch: start.loadUnaligned(as: Int64.self)
        )
    }

    /// Calls `body` with the user's entries and how many bytes into the row each stands.
    @inline(__always)
    func forEachPlace(_ row: SlabRow, _ body: (_ entry: Entry, _ position: Int) -> Void) {
        guard row.count > 0 else { return }
        let start = start(row)
        for entry in entries(row) { body(entry, entry.start - start) }
    }

    /// What the user has of a trace; nil where that is nothing.
    @inline(__always)
    func find(_ trace: Int, in row: SlabRow) -> Entry? {
        for entry in entries(row) where entry.trace == trace { return entry }
        return nil
    }

    /// Asks for the user's entries, so that they are near when they are needed.
    @inline(__always)
    func prefetch(_ row: SlabRow) {
        // One behind the other has to be read to find a trace.
        slab.prefetch(row, words: (Int(row.count) + 7) / 8, lines: 8)
    }

    /// Asks for where the next time of a user and some traces goes, where that is in a block of its own.
    @inline(__always)
    func prefetchEnds(_ row: SlabRow, _ isWanted: (_ trace: Int) -> Bool) {
        for entry in entries(row) where entry.header.isFar && isWanted(entry.trace) {
            let far = entry.far
            Prefetch.line(start(far) + Int(far.end) * far.width)
        }
    }

    /// The listed times of an entry.
    @inline(__always)
    func times(_ entry: Entry) -> Times {
        let header = entry.header
        if header.isFar { return times(entry.far) }
        return Times(
            count: header.count,
            first: entry.start + Header.bytes,
            isWide: entry.isWide,
            epoch: entry.epoch
        )
    }

    /// The listed times of a user and trace as records of one word; lent until the lists change.
    func run(_ trace: Int, of row: SlabRow) -> RecordRun {
        find(trace, in: row).map { times($0).run } ?? Times.none.run
    }

    /// Adds an event time.
    ///
    /// - `bound`: Times ≤ this can matter to no window of the trace any more (floor − horizon): they only
    ///   raise the base.
    /// - `limit`: The most times a list may hold; beyond it the oldest go to the base.
    ///
    /// Gives how many times are listed now, and whether the limit was hit.
    /// - Complexity: O(what the user has of all traces) for those with few times of each, else O(1) for a time that is
    ///   the newest and O(count) for a late one.
    mutating func add(
        _ time: Int64,
        trace: Int,
        to row: inout SlabRow,
        bound: Int64,
        limit: Int
    ) -> (listed: Int, hitLimit: Bool) {
        if row.count == 0 { begin(&row, at: time) }
        if !row.isWide, !Self.fits(time, epoch(row)), time > bound,
            find(trace, in: row)?.header.isFar != true
        {
            // A row of eight bytes a time stays one: what is past is no reason.
            prune(&row, trace: trace, bound: bound)
            reanchor(&row, for: time)
        }
        let width = row.isWide ? 8 : 4
        guard var entry = find(trace, in: row) else {
            let isListed = time > bound
            let bytes = Header.bytes + (isListed ? width : 0)
            reserve(&row, bytes: Int(row.count) + bytes)
            let entry = self.entry(at: Int(row.count), of: row)
            row.count += UInt32(bytes)
            entry.header = Header(trace: trace, count: isListed ? 1 : 0, base: isListed ? 0 : 1)
            if isListed { put(time, at: 0, of: entry) }
            return (isListed ? 1 : 0, false)
        }
        if time <= bound {
            entry.header.raiseBase(by: 1)
            return (entry.count, false)
        }
        if !entry.header.isFar {
            let isFull = entry.header.count >= Self.inlineMax
            if isFull || Int(row.count) + width > WordSlab.words(row.sizeClass) * 8 {
                // Before memory is taken, what is past is given back.
                let position = entry.start - start(row)
                drop(times(entry).countNotAfter(bound), of: entry, in: &row)
                entry = self.entry(at: position, of: row)
                if entry.header.count >= Self.inlineMax {
                    moveToBlock(position, in: &row)
                    entry = self.entry(at: position, of: row)
                }
            }
        }
        if entry.header.isFar {
            insert(time, into: entry, bound: bound)
        } else {
            let position = entry.start - start(row)
            reserve(&row, bytes: Int(row.count) + width)
            entry = self.entry(at: position, of: row)
            insert(time, among: entry, of: &row)
        }
        let count = entry.count
        if count > limit { return (dropOldest(of: entry, in: &row), true) }
        return (count, false)
    }

    /// Moves times of a user and trace that no window can use any more to the base.
    mutating func prune(_ row: inout SlabRow, trace: Int, bound: Int64) {
        guard let entry = find(trace, in: row) else { return }
        let times = times(entry)
        guard times.count > 0, times[0] <= bound else { return }
        drop(times.countNotAfter(bound), of: entry, in: &row)
    }

    /// Says that one more of the counted events is among the listed times.
    func lowerBase(_ row: SlabRow, trace: Int) {
        guard let entry = find(trace, in: row), entry.header.base > 0 else { return }
        entry.header.base -= 1
    }

    /// Gives back everything of a user.
    mutating func clear(_ row: inout SlabRow) {
        for entry in entries(row) where entry.header.isFar {
            slab.release(entry.far.block, sizeClass: entry.far.sizeClass)
        }
        slab.clear(&row)
    }

    // MARK: Rows

    @inline(__always)
    func start(_ row: SlabRow) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(slab.pointer(row.block))
    }

    private func epoch(_ row: SlabRow) -> Int64 { start(row).loadUnaligned(as: Int64.self) }

    /// The entry that stands so many bytes into the row.
    @inline(__always)
    func entry(at position: Int, of row: SlabRow) -> Entry {
        let start = start(row)
        return Entry(
            start: start + position,
            isWide: row.isWide,
            epoch: start.loadUnaligned(as: Int64.self)
        )
    }

    private static func fits(_ time: Int64, _ epoch: Int64) -> Bool {
        time >= epoch && time - epoch <= Int64(UInt32.max)
    }

    /// An epoch that reaches times that lie close enough to each other, and some more.
    private static func epoch(from oldest: Int64, to newest: Int64) -> Int64 {
        oldest &- min(epochSlack, Int64(UInt32.max) - (newest &- oldest))
    }

    private mutating func begin(_ row: inout SlabRow, at time: Int64) {
        reserve(&row, bytes: Self.epochBytes + Header.bytes + 4)
        row.count = UInt32(Self.epochBytes)
        start(row).storeBytes(of: time - Self.epochSlack, as: Int64.self)
    }

    mutating func reserve(_ row: inout SlabRow, bytes: Int) {
        slab.reserve(&row, words: (bytes + 7) / 8, keeping: (Int(row.count) + 7) / 8)
    }

    private func put(_ time: Int64, at index: Int, of entry: Entry) {
        let times = entry.start + Header.bytes
        if entry.isWide {
            times.storeBytes(of: time, toByteOffset: index * 8, as: Int64.self)
        } else {
            times.storeBytes(
                of: UInt32(truncatingIfNeeded: time - entry.epoch),
                toByteOffset: index * 4,
                as: UInt32.self
            )
        }
    }

    /// Puts a time at its place among those that stand in the row, which has room.
    private func insert(_ time: Int64, among entry: Entry, of row: inout SlabRow) {
        let count = entry.header.count
        let times = times(entry)
        var place = count
        while place > 0, times[place - 1] > time { place -= 1 }
        let width = entry.width
        let target = entry.start + Header.bytes + place * width
        let behind = start(row) + Int(row.count) - target
        memmove(target + width, target, behind)
        put(time, at: place, of: entry)
        entry.header.count = count + 1
        row.count += UInt32(width)
    }

    /// Makes room for a time that the row's epoch does not reach: by another epoch, or by wider times.
    private mutating func reanchor(_ row: inout SlabRow, for time: Int64) {
        var oldest = time
        var newest = time
        for entry in entries(row) where !entry.header.isFar {
            let times = times(entry)
            guard times.count > 0 else { continue }
            oldest = min(oldest, times[0])
            newest = max(newest, times[times.count - 1])
        }
        // Moved all the same where only the slack is short.
        guard newest - oldest <= Int64(UInt32.max) else { return widen(&row) }
        let epoch = Self.epoch(from: oldest, to: newest)
        for entry in entries(row) where !entry.header.isFar {
            let times = times(entry)
            for index in 0..<times.count {
                (entry.start + Header.bytes).storeBytes(
                    of: UInt32(truncatingIfNeeded: times[index] - epoch),
                    toByteOffset: index * 4,
                    as: UInt32.self
                )
            }
        }
        start(row).storeBytes(of: epoch, as: Int64.self)
    }

    private mutating func widen(_ row: inout SlabRow) {
        var bytes = Self.epochBytes
        for entry in entries(row) {
            bytes += entry.header.isFar ? entry.bytes : Header.bytes + entry.header.count * 8
        }
        let sizeClass = WordSlab.sizeClass(words: (bytes + 7) / 8)
        let block = slab.allocate(sizeClass: sizeClass)
        var target = UnsafeMutableRawPointer(slab.pointer(block))
        target.storeBytes(of: epoch(row), as: Int64.self)
        target += Self.epochBytes
        for entry in entries(row) {
            let wide = Entry(start: target, isWide: true, epoch: 0)
            wide.header = entry.header
            if entry.header.isFar {
                wide.far = entry.far
            } else {
                let times = times(entry)
                for index in 0..<times.count { put(times[index], at: index, of: wide) }
            }
            target += wide.bytes
        }
        slab.replaceBlock(of: &row, with: block, sizeClass: sizeClass)
        row.count = UInt32(bytes)
        row.isWide = true
    }

    /// Takes bytes out of a row, and gives memory back where most of it is free.
    private mutating func cut(_ bytes: Int, at position: Int, from row: inout SlabRow) {
        let target = start(row) + position
        let behind = Int(row.count) - position - bytes
        memmove(target, target + bytes, behind)
        row.count -= UInt32(bytes)
        let words = (Int(row.count) + 7) / 8
        let capacity = WordSlab.words(row.sizeClass)
        guard words * 4 <= capacity, capacity > 8 else { return }
        let sizeClass = WordSlab.sizeClass(words: words)
        let block = slab.allocate(sizeClass: sizeClass)
        slab.pointer(block).update(from: slab.pointer(row.block), count: words)
        slab.replaceBlock(of: &row, with: block, sizeClass: sizeClass)
    }

    /// Moves the oldest times of an entry to the base; what is few again goes back into the row.
    ///
    /// The entry is as before, but for the times, only where no memory was given back.
    private mutating func drop(_ gone: Int, of entry: Entry, in row: inout SlabRow) {
        if gone == 0 { return }
        var header = entry.header
        header.raiseBase(by: gone)
        let position = entry.start - start(row)
        if header.isFar {
            entry.header = header
            entry.far.count -= UInt32(gone)
            if entry.far.count <= Self.inlineAgain { moveBack(position, in: &row) }
            return
        }
        header.count -= gone
        entry.header = header
        cut(gone * entry.width, at: position + Header.bytes, from: &row)
    }

    /// Drops one time; gives how many are left.
    private mutating func dropOldest(of entry: Entry, in row: inout SlabRow) -> Int {
        let count = entry.count
        drop(1, of: entry, in: &row)
        return count - 1
    }

    // MARK: Blocks of their own

    func start(_ far: Far) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(slab.pointer(far.block))
    }

    private func times(_ far: Far) -> Times {
        Times(
            count: Int(far.count),
            first: start(far) + Int(far.end - far.count) * far.width,
            isWide: far.isWide,
            epoch: far.epoch
        )
    }

    private func put(_ time: Int64, at place: Int, of far: Far) {
        if far.isWide {
            start(far).storeBytes(of: time, toByteOffset: place * 8, as: Int64.self)
        } else {
            start(far).storeBytes(
                of: UInt32(truncatingIfNeeded: time - far.epoch),
                toByteOffset: place * 4,
                as: UInt32.self
            )
        }
    }

    /// Takes a block in which `far` and more times find a place, and fills it.
    mutating func fill(_ far: inout Far, with times: Times, room: Int) {
        far.sizeClass = WordSlab.sizeClass(words: far.words(room))
        far.block = slab.allocate(sizeClass: far.sizeClass)
        for index in 0..<times.count { put(times[index], at: index, of: far) }
    }

    /// The entry at a position has as many times as a row takes: they begin a block.
    private mutating func moveToBlock(_ position: Int, in row: inout SlabRow) {
        let full = entry(at: position, of: row)
        let times = times(full)
        var far = Far(from: times[0], to: times[times.count - 1], count: times.count)
        fill(&far, with: times, room: times.count * 3 / 2)
        let freed = times.count * full.width - Far.bytes
        full.header.count = Header.farCount
        full.far = far
        cut(freed, at: position + Header.bytes + Far.bytes, from: &row)
    }

    /// The entry at a position has few times left in its block: they go back into the row.
    private mutating func moveBack(_ position: Int, in row: inout SlabRow) {
        let far = entry(at: position, of: row).far
        let times = times(far)
        let count = times.count
        if !row.isWide, count > 0 {
            // One epoch must reach them and what else is there.
            for time in [times[0], times[count - 1]]
            where !row.isWide && !Self.fits(time, epoch(row)) {
                reanchor(&row, for: time)
            }
            // Where that did not do, they stay where they are.
            let epoch = epoch(row)
            if row.isWide || !Self.fits(times[0], epoch) || !Self.fits(times[count - 1], epoch) {
                return
            }
        }
        let width = row.isWide ? 8 : 4
        let change = count * width - Far.bytes
        if change > 0 { reserve(&row, bytes: Int(row.count) + change) }
        let entry = entry(at: position, of: row)
        let behind = entry.start + Header.bytes + Far.bytes
        memmove(behind + change, behind, start(row) + Int(row.count) - behind)
        row.count = UInt32(Int(row.count) + change)
        entry.header.count = count
        for index in 0..<count { put(times[index], at: index, of: entry) }
        slab.release(far.block, sizeClass: far.sizeClass)
    }

    /// Puts a time into the block of an entry.
    private mutating func insert(_ time: Int64, into entry: Entry, bound: Int64) {
        var far = entry.far
        if Int(far.end) == far.capacity || !far.reaches(time) {
            makeRoom(for: time, &far, entry, bound: bound)
        }
        let times = times(far)
        var place = times.count
        while place > 0, times[place - 1] > time { place -= 1 }
        let later = times.count - place
        if later > 0 {
            let end = start(far) + Int(far.end) * far.width
            memmove(end - (later - 1) * far.width, end - later * far.width, later * far.width)
        }
        put(time, at: Int(far.end) - later, of: far)
        far.end += 1
        far.count += 1
        entry.far = far
    }

    /// The block is full to its end, or its epoch does not reach the time: drops what is past, and moves the times to
    /// its front, or to another block.
    private mutating func makeRoom(
        for time: Int64,
        _ far: inout Far,
        _ entry: Entry,
        bound: Int64
    ) {
        let past = times(far).countNotAfter(bound)
        if past > 0 {
            entry.header.raiseBase(by: past)
            far.count -= UInt32(past)
        }
        let times = times(far)
        let count = times.count
        if far.reaches(time), count * 4 <= far.capacity * 3 {
            let source = start(far) + Int(far.end - far.count) * far.width
            memmove(start(far), source, count * far.width)
            far.end = far.count
            return
        }
        var oldest = time
        var newest = time
        if count > 0 {
            oldest = min(oldest, times[0])
            newest = max(newest, times[count - 1])
        }
        var other = Far(from: oldest, to: newest, count: count)
        fill(&other, with: times, room: count + count / 4 + 1)
        slab.release(far.block, sizeClass: far.sizeClass)
        far = other
    }
}

extension SlabRow {
    /// Of a row of times: whether a time takes eight bytes.
    var isWide: Bool {
        get { isMarked }
        set { isMarked = newValue }
    }
}
