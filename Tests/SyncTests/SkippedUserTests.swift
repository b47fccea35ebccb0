import Basics
import Testing

@testable import Sync

@Suite("Skipped users")
struct SkippedUserTests {
    private static let day = SyncMachine.skipMilliseconds

    /// A harness whose destination took `a` and does not take `b`.
    private func skipped() throws -> PlannerHarness {
        let harness = PlannerHarness()
        harness.reset(["a", "b"], offset: 1, tick: 1)
        harness.settle(try harness.request(), [.delivered, .skipped], "invalid:21")
        #expect(harness.advance().isEmpty)
        return harness
    }

    @Test("A user whom the destination does not take is not sent again, and the sync is live")
    func notResent() throws {
        let harness = try skipped()
        #expect(harness.status().state == .live)
        #expect(harness.status().skippedUsers == 1)
        #expect(harness.status().skippedTotal == 1)
        #expect(harness.status().pendingUsers == 0)
        #expect(harness.status().acknowledgedUsers == 1)
        #expect(harness.advance(by: Self.day - 1).isEmpty)
        harness.tick(["c"], offset: 2, tick: 2)
        #expect(harness.drain().map(\.text) == ["+c"])
    }

    @Test("After 24 hours the user is tried again, once a day")
    func afterADay() throws {
        let harness = try skipped()
        #expect(harness.wakeAt == harness.now + Self.day)
        for _ in 0..<3 {
            #expect(harness.advance(by: Self.day - 1).isEmpty)
            let request = try harness.request(by: 1)
            #expect(request.text == "+b")
            harness.settle(request, [.skipped])
        }
        let request = try harness.request(by: Self.day)
        harness.complete(request, .delivered)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().skippedUsers == 0)
        #expect(harness.status().acknowledgedUsers == 2)
    }

    @Test("Resume tries everybody again who was skipped, also when the process dies first")
    func onResume() throws {
        let harness = try skipped()
        #expect(harness.command(.resume) == .done)
        #expect(harness.status().skippedUsers == 0)
        let effects = harness.planner.advance(now: harness.now)
        #expect(effects.requests.map(\.text) == ["+b"])
        harness.journal += effects.records.filter { $0.type != 12 }
        try harness.restart()
        harness.reset(["a", "b"], offset: 2, tick: 2)
        #expect(harness.drain().map(\.text) == ["+b"])
    }

    @Test("The exit of a user who was not taken is not sent, and the return is tried")
    func exitOfSkipped() throws {
        let harness = try skipped()
        harness.tick(["-b"], offset: 2, tick: 2)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().skippedUsers == 0)
        #expect(harness.planner.machines[0].ledger.count == 1)
        harness.tick(["b"], offset: 3, tick: 3)
        #expect(harness.drain().map(\.text) == ["+b"])
    }

    @Test("A user who is back after a refused exit is where the destination holds it")
    func refusedExit() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        _ = harness.drain()
        harness.tick(["-a"], offset: 2, tick: 2)
        harness.settle(try harness.request(), [.skipped])
        #expect(harness.advance().isEmpty)
        #expect(harness.status().acknowledgedUsers == 1)
        harness.tick(["a"], offset: 3, tick: 3)
        #expect(harness.advance().isEmpty)
        harness.tick(["-a"], offset: 4, tick: 4)
        #expect(harness.drain().map(\.text) == ["-a"])
    }

    @Test("Whoever was skipped stays so over restarts and rewrites", arguments: [false, true])
    func durable(isRewritten: Bool) throws {
        let harness = try skipped()
        if isRewritten { try harness.rewriteAndRestart() } else { try harness.restart() }
        #expect(harness.planner.machines[0].skips.values.map(\.reason) == ["invalid:21"])
        harness.reset(["a", "b"], offset: 2, tick: 2)
        #expect(harness.drain().isEmpty)
        #expect(harness.status().skippedUsers == 1)
        #expect(harness.advance(by: Self.day - 1).isEmpty)
        #expect(try harness.request(by: 1).text == "+b")
    }

    @Test("A user whose name changes is tried under the new one")
    func newName() throws {
        let harness = PlannerHarness([.test().with { $0.naming = UserNaming(choices: [.cell(0)]) }])
        harness.reset([("1", ["bad@"])], offset: 1, tick: 1)
        harness.settle(try harness.request(), [.skipped])
        #expect(harness.advance().isEmpty)
        harness.tick("1", .updated, ["good@x"], offset: 2, tick: 2)
        #expect(harness.drain().map(\.text) == ["+good@x"])
        #expect(harness.status().skippedUsers == 0)
    }

    @Test("An earlier attempt of unknown outcome that may come late keeps the opposite waiting")
    func skippedAfterTimeout() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        harness.complete(try harness.request(), .timeout)
        let since = harness.now
        harness.settle(try harness.request(by: 1000), [.skipped])
        // The first attempt may have put the user there, the refusal says nothing of that.
        #expect(harness.advance().isEmpty)
        harness.tick(["-a"], offset: 2, tick: 2)
        while harness.now < since + 2 * PlannerHarness.timeout - 100 {
            #expect(harness.advance(by: 100).isEmpty)
        }
        #expect(harness.advance(by: 1000).map(\.text) == ["-a"])
    }
}
