/// The deadlines of every user's conditions, in slab memory: at most one of a condition, in no order.
///
/// A user has as many as conditions that will change by the clock alone, which is few of a plan's.
struct DeadlineLists: ~Copyable {
    /// The deadlines of one user; part of the user's record.
    struct Row {
        var block: WordSlab.Handle = WordSlab.none
        private var sized = SizedCount()

        /// How many there are.
        var count: UInt32 {
            get { sized.count }
            set { sized.count = newValue }
        }
        var sizeClass: UInt8 {
            get { sized.sizeClass }
            set { sized.sizeClass = newValue }
        }
    }

    private(set) var slab = WordSlab()

    init() {
        precondition(MemoryLayout<ConditionDeadline>.stride == 8, "a deadline is a word")
    }

    /// The user's deadlines, lent until the lists change.
    func deadlines(_ row: Row) -> UnsafeMutableBufferPointer<ConditionDeadline> {
        guard row.count > 0 else { return UnsafeMutableBufferPointer(start: nil, count: 0) }
        return UnsafeMutableBufferPointer(start: start(row), count: Int(row.count))
    }

    /// Reads a word of the user's deadlines, so that they are near when they are needed.
    func fetch(_ row: Row) -> UInt64 { row.count > 0 ? slab.pointer(row.block)[0] : 0 }

    /// Puts what an evaluation found in the place of what was known of the conditions it looked at.
    mutating func update(_ row: inout Row, after evaluator: borrowing Evaluator) {
        var kept = 0
        if row.count > 0 {
            let list = start(row)
            for index in 0..<Int(row.count)
            where !evaluator.isLookedAt(list[index].condition) {
                if kept != index { list[kept] = list[index] }
                kept += 1
            }
        }
        let count = kept + evaluator.deadlines.count
        if count == 0 {
            clear(&row)
            return
        }
        if row.block == WordSlab.none || count > 1 << Int(row.sizeClass) {
            grow(&row, keeping: kept, count: count)
        }
        let list = start(row)
        for index in 0..<(count - kept) { list[kept + index] = evaluator.deadlines[index] }
        row.count = UInt32(count)
    }

    /// Gives back everything of a user.
    mutating func clear(_ row: inout Row) {
        if row.block != WordSlab.none { slab.release(row.block, sizeClass: row.sizeClass) }
        row = Row()
    }

    private func start(_ row: Row) -> UnsafeMutablePointer<ConditionDeadline> {
        UnsafeMutableRawPointer(slab.pointer(row.block)).assumingMemoryBound(
            to: ConditionDeadline.self
        )
    }

    private mutating func grow(_ row: inout Row, keeping kept: Int, count: Int) {
        let sizeClass = WordSlab.sizeClass(words: count)
        let block = slab.allocate(sizeClass: sizeClass)
        if row.block != WordSlab.none {
            slab.pointer(block).update(from: slab.pointer(row.block), count: kept)
            slab.release(row.block, sizeClass: row.sizeClass)
        }
        row.block = block
        row.sizeClass = sizeClass
    }
}
