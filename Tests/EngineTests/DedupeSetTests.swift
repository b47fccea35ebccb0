import Basics
import Testing

@testable import Engine

@Suite("Duplicates")
struct DedupeSetTests {
    private struct Model {
        struct Entry {
            var key: Int
            var arrival: Int64
        }

        let window: Int64
        let entriesMax: Int
        var entries: [Entry] = []
        var shortened = 0

        func contains(_ key: Int, _ arrival: Int64) -> Bool {
            entries.contains { $0.key == key && arrival - $0.arrival < window }
        }

        mutating func insert(_ key: Int, _ arrival: Int64) {
            entries.removeAll { arrival - $0.arrival >= window }
            if entries.count >= entriesMax {
                entries.removeFirst()
                shortened += 1
            }
            entries.append(Entry(key: key, arrival: arrival))
        }
    }

    private func hashes(_ key: Int) -> (high: UInt64, low: UInt64) {
        // Few tags, so that buckets collide and gaps must be closed.
        (UInt64(key % 5) << 32, UInt64(key))
    }

    @Test(
        "With arrivals that never go back it says what a plain list says",
        arguments: [
            (window: Int64(50), entriesMax: 1_000_000), (1000, 40), (1000, 1), (20_000, 1_000_000),
        ]
    )
    func againstModel(_ window: Int64, _ entriesMax: Int) {
        var generator = SeededGenerator(seed: 21)
        var set = DedupeSet(window: window, slack: 0, entriesMax: entriesMax)
        var model = Model(window: window, entriesMax: entriesMax)
        var arrival: Int64 = -300
        for step in 0..<2000 {
            arrival += Int64(generator.pick([0, 0, 1, 3, generator.below(30)]))
            let key = generator.below(200)
            let (high, low) = hashes(key)
            let isDuplicate = set.contains(
                high: high,
                low: low,
                arrival: EventTime(milliseconds: arrival)
            )
            #expect(isDuplicate == model.contains(key, arrival), "step \(step)")
            if isDuplicate { continue }
            set.insert(high: high, low: low, arrival: EventTime(milliseconds: arrival))
            model.insert(key, arrival)
            #expect(set.count == model.entries.count, "step \(step)")
        }
        #expect(set.shortened == model.shortened)
        var listed: [Int64] = []
        set.forEach { listed.append($0.arrival) }
        #expect(listed == model.entries.map(\.arrival))
    }

    @Test("It grows past every size and still knows everyone")
    func growth() {
        var set = DedupeSet(window: 1000, slack: 0, entriesMax: .max)
        for key in 0..<20_000 {
            set.insert(high: UInt64(key / 3), low: UInt64(key), arrival: EventTime(milliseconds: 0))
        }
        let now = EventTime(milliseconds: 999)
        var forgotten = 0
        for key in 0..<20_000
        where !set.contains(high: UInt64(key / 3), low: UInt64(key), arrival: now) {
            forgotten += 1
        }
        #expect(forgotten == 0)
        let stranger = set.contains(high: 0, low: 20_000, arrival: now)
        let late = set.contains(high: 0, low: 0, arrival: EventTime(milliseconds: 1000))
        #expect(!stranger && !late)
    }

    @Test("Arrivals that go back are inside the window, and slack keeps what they may repeat")
    func arrivalsGoBack() {
        var set = DedupeSet(window: 100, slack: 50, entriesMax: 1000)
        set.insert(high: 1, low: 1, arrival: EventTime(milliseconds: 1000))
        let before = set.contains(high: 1, low: 1, arrival: EventTime(milliseconds: 500))
        set.insert(high: 2, low: 2, arrival: EventTime(milliseconds: 1149))
        let inside = set.contains(high: 1, low: 1, arrival: EventTime(milliseconds: 1099))
        let outside = set.contains(high: 1, low: 1, arrival: EventTime(milliseconds: 1100))
        #expect(before && inside && !outside)
        // Accepted anew: it stands there twice for a while, and the newer one counts.
        set.insert(high: 1, low: 1, arrival: EventTime(milliseconds: 1149))
        #expect(set.count == 3)
        set.insert(high: 3, low: 3, arrival: EventTime(milliseconds: 1150))
        #expect(set.count == 3)
        let anew = set.contains(high: 1, low: 1, arrival: EventTime(milliseconds: 1248))
        #expect(anew)
    }

    @Test("A window of nothing has no duplicates")
    func noWindow() {
        var set = DedupeSet(window: 0, slack: 0, entriesMax: 10)
        set.insert(high: 1, low: 1, arrival: EventTime(milliseconds: 0))
        let isThere = set.contains(high: 1, low: 1, arrival: EventTime(milliseconds: 0))
        #expect(!isThere && set.count == 0)
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
