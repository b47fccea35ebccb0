import Basics
import Testing

@testable import Sync

@Suite("Guard of mass exits")
struct GuardTests {
    private static let everybody = (0..<100).map { "u\($0)" }

    /// A harness whose destination holds everybody and whose guard lets 10 users or 30 % pass.
    private func populated(
        partitions: Int = 1,
        share: Double = 0.3,
        cadence: SyncCadence = .realtime
    ) throws -> PlannerHarness {
        let harness = PlannerHarness([
            .test().with {
                $0.massExits = MassExitGuard(share: share, users: 10)
                $0.cadence = cadence
            }
        ])
        for partition in 0..<partitions {
            harness.reset(
                Self.users(of: partition, partitions),
                partition: PartitionID(partition),
                offset: 1,
                tick: 1
            )
        }
        if cadence.hasRuns { #expect(harness.command(.run) == .done) }
        #expect(harness.drain().reduce(0) { $0 + $1.users.count } == 100)
        _ = harness.advance()
        return harness
    }

    private static func users(of partition: Int, _ partitions: Int) -> [String] {
        everybody.enumerated().filter { $0.offset % partitions == partition }.map(\.element)
    }

    private func leaving(_ users: some Sequence<String>) -> [String] { users.map { "-" + $0 } }

    @Test("A third of the users who leave at once wait for approval, and the approval lets them go")
    func held() throws {
        let harness = try populated()
        harness.tick(leaving(Self.everybody.prefix(31)), offset: 2, tick: 2)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().state == .paused)
        #expect(harness.status().exitsToApprove == 31)
        #expect(harness.status().reason?.contains("cohortctl syncs approve s") == true)
        #expect(harness.notes.count == 1)
        #expect(harness.command(.approve) == .done)
        #expect(harness.drain().map(\.users.count) == [31])
        #expect(harness.status().exitsToApprove == nil)
        // The approval is used up.
        harness.tick(leaving(Self.everybody.suffix(40)), offset: 3, tick: 3)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().exitsToApprove == 40)
    }

    @Test("Fewer than the share, or fewer than the number, leave without a word")
    func fewEnough() throws {
        let harness = try populated()
        harness.tick(leaving(Self.everybody.prefix(30)), offset: 2, tick: 2)
        #expect(harness.drain().map(\.users.count) == [30])
        harness.tick(leaving(Self.everybody[30..<50]), offset: 3, tick: 3)
        #expect(harness.drain().map(\.users.count) == [20])
        harness.tick(leaving(Self.everybody[50..<90]), offset: 4, tick: 4)
        #expect(harness.advance().isEmpty)
        #expect(harness.command(.approve) == .done)
        #expect(harness.drain().map(\.users.count) == [40])
        // All ten of those left: a large share of few.
        harness.tick(leaving(Self.everybody[90...]), offset: 5, tick: 5)
        #expect(harness.drain().map(\.users.count) == [10])
    }

    @Test("The exits of all partitions in one tick count together")
    func overPartitions() throws {
        let harness = try populated(partitions: 4)
        for partition in 0..<4 {
            harness.tick(
                leaving(Self.users(of: partition, 4).prefix(8)),
                partition: PartitionID(partition),
                offset: 2,
                tick: 2
            )
        }
        #expect(harness.advance().isEmpty)
        #expect(harness.status().exitsToApprove == 32)
    }

    @Test("Exits of different ticks count apart")
    func overTicks() throws {
        let harness = try populated()
        for tick in Int64(2)..<5 {
            let start = Int(tick - 2) * 20
            harness.tick(leaving(Self.everybody[start..<start + 20]), offset: tick, tick: tick)
            #expect(harness.drain().map(\.users.count) == (tick < 4 ? [20] : []))
        }
        // The last twenty are a third of those who were left.
        #expect(harness.status().exitsToApprove == 20)
    }

    @Test("Members of a calendar window may all leave at its bound")
    func calendar() throws {
        let harness = try populated()
        harness.tick(leaving(Self.everybody), offset: 2, tick: 2, isCalendarBound: true)
        #expect(harness.drain().map(\.users.count) == [100])
    }

    @Test("Whoever is missing in a membership after a start leaves as others do")
    func byReset() throws {
        let harness = try populated()
        try harness.restart()
        harness.reset(Array(Self.everybody.dropFirst(31)), offset: 2, tick: 2)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().exitsToApprove == 31)
    }

    @Test("A share of 1 turns the guard off")
    func off() throws {
        let harness = try populated(share: 1)
        harness.tick(leaving(Self.everybody), offset: 2, tick: 2)
        #expect(harness.drain().map(\.users.count) == [100])
    }

    @Test("The hold and the approval outlive restarts and rewrites", arguments: [false, true])
    func durable(isRewritten: Bool) throws {
        func again(_ harness: PlannerHarness) throws {
            if isRewritten { try harness.rewriteAndRestart() } else { try harness.restart() }
        }
        let harness = try populated()
        harness.tick(leaving(Self.everybody.prefix(50)), offset: 2, tick: 2)
        _ = harness.advance()
        try again(harness)
        #expect(harness.status().exitsToApprove == 50)
        harness.reset(Array(Self.everybody.dropFirst(50)), offset: 3, tick: 3)
        #expect(harness.advance().isEmpty)
        #expect(harness.command(.approve) == .done)
        let effects = harness.planner.advance(now: harness.now)
        #expect(effects.mustCommit)
        // The process dies before the request is sent, and the intent with it.
        harness.journal += effects.records.filter { $0.type != 12 }
        try again(harness)
        #expect(harness.status().exitsToApprove == nil)
        #expect(harness.advance().isEmpty)
        harness.reset(Array(Self.everybody.dropFirst(50)), offset: 4, tick: 4)
        #expect(harness.drain().map(\.users.count) == [50])
        _ = harness.advance()
        try again(harness)
        harness.reset([], offset: 5, tick: 5)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().exitsToApprove == 50)
    }

    @Test("An answer that comes in the meantime does not lift the hold")
    func refusedMeanwhile() throws {
        let harness = try populated()
        harness.tick(["new"], offset: 2, tick: 2)
        let request = try harness.request()
        harness.tick(leaving(Self.everybody.prefix(60)), offset: 3, tick: 3)
        _ = harness.advance()
        harness.complete(request, .authenticationRefused(detail: "401"))
        harness.planner.credentialsChanged(destination: "d")
        #expect(harness.advance().isEmpty)
        #expect(harness.status().exitsToApprove == 60)
        #expect(harness.command(.approve) == .done)
        #expect(harness.drain().map(\.users.count) == [1, 60])
    }

    @Test("Of a sync with runs the exits between two runs count, and who came back does not")
    func betweenRuns() throws {
        let harness = try populated(cadence: .onDemand)
        for tick in Int64(2)..<6 {
            let start = Int(tick - 2) * 10
            harness.tick(leaving(Self.everybody[start..<start + 10]), offset: tick, tick: tick)
            #expect(harness.advance().isEmpty)
        }
        harness.tick(Array(Self.everybody[10..<40]), offset: 6, tick: 6)
        #expect(harness.command(.run) == .done)
        #expect(harness.drain().map(\.users.count) == [10])
        #expect(harness.status().state == .done)
        for tick in Int64(7)..<11 {
            let start = Int(tick - 6) * 10
            harness.tick(leaving(Self.everybody[start..<start + 10]), offset: tick, tick: tick)
        }
        #expect(harness.command(.run) == .done)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().exitsToApprove == 40)
        #expect(harness.command(.approve) == .done)
        #expect(harness.drain().map(\.users.count) == [40])
        #expect(harness.advance().isEmpty)
        #expect(harness.status().lastRun?.delivered == 40)
        // The approval was of that run.
        harness.tick(leaving(Self.everybody[50..<90]), offset: 11, tick: 11)
        #expect(harness.command(.run) == .done)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().exitsToApprove == 40)
    }

    @Test("Exits that come while a run is under way count for the next one")
    func duringRun() throws {
        let harness = try populated(cadence: .onDemand)
        harness.tick(["new"], offset: 2, tick: 2)
        #expect(harness.command(.run) == .done)
        let request = try harness.request()
        harness.tick(leaving(Self.everybody.prefix(50)), offset: 3, tick: 3)
        harness.complete(request, .delivered)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().lastRun?.users == 1)
        #expect(harness.command(.run) == .done)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().exitsToApprove == 50)
    }
}
