import Basics
import PartnerKit
import TestKit
import Testing

@Suite("Partners under faults")
struct ScheduleTests {
    /// How many seeds for each partner; a nightly run takes more.
    private static var seeds: Range<UInt64> {
        let environment = Environment.current
        if let only = environment["COHORTD_SEED"].flatMap(UInt64.init) { return only..<only + 1 }
        return 1..<1 + (environment["COHORTD_SEEDS"].flatMap(UInt64.init).map { $0 / 5000 } ?? 3)
    }

    @Test(
        "Whatever fails and restarts, each partner ends with the members, and its limits were kept",
        arguments: Partner.allCases
    )
    func converges(_ partner: Partner) throws {
        for seed in Self.seeds {
            let harness = try run(partner, seed: seed)
            let problems = try harness.problems()
            #expect(problems.isEmpty, "seed \(seed) of \(partner): \(problems.prefix(6))")
            #expect(harness.crashes > 0, "seed \(seed) of \(partner)")
            let requests = harness.destinations[0].mock.requests
            #expect(requests.contains { "\($0.headers) \(String(decoding: $0.body, as: UTF8.self))".contains("CANARY") })
        }
    }

    /// A schedule of changes, faults and restarts, up to the rest after it.
    private func run(_ partner: Partner, seed: UInt64) throws -> PartnerHarness {
        var generator = SeededGenerator(seed: seed &* 0x9e37 ^ UInt64(partner.rawValue.count))
        let destination = try TestedDestination(
            "d",
            partner,
            refused: [SimulatedEngine.user(20), SimulatedEngine.user(21)],
            faults: FaultSchedule(seed: generator.next(), percent: 35)
        )
        let harness = try PartnerHarness([destination], seed: generator.next())
        for step in 0..<16 {
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
