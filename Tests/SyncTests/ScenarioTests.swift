import Basics
import Testing

@testable import Sync

/// Scenarios in which somebody else's word, or the lack of it, must make nobody leave.
///
/// Their relatives: ``RestartTests``.
@Suite("Scenarios")
struct ScenarioTests {
    private static let everybody = (0..<100).map { "u\($0)" }

    /// A destination that does what it is told, at once or later.
    private final class Destination {
        private(set) var users: Set<String> = []

        func apply(_ request: DeliveryRequest) {
            let all = request.users.texts
            users.subtract(all.prefix(request.exitCount))
            users.formUnion(all.dropFirst(request.exitCount))
        }
    }

    /// A harness whose destination holds everybody, and whose guard lets 10 users or 30 % pass.
    private func populated(partitions: Int = 1) throws -> PlannerHarness {
        let harness = PlannerHarness([
            .test().with { $0.massExits = MassExitGuard(share: 0.3, users: 10) }
        ])
        for partition in 0..<partitions {
            harness.reset(
                Self.users(of: partition, partitions),
                partition: PartitionID(partition),
                offset: 1,
                tick: 1
            )
        }
        #expect(harness.drain().reduce(0) { $0 + $1.users.count } == 100)
        _ = harness.advance()
        return harness
    }

    private static func users(of partition: Int, _ partitions: Int) -> [String] {
        everybody.enumerated().filter { $0.offset % partitions == partition }.map(\.element)
    }

    @Test(
        "zombie-batch: what the process before still has on its way cannot undo what this one sends",
        arguments: [Int64(0), 1, 500, 999]
    )
    func zombieBatch(lateness: Int64) throws {
        let harness = PlannerHarness()
        let destination = Destination()
        harness.reset(["b"], offset: 1, tick: 1)
        harness.drain().forEach(destination.apply)
        harness.tick(["-b", "a"], offset: 2, tick: 2)
        let zombies = harness.advance()
        #expect(!zombies.isEmpty)
        // That process is stopped with its requests on the wire, and the next one starts at once: nothing but their
        // timeout ends them, so until then they may still be applied.
        try harness.restart(keeping: harness.committed)
        harness.reset(["b"], offset: 3, tick: 3)
        var sent: [DeliveryRequest] = []
        var areApplied = false
        for _ in 0..<5000 {
            if !areApplied, harness.now >= lateness {
                zombies.forEach(destination.apply)
                areApplied = true
            }
            // An answer that was meant for the process before.
            for zombie in zombies { harness.complete(zombie, .delivered) }
            for request in harness.advance(by: 1) {
                sent.append(request)
                destination.apply(request)
                harness.complete(request, .delivered)
            }
        }
        #expect(destination.users == ["b"])
        #expect(sent.allSatisfy { $0.text != "-b" })
        #expect(harness.status().pendingUsers == 0)
    }

    @Test(
        "stale-ledger takeover: whoever is in is there again within the interval of re-assertion, and nobody leaves"
    )
    func staleLedger() throws {
        let hour: Int64 = 3_600_000
        let harness = PlannerHarness([.test().with { $0.reassertMilliseconds = hour }])
        let destination = Destination()
        harness.reset(Self.everybody, offset: 1, tick: 1)
        harness.drain().forEach(destination.apply)
        _ = harness.advance()
        let backup = harness.journal
        // What came after the backup: half of them left, and were told.
        harness.tick(Self.everybody[50...].map { "-" + $0 }, offset: 2, tick: 2)
        harness.drain().forEach(destination.apply)
        #expect(destination.users == Set(Self.everybody[..<50]))

        // The journal of the backup takes over; by it the destination still holds everybody, and they are in again.
        harness.journal = backup
        try harness.restart()
        harness.reset(Self.everybody, offset: 3, tick: 3)
        for _ in 0..<61 {
            for request in harness.advance(by: 60_000) {
                #expect(request.exitCount == 0)
                destination.apply(request)
                harness.complete(request, .delivered)
            }
        }
        #expect(destination.users == Set(Self.everybody))
    }

    @Test(
        "year-jump: whom a tick a year later would take out waits for approval, over restarts too"
    )
    func yearJump() throws {
        let harness = try populated()
        let year: Int64 = 366 * 24 * 60
        harness.tick(Self.everybody.map { "-" + $0 }, offset: 1, tick: year)
        #expect(harness.advance(by: 60_000).isEmpty)
        #expect(harness.status().exitsToApprove == 100)
        try harness.restart()
        harness.reset([], offset: 1, tick: year)
        #expect(harness.advance(by: 10_000_000).isEmpty)
        #expect(harness.status().exitsToApprove == 100)
        // The clock is right again: whoever is in stays, and nobody was told a thing.
        harness.tick(Self.everybody, offset: 2, tick: year + 1)
        #expect(harness.advance().isEmpty)
    }

    @Test(
        "gap-then-diff: a partition with a gap takes nobody out, and after it whoever it lost waits for approval",
        arguments: [false, true]
    )
    func gapThenDiff(isRestarted: Bool) throws {
        let harness = try populated(partitions: 2)
        // Kafka lost records of partition 1: it stands still, and the other goes on.
        harness.planner.partitionUnavailable(1, now: harness.now)
        if isRestarted {
            try harness.restart()
            harness.planner.partitionUnavailable(1, now: harness.now)
            harness.reset(Self.users(of: 0, 2), partition: 0, offset: 2, tick: 2)
        }
        for minute in Int64(3)..<200 {
            harness.tick([], partition: 0, offset: minute, tick: minute)
            #expect(harness.advance(by: 60_000).isEmpty)
        }
        harness.tick(["-u0"], partition: 0, offset: 300, tick: 300)
        #expect(harness.drain().map(\.text) == ["-u0"])
        // An operator lets it begin anew with what Kafka has, in which few of its users occur.
        harness.reset(["u1", "u3", "new"], partition: 1, offset: 5000, tick: 301)
        #expect(harness.advance(by: 60_000).isEmpty)
        #expect(harness.status().exitsToApprove == 48)
        #expect(harness.command(.approve) == .done)
        let sent = harness.drain()
        #expect(sent.reduce(0) { $0 + $1.exitCount } == 48)
        #expect(sent.contains { $0.text.hasSuffix("+new") })
    }
}
