/// A place for several insert ids, four cache lines long; the first tells of an id that is not there that it is not.
///
/// ```
/// header u32: 5 bits how many ids, spilled, wide, epoch u25
/// tags   18 × u16  the lowest bits of the second half of the hash
/// plain: arrivals 18 × u32, milliseconds after the epoch;  hashes 18 × u64, the first half
/// wide:  arrivals 13 × u64;                                 hashes 13 × u64
/// ```
/// An epoch is so many times 2²³ ms, so four bytes reach at least 49 days. A bucket whose arrivals lie further apart is wide.
/// A header of zeros is a bucket of nothing.
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

    /// Where a key is; nil where it is not here, which the tags say at once.
    @inline(__always)
    func index(of key: DedupeSet.Key) -> Int? {
        let tag = SIMD8<UInt16>(repeating: UInt16(truncatingIfNeeded: key.low))
        // The header is among them: one that looks like the tag is a look too many.
        let same = (tags(0) .== tag) .| (tags(16) .== tag) .| (tags(24) .== tag)
        let lanes = unsafeBitCast(same, to: SIMD2<UInt64>.self)
        if lanes.x | lanes.y == 0 { return nil }
        return indexAmongSame(key)
    }

    @inline(__always)
    private func tags(_ offset: Int) -> SIMD8<UInt16> {
        start.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt16>.self)
    }

    @inline(never)
    private func indexAmongSame(_ key: DedupeSet.Key) -> Int? {
        let ids = ids
        return (0..<ids.count).first {
            let other = ids.key($0)
            return other.high == key.high && other.low == key.low & 0xffff
        }
    }

    /// The key of an id, with as many bits of it as are kept.
    func key(_ index: Int) -> DedupeSet.Key { ids.key(index) }

    /// When an id arrived, as ``DedupeSet`` counts.
    func arrival(_ index: Int) -> UInt64 { ids.arrival(index) }

    /// Asks for where the next id goes.
    @inline(__always)
    func prefetchEnd() {
        let hashes = start + (isWide ? Self.wideHashesOffset : Self.hashesOffset)
        Prefetch.line(hashes + count * 8)
        Prefetch.line(start + Self.arrivalsOffset + count * (isWide ? 8 : 4))
    }

    /// The ids as they are now; read once, for whoever goes through all of them.
    struct Ids {
        let count: Int
        let isWide: Bool
        fileprivate let epoch: UInt64
        fileprivate let start: UnsafeMutableRawPointer

        /// The key of an id, with as many bits of it as are kept.
        @inline(__always)
        func key(_ index: Int) -> DedupeSet.Key {
            let hashes = isWide ? DedupeBucket.wideHashesOffset : DedupeBucket.hashesOffset
            let tags = DedupeBucket.tagsOffset
            return DedupeSet.Key(
                high: start.load(fromByteOffset: hashes + index * 8, as: UInt64.self),
                low: UInt64(start.load(fromByteOffset: tags + index * 2, as: UInt16.self))
            )
        }

        /// When an id arrived, as ``DedupeSet`` counts.
        @inline(__always)
        func arrival(_ index: Int) -> UInt64 {
            let arrivals = DedupeBucket.arrivalsOffset
            return isWide
                ? start.load(fromByteOffset: arrivals + index * 8, as: UInt64.self)
                : epoch + UInt64(start.load(fromByteOffset: arrivals + index * 4, as: UInt32.self))
        }
    }

    /// What is in the bucket, until it changes.
    var ids: Ids {
        @inline(__always)
        get { Ids(count: count, isWide: isWide, epoch: epoch, start: start) }
    }

    // MARK: Changes

    /// Forgets everything.
    func clear() { header = 0 }

    /// Adds an id, if it has a place here as the bucket is; gives whether it has.
    @inline(__always)
    func append(_ key: DedupeSet.Key, arrival: UInt64) -> Bool {
        let header = header
        let index = Int(header & Self.countMask)
        if header & Self.wideFlag != 0 {
            if index == Self.wideCapacity { return false }
            writeWide(key, arrival: arrival, at: index)
        } else {
            let later = arrival &- UInt64(header >> Self.epochShift) << Self.epochBits
            if index == 0 || index == Self.capacity || later >= 1 << 32 { return false }
            writePlain(key, later: UInt32(truncatingIfNeeded: later), at: index)
        }
        self.header = header + 1
        return true
    }

    /// Adds an id for which there is a place.
    func add(_ key: DedupeSet.Key, arrival: UInt64) {
        header += 1
        write(key, arrival: arrival, at: count - 1)
    }

    private func write(_ key: DedupeSet.Key, arrival: UInt64, at index: Int) {
        if isWide {
            writeWide(key, arrival: arrival, at: index)
        } else {
            writePlain(key, later: UInt32(truncatingIfNeeded: arrival &- epoch), at: index)
        }
    }

    @inline(__always)
    private func writePlain(_ key: DedupeSet.Key, later: UInt32, at index: Int) {
        writeTag(key, at: index)
        start.storeBytes(
            of: later,
            toByteOffset: Self.arrivalsOffset + index * 4,
            as: UInt32.self
        )
        start.storeBytes(
            of: key.high,
            toByteOffset: Self.hashesOffset + index * 8,
            as: UInt64.self
        )
    }

    @inline(__always)
    private func writeWide(_ key: DedupeSet.Key, arrival: UInt64, at index: Int) {
        writeTag(key, at: index)
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
    }

    @inline(__always)
    private func writeTag(_ key: DedupeSet.Key, at index: Int) {
        start.storeBytes(
            of: UInt16(truncatingIfNeeded: key.low),
            toByteOffset: Self.tagsOffset + index * 2,
            as: UInt16.self
        )
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
