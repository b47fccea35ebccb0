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
///                                    that byte: the slot
/// ```
/// When now reaches a slot of a higher wheel, its entries move down; so each moves as often as there are wheels, at
/// most, and adding or taking one costs a few steps however many there are.
struct DeadlineWheel {
    /// One user's entry.
    struct Entry {
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

    /// Wheel by wheel.
    private var slots = [[Entry]](
        repeating: [],
        count: DeadlineWheel.wheelCount * DeadlineWheel.slotCount
    )
    /// How many entries there are, by wheel.
    private var counts = [Int](repeating: 0, count: DeadlineWheel.wheelCount)
    /// The unit up to which everything was taken out.
    private var now: UInt64 = 0

    /// How many entries there are.
    var count: Int { counts.reduce(0, +) }

    /// Adds an entry; one that is past is taken out next.
    mutating func push(_ instant: EventTime, _ slot: UserSlot) {
        place(Entry(instant: instant, slot: slot))
    }

    /// Takes out every entry that is due at `tick` and appends it to `due`, in no order.
    ///
    /// - Complexity: O(entries taken) and a few hundred steps; each entry moves a few times in its life.
    mutating func takeDue(at tick: EventTime, into due: inout [Entry]) {
        let end = max(now, Self.unit(tick))
        while true {
            let isLastTurn = now >> Self.slotBits == end >> Self.slotBits
            if counts[0] > 0 {
                let last = isLastTurn ? Self.digit(end, 0) : Self.slotCount - 1
                for slot in Self.digit(now, 0)...last { take(slot, tick, into: &due) }
            }
            if isLastTurn || !turn(notAfter: end) { break }
        }
        now = end
    }

    /// Takes what is due out of a slot of the lowest wheel.
    private mutating func take(_ slot: Int, _ tick: EventTime, into due: inout [Entry]) {
        if slots[slot].isEmpty { return }
        if due.isEmpty, slots[slot].count > 64, slot != Self.digit(Self.unit(tick), 0) {
            // All of a unit that is over: they are handed on as they are.
            counts[0] -= slots[slot].count
            swap(&due, &slots[slot])
            return
        }
        // Of the tick's own unit some entries may still be ahead.
        var kept = 0
        for index in slots[slot].indices {
            let entry = slots[slot][index]
            if entry.instant <= tick {
                due.append(entry)
            } else {
                slots[slot][kept] = entry
                kept += 1
            }
        }
        counts[0] -= slots[slot].count - kept
        if kept == 0, slots[slot].count > 1024 {
            slots[slot] = []
        } else {
            slots[slot].removeLast(slots[slot].count - kept)
        }
    }

    /// Moves on to where the next slot of the lowest wheel that has entries begins, and these down; false
    /// where that is after `end`.
    private mutating func turn(notAfter end: UInt64) -> Bool {
        // The turn of the lowest wheel is over, so all that was in it is out.
        guard let lowest = counts.firstIndex(where: { $0 > 0 }) else { return false }
        let bits = UInt64(max(1, lowest) * Self.slotBits)
        let next = ((now >> bits) + 1) << bits
        guard next <= end else { return false }
        now = next
        for wheel in (1..<Self.wheelCount).reversed()
        where now & (1 << UInt64(wheel * Self.slotBits) - 1) == 0 {
            let slot = wheel * Self.slotCount + Self.digit(now, wheel)
            let entries = slots[slot]
            slots[slot] = []
            counts[wheel] -= entries.count
            for entry in entries { place(entry) }
        }
        return true
    }

    private mutating func place(_ entry: Entry) {
        let unit = max(Self.unit(entry.instant), now)
        let differing = UInt64.bitWidth - (unit ^ now).leadingZeroBitCount
        let wheel = max(0, differing - 1) / Self.slotBits
        slots[wheel * Self.slotCount + Self.digit(unit, wheel)].append(entry)
        counts[wheel] += 1
    }

    /// The unit an instant lies in, of the 2⁴⁰ there are.
    private static func unit(_ instant: EventTime) -> UInt64 {
        let units = (instant.milliseconds + origin) >> unitBits
        return UInt64(max(0, min(units, 1 << Int64(wheelCount * slotBits) - 1)))
    }

    private static func digit(_ unit: UInt64, _ wheel: Int) -> Int {
        Int(unit >> UInt64(wheel * slotBits)) & (slotCount - 1)
    }
}
