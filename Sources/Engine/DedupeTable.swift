import Basics

/// A hash table of insert ids in buckets, nearly full and not copied: it grows by a fifth in the memory it has,
/// a few buckets at each insertion.
///
/// While it is small it doubles: below a large page in other memory, then by whole ones.
///
/// Where an id belongs ascends with its hash, so every id moves up when there are more buckets, and growing begins
/// with the last. An id whose bucket is full lies in one of those behind.
///
/// ```
/// before  ├──────────────────────────────────────┤
/// growing ├─────────────────┤        ├────────────────────────┤
///         of the old size   boundary of the new size
/// ```
struct DedupeTable: ~Copyable {
    /// How many buckets of the old size an insertion moves: all are before a thirtieth more has come in.
    private static let bucketsMoved = 2
    /// Buckets behind the last in which ids belong.
    private static let spareBuckets = 32
    /// Where an id comes to lie further from where it belongs, a table that is half full grows.
    private static let distanceMax = 64
    /// Buckets in a large page, of which the memory of large tables is a multiple, so that it need not be copied.
    private static let bucketsPerPage = (2 << 20) / (DedupeBucket.words * 8)
    /// In how many buckets ids belong at first.
    private static let bucketsMin = 56

    private var memory: UnsafeMutableBufferPointer<UInt64>
    /// In how many buckets ids belong.
    private var homes: Int
    /// In how many they did before.
    private var oldHomes = 0
    /// Ids that belonged into one below are where they were; 0 unless the table grows.
    private var boundary = 0
    /// No such id lies here or behind.
    private var oldEnd = 0
    /// No bucket from here on was ever used.
    private(set) var end = 0
    /// How many ids there are.
    private(set) var count = 0
    /// How many buckets are wide.
    private var wideBuckets = 0
    private let isAlwaysWide: Bool
    /// Whether an id lies far from where it belongs.
    private var isStretched = false
    /// What arrived not later may be taken out at any time.
    var past: UInt64 = 0

    /// Where an id is; valid until another is added or removed.
    struct Place {
        fileprivate let bucket: DedupeBucket
        fileprivate let index: Int

        /// When it arrived.
        var arrival: UInt64 { bucket.arrival(index) }
    }

    /// - Parameter reach: How far apart arrivals lie, in milliseconds.
    init(reach: Int64) {
        homes = Self.bucketsMin
        memory = TableMemory.allocate(
            UInt64.self,
            count: (Self.bucketsMin + Self.spareBuckets) * DedupeBucket.words
        )
        isAlwaysWide = reach > DedupeBucket.plainReach
    }

    deinit {
        TableMemory.deallocate(memory)
    }

    /// Bytes of memory held.
    var bytesReserved: Int { memory.count * 8 }

    /// Whether ids are being moved.
    @inline(__always)
    var isGrowing: Bool { boundary > 0 }

    private var bucketCount: Int { memory.count / DedupeBucket.words }

    @inline(__always)
    private func bucket(_ place: Int) -> DedupeBucket {
        guard place >= 0, place < bucketCount, let start = memory.baseAddress else {
            preconditionFailure("bucket \(place) of \(bucketCount)")
        }
        return DedupeBucket(start + place * DedupeBucket.words)
    }

    /// The bucket an id belongs into, by the first half of its hash.
    @inline(__always)
    private func home(_ hash: UInt64) -> Int {
        let spread = Self.spread(hash)
        if boundary > 0 {
            let old = Self.home(spread, oldHomes)
            if old < boundary { return old }
        }
        return Self.home(spread, homes)
    }

    /// Of a hash the upper bits decide; the lower ones are mixed in, were they all there is.
    @inline(__always)
    private static func spread(_ hash: UInt64) -> UInt64 { hash &* 0x9e37_79b9_7f4a_7c15 }

    @inline(__always)
    private static func home(_ spread: UInt64, _ count: Int) -> Int {
        Int(truncatingIfNeeded: spread.multipliedFullWidth(by: UInt64(count)).high)
    }

    /// Asks for the memory where a look-up begins.
    @inline(__always)
    func prefetch(_ key: DedupeSet.Key) {
        if let start = memory.baseAddress {
            Prefetch.line(start + home(key.high) * DedupeBucket.words)
        }
    }

    /// Asks for the memory where an id most likely goes.
    @inline(__always)
    func prefetchEnd(_ key: DedupeSet.Key) { bucket(home(key.high)).prefetchEnd() }

    /// Where an id is; nil where it is not there.
    @inline(__always)
    func find(_ key: DedupeSet.Key) -> Place? {
        var place = home(key.high)
        while true {
            let bucket = bucket(place)
            if let index = bucket.index(of: key) { return Place(bucket: bucket, index: index) }
            if !bucket.isSpilled { return nil }
            place += 1
        }
    }

    /// Calls `body` with every id and its arrival, in no order.
    func forEach(_ body: (DedupeSet.Key, UInt64) -> Void) {
        for place in 0..<end {
            let bucket = bucket(place)
            for index in 0..<bucket.count { body(bucket.key(index), bucket.arrival(index)) }
        }
    }

    // MARK: Adding

    /// Adds an id that is not there.
    @inline(__always)
    mutating func add(_ key: DedupeSet.Key, arrival: UInt64) {
        if needsRoom { makeRoom() }
        put(key, arrival: arrival)
        count += 1
    }

    /// Gives an id another arrival.
    mutating func setArrival(_ place: Place, to arrival: UInt64) {
        let key = place.bucket.key(place.index)
        remove(place.index, from: place.bucket)
        put(key, arrival: arrival)
        count += 1
    }

    @inline(__always)
    private mutating func put(_ key: DedupeSet.Key, arrival: UInt64) {
        if !bucket(home(key.high)).append(key, arrival: arrival) {
            putFurther(key, arrival: arrival)
        }
    }

    @inline(never)
    private mutating func putFurther(_ key: DedupeSet.Key, arrival: UInt64) {
        var first = home(key.high)
        var place = first
        while !put(key, arrival: arrival, in: bucket(place)) {
            bucket(place).isSpilled = true
            place += 1
            if place == bucketCount { resize(to: bucketCount + bucketCount / 8) }
            if isGrowing, first < boundary, place >= newStart {
                // What is of the old size has come up to what is of the new one.
                finishGrowing()
                first = home(key.high)
                place = first
            }
        }
        end = max(end, place + 1)
        if isGrowing, first < boundary { oldEnd = max(oldEnd, place + 1) }
        if place - first > Self.distanceMax { isStretched = true }
    }

    /// Adds an id to a bucket, which may become another for it; gives whether there is a place.
    private mutating func put(
        _ key: DedupeSet.Key,
        arrival: UInt64,
        in bucket: DedupeBucket
    ) -> Bool {
        if bucket.append(key, arrival: arrival) { return true }
        if bucket.isFull { return false }
        // Where the clock made a leap, what keeps the bucket from reaching so far is over.
        _ = removePast(bucket, bound: past)
        // A wide one reaches everywhere, and takes what it has room for.
        precondition(!bucket.isWide, "a wide bucket with room refused an id")
        guard bucket.makeReach(arrival, isAlwaysWide: isAlwaysWide) else { return false }
        if bucket.isWide { wideBuckets += 1 }
        bucket.add(key, arrival: arrival)
        return true
    }

    private mutating func remove(_ index: Int, from bucket: DedupeBucket) {
        let wasWide = bucket.isWide
        bucket.remove(index)
        count -= 1
        if wasWide, !bucket.isWide { wideBuckets -= 1 }
    }

    // MARK: Growing

    /// How many ids there is a place for.
    private var capacity: Int {
        homes * DedupeBucket.capacity
            - wideBuckets * (DedupeBucket.capacity - DedupeBucket.wideCapacity)
    }

    @inline(__always)
    private var needsRoom: Bool { isGrowing || isStretched || count * 8 >= capacity * 7 }

    @inline(never)
    private mutating func makeRoom() {
        if isGrowing {
            moveSome()
        } else if !isStretched || count > capacity / 2 {
            beginGrowing()
        }
        isStretched = false
    }

    /// Takes memory for so many ids in all, where it has less, at once.
    mutating func reserve(_ wanted: Int) {
        let perBucket = isAlwaysWide ? DedupeBucket.wideCapacity : DedupeBucket.capacity
        let wantedHomes = wanted / 7 * 8 / perBucket + Self.bucketsMin
        guard wantedHomes > homes else { return }
        finishGrowing()
        beginGrowing(atLeast: wantedHomes)
        finishGrowing()
    }

    private mutating func beginGrowing() { beginGrowing(atLeast: homes + homes / 5) }

    private mutating func beginGrowing(atLeast wanted: Int) {
        let buckets = wanted + Self.spareBuckets
        if buckets > bucketCount { resize(to: buckets) }
        oldHomes = homes
        // Of memory that was taken nothing is left over.
        homes = bucketCount - Self.spareBuckets
        boundary = oldHomes
        oldEnd = end
    }

    private mutating func resize(to wanted: Int) {
        var buckets = wanted
        if wanted < Self.bucketsPerPage {
            // What is smaller than a large page is copied, which is not worth it for a fifth.
            buckets = min(max(wanted, 2 * bucketCount), Self.bucketsPerPage)
        } else {
            buckets += Self.bucketsPerPage - 1
            buckets -= buckets % Self.bucketsPerPage
        }
        memory = TableMemory.grow(memory, to: buckets * DedupeBucket.words)
    }

    private mutating func finishGrowing() {
        while isGrowing { moveSome() }
    }

    /// The first bucket in which ids of the new size may lie.
    private var newStart: Int { newStart(boundary) }

    private func newStart(_ boundary: Int) -> Int {
        let (high, low) = UInt64(boundary).multipliedFullWidth(by: UInt64(homes))
        return Int(UInt64(oldHomes).dividingFullWidth((high, low)).quotient)
    }

    /// Moves some buckets, and so many that the boundary lies between two of which the lower is not spilled.
    @inline(never)
    private mutating func moveSome() {
        var first = max(0, boundary - Self.bucketsMoved)
        while first > 0, bucket(first - 1).isSpilled { first -= 1 }
        // Near the beginning new places lie among the old ones: what is left moves all at once.
        if newStart(first) < oldEnd { return moveRest() }
        let last = oldEnd
        boundary = first
        oldEnd = first
        // All of them go to buckets behind these.
        for place in stride(from: last - 1, through: first, by: -1) { empty(place) }
        prefetchNextMove()
    }

    /// Asks for the buckets that the next insertion moves, and for those they most likely move to.
    private func prefetchNextMove() {
        guard let memory = memory.baseAddress else { return }
        let first = max(0, boundary - Self.bucketsMoved)
        let bytes = (boundary - first) * DedupeBucket.words * 8
        Prefetch.lines(memory + first * DedupeBucket.words, bytes: bytes)
        Prefetch.lines(memory + newStart(first) * DedupeBucket.words, bytes: bytes)
    }

    private mutating func moveRest() {
        let moving = UnsafeMutablePointer<UInt64>.allocate(capacity: oldEnd * DedupeBucket.words)
        defer { moving.deallocate() }
        let last = oldEnd
        boundary = 0
        oldEnd = 0
        guard let start = memory.baseAddress else { preconditionFailure("a table of nothing") }
        moving.update(from: start, count: last * DedupeBucket.words)
        for place in 0..<last { bucket(place).clear() }
        for place in 0..<last { empty(place, of: moving) }
    }

    /// Puts the ids of a bucket where they belong now.
    ///
    /// - `copy`: Where the buckets were copied to, if they were.
    @inline(__always)
    private mutating func empty(_ place: Int, of copy: UnsafeMutablePointer<UInt64>? = nil) {
        // Looked up after each that goes further: the memory may get another address then.
        func source() -> DedupeBucket {
            copy.map { DedupeBucket($0 + place * DedupeBucket.words) } ?? bucket(place)
        }
        var ids = source().ids
        if ids.isWide { wideBuckets -= 1 }
        for index in 0..<ids.count {
            let key = ids.key(index)
            let arrival = ids.arrival(index)
            if bucket(Self.home(Self.spread(key.high), homes)).append(key, arrival: arrival) {
                continue
            }
            putFurther(key, arrival: arrival)
            ids = source().ids
        }
        source().clear()
    }

    // MARK: Removing

    /// Takes out of a bucket what is ``past``, and puts what lies behind for lack of a place into it.
    ///
    /// Gives the earliest arrival that is left in it. The table must not grow.
    mutating func tidy(_ place: Int) -> UInt64 {
        precondition(!isGrowing && place < end, "bucket \(place) of \(end)")
        let bucket = bucket(place)
        _ = removePast(bucket, bound: past)
        refill(bucket, at: place)
        return removePast(bucket, bound: past)
    }

    /// Takes out everything that arrived not later than `bound`, at once.
    mutating func removeAll(notAfter bound: UInt64) {
        finishGrowing()
        for place in 0..<end { _ = removePast(bucket(place), bound: bound) }
        for place in 0..<end { refill(bucket(place), at: place) }
    }

    private mutating func removePast(_ bucket: DedupeBucket, bound: UInt64) -> UInt64 {
        var earliest = UInt64.max
        var index = 0
        while index < bucket.count {
            let arrival = bucket.arrival(index)
            if arrival <= bound {
                remove(index, from: bucket)
            } else {
                earliest = min(earliest, arrival)
                index += 1
            }
        }
        return earliest
    }

    /// Brings back what belongs into a bucket or before it and lies behind, as far as there is room.
    private mutating func refill(_ bucket: DedupeBucket, at place: Int) {
        guard bucket.isSpilled else { return }
        var next = place
        repeat {
            next += 1
            let other = self.bucket(next)
            var index = 0
            while index < other.count {
                let key = other.key(index)
                if home(key.high) > place {
                    index += 1
                    continue
                }
                let arrival = other.arrival(index)
                guard put(key, arrival: arrival, in: bucket) else { return }
                count += 1
                remove(index, from: other)
            }
        } while self.bucket(next).isSpilled
        bucket.isSpilled = false
    }
}
