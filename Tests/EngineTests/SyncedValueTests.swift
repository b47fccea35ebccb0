import Basics
import Cohorts
import Events
import TestKit
import Testing

@testable import Engine

@Suite("Values of the properties that syncs send")
struct SyncedValueTests {
    /// Names as a sync may have them: plain, dotted, sent at the top level, never there.
    private static let names = [
        "tier", "score", "tags", "cart", "cart.total", "country", "app_version", "email",
    ]

    /// A history whose cohorts have synced properties.
    private struct Case {
        let history: OracleCase
        let plan: Plan
        let steps: [ShardDriver.Step]
        let oracle: Oracle
        /// By cohort of the plan; nil where it has no synced properties.
        let expected: [[[UInt8]: [[OracleCell]]]?]

        init(seed: UInt64, _ generator: inout SeededGenerator) throws {
            let history = OracleCase(seed: seed)
            var settings = PlanSettings(for: history)
            for id in history.cohortIDs where generator.chance(percent: 70) {
                settings.syncedProperties[id] = SyncedValueTests.names.filter { _ in
                    generator.chance(percent: 40)
                }
            }
            plan = try OracleCase.plan(yaml: history.yaml, settings)
            let oracle = history.expected().oracle
            steps = ShardDriver.steps(history, oracle)
            expected = plan.cohorts.map { cohort in
                cohort.synced.map {
                    oracle.values(of: $0.names, history.lines, history.settings)
                }
            }
            self.history = history
            self.oracle = oracle
        }

        /// In words, the first value that whoever read the ticks has wrong after a tick.
        func difference(_ reader: ValueReader, after instant: Int64) -> String? {
            guard let tick = oracle.ticks.firstIndex(where: { $0.instant == instant }) else {
                return "there is no tick \(instant)"
            }
            for (cohort, expected) in expected.enumerated() {
                let id = plan.cohorts[cohort].id
                let known = reader.values[cohort]
                guard let expected else {
                    if !known.isEmpty { return "\(id) has values and should have none" }
                    continue
                }
                let members = oracle.ticks[tick].members[cohort]
                if Set(members) != Set(known.keys) {
                    return "at \(instant) \(id): values of other users than the members"
                }
                for user in members where known[user] != expected[user]?[tick] {
                    return """
                        at \(instant) \(id) \(String(decoding: user, as: UTF8.self)): \
                        \(known[user] ?? []), expected \(expected[user]?[tick] ?? [])
                        """
                }
            }
            return nil
        }
    }

    private func report(_ found: String, _ history: OracleCase, _ test: String) {
        Issue.record(
            """
            \(found)
            \(Seeds.command(history.seed, "SyncedValueTests/\(test)"))
            \(history.description)
            """
        )
    }

    @Test("Whoever applies what ticks report has every member's values, across restarts")
    func ticks() throws {
        var changes = 0
        var updates = 0
        let seeds = Seeds(600, from: 11_000_000)
        for seed in seeds {
            var generator = SeededGenerator(seed: seed ^ 0x7a1e)
            let case_ = try Case(seed: seed, &generator)
            var driver = ShardDriver(case_.history, case_.plan)
            for step in case_.steps {
                if let tick = driver.take(step),
                    let found = case_.difference(driver.values, after: tick.instant)
                {
                    report(found, case_.history, "ticks")
                    return
                }
                guard generator.chance(percent: 5) else { continue }
                var records: [StoredRecord] = []
                driver.encode(all: true, into: &records)
                _ = try driver.restart(case_.history, case_.plan, from: records)
            }
            changes += driver.values.changes
            updates += driver.values.updates
        }
        #expect(changes > 300 || !seeds.isFull, "only \(changes) values changed")
        #expect(updates < 3 * changes || !seeds.isFull, "\(updates) reports for \(changes) changes")
    }

    @Test("A tick cut into slices, with events in between, reports the values at its beginning")
    func slices() throws {
        var changes = 0
        let seeds = Seeds(600, from: 12_000_000)
        for seed in seeds {
            var generator = SeededGenerator(seed: seed ^ 0x511c)
            let case_ = try Case(seed: seed, &generator)
            var driver = ShardDriver(case_.history, case_.plan)
            // Everyone's values can be read only before the next event; nobody is in before the first tick.
            driver.beginReading()
            func check(_ tick: TickRecord?) -> Bool {
                guard let tick,
                    let found = case_.difference(driver.values, after: tick.instant)
                else { return true }
                report(found, case_.history, "slices")
                return false
            }
            for step in case_.steps {
                guard check(driver.takeInSlices(step, &generator)) else { return }
            }
            guard check(driver.slice(.max)) else { return }
            changes += driver.values.changes
        }
        #expect(changes > 300 || !seeds.isFull, "only \(changes) values changed")
    }

    @Test("Without synced properties the state is the same, and a tick reports no values")
    func nothing() throws {
        for seed in Seeds(50, from: 13_000_000) {
            let history = OracleCase(seed: seed)
            var settings = PlanSettings(for: history)
            settings.syncedProperties = ["no-such-cohort": ["email"], history.cohortIDs[0]: []]
            let plan = try OracleCase.plan(yaml: history.yaml, settings)
            #expect(plan.conditions.count == (try history.plan()).conditions.count)
            #expect(plan.cohorts.allSatisfy { $0.synced == nil })
        }
    }

    @Test("Other properties and equal values report nothing; each cohort has its own properties")
    func precision() throws {
        var settings = PlanSettings()
        settings.syncedProperties = ["a": ["email"], "b": ["cart.total", "email"], "c": ["plan"]]
        let plan = try OracleCase.plan(
            yaml: ["a", "b", "c", "d"].map { "id: \($0)\nusers: {not: {property: {x: 1}}}\n" }
                .joined(separator: "---\n"),
            settings
        )
        var shard = Shard(plan: plan, settings: ShardSettings())
        var decoder = EventDecoder(plan)
        var tick: Int64 = 100_000
        func reports(_ properties: String, at time: Int64? = nil) -> [String] {
            let json =
                #"{"user_id":"u","event_type":"e","time":\#(time ?? tick - 5),"user_properties":\#(properties)}"#
            shard.apply(json, &decoder)
            return next()
        }
        func next() -> [String] {
            var deltas: [Delta] = []
            shard.tick(EventTime(milliseconds: tick), deltas: &deltas)
            tick += 1000
            shard.raiseFloor(to: EventTime(milliseconds: tick))
            var found: [String] = []
            shard.forEachSyncedChange { cohort, _, entered, cells in
                let names = plan.cohorts[cohort].synced?.names ?? []
                let texts = names.indices.map { PropertyCells.value($0, of: cells).value.string }
                found.append(
                    "\(plan.cohorts[cohort].id)\(entered ? "+" : "") \(texts.joined(separator: "|"))"
                )
            }
            return found
        }
        #expect(reports("{}") == ["a+ ", "b+ |", "c+ "])
        #expect(reports(#"{"email":"e1"}"#) == ["a e1", "b |e1"])
        #expect(reports(#"{"email":"e1"}"#) == [])
        #expect(reports(#"{"other":"o"}"#) == [])
        #expect(reports(#"{"cart":{"total":[1,2.50,"x"]}}"#) == [#"b [1,2.5,"x"]|e1"#])
        // Late, and older than what decides: nobody sees a difference.
        #expect(reports(#"{"email":"e0"}"#, at: 1) == [])
        // Ahead of its time: seen by the tick that reaches it, whatever happens in between.
        #expect(reports(#"{"plan":true}"#, at: tick + 1500) == ["c "])
        #expect(next() == [])
        #expect(next() == ["c true"])
        #expect(reports(#"{"$unset":["email"]}"#) == ["a ", #"b [1,2.5,"x"]|"#])
        #expect(reports(#"{"$clearAll":true}"#).sorted() == ["a ", "b |", "c "])
        shard.reportsValues = false
        #expect(reports(#"{"email":"e2"}"#) == [])
    }
}
