import Basics
import Cohorts
import TestKit
import Testing

@testable import Engine

@Suite("State that is stored and restored")
struct StateTests {
    @Test("A restart at any moment changes no delta")
    func restartChangesNothing() throws {
        for seed in Seeds(250, from: 2_000_000) {
            let history = OracleCase(seed: seed)
            let (expected, oracle) = history.expected()
            var generator = SeededGenerator(seed: seed ^ 0x57a7e)
            let plan = try history.plan()
            var driver = ShardDriver(history, plan)
            var records: [StoredRecord] = []
            var ticks: [TickRecord] = []
            driver.encode(all: true, into: &records)
            for step in ShardDriver.steps(history, oracle) {
                if let tick = driver.take(step) { ticks.append(tick) }
                guard generator.chance(percent: 40) else { continue }
                driver.encode(all: generator.chance(percent: 20), into: &records)
                guard generator.chance(percent: 30) else { continue }
                let report = try driver.restart(history, plan, from: records)
                #expect(report.missingTraces.isEmpty, "seed \(seed)")
                #expect(!report.mustRewrite, "seed \(seed)")
                // As behind every tick, whatever the state was written with.
                let tick = driver.shard.lastTick ?? .distantPast
                for slot in 0..<UserSlot(driver.shard.userCount) {
                    #expect(driver.shard.users[slot].scheduled > tick, "seed \(seed)")
                }
            }
            let record = EngineRecord(ticks: ticks, rejected: expected.rejected)
            if let difference = record.difference(from: expected, cohorts: oracle.cohorts) {
                Issue.record(
                    """
                    \(difference)
                    \(Seeds.command(seed, "StateTests/restartChangesNothing"))
                    \(history.description)
                    """
                )
                return
            }
        }
    }

    @Test("After a restart with the same definitions nobody is looked at who was not to be")
    func restartLooksAtNobody() throws {
        var kept = 0
        let seeds = Seeds(100, from: 6_000_000)
        for seed in seeds {
            let history = OracleCase(seed: seed)
            let plan = try history.plan()
            var driver = ShardDriver(history, plan)
            for step in ShardDriver.steps(history, history.expected().oracle) {
                guard driver.take(step) != nil else { continue }
                var records: [StoredRecord] = []
                driver.encode(all: true, into: &records)
                _ = try driver.restart(history, plan, from: records)
                for slot in 0..<UserSlot(driver.shard.userCount) {
                    let user = driver.shard.users[slot]
                    #expect(user.isEvaluated == (user.touched == 0), "seed \(seed)")
                    if user.isEvaluated { kept += 1 }
                }
            }
        }
        #expect(kept > 1000 || !seeds.isFull, "only \(kept) users came back evaluated")
    }

    @Test("What is to be looked at of a user is so after a restart, and no more than that")
    func restartKeepsMarks() throws {
        var marked = 0
        let seeds = Seeds(100, from: 7_000_000)
        for seed in seeds {
            let history = OracleCase(seed: seed)
            let plan = try history.plan()
            var driver = ShardDriver(history, plan)
            for step in ShardDriver.steps(history, history.expected().oracle) {
                _ = driver.take(step)
                driver.tamper { $0.settle() }
                let before = driver.shard.marks()
                var records: [StoredRecord] = []
                driver.encode(all: true, into: &records)
                _ = try driver.restart(history, plan, from: records)
                let after = driver.shard.marks()
                #expect(before == after, "seed \(seed)")
                for mark in before where mark.contains(where: { $0 != 0 }) { marked += 1 }
            }
        }
        #expect(marked > 1000 || !seeds.isFull, "only \(marked) users had conditions to look at")
    }

    @Test("How many bytes the whole state takes is known without writing it")
    func liveBytes() throws {
        var history = OracleCase(seed: 1)
        history.settings = OracleSettings()
        history.definitions = ["x", "y"].map {
            OracleDefinition(id: $0, users: .performed(OraclePerformed(.named([$0]))))
        }
        var driver = ShardDriver(history, try history.plan())
        for number in 0..<20_000 {
            let type = number % 3 == 0 ? "x" : "y"
            _ = driver.take(
                .line(
                    #"{"user_id":"user-\#(number % 3_000)","insert_id":"\#(number)","event_type":"\#(type)","time":\#(number),"platform":"Web"}"#
                )
            )
        }
        _ = driver.take(.tick(20_000))
        var records: [StoredRecord] = []
        driver.encode(all: true, into: &records)
        let bytes = Double(records.reduce(0) { $0 + $1.payload.count })
        let live = Double(driver.shard.liveBytes)
        #expect(live > bytes * 0.85 && live < bytes * 1.2, "\(live) for \(bytes)")
    }

    @Test("State of another version is refused, and the error says so")
    func otherVersion() throws {
        let history = OracleCase(seed: 1)
        var driver = ShardDriver(history, try history.plan())
        var records: [StoredRecord] = []
        driver.encode(all: true, into: &records)
        records[0].payload[0] = 1
        let error = #expect(throws: StateError.self) {
            _ = try driver.restart(history, history.plan(), from: records)
        }
        #expect(error?.text.contains("another version of cohortd") == true)
    }

    @Test(
        "Other definitions after a restart, with history read again, give the members of a fresh run"
    )
    func changedDefinitions() throws {
        var rebuilt = 0
        for seed in Seeds(250, from: 3_000_000) {
            let before = OracleCase(seed: seed)
            var after = before
            var generator = SeededGenerator(seed: seed ^ 0xc4a9)
            after.definitions = before.changedDefinitions(&generator)
            let (expected, oracle) = after.expected()
            let plan = try after.plan()
            var driver = ShardDriver(before, try before.plan())
            let steps = ShardDriver.steps(after, oracle)
            let cut = generator.number(in: 0...steps.count)
            for step in steps[..<cut] { _ = driver.take(step) }
            var records: [StoredRecord] = []
            driver.encode(all: true, into: &records)
            let report = try driver.restart(after, plan, from: records)
            if !report.missingTraces.isEmpty {
                #expect(report.mustRewrite, "seed \(seed)")
                driver.rebuild(report.missingTraces, from: steps[..<cut])
                rebuilt += 1
            }
            // After a change everything is written anew, and that must be readable too.
            driver.encode(all: true, into: &records)
            let again = try driver.restart(after, plan, from: records)
            #expect(again.missingTraces.isEmpty && !again.mustRewrite, "seed \(seed)")
            var ticks: [TickRecord] = []
            for step in steps[cut...] { if let tick = driver.take(step) { ticks.append(tick) } }
            let wanted = expected.ticks.suffix(ticks.count)
            for (tick, want) in zip(ticks, wanted) where tick.members != want.members {
                Issue.record(
                    """
                    members at \(tick.instant) are \(tick.members), expected \(want.members); cut at step \(cut)
                    \(Seeds.command(seed, "StateTests/changedDefinitions"))
                    before:
                    \(before.yaml)
                    \(after.description)
                    """
                )
                return
            }
        }
        #expect(rebuilt > 0, "no case had to read history again")
    }

    @Test(
        "History read again beside what is new: cohorts that are whole go on, the others are empty and then complete"
    )
    func filledBesideTheNew() throws {
        var filled = 0
        var widened = 0
        let seeds = Seeds(250, from: 8_000_000)
        for seed in seeds {
            let before = OracleCase(seed: seed)
            var after = before
            var generator = SeededGenerator(seed: seed ^ 0xf111)
            if generator.chance(percent: 40) {
                after.definitions = before.changedDefinitions(&generator)
            }
            after.definitions += before.widenedDefinitions
            let (expected, oracle) = after.expected()
            let plan = try after.plan()
            var driver = ShardDriver(before, try before.plan())
            let steps = ShardDriver.steps(after, oracle)
            let cut = generator.number(in: 0...steps.count)
            for step in steps[..<cut] { _ = driver.take(step) }
            var records: [StoredRecord] = []
            driver.encode(all: true, into: &records)
            var missing = try driver.restart(after, plan, from: records).missingTraces
            if missing.isEmpty { continue }
            widened += missing.keptTraces.count + missing.keptRecordTraces.count
            var history = steps[..<cut]
            driver.beginRebuild(missing)
            driver.encode(all: true, into: &records)
            var ticks = expected.ticks.suffix(
                steps[cut...].count { if case .tick = $0 { true } else { false } }
            )
            func check(_ tick: TickRecord, _ want: TickRecord, seed: UInt64) -> Bool {
                for cohort in plan.cohorts.indices {
                    let isMuted = missing.cohorts.contains(cohort)
                    let members = isMuted ? [] : want.members[cohort]
                    if tick.members[cohort] == members { continue }
                    Issue.record(
                        """
                        members of \(plan.cohorts[cohort].id) at \(tick.instant) are \(tick.members[cohort]), \
                        expected \(members); cut at step \(cut)
                        \(Seeds.command(seed, "StateTests/filledBesideTheNew"))
                        before:
                        \(before.yaml)
                        \(after.description)
                        """
                    )
                    return false
                }
                return true
            }
            for step in steps[cut...] {
                if let tick = driver.take(step), let want = ticks.popFirst() {
                    guard check(tick, want, seed: seed) else { return }
                }
                if missing.isEmpty { continue }
                for _ in 0..<generator.below(8) {
                    if case .line(let text) = history.popFirst() { driver.reread(text) }
                }
                if history.isEmpty, generator.chance(percent: 30) {
                    driver.tamper { $0.finishRebuild() }
                    driver.encode(all: true, into: &records)
                    missing = MissingTraces()
                    filled += 1
                } else if generator.chance(percent: 3) {
                    // What was filled is not told from what was not: history begins anew.
                    driver.encode(all: false, into: &records)
                    missing = try driver.restart(after, plan, from: records).missingTraces
                    #expect(!missing.isEmpty, "seed \(seed)")
                    history = steps[..<cut]
                    driver.beginRebuild(missing)
                    driver.encode(all: true, into: &records)
                }
            }
        }
        #expect(filled > 50 || !seeds.isFull, "only \(filled) cases were filled")
        #expect(widened > 20 || !seeds.isFull, "only \(widened) traces had to reach further")
    }

    @Test("Cohorts that stay as they are report no delta twice after definitions changed")
    func unchangedCohortsGoOn() throws {
        for seed in Seeds(100, from: 4_000_000) {
            let before = OracleCase(seed: seed)
            var after = before
            after.definitions.append(
                OracleDefinition(id: "new-one", users: .performed(OraclePerformed(.any)))
            )
            let (expected, oracle) = after.expected()
            let plan = try after.plan()
            var driver = ShardDriver(before, try before.plan())
            let steps = ShardDriver.steps(after, oracle)
            let cut = steps.count / 2
            for step in steps[..<cut] { _ = driver.take(step) }
            var records: [StoredRecord] = []
            driver.encode(all: true, into: &records)
            let report = try driver.restart(after, plan, from: records)
            driver.rebuild(report.missingTraces, from: steps[..<cut])
            var ticks: [TickRecord] = []
            for step in steps[cut...] { if let tick = driver.take(step) { ticks.append(tick) } }
            let wanted = expected.ticks.suffix(ticks.count)
            for (tick, want) in zip(ticks, wanted) {
                let deltas = tick.deltas.filter { $0.cohort != "new-one" }
                let wantedDeltas = want.deltas.filter { $0.cohort != "new-one" }
                if deltas != wantedDeltas {
                    Issue.record(
                        """
                        deltas at \(tick.instant) are \(deltas), expected \(wantedDeltas)
                        \(Seeds.command(seed, "StateTests/unchangedCohortsGoOn"))
                        \(after.description)
                        """
                    )
                    return
                }
            }
        }
    }

    @Test("History read again leaves out what was beyond the limit of users, its insert ids too")
    func rebuildBeyondTheLimit() throws {
        var before = OracleCase(seed: 1)
        before.settings = OracleSettings()
        before.definitions = [
            OracleDefinition(id: "a", users: .performed(OraclePerformed(.named(["y"]))))
        ]
        var after = before
        after.definitions = [
            OracleDefinition(id: "a", users: .performed(OraclePerformed(.named(["x"]))))
        ]
        let lines = [("u", "first"), ("beyond", "again"), ("u", "again")].map { user, id in
            ShardDriver.Step.line(
                #"{"user_id":"\#(user)","device_id":"d","insert_id":"\#(id)","event_type":"\#(id == "again" ? "x" : "y")","time":0}"#
            )
        }
        var driver = ShardDriver(before, try before.plan(), usersMax: 1)
        for line in lines { _ = driver.take(line) }
        var records: [StoredRecord] = []
        driver.encode(all: true, into: &records)
        let report = try driver.restart(after, after.plan(), from: records)
        driver.rebuild(report.missingTraces, from: lines[...])
        let tick = driver.take(.tick(0))
        #expect(tick?.members == [[Array("u".utf8)]])
    }

    @Test("Damaged records are refused with an error, and do not trap")
    func damagedRecords() throws {
        var refused = 0
        for seed in 5_000_000..<UInt64(5_000_060) {
            let history = OracleCase(seed: seed)
            let plan = try history.plan()
            let oracle = history.expected().oracle
            var driver = ShardDriver(history, plan)
            for step in ShardDriver.steps(history, oracle) { _ = driver.take(step) }
            var records: [StoredRecord] = []
            driver.encode(all: true, into: &records)
            var generator = SeededGenerator(seed: seed)
            for _ in 0..<20 {
                var damaged = records
                let index = generator.below(damaged.count)
                guard !damaged[index].payload.isEmpty else { continue }
                damaged[index].payload.removeLast(
                    generator.number(in: 1...damaged[index].payload.count)
                )
                do {
                    _ = try driver.restart(history, plan, from: damaged)
                } catch is StateError {
                    refused += 1
                }
            }
        }
        #expect(refused > 500, "only \(refused) of 1,200 cut records were refused")
    }
}

extension Shard {
    /// Of every user the conditions that are to be looked at, all of them where nothing was found yet.
    fileprivate func marks() -> [[UInt64]] {
        (0..<UserSlot(userCount)).map { slot in
            let words = evaluator.feeds.words
            guard users[slot].isEvaluated else { return evaluator.feeds.all }
            guard users[slot].touched > 0 else { return [UInt64](repeating: 0, count: words) }
            let place = users[slot].place
            return (0..<words).map { touched.bits(place)[$0] }
        }
    }
}

extension OracleCase {
    /// The definitions with a `last`, under other ids and looking further back.
    fileprivate var widenedDefinitions: [OracleDefinition] {
        definitions.compactMap { definition in
            guard case .performed(var performed) = definition.users,
                case .last(let length, let offset) = performed.window
            else { return nil }
            performed.window = .last(length * 3, offset: offset)
            return OracleDefinition(id: definition.id + "-wider", users: .performed(performed))
        }
    }

    /// Some of the definitions as they are, some of another case in the place of the others.
    fileprivate func changedDefinitions(_ generator: inout SeededGenerator) -> [OracleDefinition] {
        let other = OracleCase(seed: seed &+ 77_777).definitions
        var changed = definitions
        for definition in other where generator.chance(percent: 60) {
            if let index = changed.firstIndex(where: { $0.id == definition.id }) {
                changed[index] = definition
            } else {
                changed.append(definition)
            }
        }
        // A reference may now lead nowhere or round; then nothing but the other case's is left.
        let ids = Set(changed.map(\.id))
        let isSound = changed.allSatisfy { $0.users.references.isSubset(of: ids) }
        let isFlat = changed.allSatisfy { $0.users.references.isEmpty }
        return isSound && isFlat ? changed : other
    }
}
