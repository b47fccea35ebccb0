import Basics

/// What the engine keeps of each user in one stretch of memory, by slot: the record, where the id lies, truth of the
/// conditions, and memberships.
///
/// An event and a tick need all of it, and of memory that is far away the first line costs most, for which a core has to
/// find the page; what stands beside it comes along. So this is one table and not four.
///
/// ```
/// user ──► [ record, 8 words ][ id ][ truth, words ][ decided, words ][ memberships, words ]
/// ```
struct UserRows: ~Copyable {
    /// Where a user's id lies.
    struct ID: BitwiseCopyable {
        var bytes: ByteArena.Handle
        var length: UInt32
    }

    /// How many users there are.
    private(set) var count = 0
    /// Truth of a user of whom nothing happened, a bit for each condition.
    let rest: WordBuffer
    /// How many words of memberships a row has.
    let membershipWords: Int
    /// Of each cohort how many members it has.
    var memberCounts = RecordTable<Int>()

    private var memory: UnsafeMutableBufferPointer<UInt64>
    /// Words of a row; half a cache line, or a multiple of it, so that a row begins in as few lines as may be.
    private let stride: Int
    private static let strideUnit = 4
    private static let idWord = 8
    private static let truthWord = 9

    /// - Parameters:
    ///   - rest: Truth of a user of whom nothing happened, a bit for each condition.
    ///   - cohorts: How many there are.
    init(rest: WordBuffer, cohorts: Int) {
        precondition(
            MemoryLayout<Shard.UserRecord>.stride == Self.idWord * 8
                && MemoryLayout<ID>.stride == 8,
            "the layout of a user's row"
        )
        self.rest = rest
        membershipWords = (cohorts + 63) / 64
        memberCounts.append(0, count: cohorts)
        let words = Self.truthWord + 2 * rest.count + membershipWords
        stride = (words + Self.strideUnit - 1) / Self.strideUnit * Self.strideUnit
        memory = TableMemory.allocate(UInt64.self, count: Self.capacity(words: 16 * stride))
    }

    deinit {
        TableMemory.deallocate(memory)
    }

    /// Bytes of memory held.
    var bytesReserved: Int { memory.count * 8 }

    /// Takes memory for so many users in all, where it has less.
    mutating func reserve(_ users: Int) {
        let words = users * stride
        if words > memory.count { memory = TableMemory.grow(memory, to: Self.capacity(words: words)) }
    }

    /// Adds a user of whom nothing is known but the id, who is in no cohort, and all of whose conditions are false and
    /// open.
    ///
    /// Complexity: O(1) on average.
    mutating func append(_ id: ID) {
        if (count + 1) * stride > memory.count { reserve(2 * count) }
        let row = memory[(count * stride)..<((count + 1) * stride)]
        row.initialize(repeating: 0)
        count += 1
        let slot = UserSlot(count - 1)
        self[slot] = Shard.UserRecord()
        idPointer(slot).pointee = id
    }

    /// A user's record.
    @inline(__always)
    subscript(slot: UserSlot) -> Shard.UserRecord {
        get { recordPointer(slot).pointee }
        _modify { yield &recordPointer(slot).pointee }
    }

    /// Where a user's id lies.
    @inline(__always)
    func id(_ slot: UserSlot) -> ID { idPointer(slot).pointee }

    /// A user's truth, behind it what is decided; lent until a user is added.
    @inline(__always)
    func truth(_ slot: UserSlot) -> UnsafeMutablePointer<UInt64> { row(slot) + Self.truthWord }

    /// A user's memberships, lent until a user is added.
    @inline(__always)
    func memberships(_ slot: UserSlot) -> UnsafeMutablePointer<UInt64> {
        row(slot) + Self.truthWord + 2 * rest.count
    }

    /// Asks for a user's record and id; any slot will do.
    @inline(__always)
    func prefetch(_ slot: UserSlot) { prefetch(slot, words: 0..<Self.truthWord) }

    /// Asks for a user's truth.
    @inline(__always)
    func prefetchTruth(_ slot: UserSlot) {
        prefetch(slot, words: Self.truthWord..<(Self.truthWord + 2 * rest.count))
    }

    /// Asks for a user's truth and memberships.
    @inline(__always)
    func prefetchBits(_ slot: UserSlot) {
        prefetch(slot, words: Self.truthWord..<(Self.truthWord + 2 * rest.count + membershipWords))
    }

    /// Asks for a user's memberships.
    @inline(__always)
    func prefetchMemberships(_ slot: UserSlot) {
        let first = Self.truthWord + 2 * rest.count
        prefetch(slot, words: first..<(first + membershipWords))
    }

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
    private func idPointer(_ slot: UserSlot) -> UnsafeMutablePointer<ID> {
        UnsafeMutableRawPointer(row(slot) + Self.idWord).assumingMemoryBound(to: ID.self)
    }

    /// Whole large pages where there are some, so that none is copied to grow.
    private static func capacity(words: Int) -> Int {
        let pageWords = TableMemory.pageBytes / 8
        return words < pageWords ? words : (words + pageWords - 1) / pageWords * pageWords
    }
}
