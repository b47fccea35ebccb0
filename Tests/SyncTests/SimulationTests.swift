import Basics
import Testing

@testable import Sync

@Suite("Simulation")
struct SimulationTests {
    @Test(
        "Whatever fails and crashes, every destination ends with the desired set and no promise is broken",
        arguments: 0..<16
    )
    func converges(block: Int) {
        for seed in block * 20..<block * 20 + 20 {
            let simulation = Simulation(seed: UInt64(seed))
            simulation.run()
            #expect(
                simulation.checker.problems.isEmpty,
                "seed \(seed): \(simulation.checker.problems.prefix(5))"
            )
        }
    }

    @Test("The simulation exercises what it is for")
    func exercises() {
        var crashes = 0
        var deliveries = 0
        var unknown: UInt64 = 0
        for seed in 1000..<1020 {
            let simulation = Simulation(seed: UInt64(seed))
            simulation.run()
            crashes += simulation.crashes
            deliveries += simulation.checker.deliveries
            unknown += simulation.planner.status(now: simulation.now).reduce(0) {
                $0 + $1.unknownUsers
            }
        }
        #expect(crashes > 40)
        #expect(deliveries > 500)
        #expect(unknown > 0)
    }

    @Test("A receiver that applies later than promised, but not by minutes, ends with the desired set")
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

    @Test("A journal that loses committed records is noticed")
    func canaryJournal() {
        let isNoticed = (3000..<3060).contains { seed in
            let simulation = Simulation(seed: UInt64(seed))
            simulation.losesCommits = true
            simulation.run()
            return !simulation.checker.problems.isEmpty
        }
        #expect(isNoticed)
    }
}
