import Basics
import Foundation
import Testing

@testable import Sync

@Suite("Simulation")
struct SimulationTests {
    /// `COHORTD_SEEDS` is how many a property is tried with where 20,000 are a normal run.
    private static let blockSize =
        ProcessInfo.processInfo.environment["COHORTD_SEEDS"].flatMap(Int.init)
        .map { max(1, $0 / 1000) } ?? 20

    @Test(
        "Whatever fails and crashes, every destination ends with the desired set and no promise is broken",
        arguments: 0..<16
    )
    func converges(block: Int) {
        for seed in block * Self.blockSize..<(block + 1) * Self.blockSize {
            let simulation = Simulation(seed: UInt64(seed))
            simulation.run()
            #expect(
                simulation.checker.problems.isEmpty,
                "seed \(seed): \(simulation.checker.problems.prefix(5))"
            )
        }
    }

    @Test(
        "Whatever fails, deleted syncs end with nobody at their destination, and those put back with all",
        arguments: 0..<4
    )
    func deletes(block: Int) {
        var deleted = 0
        for seed in 5000 + block * Self.blockSize..<5000 + (block + 1) * Self.blockSize {
            let simulation = Simulation(seed: UInt64(seed), deletes: true)
            simulation.run()
            deleted += simulation.deleted.count
            #expect(
                simulation.checker.problems.isEmpty,
                "seed \(seed): \(simulation.checker.problems.prefix(5))"
            )
        }
        #expect(deleted > 0)
    }

    @Test("The simulation exercises what it is for")
    func exercises() {
        var crashes = 0
        var deliveries = 0
        var unknown: UInt64 = 0
        var runs = 0
        var skipped: UInt64 = 0
        for seed in 1000..<1020 {
            let simulation = Simulation(seed: UInt64(seed))
            simulation.run()
            crashes += simulation.crashes
            deliveries += simulation.checker.deliveries
            for status in simulation.planner.status(now: simulation.now) {
                unknown += status.unknownUsers
                skipped += status.skippedTotal
            }
            runs += simulation.checker.runsEnded
        }
        #expect(crashes > 40)
        #expect(deliveries > 400)
        #expect(unknown > 0)
        #expect(skipped > 0)
        #expect(runs > 10)
    }

    @Test(
        "A receiver that applies later than promised, but not by minutes, ends with the desired set"
    )
    func lateIsHealed() {
        for seed in 2000..<2060 {
            let simulation = Simulation(seed: UInt64(seed))
            simulation.receiver.timeoutsLateMax = 4
            simulation.run()
            #expect(
                simulation.checker.problems.isEmpty,
                "seed \(seed): \(simulation.checker.problems.prefix(5))"
            )
        }
    }

    @Test("A receiver that applies minutes later than promised is noticed")
    func canaryLate() {
        let isNoticed = (2000..<2060).contains { seed in
            let simulation = Simulation(seed: UInt64(seed))
            simulation.receiver.timeoutsLateMax = 400
            simulation.run()
            return !simulation.checker.problems.isEmpty
        }
        #expect(isNoticed)
    }

    @Test("A planted bug is noticed", arguments: Simulation.Sabotage.allCases)
    func canary(sabotage: Simulation.Sabotage) {
        let isNoticed = (3000..<3060).contains { seed in
            let simulation = Simulation(seed: UInt64(seed), sabotage: sabotage)
            simulation.run()
            return !simulation.checker.problems.isEmpty
        }
        #expect(isNoticed)
    }
}
