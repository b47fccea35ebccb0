import Basics
import Testing

@testable import Sync

@Suite("Ledger")
struct LedgerTests {
    @Test("What is set of one user is read again, and disturbs no other")
    func fields() {
        var ledger = Ledger(directory: UserDirectory())
        let slots = ["a", "b", "c"].map { $0.withByteView { ledger.insert($0) } }
        ledger[slots[1]].isMember = true
        ledger[slots[1]].claim = 3
        ledger[slots[1]].unknown = .exit
        ledger[slots[1]].isDoubtful = true
        ledger[slots[1]].ticket = 9
        #expect(ledger[slots[1]].unknown == .exit && ledger[slots[1]].isMember)
        #expect(!ledger[slots[1]].isAcknowledged && !ledger[slots[1]].isInIntent)
        ledger[slots[1]].unknown = .enter
        #expect(ledger[slots[1]].unknown == .enter && ledger[slots[1]].ticket == 9)
        ledger[slots[1]].unknown = nil
        ledger[slots[1]].ticket = 0
        ledger[slots[1]].planned = 3
        #expect(ledger[slots[1]].isDoubtful && ledger[slots[1]].claim == 3)
        for slot in [slots[0], slots[2]] {
            #expect(ledger[slot].isIdle && ledger[slot].claim == LedgerEntry.noPartition)
        }
    }

    @Test("Two ledgers share the ids of their users and nothing else")
    func shared() {
        let directory = UserDirectory()
        var first = Ledger(directory: directory)
        var second = Ledger(directory: directory)
        let slot = "a".withByteView { first.insert($0) }
        first[slot].claim = 1
        #expect("a".withByteView { second.find($0) } == nil)
        #expect("a".withByteView { second.insert($0) } == slot)
        #expect(second[slot].claim == LedgerEntry.noPartition)
        second[slot].claim = 2
        #expect(first[slot].claim == 1 && second[slot].claim == 2)
        first.remove(slot)
        #expect(directory.count == 1 && second.find(slot) == "a")
        second.remove(slot)
        #expect(directory.count == 0)
    }

    @Test("A user who is in and with whom nothing is going on costs less than a byte")
    func size() {
        var ledger = Ledger(directory: UserDirectory())
        for number in 0..<100_000 {
            let slot = "user-\(number)".withByteView { ledger.insert($0) }
            var entry = ledger[slot]
            entry.isMember = true
            entry.isAcknowledged = true
            entry.claim = 0
            entry.planned = 0
            ledger[slot] = entry
        }
        #expect(ledger.detailCount == 0 && ledger.byteCount < 100_000)
    }

    @Test(
        "Users put in and taken out by chance are found as in a plain dictionary",
        arguments: 1...20
    )
    func likeDictionary(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var ledger = Ledger(directory: UserDirectory())
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
        var ledger = Ledger(directory: UserDirectory())
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
        #expect(ledger.slotBound <= 1024)
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
        let harness = PlannerHarness()
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

extension Ledger {
    fileprivate func find(_ slot: UInt32) -> String {
        withBytes(of: slot) { $0.string }
    }
}
