import Basics
import Testing

@testable import Sync

@Suite("Lanes")
struct LaneTests {
    private func sync(
        _ id: String = "s",
        cohort: String = "c",
        isMixed: Bool = false
    ) -> SyncSettings {
        .test(id: id, cohort: cohort).with { $0.shape.isMixed = isMixed }
    }

    @Test("A live change overtakes an initial population of 100,000", arguments: [false, true])
    func overtakes(isMixed: Bool) throws {
        let harness = PlannerHarness([sync(isMixed: isMixed)])
        harness.reset((0..<100_000).map { "u\($0)" }, offset: 1, tick: 1)
        harness.complete(try harness.request(), .delivered)
        let inFlight = try harness.request()
        harness.tick(["live", "-u99999", "-u0"], offset: 2, tick: 2)
        harness.complete(inFlight, .delivered)
        var sent: [String] = []
        for _ in 0..<2 {
            let request = try harness.request()
            sent += request.users.texts
            harness.complete(request, .delivered)
        }
        #expect(sent.contains("live"))
        #expect(sent.contains("u0"))
        // Who was never sent need not leave.
        #expect(!sent.contains("u99999"))
        #expect(harness.drain().reduce(sent.count) { $0 + $1.users.count } == 98_001)
    }

    /// Sends for a while under a stream of changes that never ends; says whose the users of the batches were.
    private func share(
        isMixed: Bool,
        allowance: Int,
        exits: Bool,
        _ harness: PlannerHarness
    ) throws -> (live: Int, backfill: Int) {
        harness.allowance = { _ in allowance }
        // Those who stream were there before, so that they can leave.
        harness.reset((0..<20_000).map { "live-\($0)" }, offset: 1, tick: 1)
        harness.allowance = { _ in .max }
        _ = harness.drain()
        harness.reset(
            (0..<20_000).map { "live-\($0)" } + (0..<20_000).map { "all-\($0)" },
            offset: 1,
            tick: 2
        )
        harness.allowance = { _ in allowance }
        var live = 0
        var backfill = 0
        var next = 0
        for minute in Int64(3)..<103 {
            let changes = (next..<next + 2 * allowance).map {
                exits && $0 % 2 == 0 ? "-live-\($0)" : "new-\($0)"
            }
            next += 2 * allowance
            harness.tick(changes, offset: minute, tick: minute)
            let request = try harness.request()
            #expect(request.users.count <= allowance)
            let moved = request.users.texts.filter { !$0.hasPrefix("all") }.count
            live += moved
            backfill += request.users.count - moved
            harness.complete(request, .delivered)
        }
        return (live, backfill)
    }

    @Test(
        "Under a stream of live changes a fifth of the users is of the initial population",
        arguments: [1, 7, 100],
        [(false, false), (false, true), (true, false), (true, true)]
    )
    func guaranteedShare(allowance: Int, _ kind: (isMixed: Bool, exits: Bool)) throws {
        let harness = PlannerHarness([
            sync(isMixed: kind.isMixed).with { $0.massExits = MassExitGuard(share: 1, users: 0) }
        ])
        let (live, backfill) = try share(
            isMixed: kind.isMixed,
            allowance: allowance,
            exits: kind.exits,
            harness
        )
        let all = live + backfill
        #expect(all == 100 * allowance)
        // All but the batches that are under way towards the next fifth.
        #expect(backfill >= all / 5 - 5 * allowance, "\(backfill) of \(all)")
        #expect(backfill <= all / 5 + 5 * allowance, "\(backfill) of \(all)")
    }

    @Test("Without live changes the initial population has everything")
    func alone() throws {
        let harness = PlannerHarness()
        harness.reset((0..<5000).map { "u\($0)" }, offset: 1, tick: 1)
        #expect(harness.drain().map(\.users.count) == [1000, 1000, 1000, 1000, 1000])
    }

    @Test("Two syncs of one destination take turns")
    func turns() throws {
        let harness = PlannerHarness([sync("s"), sync("t")])
        harness.reset((0..<4000).map { "u\($0)" }, offset: 1, tick: 1)
        // Both may be on their way at once; one more call of each is one more batch.
        var order: [String] = []
        for _ in 0..<8 {
            let request = try #require(harness.advance().first)
            order.append(request.syncID)
            harness.complete(request, .delivered)
        }
        #expect(order == ["s", "t", "s", "t", "s", "t", "s", "t"])
    }

    @Test(
        "A live change of one sync overtakes the initial population of another, which keeps a fifth"
    )
    func acrossSyncs() throws {
        let harness = PlannerHarness([sync("all", cohort: "big"), sync("live")])
        harness.reset([], offset: 1, tick: 1)
        harness.reset((0..<100_000).map { "u\($0)" }, cohort: "big", offset: 1, tick: 1)
        // A destination that takes one batch at a time.
        var inFlight: DeliveryRequest?
        harness.allowance = { _ in inFlight == nil ? 1000 : 0 }
        var sent: [String: Int] = [:]
        for minute in Int64(2)..<102 {
            harness.tick(
                (0..<10).map { "m\(minute)-\($0)" },
                offset: minute,
                tick: minute
            )
            let request = try harness.request()
            inFlight = request
            #expect(harness.advance().isEmpty)
            sent[request.syncID, default: 0] += 1
            inFlight = nil
            harness.complete(request, .delivered)
        }
        #expect(sent == ["live": 80, "all": 20])
    }

    @Test("A destination that takes nobody now is sent nothing, and no batch is planned")
    func noAllowance() throws {
        let harness = PlannerHarness()
        harness.allowance = { _ in 0 }
        harness.reset(["a"], offset: 1, tick: 1)
        #expect(harness.advance().isEmpty)
        harness.tick(["-a", "b"], offset: 2, tick: 2)
        #expect(!harness.journal.contains { $0.type == 12 })
        harness.allowance = { _ in 1 }
        #expect(harness.drain().map(\.text) == ["+b"])
    }
}
