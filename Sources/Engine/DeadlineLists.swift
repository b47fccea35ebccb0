import Basics

/// The deadlines of every user's conditions, in slab memory: at most one of a condition, in no order.
///
/// A user has as many as conditions that will change by the clock alone, which is few of a plan's.
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

    /// Asks for the user's deadlines, so that they are near when they are needed.
    @inline(__always)
    func prefetch(_ row: SlabRow) { slab.prefetch(row, words: Int(row.count)) }

    /// Puts what an evaluation found in the place of what was known of the conditions it looked at.
    mutating func update(_ row: inout SlabRow, after evaluator: borrowing Evaluator) {
        var kept = 0
        if row.count > 0 {
            let list = start(row)
            for index in 0..<Int(row.count)
            where !evaluator.isLookedAt(list[index].condition) {
                if kept != index { list[kept] = list[index] }
                kept += 1
            }
        }
        let count = kept + evaluator.deadlineCount
        if count == 0 {
            slab.clear(&row)
            return
        }
        slab.reserve(&row, words: count, keeping: kept)
        let list = start(row)
        for index in 0..<(count - kept) { list[kept + index] = evaluator.deadline(index) }
        row.count = UInt32(count)
    }

    /// The earliest deadline of the user, in milliseconds; distant future where there is none.
    func earliest(_ row: SlabRow) -> Int64 {
        if row.count == 0 { return EventTime.distantFuture.milliseconds }
        // Words sort by instant.
        var least = UInt64.max
        let list = slab.pointer(row.block)
        for index in 0..<Int(row.count) { least = min(least, list[index]) }
        return ConditionDeadline(word: least).instant
    }

    /// Puts back the deadlines of a user, who has none, as words one behind the other.
    mutating func restore(_ words: ByteView, to row: inout SlabRow) {
        guard words.count > 0 else { return }
        slab.reserve(&row, words: words.count / 8, keeping: 0)
        UnsafeMutableRawPointer(start(row)).copyMemory(from: words.base, byteCount: words.count)
        row.count = UInt32(words.count / 8)
    }

    /// Gives back everything of a user.
    mutating func clear(_ row: inout SlabRow) { slab.clear(&row) }

    private func start(_ row: SlabRow) -> UnsafeMutablePointer<ConditionDeadline> {
        UnsafeMutableRawPointer(slab.pointer(row.block)).assumingMemoryBound(
            to: ConditionDeadline.self
        )
    }
}
