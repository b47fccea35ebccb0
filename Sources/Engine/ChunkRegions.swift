import Basics

/// Takes chunks of one size from the system and gives all of them back at the end.
///
/// The first two come one by one, so that a shard of few users stays small; later ones come two or four at a
/// time, so that they lie in large pages.
struct ChunkRegions<Element: BitwiseCopyable>: ~Copyable {
    private static var singlesMax: Int { 2 }
    private static var pairsMax: Int { 4 }
    private static var chunksPerRegion: Int { 4 }
    /// From so many regions on, it is worth having one more.
    private static var preparedFrom: Int { singlesMax + pairsMax + 2 }

    private let chunkCount: Int
    private var regions: [UnsafeMutableBufferPointer<Element>] = []
    /// Chunks of the last region that were not handed out, at its end.
    private var spare = 0
    private var spareEnd: UnsafeMutablePointer<Element>?
    /// Where the next region begins, once it was taken ahead, and how many of its bytes were touched.
    private var prepared: UnsafeMutablePointer<Element>?
    private var preparedBytes = 0
    /// Elements taken from the system.
    private var elementsReserved = 0

    /// - Parameter chunkCount: Elements of a chunk.
    init(chunkCount: Int) {
        self.chunkCount = chunkCount
    }

    deinit {
        for region in regions { TableMemory.deallocate(region) }
    }

    /// Bytes taken from the system.
    var bytesReserved: Int { elementsReserved * MemoryLayout<Element>.stride }

    /// One chunk, not initialised.
    mutating func next() -> UnsafeMutablePointer<Element> {
        if spare == 0 {
            spare = chunksOfNext
            spareEnd = (prepared ?? take(chunks: spare)) + spare * chunkCount
            prepared = nil
            preparedBytes = 0
        }
        guard let spareEnd else { preconditionFailure("\(spare) spare chunks without a region") }
        let chunk = spareEnd - spare * chunkCount
        spare -= 1
        return chunk
    }

    private var chunksOfNext: Int {
        if regions.count < Self.singlesMax { return 1 }
        return regions.count < Self.singlesMax + Self.pairsMax ? 2 : Self.chunksPerRegion
    }

    /// Touches a large page of the region that comes next, unless that was done: where memory is wanted, it waits for
    /// no page to be found and cleared, which may take ten milliseconds.
    ///
    /// Does nothing while there are few regions.
    @inline(__always)
    mutating func prepare() {
        if preparedBytes < Self.chunksPerRegion * chunkBytes { prepareMore() }
    }

    @inline(never)
    private mutating func prepareMore() {
        guard regions.count >= Self.preparedFrom else { return }
        let first = prepared ?? take(chunks: Self.chunksPerRegion)
        prepared = first
        let end = min(preparedBytes + TableMemory.pageBytes, Self.chunksPerRegion * chunkBytes)
        let bytes = UnsafeMutableRawPointer(first)
        while preparedBytes < end {
            bytes.storeBytes(of: 0, toByteOffset: preparedBytes, as: UInt8.self)
            preparedBytes += TableMemory.smallPageBytes
        }
    }

    private var chunkBytes: Int { chunkCount * MemoryLayout<Element>.stride }

    /// Several chunks that lie one behind the other, not initialised.
    mutating func neighbours(_ count: Int) -> UnsafeMutablePointer<Element> { take(chunks: count) }

    private mutating func take(chunks: Int) -> UnsafeMutablePointer<Element> {
        let region = TableMemory.allocate(Element.self, count: chunks * chunkCount)
        regions.append(region)
        elementsReserved += region.count
        guard let start = region.baseAddress else { preconditionFailure("a region of no chunks") }
        return start
    }
}
