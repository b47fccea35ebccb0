import Basics
import Cohorts
import TestKit
import Testing

@testable import Engine

@Suite("The engine against the oracle")
struct OracleTests {
    @Test("Random histories give the oracle's deltas and members after every tick")
    func agrees() throws {
        var coverage = Coverage()
        for seed in Seeds(2000) {
            let history = OracleCase(seed: seed)
            let (expected, oracle) = history.expected()
            var missed: [String] = []
            let record = try history.replay { shard, tick in
                missed += shard.flipsMissed(at: tick)
            }
            let difference = record.difference(from: expected, cohorts: oracle.cohorts)
            if difference != nil || !missed.isEmpty {
                Issue.record(
                    """
                    \(difference ?? "a full scan disagrees: \(missed)")
                    \(Seeds.command(seed, "OracleTests/agrees"))
                    \(history.description)
                    """
                )
                return
            }
            coverage.count(expected, oracle)
        }
        print("oracle coverage: \(coverage)")
        if coverage.cases > 100 {
            #expect(coverage.enters > 0 && coverage.exits > 0 && coverage.byClock > 0)
        }
    }

    @Test("A wrong oracle is noticed", arguments: Oracle.Mistake.allCases.filter { $0 != .none })
    func noticesMistakes(_ mistake: Oracle.Mistake) throws {
        let caught = try (1...2000).contains { seed in
            let history = OracleCase(seed: UInt64(seed))
            return try history.replay() != history.expected(mistake: mistake).record
        }
        #expect(caught, "2,000 cases do not tell \(mistake) from what is right")
    }

    @Test("Where order decides nothing, shuffled lines give the same deltas")
    func ignoresOrder() throws {
        for seed in Seeds(200, from: 1_000_000) {
            var limits = OracleCase.Limits()
            limits.orderFree = true
            let history = OracleCase(seed: seed, limits: limits)
            var shuffled = history
            var generator = SeededGenerator(seed: seed ^ 0x5eed)
            shuffled.lines.shuffle(using: &generator)
            let record = try history.replay()
            let difference = try shuffled.replay().difference(
                from: record,
                cohorts: history.definitions.map(\.id).sorted()
            )
            if let difference {
                Issue.record(
                    """
                    \(difference)
                    \(Seeds.command(seed, "OracleTests/ignoresOrder"))
                    \(shuffled.description)
                    """
                )
                return
            }
        }
    }
}

/// How much of what can happen did happen.
private struct Coverage: CustomStringConvertible {
    var cases = 0
    var ticks = 0
    var enters = 0
    var exits = 0
    /// Flips of users of whom nothing arrived since the tick before.
    var byClock = 0

    mutating func count(_ record: EngineRecord, _ oracle: Oracle) {
        cases += 1
        ticks += record.ticks.count
        for (tick, touched) in zip(record.ticks, oracle.touched) {
            for delta in tick.deltas {
                if delta.entered { enters += 1 } else { exits += 1 }
                if !touched.contains(delta.user) { byClock += 1 }
            }
        }
    }

    var description: String {
        "\(cases) cases, \(ticks) ticks, \(enters) enters, \(exits) exits, \(byClock) of these by the clock alone"
    }
}

extension Shard {
    /// Users whose bits are not what looking at everyone at this tick gives.
    func flipsMissed(at tick: EventTime) -> [String] {
        var missed: [String] = []
        var evaluator = evaluator
        evaluator.prepare(tick)
        for slot in 0..<UserSlot(users.count) {
            let record = records[Int(slot)]
            let isKnown = record.knownSince <= tick
            if isKnown {
                _ = evaluator.evaluate(
                    record,
                    slot: slot,
                    at: tick,
                    traceLists: traceLists,
                    recordLists: recordLists,
                    propertyLists: propertyLists,
                    uploads: uploads
                )
            }
            for cohort in plan.cohorts.indices {
                let bit = evaluator.memberBits(word: cohort / 64) >> UInt64(cohort % 64) & 1
                if isMember(slot, cohort: cohort) != (isKnown && bit == 1) {
                    missed.append("\(plan.cohorts[cohort].id) \(users[slot].string)")
                }
            }
        }
        return missed
    }
}
