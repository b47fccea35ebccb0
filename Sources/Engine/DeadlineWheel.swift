import Basics

/// Which users to look at next because of the clock alone: a wheel of wheels, each slot of which stands for a
/// stretch of time 256 times as long as one of the wheel below.
///
/// An entry is a lower bound: the user is evaluated at the first tick at or after it and then scheduled anew.
/// So a user has at most one live entry, and one that moved into the future stays where it is (the early
/// look costs one evaluation; moving it on every event would cost more).
///
/// ```
/// instant ─► in units of 1,024 ms ─► the highest byte in which it differs from now: the wheel
///                                    that byte: the slot ─► block ─► block ─► …
/// ```
/// When now passes a slot, its blocks wait to be gone through, one at a time: what is due comes out, and the rest moves
/// to a lower wheel. So an entry moves as often as there are wheels, at most, and no step takes longer than one block,
/// however many entries are due at an instant; nothing is copied to make room for more.
struct DeadlineWheel: ~Copyable {
    /// One user's entry.
    struct Entry: BitwiseCopyable {
        var instant: EventTime
        var slot: UserSlot
    }

    private static let unitBits: Int64 = 10
    private static let slotBits = 8
    private static let slotCount = 1 << slotBits
    /// Enough for every instant there is.
    private static let wheelCount = 5
    /// Before every instant there is, so that units are not negative.
    private static let origin: Int64 = 1 << 47
    /// A block is a word with the next block and how many entries it has, and twelve bytes for each.
    private static let blockClass = WordSlab.sizeClass(words: (8 + blockEntries * entryBytes) / 8)
    static let blockEntries = 20
    private static let entryBytes = 12

    private var slab = WordSlab()
    /// The first block of each slot, wheel by wheel; only that one is not full.
    private var slots = RecordTable<WordSlab.Handle>()
    /// The first blocks of the slots that now has passed, which are to be gone through.
    private var passed = RecordTable<WordSlab.Handle>()
    /// How many entries there are.
    private(set) var count = 0
    /// The instant up to which entries are due.
    private var tick = EventTime.distantPast
    /// Its unit.
    private var now: UInt64 = 0

    init() {
        for _ in 0..<Self.wheelCount * Self.slotCount { slots.append(WordSlab.none) }
    }

    /// Adds an entry.
    mutating func push(_ instant: EventTime, _ slot: UserSlot) {
        count += 1
        place(Entry(instant: instant, slot: slot))
    }

    /// Touches memory that the next tick may need.
    @inline(__always)
    mutating func prepare() { slab.prepare() }

    /// Moves on to `tick`; the entries due then are what ``takeDue(into:)`` gives until there is no more.
    ///
    /// Entries that come meanwhile must not be due: they would be taken out by the next tick only.
    ///
    /// Complexity: a few hundred steps, however many entries there are.
    mutating func advance(to tick: EventTime) {
        precondition(passed.count == 0, "the entries due at \(self.tick.rfc3339) were not taken")
        self.tick = tick
        let end = max(now, Self.unit(tick))
        let top = Self.wheel(of: end, at: now)
        // What is below the wheel that turns lies before the tick's unit; of that wheel, the slots up to now's new one
        // do, and the new one itself is mixed.
        pass(0..<top * Self.slotCount)
        let first = top * Self.slotCount
        pass(first + Self.digit(now, top)..<first + Self.digit(end, top) + 1)
        now = end
    }

    /// Goes through one block of entries that were passed: appends those that are due to `due`, in no order, and moves
    /// the others to where they belong.
    ///
    /// - Returns: False where nothing is left that may be due.
    mutating func takeDue(into due: inout [Entry]) -> Bool {
        guard passed.count > 0 else { return false }
        let block = passed[passed.count - 1]
        let words = slab.pointer(block)
        let next = Self.next(words)
        if next == WordSlab.none {
            passed.keepFirst(passed.count - 1)
        } else {
            passed[passed.count - 1] = next
            prefetch(next)
        }
        for place in 0..<Self.count(words) {
            let entry = Self.entry(place, of: words)
            if entry.instant <= tick {
                due.append(entry)
                count -= 1
            } else {
                self.place(entry)
            }
        }
        slab.release(block, sizeClass: Self.blockClass)
        return true
    }

    /// Calls `body` with every entry, in no order.
    func forEach(_ body: (Entry) -> Void) {
        for table in 0..<slots.count + passed.count {
            var block = table < slots.count ? slots[table] : passed[table - slots.count]
            while block != WordSlab.none {
                let words = slab.pointer(block)
                for place in 0..<Self.count(words) { body(Self.entry(place, of: words)) }
                block = Self.next(words)
            }
        }
    }

    private mutating func pass(_ range: Range<Int>) {
        precondition(range.upperBound <= slots.count, "slots \(range) of \(slots.count)")
        let slots = slots.start
        for slot in range where slots[slot] != WordSlab.none {
            prefetch(slots[slot])
            passed.append(slots[slot])
            slots[slot] = WordSlab.none
        }
    }

    private mutating func place(_ entry: Entry) {
        let unit = max(Self.unit(entry.instant), now)
        let wheel = Self.wheel(of: unit, at: now)
        let slot = wheel * Self.slotCount + Self.digit(unit, wheel)
        var block = slots[slot]
        if block == WordSlab.none || Self.count(slab.pointer(block)) == Self.blockEntries {
            let first = slab.allocate(sizeClass: Self.blockClass)
            slab.pointer(first)[0] = UInt64(block)
            slots[slot] = first
            block = first
        }
        let words = slab.pointer(block)
        let place = Self.count(words)
        let bytes = UnsafeMutableRawPointer(words + 1) + place * Self.entryBytes
        bytes.storeBytes(of: entry.instant.milliseconds, as: Int64.self)
        bytes.storeBytes(of: entry.slot, toByteOffset: 8, as: UserSlot.self)
        words[0] += 1 << 32
    }

    // MARK: Blocks

    /// Asks for a block.
    @inline(__always)
    private func prefetch(_ block: WordSlab.Handle) {
        Prefetch.lines(slab.pointer(block), bytes: WordSlab.words(Self.blockClass) * 8)
    }

    private static func next(_ words: UnsafeMutablePointer<UInt64>) -> WordSlab.Handle {
        WordSlab.Handle(truncatingIfNeeded: words[0])
    }

    private static func count(_ words: UnsafeMutablePointer<UInt64>) -> Int { Int(words[0] >> 32) }

    private static func entry(_ place: Int, of words: UnsafeMutablePointer<UInt64>) -> Entry {
        let bytes = UnsafeRawPointer(words + 1) + place * entryBytes
        return Entry(
            instant: EventTime(milliseconds: bytes.loadUnaligned(as: Int64.self)),
            slot: bytes.loadUnaligned(fromByteOffset: 8, as: UserSlot.self)
        )
    }

    // MARK: Units

    /// The unit an instant lies in, of the 2⁴⁰ there are.
    @inline(__always)
    private static func unit(_ instant: EventTime) -> UInt64 {
        let units = (instant.milliseconds + origin) >> unitBits
        return UInt64(max(0, min(units, 1 << Int64(wheelCount * slotBits) - 1)))
    }

    @inline(__always)
    private static func digit(_ unit: UInt64, _ wheel: Int) -> Int {
        Int(unit >> UInt64(wheel * slotBits)) & (slotCount - 1)
    }

    /// The wheel that a unit belongs into.
    @inline(__always)
    private static func wheel(of unit: UInt64, at now: UInt64) -> Int {
        let differing = UInt64.bitWidth - (unit ^ now).leadingZeroBitCount
        return max(0, differing - 1) / slotBits
    }
}
