import Basics
import Testing

@testable import Engine

@Suite("Duplicates")
struct DedupeSetTests {
    private func key(_ number: Int) -> DedupeSet.Key {
        // Few places to belong to, so that buckets are full and what is behind them must come back.
        DedupeSet.Key(high: UInt64(number % 5) << 60, low: UInt64(number))
    }

    /// An id whose hash belongs anywhere, one that others have where `hash` is given.
    private static func spreadKey(_ seed: UInt64, _ number: Int, hash: Int? = nil) -> DedupeSet.Key
    {
        DedupeSet.Key(high: Hashing.combine(seed, UInt64(hash ?? number)), low: UInt64(number))
    }

    @Test(
        "With arrivals that never go back it says what a plain list says",
        arguments: [50, 1000, 20_000]
    )
    func againstModel(_ window: Int64) {
        var generator = SeededGenerator(seed: 21)
        var set = DedupeSet(window: window, slack: 0, entriesMax: 1_000_000)
        var model: [Int: Int64] = [:]
        var arrival: Int64 = -300
        for step in 0..<4000 {
            arrival += Int64(generator.pick([0, 0, 1, 3, generator.below(30)]))
            let number = generator.below(200)
            let instant = EventTime(milliseconds: arrival)
            let expected = model[number].map { arrival - $0 < window } ?? false
            let isKnown = set.contains(key(number), arrival: instant)
            let isDuplicate = set.insert(key(number), arrival: instant)
            #expect(isKnown == expected && isDuplicate == expected, "step \(step)")
            if !expected { model[number] = arrival }
            #expect(set.count <= model.count, "step \(step)")
        }
        var listed: [UInt64: Int64] = [:]
        set.forEach { listed[$0.key.low] = $0.arrival }
        for (number, last) in model where arrival - last < window {
            #expect(listed[UInt64(number)] == last)
        }
        #expect(set.shortened == 0)
    }

    @Test("Beyond the limit the oldest go, and are counted", arguments: [1, 40, 500])
    func limit(_ entriesMax: Int) {
        var set = DedupeSet(window: 1_000_000, slack: 0, entriesMax: entriesMax)
        for number in 0..<2000 {
            let isDuplicate = set.insert(
                key(number),
                arrival: EventTime(milliseconds: Int64(number))
            )
            #expect(!isDuplicate && set.count <= entriesMax)
            #expect(set.count + set.shortened == number + 1)
        }
        let kept = set.count
        #expect(kept >= entriesMax - entriesMax / 50)
        let now = EventTime(milliseconds: 2000)
        for number in 0..<2000 {
            let isKnown = set.contains(key(number), arrival: now)
            #expect(isKnown == (number >= 2000 - kept), "\(number)")
        }
    }

    @Test("What is over leaves by and by")
    func sweeping() {
        var set = DedupeSet(window: 1000, slack: 0, entriesMax: .max)
        for number in 0..<100_000 {
            _ = set.insert(
                Self.spreadKey(1, number),
                arrival: EventTime(milliseconds: Int64(number))
            )
        }
        // A thousand are in their window; the hand is never more than a few rounds behind.
        #expect(set.count < 4000)
        #expect(set.shortened == 0)
    }

    @Test("It grows past every size and still knows everyone")
    func growth() {
        var set = DedupeSet(window: 1000, slack: 0, entriesMax: .max)
        func key(_ number: Int) -> DedupeSet.Key {
            Self.spreadKey(7, number, hash: number / 3)
        }
        let then = EventTime(milliseconds: 0)
        for number in 0..<20_000 { _ = set.insert(key(number), arrival: then) }
        let now = EventTime(milliseconds: 999)
        var forgotten = 0
        for number in 0..<20_000 where !set.contains(key(number), arrival: now) { forgotten += 1 }
        #expect(forgotten == 0)
        let stranger = set.contains(key(20_000), arrival: now)
        let late = set.contains(key(0), arrival: EventTime(milliseconds: 1000))
        #expect(!stranger && !late)
    }

    @Test("A set that was restored knows what the stored one knew, of a key the later entry")
    func restored() {
        var set = DedupeSet(window: 1000, slack: 0, entriesMax: .max)
        func key(_ number: Int) -> DedupeSet.Key {
            Self.spreadKey(7, number, hash: number / 3)
        }
        for number in 0..<20_000 {
            _ = set.insert(key(number), arrival: EventTime(milliseconds: Int64(number % 500)))
        }
        var entries: [DedupeSet.Entry] = []
        set.forEach { entries.append($0) }
        entries.append(DedupeSet.Entry(key(5), arrival: 900))
        var again = DedupeSet(window: 1000, slack: 0, entriesMax: .max)
        again.reserve(set.count)
        let reserved = again.bytesReserved
        entries.withUnsafeBytes { again.restore(ByteView($0)) }
        #expect(again.bytesReserved == reserved, "it grew")
        #expect(again.count == set.count)
        for number in 0..<20_000 {
            let arrival = number == 5 ? 900 : number % 500
            let inside = EventTime(milliseconds: Int64(arrival + 999))
            let outside = EventTime(milliseconds: Int64(arrival + 1000))
            let (isThere, isOver) = (
                again.contains(key(number), arrival: inside),
                !again.contains(key(number), arrival: outside)
            )
            #expect(isThere && isOver, "\(number)")
        }
    }

    @Test("Arrivals that go back are inside the window, and slack keeps what they may repeat")
    func arrivalsGoBack() {
        var set = DedupeSet(window: 100, slack: 50, entriesMax: 1000)
        func contains(_ number: Int, _ arrival: Int64) -> Bool {
            set.contains(key(number), arrival: EventTime(milliseconds: arrival))
        }
        func insert(_ number: Int, _ arrival: Int64) -> Bool {
            set.insert(key(number), arrival: EventTime(milliseconds: arrival))
        }
        #expect(!insert(1, 1000))
        #expect(contains(1, 500))
        #expect(!insert(2, 1149))
        #expect(contains(1, 1099) && !contains(1, 1100))
        // Accepted anew: the newer arrival counts.
        #expect(!insert(1, 1149))
        #expect(set.count == 2)
        #expect(contains(1, 1248) && !contains(1, 1249))
    }

    @Test("Arrivals of all years keep their order")
    func years() {
        for arrival in [EventTime.latest.milliseconds, 0, -27_000_000_000_000] {
            var set = DedupeSet(window: 10, slack: 0, entriesMax: 1000)
            _ = set.insert(key(1), arrival: EventTime(milliseconds: arrival))
            let inside = set.contains(key(1), arrival: EventTime(milliseconds: arrival + 9))
            let outside = set.contains(key(1), arrival: EventTime(milliseconds: arrival + 10))
            #expect(inside && !outside, "\(arrival)")
        }
    }

    @Test("A window of nothing has no duplicates")
    func noWindow() {
        var set = DedupeSet(window: 0, slack: 0, entriesMax: 10)
        let isDuplicate = set.insert(key(1), arrival: EventTime(milliseconds: 0))
        let isThere = set.contains(key(1), arrival: EventTime(milliseconds: 0))
        #expect(!isDuplicate && !isThere && set.count == 0)
    }

    @Test(
        "Of arrivals that leap, and go back as far as the slack, it says what a plain list says",
        arguments: [7, 90],
        [20, 4000]
    )
    func leaps(windowDays: Int64, hashes: Int) {
        let day: Int64 = 86_400_000
        let (window, slack) = (windowDays * day, 30 * day)
        var generator = SeededGenerator(seed: UInt64(windowDays))
        var set = DedupeSet(window: window, slack: slack, entriesMax: .max)
        var model: [Int: Int64] = [:]
        var newest: Int64 = 1_700_000_000_000
        for step in 0..<6000 {
            var now = newest - Int64(generator.below(1000))
            if generator.chance(percent: 1) { now = newest + Int64(generator.below(80)) * day }
            if generator.chance(percent: 10) { now = newest - Int64(generator.below(30)) * day }
            newest = max(newest, now)
            let number = generator.below(3000)
            let key = Self.spreadKey(7, number, hash: number % hashes)
            let expected = model[number].map { now - $0 < window } ?? false
            let isDuplicate = set.insert(key, arrival: EventTime(milliseconds: now))
            #expect(isDuplicate == expected, "step \(step)")
            if !expected { model[number] = now }
        }
        var listed: [Int: Int64] = [:]
        set.forEach { listed[Int($0.key.low)] = $0.arrival }
        #expect(listed.count == set.count)
        for (number, last) in model where newest - last < window + slack {
            #expect(listed[number] == last)
        }
    }

    @Test("A leap of the clock makes room where what came before is over")
    func leapForward() {
        let day: Int64 = 86_400_000
        var set = DedupeSet(window: day, slack: 0, entriesMax: .max)
        func insert(_ numbers: Range<Int>, at arrival: Int64) {
            for number in numbers {
                let isDuplicate = set.insert(
                    Self.spreadKey(3, number),
                    arrival: EventTime(milliseconds: arrival)
                )
                #expect(!isDuplicate)
            }
        }
        insert(0..<20_000, at: 0)
        let reserved = set.bytesReserved
        insert(20_000..<39_000, at: 400 * day)
        #expect(set.count < 20_000)
        #expect(set.bytesReserved < reserved * 5 / 4)
    }

    @Test("The table is nearly full")
    func fullness() {
        var set = DedupeSet(window: 1000, slack: 0, entriesMax: .max)
        for number in 0..<300_000 {
            _ = set.insert(
                Self.spreadKey(9, number),
                arrival: EventTime(milliseconds: 0)
            )
        }
        #expect(set.bytesReserved < 300_000 * 22)
    }

    @Test(
        "A table finds every id with its arrival while it grows, however far apart they arrived",
        arguments: [0, DedupeBucket.plainReach + 1],
        [3, 1000, 1_000_000]
    )
    func table(reach: Int64, hashes: Int) {
        var generator = SeededGenerator(seed: UInt64(hashes))
        var table = DedupeTable(reach: reach)
        var arrivals: [UInt64] = []
        func key(_ number: Int) -> DedupeSet.Key {
            Self.spreadKey(5, number, hash: number % hashes)
        }
        let isHard = hashes == 3
        for number in 0..<(isHard ? 900 : 12_000) {
            let arrival = generator.pick([
                generator.below(1 << 33), generator.below(1 << 20),
                1 << 40 + generator.below(1 << 34),
            ])
            table.add(key(number), arrival: UInt64(arrival))
            arrivals.append(UInt64(arrival))
            guard number % (isHard ? 97 : 977) == 0 || number == 11_999 else { continue }
            for known in 0...number {
                let found = table.find(key(known))?.arrival
                if found != arrivals[known] { Issue.record("\(known) of \(number) is lost") }
            }
            let stranger = table.find(key(number + 1)) != nil
            #expect(table.count == number + 1 && !stranger)
        }
        // What arrived late stays, in the place of what did not.
        table.removeAll(notAfter: 1 << 36)
        var left = 0
        for number in arrivals.indices {
            let isLeft = arrivals[number] > 1 << 36
            if isLeft { left += 1 }
            #expect(table.find(key(number))?.arrival == (isLeft ? arrivals[number] : nil))
        }
        #expect(table.count == left)
    }

    @Test("A small table is filled before it takes more memory")
    func smallTable() {
        var table = DedupeTable(reach: 0)
        for number in 0..<2_250 {
            table.add(Self.spreadKey(5, number, hash: number), arrival: 1 << 20)
        }
        // 56 buckets and 32 spare ones, doubled once.
        #expect(table.bytesReserved == 2 * (56 + 32) * DedupeBucket.words * 8)
    }

    @Test("Keys tell owners and ids apart")
    func keys() {
        func key(_ owner: String, _ id: String) -> [UInt64] {
            owner.withByteView { owner in
                id.withByteView {
                    let key = DedupeSet.key(owner: owner, insertID: $0)
                    return [key.high, key.low]
                }
            }
        }
        let keys = Set([key("a", "b"), key("b", "a"), key("ab", ""), key("", "ab"), key("a", "bb")])
        #expect(keys.count == 5)
        #expect(key("a", "b") == key("a", "b"))
    }
}
