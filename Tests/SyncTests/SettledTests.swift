import Basics
import Testing

@testable import Sync

@Suite("Outcomes by user")
struct SettledTests {
    /// A sync as of a template: batches are mixed, and planned anew rather than repeated.
    private func harness() -> PlannerHarness {
        PlannerHarness([
            .test().with {
                $0.shape.isMixed = true
                $0.shape.isRepeatedUnchanged = false
            }
        ])
    }

    @Test("2xx partial: who was taken is not sent again, who was not is, and nobody is lost")
    func partial() throws {
        let harness = harness()
        harness.reset(["a", "b", "c", "d", "e"], offset: 1, tick: 1)
        let request = try harness.request()
        harness.settle(request, [.delivered, .accepted, .skipped, .notApplied, .unknown])
        #expect(harness.status().pendingUsers == 2)
        #expect(harness.status().acknowledgedUsers == 2)
        #expect(harness.status().deliveredUsers == 1)
        #expect(harness.status().acceptedUsers == 1)
        #expect(harness.status().skippedUsers == 1)
        #expect(harness.status().unknownUsers == 1)
        #expect(harness.advance().isEmpty)
        let again = try harness.request(by: 1000)
        #expect(again.text == "+d,e")
        #expect(again.messageID != request.messageID)
        harness.settle(again, [.delivered, .delivered])
        #expect(harness.advance().isEmpty)
        #expect(harness.status().pendingUsers == 0)
    }

    @Test("The opposite of an unknown outcome waits, that of one not applied does not")
    func settleRule() throws {
        let harness = harness()
        harness.reset(["a", "b"], offset: 1, tick: 1)
        _ = harness.drain()
        harness.tick(["-a", "-b"], offset: 2, tick: 2)
        harness.settle(try harness.request(), [.notApplied, .unknown])
        let since = harness.now
        harness.tick(["a", "b"], offset: 3, tick: 3)
        #expect(harness.status().pendingUsers == 1)
        while harness.now < since + 2 * PlannerHarness.timeout - 1 {
            #expect(harness.advance(by: 1).isEmpty)
        }
        #expect(try harness.request(by: 1).text == "+b")
    }

    @Test(
        "What became of each user is known after a restart and a rewrite",
        arguments: [false, true]
    )
    func durable(isRewritten: Bool) throws {
        let harness = harness()
        harness.reset(["a", "b", "c", "d"], offset: 1, tick: 1)
        harness.settle(try harness.request(), [.delivered, .skipped, .notApplied, .unknown])
        _ = harness.advance()
        if isRewritten { try harness.rewriteAndRestart() } else { try harness.restart() }
        #expect(harness.status().acknowledgedUsers == 1)
        #expect(harness.status().skippedUsers == 1)
        // Nobody is in any more; who may be there by the unknown outcome waits for it to settle.
        harness.reset([], offset: 2, tick: 2)
        let exit = try harness.request()
        #expect(exit.text == "-a")
        harness.complete(exit, .delivered)
        #expect(harness.advance(by: 2 * PlannerHarness.timeout - 1).isEmpty)
        #expect(try harness.request(by: 1).text == "-d")
    }

    @Test("A template's batch of unknown outcome is planned anew, with what changed since")
    func notRepeated() throws {
        let harness = harness()
        harness.reset(["a", "b"], offset: 1, tick: 1)
        let first = try harness.request()
        harness.complete(first, .timeout)
        harness.tick(["c"], offset: 2, tick: 2)
        let second = try harness.request(by: 1000)
        #expect(second.text == "+a,b,c")
        #expect(second.messageID != first.messageID)
        harness.complete(second, .delivered)
        // The opposite waits for the first attempt all the same.
        harness.tick(["-a"], offset: 3, tick: 3)
        #expect(harness.advance(by: 500).isEmpty)
        #expect(try harness.request(by: 1000).text == "-a")
    }

    @Test("A batch that is planned anew fits what the destination would take then")
    func fitsAllowance() throws {
        let harness = harness()
        harness.reset(["a", "b", "c"], offset: 1, tick: 1)
        let first = try harness.request()
        harness.complete(first, .refused)
        harness.allowance = { _ in 2 }
        #expect(try harness.request(by: 1000).users.count == 2)
    }

    @Test("Partial successes are one failure until all is well, not a message each")
    func oneNote() throws {
        let harness = harness()
        harness.reset((0..<50).map { "u\($0)" }, offset: 1, tick: 1)
        for _ in 0..<10 {
            let request = try harness.request(by: 300_000)
            let count = request.users.count
            harness.settle(
                request,
                [.delivered] + Array(repeating: .notApplied, count: count - 1)
            )
        }
        #expect(harness.status().reason == "some users were not taken")
        harness.complete(try harness.request(by: 300_000), .delivered)
        #expect(harness.advance().isEmpty)
        #expect(harness.notes.count == 2)
    }

    @Test("Mixed batches carry first who leaves, then who enters, each sorted")
    func mixed() throws {
        let harness = harness()
        harness.reset(["b", "a", "c"], offset: 1, tick: 1)
        #expect(harness.drain().map(\.text) == ["+a,b,c"])
        harness.tick(["z", "-c", "x", "-a"], offset: 2, tick: 2)
        let request = try harness.request()
        #expect(request.text == "-a,c+x,z")
        #expect(request.exitCount == 2)
        #expect(request.messageID.hasSuffix("::change::0"))
        // It is the same again after a crash.
        harness.syncs[0].shape.isRepeatedUnchanged = true
        try harness.restart()
        harness.reset(["b", "x", "z"], offset: 3, tick: 3)
        #expect(try harness.request() == request)
    }
}
