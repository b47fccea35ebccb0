import Basics
import Testing
import TestKit

@testable import Engine

/// Mistakes planted in the engine itself: those that the oracle cannot make, since it keeps no time.
@Suite("Mistakes planted in the engine")
struct PlantedBugTests {
    @Test("A deadline that is one tick off is found")
    func lateDeadline() throws {
        let found = try firstDifference(in: 1...500) { history, driver, step, next in
            guard case .tick(let tick) = step, let next else { return }
            driver.tamper { $0.delayDeadlines(between: tick, and: next) }
        }
        #expect(found != nil, "500 cases do not need deadlines to be exact")
    }

    @Test("Deadlines that are lost in a restart are found")
    func lostDeadlines() throws {
        let found = try firstDifference(in: 1...500) { history, driver, step, _ in
            guard case .tick = step else { return }
            var records: [StoredRecord] = []
            driver.encode(all: true, into: &records)
            _ = try driver.restart(history, history.plan(), from: records)
            driver.tamper { $0.forgetDeadlines() }
        }
        #expect(found != nil, "500 cases do not need deadlines behind a restart")
    }

    /// The first seed whose ticks are not as expected when `spoil` is called after each step with the
    /// instant of the tick that comes next.
    private func firstDifference(
        in seeds: ClosedRange<UInt64>,
        _ spoil: (OracleCase, inout ShardDriver, ShardDriver.Step, Int64?) throws -> Void
    ) throws -> UInt64? {
        for seed in seeds {
            let history = OracleCase(seed: seed)
            let (expected, oracle) = history.expected()
            var driver = ShardDriver(history, try history.plan())
            var ticks: [TickRecord] = []
            let instants = oracle.ticks.map(\.instant)
            for step in ShardDriver.steps(history, oracle) {
                if let tick = driver.take(step) { ticks.append(tick) }
                let next = ticks.count < instants.count ? instants[ticks.count] : nil
                try spoil(history, &driver, step, next)
            }
            if ticks != expected.ticks { return seed }
        }
        return nil
    }
}

extension Shard {
    /// Makes everyone who is due at the next tick due at the one after it.
    fileprivate mutating func delayDeadlines(between tick: Int64, and next: Int64) {
        // Deadlines are rounded down, so it must be clear of the tick.
        let late = EventTime(milliseconds: next + 100)
        for slot in 0..<UserSlot(userCount) {
            let conditions = deadlineLists.deadlines(users[slot].deadlines)
            for place in conditions.indices where conditions[place].instant <= next {
                conditions[place] = ConditionDeadline(
                    condition: conditions[place].condition,
                    instant: late.milliseconds
                )
            }
            let instant = users[slot].scheduled.milliseconds
            guard instant > tick, instant <= next else { continue }
            users[slot].scheduled = late
            deadlines.push(late, slot)
        }
    }

    /// Behind a restart everyone is looked at once, which is where deadlines come from: not so here.
    fileprivate mutating func forgetDeadlines() {
        deadlines = DeadlineWheel()
        for slot in 0..<UserSlot(userCount) { users[slot].touched = 0 }
        touched.removeAll()
    }
}
