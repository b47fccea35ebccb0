import Basics
import Cohorts
import TestKit
import Testing

@testable import Engine

@Suite("The engine against the oracle")
struct OracleTests {
    @Test("Random histories give the oracle's deltas and members after every tick")
    func agrees() async throws {
        let seeds = Seeds(20_000)
        var coverage = OracleCoverage()
        try await withThrowingTaskGroup(of: OracleCoverage.self) { group in
            for part in seeds.parts { group.addTask { try Self.compare(part) } }
            for try await part in group { coverage.add(part) }
        }
        print("oracle coverage: \(coverage)")
        // With fewer histories than a normal run has, floors say nothing.
        if seeds.isFull { #expect(coverage.shortfalls == []) }
    }

    private static func compare(_ seeds: [UInt64]) throws -> OracleCoverage {
        var coverage = OracleCoverage()
        for seed in seeds {
            let history = OracleCase(seed: seed)
            let tally = OracleTally()
            let (difference, oracle) = try history.difference(tally: tally)
            if let difference {
                report(difference, history, "OracleTests/agrees") {
                    (try? $0.difference().text) ?? nil
                }
                break
            }
            coverage.add(history, oracle, tally)
        }
        return coverage
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
        var constructs: Set<String> = []
        let seeds = Seeds(2000, from: 1_000_000)
        for seed in seeds {
            var limits = OracleCase.Limits()
            limits.orderFree = true
            let history = OracleCase(seed: seed, limits: limits)
            for definition in history.definitions {
                constructs.formUnion(definition.users.allConstructs)
            }
            func difference(_ history: OracleCase) throws -> String? {
                var shuffled = history
                var generator = SeededGenerator(seed: seed ^ 0x5eed)
                shuffled.lines.shuffle(using: &generator)
                return try shuffled.replay().difference(
                    from: history.replay(),
                    cohorts: history.cohortIDs
                )
            }
            if let found = try difference(history) {
                report(found, history, "OracleTests/ignoresOrder") { (try? difference($0)) ?? nil }
                return
            }
        }
        if seeds.isFull { #expect(Set(OracleClause.allConstructs).subtracting(constructs) == []) }
    }

    @Test("A failing case shrinks to a few lines that still fail")
    func shrinks() throws {
        func fails(_ history: OracleCase) -> Bool {
            guard let record = try? history.replay() else { return false }
            return record != history.expected(mistake: .offsetIgnored).record
        }
        let seeds = (1...2000).lazy.map { OracleCase(seed: UInt64($0)) }
        let failing = try #require(seeds.first { $0.lines.count > 10 && fails($0) })
        let small = OracleShrinker.shrink(failing, while: fails)
        #expect(fails(small))
        #expect(small.definitions.count == 1)
        #expect(small.lines.count <= 2, "\(small.description)")
    }
}

/// Records a failing case, made small, with the command that repeats it.
func report(
    _ difference: String,
    _ history: OracleCase,
    _ test: String,
    _ check: @escaping (OracleCase) -> String?
) {
    let small = OracleShrinker.shrink(history) { check($0) != nil }
    Issue.record(
        """
        \(difference)
        \(Seeds.command(history.seed, test))
        made small: \(check(small) ?? "it does not fail any more")
        \(small.description)
        """
    )
}

extension OracleCase {
    /// In words, how the engine differs from the oracle or from a scan of all its users; nil where it does
    /// not.
    func difference(
        tally: OracleTally = OracleTally()
    ) throws -> (text: String?, oracle: Oracle) {
        let (expected, oracle) = expected(tally: tally)
        var missed: [String] = []
        let record = try replay { shard, tick in missed += shard.flipsMissed(at: tick) }
        let difference = record.difference(from: expected, cohorts: oracle.cohorts)
        return (difference ?? (missed.isEmpty ? nil : "a full scan disagrees: \(missed)"), oracle)
    }
}

extension Shard {
    /// Users whose bits are not what looking at everyone at this tick gives, one cohort and one user after the other.
    func flipsMissed(at tick: EventTime) -> [String] {
        var missed: [String] = []
        var evaluator = evaluator
        evaluator.prepare(tick)
        let truth = WordBuffer(count: evaluator.feeds.words)
        for slot in 0..<UserSlot(users.count) {
            let record = users[slot]
            var members: [Bool?] = plan.cohorts.map { _ in nil }
            if record.knownSince <= tick {
                evaluator.beginAnew(
                    record,
                    truth: truth.start,
                    traceLists: traceLists,
                    recordLists: recordLists
                )
                _ = evaluator.evaluate(
                    record,
                    slot: slot,
                    at: tick,
                    truth: truth.start,
                    traceLists: traceLists,
                    recordLists: recordLists,
                    propertyLists: propertyLists,
                    uploads: uploads
                )
                for cohort in plan.evaluationOrder {
                    members[cohort] = Self.holds(plan.cohorts[cohort].program, truth.array, members)
                }
            }
            for cohort in plan.cohorts.indices {
                if isMember(slot, cohort: cohort) != (members[cohort] ?? false) {
                    missed.append("\(plan.cohorts[cohort].id) \(users.id(slot).string)")
                }
            }
        }
        return missed
    }

    /// What a program gives for one user.
    private static func holds(
        _ program: [CohortPlan.Instruction],
        _ truth: [UInt64],
        _ members: [Bool?]
    ) -> Bool {
        var stack: [Bool] = []
        for instruction in program {
            switch instruction {
            case .condition(let index):
                stack.append(truth[index / 64] >> UInt64(index % 64) & 1 != 0)
            case .member(let cohort): stack.append(members[cohort] ?? false)
            case .and:
                let last = stack.removeLast()
                stack[stack.count - 1] = stack[stack.count - 1] && last
            case .or:
                let last = stack.removeLast()
                stack[stack.count - 1] = stack[stack.count - 1] || last
            case .not: stack[stack.count - 1].toggle()
            }
        }
        return stack.last ?? false
    }
}
