import Basics

/// What the engine keeps of each user in one stretch of memory, by slot: the record, truth of the conditions, memberships,
/// and the id.
///
/// An event and a tick need all of it, and of memory that is far away the first line costs most, for which a core has to
/// find the page; what stands beside it comes along. So this is one table and not four. A row is whole cache lines, and
/// what is left of the last one is the id's, where it is short enough; longer ones lie elsewhere.
///
/// ```
/// user ──► [ record, 8 words ][ truth, words ][ decided, words ][ memberships, words ][ length u32 | id … ]
///                                                                                     [ length u32 | handle u32 ] ──► id
/// ```
struct UserRows: ~Copyable {
    /// How many users there are.
    private(set) var count = 0
    /// Truth of a user of whom nothing happened, a bit for each condition.
    let rest: WordBuffer
    /// How many words of memberships a row has.
    let membershipWords: Int
    /// Words of truth of a user, and as many of what is decided.
    let truthWords: Int
    /// Of each cohort how many members it has.
    var memberCounts = RecordTable<Int>()

    private var memory: UnsafeMutableBufferPointer<UInt64>
    /// Ids that are too long for a row.
    private var arena = ByteArena()
    /// Words of a row.
    private let stride: Int
    /// Where memberships and id stand in a row.
    private let membershipsWord: Int
    private let idWord: Int
    /// The most bytes of an id that stands in the row.
    private let idBytesMax: Int
    private static let recordWords = 8
    private static let lengthBytes = 4

    /// - Parameters:
    ///   - rest: Truth of a user of whom nothing happened, a bit for each condition.
    ///   - cohorts: How many there are.
    init(rest: WordBuffer, cohorts: Int) {
        precondition(
            MemoryLayout<Shard.UserRecord>.stride == Self.recordWords * 8,
            "a user's record is not one cache line, which one read brings"
        )
        self.rest = rest
        membershipWords = (cohorts + 63) / 64
        memberCounts.append(0, count: cohorts)
        truthWords = rest.count
        membershipsWord = Self.recordWords + 2 * truthWords
        idWord = membershipsWord + membershipWords
        let lineWords = Prefetch.lineBytes / 8
        stride = (idWord + 1 + lineWords - 1) / lineWords * lineWords
        idBytesMax = (stride - idWord) * 8 - Self.lengthBytes
        memory = TableMemory.allocate(UInt64.self, count: Self.capacity(words: stride))
    }

    deinit {
        TableMemory.deallocate(memory)
    }

    /// Bytes of memory held.
    var bytesReserved: Int { memory.count * 8 + arena.bytesReserved }

    /// Takes memory for so many users in all, where it has less.
    mutating func reserve(_ users: Int) {
        let words = users * stride
        guard words > memory.count else { return }
        memory = TableMemory.grow(memory, to: Self.capacity(words: words))
    }

    /// Adds a user of whom nothing is known but the id, who is in no cohort, and all of whose conditions are false and
    /// open; gives the slot.
    ///
    /// Complexity: O(1) on average.
    mutating func append(_ id: ByteView) -> UserSlot {
        if (count + 1) * stride > memory.count { reserve(2 * count) }
        // All of it is zero but for the record.
        count += 1
        let slot = UserSlot(count - 1)
        UnsafeMutableRawPointer(row(slot))
            .initializeMemory(as: Shard.UserRecord.self, to: Shard.UserRecord())
        let start = idStart(slot)
        start.storeBytes(of: UInt32(id.count), as: UInt32.self)
        if id.count <= idBytesMax {
            (start + Self.lengthBytes).copyMemory(from: id.base, byteCount: id.count)
        } else {
            let handle = arena.store(id)
            (start + Self.lengthBytes).storeBytes(of: handle, as: ByteArena.Handle.self)
        }
        return slot
    }

    /// A user's record.
    @inline(__always)
    subscript(slot: UserSlot) -> Shard.UserRecord {
        get { recordPointer(slot).pointee }
        _modify { yield &recordPointer(slot).pointee }
    }

    /// A user's id, lent until a user is added.
    @inline(__always)
    func id(_ slot: UserSlot) -> ByteView {
        let start = UnsafeRawPointer(idStart(slot))
        let length = Int(start.load(as: UInt32.self))
        if length <= idBytesMax {
            let bytes = (start + Self.lengthBytes).assumingMemoryBound(to: UInt8.self)
            return ByteView(base: bytes, count: length)
        }
        let handle = (start + Self.lengthBytes).load(as: ByteArena.Handle.self)
        return ByteView(base: arena.pointer(handle), count: length)
    }

    /// Asks for a user's id where it is too long for the row; ``prefetchID(_:)`` asked for the others.
    @inline(__always)
    func prefetchLongID(_ slot: UserSlot) {
        let id = id(slot)
        if id.count > idBytesMax { Prefetch.lines(id.base, bytes: id.count) }
    }

    /// A user's truth, behind it what is decided; lent until a user is added.
    @inline(__always)
    func truth(_ slot: UserSlot) -> UnsafeMutablePointer<UInt64> { row(slot) + Self.recordWords }

    /// A user's memberships, lent until a user is added.
    @inline(__always)
    func memberships(_ slot: UserSlot) -> UnsafeMutablePointer<UInt64> {
        row(slot) + membershipsWord
    }

    /// Asks for a user's record; any slot will do.
    @inline(__always)
    func prefetch(_ slot: UserSlot) { prefetch(slot, words: 0..<Self.recordWords) }

    /// Asks for a user's id, where it stands in the row; any slot will do.
    @inline(__always)
    func prefetchID(_ slot: UserSlot) { prefetch(slot, words: idWord..<stride) }

    /// Asks for a user's truth.
    @inline(__always)
    func prefetchTruth(_ slot: UserSlot) {
        prefetch(slot, words: Self.recordWords..<membershipsWord)
    }

    /// Asks for a user's memberships.
    @inline(__always)
    func prefetchMemberships(_ slot: UserSlot) {
        prefetch(slot, words: membershipsWord..<idWord)
    }

    /// Asks for a user's truth and memberships.
    @inline(__always)
    func prefetchBits(_ slot: UserSlot) { prefetch(slot, words: Self.recordWords..<idWord) }

    @inline(__always)
    private func prefetch(_ slot: UserSlot, words: Range<Int>) {
        guard let start = memory.baseAddress else { return }
        Prefetch.lines(start + Int(slot) * stride + words.lowerBound, bytes: words.count * 8)
    }

    @inline(__always)
    private func row(_ slot: UserSlot) -> UnsafeMutablePointer<UInt64> {
        precondition(Int(slot) < count, "user \(slot) of \(count)")
        guard let start = memory.baseAddress else { preconditionFailure("rows without memory") }
        return start + Int(slot) * stride
    }

    @inline(__always)
    private func recordPointer(_ slot: UserSlot) -> UnsafeMutablePointer<Shard.UserRecord> {
        UnsafeMutableRawPointer(row(slot)).assumingMemoryBound(to: Shard.UserRecord.self)
    }

    @inline(__always)
    private func idStart(_ slot: UserSlot) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(row(slot) + idWord)
    }

    /// Whole large pages where there are some, so that none is copied to grow.
    private static func capacity(words: Int) -> Int {
        let pageWords = TableMemory.pageBytes / 8
        return words < pageWords ? words : (words + pageWords - 1) / pageWords * pageWords
    }
}
