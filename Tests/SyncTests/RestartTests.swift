import Basics
import Testing

@testable import Sync

/// The scenarios by which this protocol was chosen, and their relatives.
@Suite("Restart")
struct RestartTests {
    /// A harness whose destination has `a`, with its exit sent and unanswered.
    private func exitSent() throws -> (PlannerHarness, DeliveryRequest) {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        _ = harness.drain()
        harness.tick(["-a"], offset: 2, tick: 2)
        let request = try harness.request()
        return (harness, request)
    }

    @Test("lost-response-then-reenter: the enter is sent again after the exit settled")
    func lostResponseThenReenter() throws {
        let (harness, _) = try exitSent()
        try harness.restart()
        harness.reset(["a"], offset: 3, tick: 3)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().pendingUsers == 1)
        #expect(harness.advance(by: 1999).isEmpty)
        #expect(try harness.request(by: 1).text == "+a")
    }

    @Test("replay-behind-ledger: a snapshot that is behind plans nothing until it has caught up")
    func replayBehindLedger() throws {
        let harness = PlannerHarness()
        harness.reset([], offset: 80, tick: 1)
        harness.tick(["a"], offset: 100, tick: 2)
        #expect(harness.drain().map(\.text) == ["+a"])
        try harness.restart()
        harness.reset([], offset: 80, tick: 1)
        #expect(harness.advance(by: 10_000_000).isEmpty)
        // The offset alone is not enough, and neither is the tick alone.
        harness.tick(["b"], offset: 90, tick: 2)
        #expect(harness.advance().isEmpty)
        harness.tick(["a"], offset: 100, tick: 3)
        #expect(harness.drain().map(\.text) == ["+b"])
    }

    @Test("Another partition's later tick holds the gate, but its offset does not")
    func gatePerPartition() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], partition: 0, offset: 1000, tick: 9)
        harness.reset(["b"], partition: 1, offset: 5, tick: 9)
        _ = harness.drain()
        try harness.restart()
        harness.reset(["b", "c"], partition: 1, offset: 5, tick: 8)
        #expect(harness.advance().isEmpty)
        harness.tick([], partition: 1, offset: 5, tick: 9)
        #expect(harness.drain().map(\.text) == ["+c"])
    }

    @Test("A partition whose commands are behind the last intent waits for them as for its events")
    func gateOfCommands() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 5, commands: 7, tick: 9)
        _ = harness.drain()
        try harness.restart()
        harness.reset([], offset: 6, commands: 6, tick: 9)
        #expect(harness.advance().isEmpty)
        harness.tick(["a"], offset: 6, commands: 7, tick: 10)
        #expect(harness.advance().isEmpty)
        harness.tick(["-a"], offset: 6, commands: 8, tick: 11)
        #expect(harness.drain().map(\.text) == ["-a"])
    }

    @Test("late-add-after-remove: a timed-out enter that is applied late cannot undo the exit")
    func lateAddAfterRemove() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        let enter = try harness.request()
        harness.complete(enter, .timeout)
        harness.tick(["-a"], offset: 2, tick: 2)
        // The destination may still apply the enter for one timeout; the exit comes after two.
        #expect(harness.advance(by: PlannerHarness.timeout * 2 - 1).isEmpty)
        #expect(try harness.request(by: 1).text == "-a")
    }

    @Test("crash between INTENT fsync and first byte: the same batch is sent")
    func crashBeforeFirstByte() throws {
        let harness = PlannerHarness()
        harness.reset(["b", "a"], offset: 1, tick: 1)
        let request = try harness.request()
        try harness.restart(keeping: harness.committed)
        // Ticks and names moved on; the batch stays what it was.
        harness.syncs[0].cohortName = "Renamed"
        harness.reset(["a", "b"], offset: 5, tick: 7)
        let again = try harness.request()
        #expect(again == request)
        #expect(WebhookBody.render(again) == WebhookBody.render(request))
    }

    @Test("crash between last byte and RESULT: the same batch is sent again")
    func crashBeforeResult() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        let request = try harness.request()
        harness.complete(request, .delivered)
        // The result was never written.
        try harness.restart(keeping: harness.committed)
        harness.reset(["a"], offset: 1, tick: 1)
        #expect(try harness.request() == request)
        // Had it been written, nothing would be sent.
        harness.complete(request, .delivered)
        _ = harness.advance()
        try harness.restart()
        harness.reset(["a"], offset: 1, tick: 1)
        #expect(harness.advance().isEmpty)
    }

    @Test("An intent that was not committed never was")
    func uncommittedIntent() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        let request = try harness.request()
        try harness.restart(keeping: 0)
        harness.reset([], offset: 1, tick: 1)
        #expect(harness.advance().isEmpty)
        harness.tick(["a"], offset: 2, tick: 2)
        #expect(try harness.request().messageID != request.messageID)
    }

    @Test("lag-then-expire: a partition that lags behind its ticks makes nobody exit")
    func lagThenExpire() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], partition: 0, offset: 1, tick: 1)
        harness.reset(["b"], partition: 1, offset: 1, tick: 1)
        _ = harness.drain()
        // Partition 0 has no tick for three hours, then one with everything applied.
        for minute in Int64(2)..<180 {
            harness.tick([], partition: 1, offset: minute, tick: minute)
            #expect(harness.advance(by: 60_000).isEmpty)
        }
        harness.tick([], partition: 0, offset: 500, tick: 180)
        #expect(harness.advance().isEmpty)
        harness.tick(["-a"], partition: 0, offset: 501, tick: 181)
        #expect(harness.drain().map(\.text) == ["-a"])
    }

    @Test("After a start nobody exits before the membership of the own partition came")
    func noExitBeforeReset() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], partition: 0, offset: 1, tick: 1)
        harness.reset(["b"], partition: 1, offset: 1, tick: 1)
        _ = harness.drain()
        try harness.restart()
        harness.reset([], partition: 0, offset: 2, tick: 2)
        #expect(harness.drain().map(\.text) == ["-a"])
        #expect(harness.status().pendingUsers == 0)
        harness.reset([], partition: 1, offset: 2, tick: 2)
        #expect(harness.drain().map(\.text) == ["-b"])
    }

    @Test("A split user whose other partition is halted at the next start does not exit")
    func splitUserAndHalt() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], partition: 0, offset: 1, tick: 1)
        harness.reset(["a"], partition: 1, offset: 1, tick: 1)
        _ = harness.drain()
        _ = harness.advance()
        try harness.restart()
        harness.planner.partitionUnavailable(1, now: harness.now)
        harness.reset([], partition: 0, offset: 2, tick: 2)
        #expect(harness.drain().isEmpty)
    }

    @Test("A batch of unknown outcome waits for partitions that still come up, others go on")
    func heldBatch() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], partition: 0, offset: 1, tick: 1)
        harness.reset(["b"], partition: 1, offset: 1, tick: 1)
        let open = try harness.request()
        try harness.restart()
        harness.reset(["a", "c"], partition: 0, offset: 2, tick: 2)
        #expect(harness.drain().map(\.text) == ["+c"])
        harness.reset(["b"], partition: 1, offset: 2, tick: 2)
        #expect(harness.drain() == [open])
    }

    @Test("An intent withdrawn before a crash is not sent again after it")
    func withdrawnStaysWithdrawn() throws {
        let harness = PlannerHarness()
        harness.reset(["a", "b"], offset: 1, tick: 1)
        let first = try harness.request()
        harness.complete(first, .timeout)
        harness.tick(["-a"], offset: 2, tick: 2)
        let second = try harness.request(by: 1000)
        #expect(second.text == "+b")
        try harness.restart(keeping: harness.committed)
        harness.reset(["a", "b"], offset: 3, tick: 3)
        let sent = harness.drain()
        #expect(sent.map(\.text) == ["+b", "+a"])
        #expect(sent[0].messageID == second.messageID)
        #expect(sent[1].messageID != first.messageID)
    }

    @Test("A sync that is removed is forgotten, and begins anew when it comes back")
    func removedSync() throws {
        let harness = PlannerHarness([.test(id: "s"), .test(id: "t")])
        harness.reset(["a"], offset: 1, tick: 1)
        _ = harness.drain()
        harness.syncs = [.test(id: "t")]
        try harness.restart()
        harness.reset(["a"], offset: 2, tick: 2)
        #expect(harness.drain().isEmpty)
        #expect(harness.notes == [.forgotten(sync: "s", users: 1)])
        #expect(harness.planner.rewriteRecords().count == 5)
        harness.syncs = [.test(id: "s"), .test(id: "t")]
        try harness.restart()
        harness.reset(["a"], offset: 3, tick: 3)
        let sent = harness.drain()
        #expect(sent.map(\.syncID) == ["s"])
        #expect(harness.notes.count == 1)
    }

    @Test("A sync that goes to another destination begins anew")
    func otherDestination() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        _ = harness.drain()
        harness.syncs = [.test(destination: "e")]
        try harness.restart()
        harness.reset(["a"], offset: 2, tick: 2)
        #expect(harness.drain().map(\.destinationID) == ["e"])
        #expect(harness.notes == [.destinationChanged(sync: "s", from: "d", to: "e")])
    }

    @Test("A sync that gets another cohort sends the difference to what was acknowledged")
    func otherCohort() throws {
        let harness = PlannerHarness()
        harness.reset(["a", "b"], offset: 1, tick: 1)
        _ = harness.drain()
        harness.tick(["x"], offset: 2, tick: 2)
        let open = try harness.request()
        harness.syncs = [.test(cohort: "other", name: "Other")]
        try harness.restart()
        harness.reset(["b", "c", "x"], cohort: "other", offset: 2, tick: 2)
        let sent = harness.drain()
        #expect(Set(sent.map(\.text)) == ["-a", "+c,x"])
        #expect(sent.allSatisfy { $0.cohortID == "other" && $0.messageID != open.messageID })
    }
}
