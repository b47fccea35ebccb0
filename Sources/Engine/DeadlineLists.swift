import Basics

/// The deadlines of every user's conditions, in slab memory: at most one of a condition, the latest first.
///
/// A user has as many as conditions that will change by the clock alone: of a thousand cohorts some hundred. So those
/// that are due are taken from the end, and only events make all of them be gone through.
struct DeadlineLists: ~Copyable {
    private(set) var slab = WordSlab()

    init() {
        precondition(MemoryLayout<ConditionDeadline>.stride == 8, "a deadline is a word")
    }

    /// The user's deadlines, lent until the lists change.
    func deadlines(_ row: SlabRow) -> UnsafeMutableBufferPointer<ConditionDeadline> {
        guard row.count > 0 else { return UnsafeMutableBufferPointer(start: nil, count: 0) }
        return UnsafeMutableBufferPointer(start: start(row), count: Int(row.count))
    }

    /// Asks for the earliest of the user's deadlines, so that they are near when they are needed.
    @inline(__always)
    func prefetchEarliest(_ row: SlabRow) {
        prefetch(row, end: Int(row.count), atMost: Self.wordsFirst)
    }

    /// Asks for the others too, but for the latest of a user who has very many.
    @inline(__always)
    func prefetchOthers(_ row: SlabRow) {
        prefetch(row, end: Int(row.count) - Self.wordsFirst, atMost: Self.wordsThen)
    }

    /// Asks for the last deadlines before a place.
    @inline(__always)
    private func prefetch(_ row: SlabRow, end: Int, atMost most: Int) {
        guard end > 0 else { return }
        let words = min(end, most)
        Prefetch.lines(slab.pointer(row.block) + (end - words), bytes: words * 8)
    }

    /// How many deadlines are asked for first, and how many then.
    private static var wordsFirst: Int { Prefetch.lineBytes / 8 }
    private static var wordsThen: Int { 23 * Prefetch.lineBytes / 8 }

    /// Touches memory that the next tick may need.
    @inline(__always)
    mutating func prepare() { slab.prepare() }

    /// Takes out the earliest deadline, where it is at `tick` or before.
    @inline(__always)
    func takeDue(_ row: inout SlabRow, _ tick: EventTime) -> ConditionDeadline? {
        guard row.count > 0 else { return nil }
        let earliest = start(row)[Int(row.count) - 1]
        guard earliest.isDue(at: tick.milliseconds) else { return nil }
        row.count -= 1
        return earliest
    }

    /// The user's deadlines at `tick` or before, the earliest last; lent until the lists change.
    @inline(__always)
    func due(_ row: SlabRow, _ tick: EventTime) -> UnsafeMutableBufferPointer<ConditionDeadline> {
        let all = deadlines(row)
        var first = all.count
        while first > 0, all[first - 1].isDue(at: tick.milliseconds) { first -= 1 }
        return UnsafeMutableBufferPointer(rebasing: all[first...])
    }

    /// Takes out so many of the earliest deadlines.
    @inline(__always)
    mutating func drop(_ count: Int, of row: inout SlabRow) {
        row.count -= UInt32(count)
        if row.count == 0 { slab.clear(&row) }
    }

    /// Adds what an evaluation found, in the place of what was known of the conditions it looked at.
    ///
    /// - `lookedAt`: Those conditions, 64 a word; nil where the list has no deadline of any of them.
    /// - `more`: What it found, the latest first.
    /// - Complexity: O(deadlines the user has) with `lookedAt`, else O(those that are earlier than a new one).
    mutating func update(
        _ row: inout SlabRow,
        lookedAt: UnsafePointer<UInt64>?,
        adding more: UnsafeBufferPointer<UInt64>
    ) {
        var kept = Int(row.count)
        if let lookedAt, kept > 0 {
            let list = start(row)
            kept = 0
            for index in 0..<Int(row.count) {
                // Most of them stay, whether or not is not to be guessed.
                let deadline = list[index]
                list[kept] = deadline
                let condition = deadline.condition
                kept += Int(~lookedAt[condition / 64] >> UInt64(condition % 64) & 1)
            }
        }
        let count = kept + more.count
        if count == 0 {
            slab.clear(&row)
            return
        }
        slab.reserve(&row, words: count, keeping: kept)
        Self.merge(more, into: slab.pointer(row.block), kept)
        row.count = UInt32(count)
    }

    /// Merges sorted words into `count` others with room behind them.
    ///
    /// From the earliest on: those of the others that are earlier than the next go behind it together.
    ///
    /// Complexity: O(more + others that are earlier than one of them).
    private static func merge(
        _ more: UnsafeBufferPointer<UInt64>,
        into words: UnsafeMutablePointer<UInt64>,
        _ count: Int
    ) {
        let step = 8
        var end = count
        for left in stride(from: more.count, to: 0, by: -1) {
            let new = more[left - 1]
            // By steps, then those of one are counted: where it belongs is not to be guessed.
            var low = end
            while low >= step, words[low - step] < new { low -= step }
            var earlier = 0
            for index in max(0, low - step)..<low { earlier += words[index] < new ? 1 : 0 }
            low -= earlier
            if low < end { (words + low + left).update(from: words + low, count: end - low) }
            words[low + left - 1] = new
            end = low
        }
    }

    /// The earliest deadline of the user, in milliseconds; distant future where there is none.
    func earliest(_ row: SlabRow) -> Int64 {
        row.count == 0
            ? EventTime.distantFuture.milliseconds : start(row)[Int(row.count) - 1].instant
    }

    /// Puts back the deadlines of a user, who has none, as words one behind the other.
    ///
    /// Gives whether they are in their order, and of conditions below `conditions`.
    mutating func restore(_ words: ByteView, conditions: Int, to row: inout SlabRow) -> Bool {
        guard words.count > 0 else { return true }
        guard words.count / 8 <= SlabRow.countMax else { return false }
        slab.reserve(&row, words: words.count / 8, keeping: 0)
        UnsafeMutableRawPointer(start(row)).copyMemory(from: words.base, byteCount: words.count)
        row.count = UInt32(words.count / 8)
        var last = UInt64.max
        for deadline in deadlines(row) {
            guard deadline.word < last, deadline.condition < conditions else { return false }
            last = deadline.word
        }
        return true
    }

    /// Gives back everything of a user.
    mutating func clear(_ row: inout SlabRow) { slab.clear(&row) }

    private func start(_ row: SlabRow) -> UnsafeMutablePointer<ConditionDeadline> {
        UnsafeMutableRawPointer(slab.pointer(row.block)).assumingMemoryBound(
            to: ConditionDeadline.self
        )
    }
}
