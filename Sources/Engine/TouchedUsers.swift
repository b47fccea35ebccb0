import Basics

/// Users to look at at a tick, and which of their conditions may have changed.
///
/// A user's record holds its place here, so that touching it again finds its bits at once. Rows lie in chunks, so that
/// nothing is copied to make room for more: events are applied meanwhile.
struct TouchedUsers: ~Copyable {
    private static let chunkBits = 12
    /// How many chunks stay when everyone is forgotten.
    private static let chunksKept = 16

    /// Rows of a slot and its bits of conditions.
    private var chunks = RecordTable<UnsafeMutableBufferPointer<UInt64>>()
    private let rowWords: Int
    /// How many users there are, in the order in which they were added.
    private(set) var count = 0

    /// - Parameter words: Words in a row of bits of conditions.
    init(words: Int) {
        rowWords = 1 + words
    }

    deinit {
        for chunk in 0..<chunks.count { TableMemory.deallocate(chunks[chunk]) }
    }

    /// Adds a user who is not there yet, with no bit set, and gives its place.
    @inline(__always)
    mutating func append(_ slot: UserSlot) -> Int {
        if count >> Self.chunkBits == chunks.count { addChunk() }
        let place = count
        count += 1
        let row = row(place)
        row[0] = UInt64(slot)
        for word in 1..<rowWords { row[word] = 0 }
        return place
    }

    /// The user at a place.
    @inline(__always)
    func slot(_ place: Int) -> UserSlot { UserSlot(truncatingIfNeeded: row(place)[0]) }

    /// The words of bits at a place, lent until a user is added.
    @inline(__always)
    func bits(_ place: Int) -> UnsafePointer<UInt64> { UnsafePointer(row(place) + 1) }

    /// Asks for the bits at a place.
    @inline(__always)
    func prefetch(_ place: Int) { Prefetch.lines(bits(place), bytes: (rowWords - 1) * 8) }

    /// Sets bits at a place.
    @inline(__always)
    mutating func add(_ more: UInt64, to place: Int, word: Int) { row(place)[1 + word] |= more }

    /// Forgets everyone, and keeps the memory for as many as there are most of the time.
    mutating func removeAll() {
        count = 0
        guard chunks.count > Self.chunksKept else { return }
        for chunk in Self.chunksKept..<chunks.count { TableMemory.deallocate(chunks[chunk]) }
        chunks.keepFirst(Self.chunksKept)
    }

    @inline(__always)
    private func row(_ place: Int) -> UnsafeMutablePointer<UInt64> {
        precondition(place >= 0 && place < count, "place \(place) of \(count)")
        let chunk = chunks[place >> Self.chunkBits]
        guard let start = chunk.baseAddress else { preconditionFailure("a chunk of nothing") }
        return start + (place & (1 << Self.chunkBits - 1)) * rowWords
    }

    @inline(never)
    private mutating func addChunk() {
        chunks.append(TableMemory.allocate(UInt64.self, count: rowWords << Self.chunkBits))
    }
}
