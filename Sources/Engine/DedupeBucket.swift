/// A place for several insert ids, four cache lines long; the first tells of an id that is not there that it is not.
///
/// ```
/// header u32: 5 bits how many ids, spilled, wide, epoch u25
/// tags   18 × u16  the lowest bits of the second half of the hash
/// plain: arrivals 18 × u32, milliseconds after the epoch;  hashes 18 × u64, the first half
/// wide:  arrivals 13 × u64;                                 hashes 13 × u64
/// ```
/// An epoch is so many times 2²³ ms, so four bytes reach at least 49 days. A bucket whose arrivals lie further apart is wide.
/// Memory of zeros is a bucket of nothing.
struct DedupeBucket {
    /// Words of 64 bits in a bucket.
    static let words = 32
    /// The most ids in one.
    static let capacity = 18
    /// The most ids in a wide one.
    static let wideCapacity = 13
    /// How far apart arrivals may lie, in milliseconds, and surely stand in one bucket that is not wide.
    static let plainReach: Int64 = 1 << 32 - 1 << 23

    private static let countMask: UInt32 = 1 << 5 - 1
    private static let spilledFlag: UInt32 = 1 << 5
    private static let wideFlag: UInt32 = 1 << 6
    private static let epochShift: UInt32 = 7
    /// How many bits of an arrival its epoch does not have.
    private static let epochBits: UInt64 = 23
    private static let tagsOffset = 4
    private static let arrivalsOffset = 40
    private static let hashesOffset = 112
    private static let wideHashesOffset = 144

    private let start: UnsafeMutableRawPointer

    @inline(__always)
    init(_ start: UnsafeMutablePointer<UInt64>) { self.start = UnsafeMutableRawPointer(start) }

    private var header: UInt32 {
        @inline(__always)
        get { start.load(as: UInt32.self) }
        nonmutating set { start.storeBytes(of: newValue, as: UInt32.self) }
    }

    /// How many ids there are.
    var count: Int {
        @inline(__always)
        get { Int(header & Self.countMask) }
    }

    /// Whether ids that belong here or before may lie behind.
    var isSpilled: Bool {
        @inline(__always)
        get { header & Self.spilledFlag != 0 }
        nonmutating set {
            header = newValue ? header | Self.spilledFlag : header & ~Self.spilledFlag
        }
    }

    /// Whether arrivals take eight bytes.
    var isWide: Bool {
        @inline(__always)
        get { header & Self.wideFlag != 0 }
    }

    /// Whether there is no place for another.
    var isFull: Bool { count == (isWide ? Self.wideCapacity : Self.capacity) }

    private var epoch: UInt64 { UInt64(header >> Self.epochShift) << Self.epochBits }

    // MARK: Ids

    /// Where a key is; nil where it is not here.
    ///
    /// Four tags are compared at a time: lanes that differ from the key's turn out not to be zero.
    @inline(__always)
    func index(of key: DedupeSet.Key) -> Int? {
        let pattern = (key.low & 0xffff) &* 0x0001_0001_0001_0001
        for word in 0..<5 {
            let lanes = start.load(fromByteOffset: word * 8, as: UInt64.self) ^ pattern
            var zeros = (lanes &- 0x0001_0001_0001_0001) & ~lanes & 0x8000_8000_8000_8000
            // The first two lanes are the header.
            if word == 0 { zeros &= 0xffff_ffff_0000_0000 }
            while zeros != 0 {
                let index = word * 4 + zeros.trailingZeroBitCount / 16 - 2
                if index < count, hash(index) == key.high, tag(index) == key.low & 0xffff {
                    return index
                }
                zeros &= zeros &- 1
            }
        }
        return nil
    }

    /// The key of an id, with as many bits of it as are kept.
    @inline(__always)
    func key(_ index: Int) -> DedupeSet.Key { DedupeSet.Key(high: hash(index), low: tag(index)) }

    /// The first half of an id's hash.
    @inline(__always)
    func hash(_ index: Int) -> UInt64 {
        start.load(
            fromByteOffset: (isWide ? Self.wideHashesOffset : Self.hashesOffset) + index * 8,
            as: UInt64.self
        )
    }

    @inline(__always)
    private func tag(_ index: Int) -> UInt64 {
        UInt64(start.load(fromByteOffset: Self.tagsOffset + index * 2, as: UInt16.self))
    }

    /// When an id arrived, as ``DedupeSet`` counts.
    @inline(__always)
    func arrival(_ index: Int) -> UInt64 {
        isWide
            ? start.load(fromByteOffset: Self.arrivalsOffset + index * 8, as: UInt64.self)
            : epoch
                + UInt64(
                    start.load(fromByteOffset: Self.arrivalsOffset + index * 4, as: UInt32.self)
                )
    }

    /// Asks for where the next id goes.
    @inline(__always)
    func prefetchEnd() {
        let hashes = start + (isWide ? Self.wideHashesOffset : Self.hashesOffset)
        Prefetch.line(hashes + count * 8)
        Prefetch.line(start + Self.arrivalsOffset + count * (isWide ? 8 : 4))
    }

    // MARK: Changes

    /// Whether an id of that arrival has a place here as the bucket is.
    @inline(__always)
    func takes(_ arrival: UInt64) -> Bool { !isFull && reaches(arrival) }

    @inline(__always)
    private func reaches(_ arrival: UInt64) -> Bool {
        isWide || (count > 0 && arrival &- epoch < 1 << 32)
    }

    /// Adds an id; ``takes(_:)`` says whether it may.
    @inline(__always)
    func append(_ key: DedupeSet.Key, arrival: UInt64) {
        let index = count
        header += 1
        write(key, arrival: arrival, at: index)
    }

    private func write(_ key: DedupeSet.Key, arrival: UInt64, at index: Int) {
        start.storeBytes(
            of: UInt16(truncatingIfNeeded: key.low),
            toByteOffset: Self.tagsOffset + index * 2,
            as: UInt16.self
        )
        if isWide {
            start.storeBytes(
                of: arrival,
                toByteOffset: Self.arrivalsOffset + index * 8,
                as: UInt64.self
            )
            start.storeBytes(
                of: key.high,
                toByteOffset: Self.wideHashesOffset + index * 8,
                as: UInt64.self
            )
        } else {
            start.storeBytes(
                of: UInt32(truncatingIfNeeded: arrival &- epoch),
                toByteOffset: Self.arrivalsOffset + index * 4,
                as: UInt32.self
            )
            start.storeBytes(
                of: key.high,
                toByteOffset: Self.hashesOffset + index * 8,
                as: UInt64.self
            )
        }
    }

    /// Takes an id out; the last one takes its place.
    func remove(_ index: Int) {
        let last = count - 1
        precondition(index >= 0 && index <= last, "id \(index) of \(last + 1)")
        if index < last { write(key(last), arrival: arrival(last), at: index) }
        header -= 1
        // The next one may be of any time.
        if last == 0 { header &= Self.spilledFlag }
    }

    /// Sees to it that the bucket reaches an arrival, by another epoch or by being wide; false where it has too many
    /// ids for that.
    ///
    /// - `isAlwaysWide`: Whether it is not worth a try to do without.
    func makeReach(_ arrival: UInt64, isAlwaysWide: Bool) -> Bool {
        var earliest = arrival
        var latest = arrival
        for index in 0..<count {
            earliest = min(earliest, self.arrival(index))
            latest = max(latest, self.arrival(index))
        }
        let isWide = isAlwaysWide || latest - earliest > Self.plainReach
        if isWide, count >= Self.wideCapacity { return false }
        // As far before the earliest as behind the latest: ids that move come in no order.
        let ahead = isWide ? 0 : (UInt64(Self.plainReach) - (latest - earliest)) / 2
        let number = (earliest - min(earliest, ahead)) >> Self.epochBits
        let flags = isWide ? Self.wideFlag : UInt32(number) << Self.epochShift
        let kept = header & (Self.spilledFlag | Self.countMask)
        if count == 0 {
            header = kept | flags
            return true
        }
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.words) { copy in
            guard let words = copy.baseAddress else { return }
            UnsafeMutableRawPointer(words).copyMemory(from: start, byteCount: Self.words * 8)
            let before = DedupeBucket(words)
            header = kept | flags
            for index in 0..<count {
                write(before.key(index), arrival: before.arrival(index), at: index)
            }
        }
        return true
    }
}
