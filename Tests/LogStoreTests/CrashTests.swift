import Basics
import LogStore
import TestKit
import Testing

/// Opens, commits, rewrites, commits, closes; and knows what may be found afterwards.
struct Scenario {
    /// The state after each commit, by its cut.
    var states: [[UInt8]: Contents.State] = [:]
    /// Attempted commits in order.
    var attempted: [[UInt8]] = []
    /// How many of them returned.
    var returned = 0
    /// Why it ended early.
    var problem: StoreError?

    private var state = Contents.State()

    /// Runs on the disk until it is done or something throws.
    mutating func run(_ disk: SimulatedDisk, rewriteAfter: Int = 5, commits: Int = 7) {
        do throws(StoreError) {
            var found = Contents()
            var log = try SimulatedLog.open(disk, into: &found)
            var generator = SeededGenerator(seed: 99)
            for number in 0..<commits {
                for _ in 0..<3 {
                    let key = UInt8(generator.below(6))
                    if generator.chance(percent: 20) {
                        state.values[key] = nil
                        log.append(2, [key])
                    } else {
                        let value = noise(generator.below(300), &generator)
                        state.values[key] = value
                        log.append(1, [key] + value)
                    }
                }
                try commit(&log, "c\(number)")
                if number + 1 == rewriteAfter {
                    try log.beginRewrite()
                    for (key, value) in state.values.sorted(by: { $0.key < $1.key }) {
                        log.append(1, [key] + value)
                    }
                    try log.finishRewrite("c\(number)")
                }
            }
            try log.close()
        } catch {
            problem = error
        }
    }

    private mutating func commit(_ log: inout SimulatedLog, _ cut: String) throws(StoreError) {
        state.cut = Array(cut.utf8)
        attempted.append(Array(cut.utf8))
        states[Array(cut.utf8)] = state
        try log.commit(cut)
        returned = attempted.count
    }

    /// Whether what was found is the state of an attempted commit, none older than the last that returned.
    func accepts(_ found: Contents.State) -> Bool {
        guard let cut = found.cut else { return returned == 0 && found == Contents.State() }
        guard let position = attempted.firstIndex(of: cut) else { return false }
        return position + 1 >= returned && found == states[cut]
    }
}

@Suite("Crashes")
struct CrashTests {
    /// How many operations the scenario takes when nothing happens.
    static let operations: Int = {
        let disk = SimulatedDisk()
        var scenario = Scenario()
        scenario.run(disk)
        precondition(scenario.problem == nil && scenario.returned == 7)
        return disk.operations
    }()

    static func crashed(at operation: Int) -> (SimulatedDisk, Scenario) {
        let disk = SimulatedDisk(seed: UInt64(operation))
        disk.faults[operation] = .crash
        var scenario = Scenario()
        scenario.run(disk)
        return (disk, scenario)
    }

    @Test("after a kill at every operation the last returned commit is there, and the log goes on")
    func kill() throws {
        for operation in 0..<Self.operations {
            let (disk, scenario) = Self.crashed(at: operation)
            let after = disk.afterKill()
            try check(after, scenario, "kill at \(operation)")
        }
    }

    @Test(
        "after a power loss at every operation the last returned commit is there, and the log goes on"
    )
    func powerLoss() throws {
        for operation in 0..<Self.operations {
            let (disk, scenario) = Self.crashed(at: operation)
            for seed in 0..<8 as Range<UInt64> {
                let after = disk.afterPowerLoss(seed: seed)
                try check(after, scenario, "power loss at \(operation), seed \(seed)")
            }
        }
    }

    @Test(
        "a second crash at every operation of the recovery, and a power loss after it, change nothing"
    )
    func crashDuringRecovery() throws {
        var generator = SeededGenerator(seed: 4)
        for operation in stride(from: 1, to: Self.operations, by: 3) {
            let (disk, scenario) = Self.crashed(at: operation)
            let seed = generator.next()
            var second = 0
            while true {
                let recovering = disk.afterPowerLoss(seed: seed)
                recovering.faults[second] = .crash
                var found = Contents()
                do throws(StoreError) {
                    let log = try SimulatedLog.open(recovering, into: &found)
                    try log.close()
                } catch {
                    #expect(recovering.hasCrashed, "\(error)")
                }
                guard recovering.hasCrashed else { break }
                let after =
                    generator.chance(percent: 30)
                    ? recovering.afterKill() : recovering.afterPowerLoss(seed: generator.next())
                try check(after, scenario, "crash at \(operation), then at \(second), seed \(seed)")
                second += 1
            }
        }
    }

    @Test("killed, recovered, and then without power: what recovery showed stays")
    func powerLossAfterRecovery() throws {
        for operation in 0..<Self.operations {
            let (disk, _) = Self.crashed(at: operation)
            let after = disk.afterKill()
            var found = Contents()
            var log = try SimulatedLog.open(after, into: &found)
            for seed in 0..<2 as Range<UInt64> {
                let shown = try contents(of: after.afterPowerLoss(seed: seed)).state
                #expect(
                    shown == found.state,
                    "kill at \(operation), then at once power loss \(seed)"
                )
            }
            log.append(1, [200, 1])
            try log.commit("next")
            for seed in 0..<2 as Range<UInt64> {
                let shown = try contents(of: after.afterPowerLoss(seed: seed)).state
                var expected = found.state
                expected.values[200] = [1]
                expected.cut = Array("next".utf8)
                #expect(shown == expected, "kill at \(operation), then power loss \(seed)")
            }
        }
    }

    /// Recovers, compares, commits once more, recovers again.
    private func check(
        _ disk: SimulatedDisk,
        _ scenario: Scenario,
        _ what: String
    ) throws(StoreError) {
        var found = Contents()
        do throws(StoreError) {
            var log = try SimulatedLog.open(disk, into: &found)
            #expect(scenario.accepts(found.state), "\(what): \(found.cuts)")
            log.append(1, [200, 1])
            try log.commit("next")
            try log.close()
        } catch {
            Issue.record("\(what): \(error)")
            return
        }
        var expected = found.state
        expected.values[200] = [1]
        expected.cut = Array("next".utf8)
        var again = Contents()
        let log = try SimulatedLog.open(disk, into: &again)
        #expect(again.state == expected, "\(what): reopened")
        #expect(log.recovery.tail == nil, "\(what): a clean close leaves no tail")
        #expect(log.recovery.orphans == [], "\(what): files were put in order by the first start")
        try log.close()
    }
}
