/// What a user's record holds of a list in slab memory: its block, and in one word with the block's size how much
/// of it is used; eight bytes, of which a record has several.
struct SlabRow: BitwiseCopyable {
    private static let countBits: UInt32 = 24
    /// The most elements of one user.
    static let countMax: UInt32 = 1 << countBits - 1
    private static let classBits: UInt32 = 7
    private static let classMask: UInt32 = (1 << classBits - 1) << countBits

    /// ``WordSlab/none`` where there is nothing.
    fileprivate(set) var block = WordSlab.none
    private var sized: UInt32 = 0

    /// How many elements there are, of whatever the list has; at most ``countMax``, 2²⁴ − 1.
    var count: UInt32 {
        get { sized & Self.countMax }
        set {
            precondition(newValue <= Self.countMax, "\(newValue) elements of one user")
            sized = sized & ~Self.countMax | newValue
        }
    }

    /// At most 127.
    fileprivate(set) var sizeClass: UInt8 {
        get { UInt8(truncatingIfNeeded: (sized & Self.classMask) >> Self.countBits) }
        set { sized = sized & ~Self.classMask | UInt32(newValue) << Self.countBits }
    }

    /// What the list wants to know of the user besides.
    var isMarked: Bool {
        get { sized >> 31 != 0 }
        set { sized = newValue ? sized | 1 << 31 : sized & ~(1 << 31) }
    }
}

extension WordSlab {
    /// Sees to it that the row's block has room for `words`; of a block that is too small the first `kept` words
    /// move to another.
    @inline(__always)
    mutating func reserve(_ row: inout SlabRow, words: Int, keeping kept: Int) {
        if row.block != Self.none, words <= Self.words(row.sizeClass) { return }
        move(&row, words: words, keeping: kept)
    }

    @inline(never)
    private mutating func move(_ row: inout SlabRow, words: Int, keeping kept: Int) {
        let sizeClass = Self.sizeClass(words: words)
        let block = allocate(sizeClass: sizeClass)
        if kept > 0 { pointer(block).update(from: pointer(row.block), count: kept) }
        replaceBlock(of: &row, with: block, sizeClass: sizeClass)
    }

    /// Gives the row's block back, if it has one, for another.
    mutating func replaceBlock(of row: inout SlabRow, with block: Handle, sizeClass: UInt8) {
        if row.block != Self.none { release(row.block, sizeClass: row.sizeClass) }
        row.block = block
        row.sizeClass = sizeClass
    }

    /// Gives the row's block back: nothing is in it any more.
    mutating func clear(_ row: inout SlabRow) {
        if row.block != Self.none { release(row.block, sizeClass: row.sizeClass) }
        row = SlabRow()
    }
}
