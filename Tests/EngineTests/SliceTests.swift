import Basics
import Cohorts
import Events
import Testing
import TestKit

@testable import Engine

@Suite("Input that comes in pieces")
struct SliceTests {
    @Test("Wherever lines are cut into batches, the deltas are the same")
    func batches() throws {
        for seed in Seeds(1000, from: 8_000_000) {
            let history = OracleCase(seed: seed)
            var generator = SeededGenerator(seed: seed ^ 0xba7c)
            func difference(_ history: OracleCase) throws -> String? {
                var cut = history
                cut.batches = []
                var rest = history.lines.count
                while rest > 0 {
                    let count = generator.number(in: 1...rest)
                    cut.batches.append(count)
                    rest -= count
                }
                var whole = history
                whole.batches = [Int](repeating: 1, count: history.lines.count)
                return try cut.replay().difference(from: whole.replay(), cohorts: history.cohortIDs)
            }
            if let found = try difference(history) {
                report(found, history, "SliceTests/batches") { (try? difference($0)) ?? nil }
                return
            }
        }
    }

    @Test("A tick cut into slices, with events in between, gives the same deltas")
    func slices() throws {
        var between = 0
        let seeds = Seeds(1000, from: 10_000_000)
        for seed in seeds {
            let history = OracleCase(seed: seed)
            let (expected, oracle) = history.expected()
            var driver = ShardDriver(history, try history.plan())
            var generator = SeededGenerator(seed: seed ^ 0x571c)
            var ticks: [TickRecord] = []
            for step in ShardDriver.steps(history, oracle) {
                if let tick = driver.takeInSlices(step, &generator) { ticks.append(tick) }
                if case .line = step, driver.shard.isTicking { between += 1 }
            }
            if let tick = driver.slice(.max) { ticks.append(tick) }
            let record = EngineRecord(ticks: ticks, rejected: expected.rejected)
            guard let found = record.difference(from: expected, cohorts: oracle.cohorts) else {
                continue
            }
            Issue.record(
                """
                \(found)
                \(Seeds.command(seed, "SliceTests/slices"))
                \(history.description)
                """
            )
            return
        }
        #expect(between > 1000 || !seeds.isFull, "only \(between) lines came between slices")
    }

    @Test(
        "A user who was looked at is done with the tick, even where a deadline is rounded down to it"
    )
    func settledOnce() throws {
        let plan = try OracleCase.plan(
            yaml: """
                id: recent
                users: {performed: {event: a, last: 1h}}
                ---
                id: other
                users: {performed: {event: b, last: 1d}}
                """
        )
        let tick = EventTime(milliseconds: 1_767_614_400_000)
        var shard = Shard(plan: plan, settings: ShardSettings())
        var decoder = EventDecoder(plan)
        func event(_ type: String, at time: EventTime) -> String {
            #"{"user_id":"u","event_type":"\#(type)","time":\#(time.milliseconds)}"#
        }
        // Out of `recent` a few milliseconds behind the tick.
        shard.apply(event("a", at: tick - 3_600_000 + 5), &decoder)
        var deltas: [Delta] = []
        shard.beginTick(tick)
        _ = shard.continueTick(users: 1, deltas: &deltas)
        let isOver = !shard.isTicking
        #expect(!isOver)
        shard.apply(event("b", at: tick - 1000), &decoder)
        shard.settle()
        shard.apply(event("c", at: tick + 1), &decoder)
        while !shard.continueTick(users: 1, deltas: &deltas) {}
        #expect(deltas.map(\.cohort) == [plan.cohorts.firstIndex { $0.id == "recent" } ?? -1])
        deltas = []
        shard.tick(tick + 60_000, deltas: &deltas)
        #expect(deltas.count == 2)
    }

    @Test("Stored and restored behind any step, the deltas are the same")
    func restarts() throws {
        for seed in Seeds(500, from: 9_000_000) {
            let history = OracleCase(seed: seed)
            let (expected, oracle) = history.expected()
            let plan = try history.plan()
            let steps = ShardDriver.steps(history, oracle)
            // A cut behind every step, and one more in a place of its own.
            var generator = SeededGenerator(seed: seed ^ 0x51ce)
            for cut in [nil, generator.below(max(1, steps.count))] {
                var driver = ShardDriver(history, plan)
                var ticks: [TickRecord] = []
                for (place, step) in steps.enumerated() {
                    if let tick = driver.take(step) { ticks.append(tick) }
                    guard cut.map({ $0 == place }) ?? true else { continue }
                    var records: [StoredRecord] = []
                    driver.encode(all: true, into: &records)
                    _ = try driver.restart(history, plan, from: records)
                }
                let record = EngineRecord(ticks: ticks, rejected: expected.rejected)
                guard let found = record.difference(from: expected, cohorts: oracle.cohorts) else {
                    continue
                }
                Issue.record(
                    """
                    \(found)
                    cut behind \(cut.map { "step \($0)" } ?? "every step")
                    \(Seeds.command(seed, "SliceTests/restarts"))
                    \(history.description)
                    """
                )
                return
            }
        }
    }
}
