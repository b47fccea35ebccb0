/// Memory for small arrays of 64-bit words that grow: blocks of 2 to 8, 10, 12, 14, 16, 20 … words out of large
/// chunks, addressed by a 32-bit handle.
///
/// Per-user state lives here instead of in arrays of its own: no reference counts, no header per array, and
/// a freed block is reused by the next of its size. Handles stay valid until freed; pointers too, since
/// chunks never move.
struct WordSlab: ~Copyable {
    /// A block; ``none`` stands for no block.
    typealias Handle = UInt32

    /// No block.
    static let none: Handle = 0
    /// Words in the largest block.
    static let wordsMax = 1 << 30

    private static let maximumClass: UInt8 = 119
    private static let chunkClass = 17
    private static let chunkWords = 1 << chunkClass

    /// Where each 1 MiB of the handles' space lies.
    ///
    /// A block larger than a chunk takes several neighbours.
    private var chunks: [UnsafeMutablePointer<UInt64>] = []
    private var regions = ChunkRegions<UInt64>(chunkCount: WordSlab.chunkWords)
    /// The chunk that small blocks are cut from, and its next unused word.
    private var current = -1
    private var cursor = WordSlab.chunkWords
    /// First free block of each size class; the next one's handle is in its first word.
    private var free = [Handle](repeating: WordSlab.none, count: Int(WordSlab.maximumClass) + 1)
    /// Words in blocks handed out.
    private(set) var wordsUsed = 0

    init() {}

    /// Bytes taken from the system.
    var bytesReserved: Int { regions.bytesReserved }

    /// Touches memory that will be needed, a little at each call; does nothing while there are few blocks.
    @inline(__always)
    mutating func prepare() { regions.prepare() }

    /// The size class of the smallest block that holds `words`.
    ///
    /// Four classes to each power of two; those of up to four words are their number.
    static func sizeClass(words: Int) -> UInt8 {
        precondition(words > 0 && words <= wordsMax, "a block of \(words) words")
        if words <= 4 { return UInt8(max(2, words)) }
        let power = Int.bitWidth - 1 - (words - 1).leadingZeroBitCount
        // Blocks of several chunks are whole chunks.
        let quarter = words > chunkWords ? 3 : (words - 1) >> (power - 2) & 3
        return UInt8(4 * power + quarter)
    }

    /// Words in a block of a size class.
    @inline(__always)
    static func words(_ sizeClass: UInt8) -> Int {
        sizeClass <= 4 ? Int(sizeClass) : (Int(sizeClass & 3) + 5) << (Int(sizeClass >> 2) - 2)
    }

    /// A block of that size class, its content undefined.
    mutating func allocate(sizeClass: UInt8) -> Handle {
        let words = Self.words(sizeClass)
        wordsUsed += words
        let head = free[Int(sizeClass)]
        if head != Self.none {
            let next = Handle(truncatingIfNeeded: pointer(head)[0])
            free[Int(sizeClass)] = next
            // So that the next one need not wait to learn which comes behind it.
            if next != Self.none { Prefetch.line(pointer(next)) }
            return head
        }
        let index: Int
        if words > Self.chunkWords {
            index = addChunks(words >> Self.chunkClass) * Self.chunkWords
        } else {
            if cursor + words > Self.chunkWords { startChunk() }
            index = current * Self.chunkWords + cursor
            cursor += words
        }
        precondition(index <= Int(UInt32.max), "per-user state beyond 32 GiB in one shard")
        return Handle(index)
    }

    /// Gives a block back.
    mutating func release(_ handle: Handle, sizeClass: UInt8) {
        precondition(handle != Self.none, "release of no block")
        wordsUsed -= Self.words(sizeClass)
        pointer(handle)[0] = UInt64(free[Int(sizeClass)])
        free[Int(sizeClass)] = handle
    }

    /// The block's words.
    @inline(__always)
    func pointer(_ handle: Handle) -> UnsafeMutablePointer<UInt64> {
        let index = Int(handle)
        return chunks[index >> Self.chunkClass] + (index & (Self.chunkWords - 1))
    }

    /// Asks for the first `words` of a row's block, and for no more than `lines` hold.
    @inline(__always)
    func prefetch(_ row: SlabRow, words: Int, lines: Int = 4) {
        guard row.block != Self.none else { return }
        Prefetch.lines(pointer(row.block), bytes: min(words * 8, lines * Prefetch.lineBytes))
    }

    private mutating func startChunk() {
        // What is left of the old chunk is cut into free blocks, so that nothing is wasted.
        if current >= 0 {
            var left = Self.chunkWords - cursor
            var start = current * Self.chunkWords + cursor
            while left >= 2 {
                let power = Int.bitWidth - 1 - left.leadingZeroBitCount
                let sizeClass = Self.sizeClass(words: 1 << power)
                let words = Self.words(sizeClass)
                wordsUsed += words
                release(Handle(start), sizeClass: sizeClass)
                start += words
                left -= words
            }
        }
        current = addChunks(1)
        // Handle 0 means "none": the first words of the first chunk stay unused.
        cursor = current == 0 ? 2 : 0
    }

    /// Takes `count` neighbouring chunks from the system and gives the number of the first.
    private mutating func addChunks(_ count: Int) -> Int {
        if chunks.isEmpty, count > 1 { startChunk() }
        let first = chunks.count
        let memory = count == 1 ? regions.next() : regions.neighbours(count)
        for index in 0..<count { chunks.append(memory + index * Self.chunkWords) }
        return first
    }
}
