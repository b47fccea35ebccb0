/// First in, first out, in chunks of memory that are used again: grows without copying and gives every element a
/// place that stays while it is there.
struct ChunkQueue<Element: BitwiseCopyable>: ~Copyable {
    private static var chunkCount: Int { 1 << 14 }

    private var regions = ChunkRegions<Element>(chunkCount: ChunkQueue.chunkCount)
    /// Every chunk, by number.
    private var chunks: [UnsafeMutablePointer<Element>] = []
    /// Numbers of the chunks in use, oldest first.
    private var order: [Int] = []
    /// Numbers of the chunks that nothing is in.
    private var spare: [Int] = []
    /// Of the first element, in the oldest chunk.
    private var offset = 0
    /// How many elements there are.
    private(set) var count = 0

    init() {}

    /// Bytes of memory held.
    var bytesReserved: Int { regions.bytesReserved }

    /// The element at a place that ``append(_:)`` gave, of which it is the caller's business that it is still there.
    subscript(place: Int) -> Element {
        chunks[place / Self.chunkCount][place % Self.chunkCount]
    }

    /// The place of the element that came first; there must be one.
    var first: Int { place(0) }

    /// The place of an element by how many came before it.
    func place(_ index: Int) -> Int {
        precondition(index >= 0 && index < count, "element \(index) of \(count)")
        let position = offset + index
        return order[position / Self.chunkCount] * Self.chunkCount + position % Self.chunkCount
    }

    /// Adds an element at the end, and gives its place.
    mutating func append(_ element: Element) -> Int {
        if offset + count == order.count * Self.chunkCount {
            if let chunk = spare.popLast() {
                order.append(chunk)
            } else {
                order.append(chunks.count)
                chunks.append(regions.next())
            }
        }
        count += 1
        let place = place(count - 1)
        (chunks[place / Self.chunkCount] + place % Self.chunkCount).initialize(to: element)
        return place
    }

    /// Takes the first element out; there must be one.
    mutating func removeFirst() {
        precondition(count > 0, "nothing to take out")
        count -= 1
        offset += 1
        if offset == Self.chunkCount {
            spare.append(order.removeFirst())
            offset = 0
        }
    }
}
