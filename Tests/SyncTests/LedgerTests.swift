import Basics
import Testing

@testable import Sync

@Suite("Ledger")
struct LedgerTests {
    @Test("An entry takes 16 bytes and its fields do not disturb each other")
    func entry() {
        #expect(MemoryLayout<LedgerEntry>.stride == 16)
        var entry = LedgerEntry(offset: 0xfff_ffff_ffff, length: 4095)
        entry.isMember = true
        entry.unknown = .exit
        entry.isDoubtful = true
        #expect(entry.offset == 0xfff_ffff_ffff && entry.length == 4095)
        #expect(entry.unknown == .exit && !entry.isAcknowledged && !entry.isInIntent)
        entry.unknown = .enter
        entry.offset = 17
        #expect(entry.unknown == .enter && entry.isMember && entry.isDoubtful && entry.offset == 17)
        entry.unknown = nil
        #expect(entry.unknown == nil && entry.length == 4095)
    }

    @Test(
        "Users put in and taken out by chance are found as in a plain dictionary",
        arguments: 1...20
    )
    func likeDictionary(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var ledger = Ledger()
        var slots: [String: UInt32] = [:]
        for _ in 0..<3000 {
            let number = generator.below(500)
            let user = "u\(number)" + String(repeating: "x", count: number % 40)
            if generator.chance(percent: 55) {
                let slot = user.withByteView { ledger.insert($0) }
                #expect(slots[user] == nil || slots[user] == slot, "seed \(seed)")
                slots[user] = slot
            } else if let slot = slots.removeValue(forKey: user) {
                ledger.remove(slot)
            }
        }
        #expect(ledger.count == slots.count, "seed \(seed)")
        #expect(ledger.userBytes == slots.keys.reduce(0) { $0 + $1.utf8.count }, "seed \(seed)")
        for number in 0..<500 {
            let user = "u\(number)" + String(repeating: "x", count: number % 40)
            #expect(user.withByteView { ledger.find($0) } == slots[user], "seed \(seed), \(user)")
        }
        var sorted = Array(slots.values)
        ledger.sort(&sorted)
        let texts = sorted.map { ledger.withBytes(of: $0) { $0.string } }
        #expect(texts == slots.keys.sorted { $0.precedesByBytes($1) }, "seed \(seed)")
    }

    @Test("The bytes of forgotten users are given back")
    func compaction() {
        var ledger = Ledger()
        let filler = String(repeating: "y", count: 100)
        for round in 0..<20 {
            for number in 0..<1000 {
                _ = "\(round)-\(number)-\(filler)".withByteView { ledger.insert($0) }
            }
            for number in 0..<1000 {
                let slot = "\(round)-\(number)-\(filler)".withByteView { ledger.find($0) }
                if let slot, number != 7 { ledger.remove(slot) }
            }
        }
        #expect(ledger.count == 20)
        #expect(ledger.slotBound <= 1020)
        for round in 0..<20 {
            let user = "\(round)-7-\(filler)"
            let slot = user.withByteView { ledger.find($0) }
            #expect(slot.map { ledger.withBytes(of: $0) { $0.string } } == user)
        }
    }

    @Test(
        "Users who left and whose exit was delivered are forgotten once every partition has passed it"
    )
    func forgotten() {
        var harness = PlannerHarness()
        harness.reset((0..<50).map { "u\($0)" }, partition: 0, offset: 1, tick: 1)
        harness.reset([], partition: 1, offset: 1, tick: 1)
        _ = harness.drain()
        harness.tick((0..<49).map { "-u\($0)" }, partition: 0, offset: 2, tick: 2)
        _ = harness.drain()
        #expect(harness.planner.machines[0].ledger.count == 50)
        harness.tick([], partition: 1, offset: 2, tick: 2)
        _ = harness.advance()
        #expect(harness.planner.machines[0].ledger.count == 1)
    }
}
