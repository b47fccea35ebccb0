import Basics
import Testing

@testable import Sync

@Suite("Lists that are lost")
struct ListTests {
    /// A harness whose destination has a list with `a` and `b` on it.
    private func listed() throws -> PlannerHarness {
        let harness = PlannerHarness([.test().with { $0.shape.hasList = true }])
        harness.planner.listMade(sync: "s", id: "L1")
        harness.reset(["a", "b"], offset: 1, tick: 1)
        #expect(harness.drain().map(\.text) == ["+a,b"])
        _ = harness.advance()
        return harness
    }

    private func again(_ harness: PlannerHarness, isRewritten: Bool) throws {
        _ = harness.advance()
        if isRewritten { try harness.rewriteAndRestart() } else { try harness.restart() }
    }

    @Test("A list's id is kept over restarts and rewrites", arguments: [false, true])
    func identifier(isRewritten: Bool) throws {
        let harness = try listed()
        try again(harness, isRewritten: isRewritten)
        #expect(harness.planner.listID(sync: "s") == "L1")
        #expect(harness.planner.listID(sync: "x") == nil)
    }

    @Test("The id of a new list is durable before anything else is")
    func urgent() {
        let harness = PlannerHarness([.test().with { $0.shape.hasList = true }])
        harness.planner.listMade(sync: "s", id: "L1")
        #expect(harness.planner.advance(now: 0).mustCommit)
    }

    @Test("A lost list is made again once with everybody on it, the second time a person must look")
    func onceOnly() throws {
        let harness = try listed()
        harness.tick(["c", "-b"], offset: 2, tick: 2)
        harness.complete(try harness.request(), .gone(detail: "404: no such list"))
        #expect(harness.planner.listID(sync: "s") == nil)
        #expect(harness.status().acknowledgedUsers == 0)
        let request = try harness.request()
        // Who left is on no list any more.
        #expect(request.text == "+a,c")
        #expect(harness.status().state == .initial)
        harness.complete(request, .gone(detail: "404 again"))
        #expect(harness.advance(by: 1_000_000).isEmpty)
        #expect(harness.status().state == .failed)
        #expect(
            harness.notes == [
                .relisted(sync: "s", reason: "404: no such list"),
                .held(sync: "s", reason: "404 again"),
            ]
        )
        #expect(harness.command(.resume) == .done)
        #expect(harness.drain().map(\.text) == ["+a,c"])
    }

    @Test(
        "That a list was made again is known after a crash, and forgotten when all are on it",
        arguments: [false, true]
    )
    func counterIsDurable(isRewritten: Bool) throws {
        let harness = try listed()
        harness.tick(["c"], offset: 2, tick: 2)
        harness.complete(try harness.request(), .gone(detail: "404"))
        try again(harness, isRewritten: isRewritten)
        #expect(harness.status().acknowledgedUsers == 0)
        harness.reset(["a", "b", "c"], offset: 3, tick: 3)
        let request = try harness.request()
        #expect(Set(request.users.texts) == ["a", "b", "c"])
        harness.complete(request, .gone(detail: "404"))
        #expect(harness.advance().isEmpty)
        #expect(harness.status().state == .failed)
        #expect(harness.command(.resume) == .done)
        #expect(harness.drain().count == 1)
        try again(harness, isRewritten: isRewritten)
        harness.reset(["a", "b", "c", "d"], offset: 4, tick: 4)
        harness.complete(try harness.request(), .gone(detail: "404"))
        #expect(harness.drain().map(\.text) == ["+a,b,c,d"])
    }

    @Test("Outcomes that nobody knew are of the lost list, so nothing waits to settle")
    func doubtsAreGone() throws {
        let harness = try listed()
        harness.tick(["-a"], offset: 2, tick: 2)
        let exit = try harness.request()
        harness.complete(exit, .timeout)
        harness.complete(try harness.request(by: 1000), .gone(detail: "404"))
        harness.tick(["a"], offset: 3, tick: 3)
        #expect(harness.drain().map(\.text) == ["+a,b"])
    }

    @Test("Without a list, gone is the destination's last word")
    func noList() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        harness.complete(try harness.request(), .gone(detail: "410"))
        #expect(harness.advance(by: 1_000_000).isEmpty)
        #expect(harness.status().state == .failed)
    }

    @Test("An exit that a lost list refused is forgotten with it")
    func skippedExit() throws {
        let harness = try listed()
        harness.tick(["-a"], offset: 2, tick: 2)
        harness.settle(try harness.request(), [.skipped])
        harness.tick(["c"], offset: 3, tick: 3)
        harness.complete(try harness.request(), .gone(detail: "404"))
        #expect(harness.drain().map(\.text) == ["+b,c"])
        _ = harness.advance()
        #expect(harness.status().skippedUsers == 0)
        #expect(harness.planner.machines[0].ledger.count == 2)
    }
}
