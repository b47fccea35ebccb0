import Basics

/// Takes chunks of one size from the system and gives all of them back at the end.
///
/// The first few come one by one, so that a shard of few users stays small; later ones come several at a
/// time, so that they lie in large pages.
struct ChunkRegions<Element: BitwiseCopyable>: ~Copyable {
    private static var singlesMax: Int { 8 }
    private static var chunksPerRegion: Int { 4 }

    private let chunkCount: Int
    private var regions: [UnsafeMutableBufferPointer<Element>] = []
    /// Chunks of the last region that were not handed out, at its end.
    private var spare = 0
    private var spareEnd: UnsafeMutablePointer<Element>?
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
            spare = regions.count < Self.singlesMax ? 1 : Self.chunksPerRegion
            spareEnd = take(chunks: spare) + spare * chunkCount
        }
        guard let spareEnd else { preconditionFailure("\(spare) spare chunks without a region") }
        let chunk = spareEnd - spare * chunkCount
        spare -= 1
        return chunk
    }

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
