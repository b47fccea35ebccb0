import Basics
import PartnerKit
import Synchronization
import TestKit
import Testing
import Threads

@Suite("Partners under faults")
struct ScheduleTests {
    @Test(
        "Whatever fails and restarts, each partner ends with the members, and its limits were kept",
        arguments: Partner.allCases
    )
    func converges(_ partner: Partner) throws {
        let seeds = Seeds(3)
        var faults = 0
        // Most of a run is waiting: three at once.
        let all = Array(seeds)
        for start in stride(from: 0, to: all.count, by: 3) {
            let results = Mutex<[Result]>([])
            let threads = all[start...].prefix(3).map { seed in
                SystemThread {
                    let result = result(partner, seed: seed)
                    results.withLock { $0.append(result) }
                }
            }
            for thread in threads { thread.join() }
            for result in results.withLock({ $0 }) {
                #expect(result.problems.isEmpty, "\(command(result.seed)): \(result.problems)")
                faults += result.faults
            }
        }
        #expect(faults > 15 || !seeds.isFull, "\(faults) faults")
    }

    /// What came of one seed.
    private struct Result: Sendable {
        var seed: UInt64
        var problems: [String]
        var faults = 0
    }

    private func result(_ partner: Partner, seed: UInt64) -> Result {
        do {
            let harness = try run(partner, seed: seed)
            var problems = Array(try harness.problems().prefix(6))
            if harness.crashes == 0 { problems.append("nothing crashed") }
            let mock = harness.destinations[0].mock
            let hasCanaries = mock.requests.contains {
                "\($0.headers) \(String(decoding: $0.body, as: UTF8.self))".contains("CANARY")
            }
            if !hasCanaries { problems.append("no canary was sent") }
            let faults = mock.faultCounts.values.reduce(0, +)
            return Result(seed: seed, problems: problems, faults: faults)
        } catch {
            return Result(seed: seed, problems: ["\(error)"])
        }
    }

    @Test("A partner that is asked for more than it allows, or for something else, notices")
    func canary() throws {
        let strict = [PartnerLimit(.users, 10, per: 1_000_000)]
        let destination = try TestedDestination("d", .talonOne, cohorts: [0], partnerLimits: strict)
        let user = SimulatedEngine.user(1)
        destination.mock.expect([.init(list: "c0", user: user, isEntering: true)])
        let harness = try PartnerHarness([destination])
        try harness.tick((0..<20).map { ($0, 0, true) })
        try harness.rest()
        let problems = destination.mock.problems
        #expect(problems.contains { $0.contains("of which 10 are allowed") })
        #expect(problems.contains { $0.contains("contradicts the newest level") })
    }

    /// The one command that repeats a failure.
    private func command(_ seed: UInt64) -> String {
        "COHORTD_SEED=\(seed) swift test --filter PartnerTests.ScheduleTests"
    }

    /// A schedule of changes, faults and restarts, up to the rest after it.
    private func run(_ partner: Partner, seed: UInt64) throws -> PartnerHarness {
        var generator = SeededGenerator(seed: seed &* 0x9e37 ^ UInt64(partner.rawValue.count))
        let times = HarnessTimes(speed: 40, timeoutMilliseconds: 300)
        let destination = try TestedDestination(
            "d",
            partner,
            refused: [SimulatedEngine.user(20), SimulatedEngine.user(21)],
            faults: FaultSchedule(seed: generator.next(), percent: 35),
            times: times
        )
        let harness = try PartnerHarness([destination], times: times, seed: generator.next())
        for step in 0..<24 {
            var changes: [(user: Int, cohort: Int, isIn: Bool?)] = []
            for _ in 0..<generator.number(in: 1...8) {
                let user = generator.below(24)
                let isIn = generator.chance(percent: 60)
                let isUpdate = user >= 3 && generator.chance(percent: 10)
                changes.append((user, generator.below(2), isUpdate ? nil : isIn))
            }
            try harness.tick(changes, ticks: 3)
            try harness.run(milliseconds: Int64(generator.number(in: 0...120)))
            if generator.chance(percent: 15) || step == 8 {
                try harness.crash(ticksBack: generator.below(3))
            }
        }
        destination.mock.mend()
        try harness.catchUp()
        try harness.rest()
        return harness
    }
}
