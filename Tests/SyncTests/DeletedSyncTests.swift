import Testing

@testable import Sync

@Suite("A sync that is not configured any more")
struct DeletedSyncTests {
    /// A sync that has told its destination of ada and bob in one partition and of cyd in another; then its file is gone.
    private func deleted(_ change: (inout SyncSettings) -> Void = { _ in }) throws -> PlannerHarness
    {
        let harness = PlannerHarness([SyncSettings.test().with(change)])
        harness.leavingDestinations = ["d"]
        harness.reset(["ada", "bob"], offset: 1, tick: 1)
        harness.reset(["cyd"], partition: 1, offset: 1, tick: 1)
        #expect(harness.drain().map(\.text) == ["+ada,bob,cyd"])
        harness.syncs = []
        return harness
    }

    /// Tells that partitions are known; no cohort is sent any more.
    private func know(_ partitions: Int32..., by harness: PlannerHarness, minute: Int64 = 2) {
        for partition in partitions {
            harness.planner.partitionKnown(
                partition,
                cut: .at(minute, minute),
                now: harness.now
            )
        }
    }

    private func everything(_ harness: PlannerHarness) -> [String] { harness.drain().map(\.text) }

    @Test(
        "takes out its users, whoever is in the cohort, and is forgotten",
        arguments: [false, true]
    )
    func removed(isRewritten: Bool) throws {
        let harness = try deleted()
        if isRewritten { try harness.rewriteAndRestart() } else { try harness.restart() }
        #expect(harness.status().reason?.hasPrefix("no longer configured: ") == true)
        // Also where another sync sends the cohort.
        harness.reset(["ada", "bob"], offset: 2, tick: 2)
        harness.reset(["cyd"], partition: 1, offset: 2, tick: 2)
        #expect(everything(harness) == ["-ada,bob,cyd"])
        #expect(harness.planner.status(now: harness.now).isEmpty)
        #expect(
            harness.notes == [
                .leaving(sync: "s", destination: "d", users: 3), .tookOut(sync: "s", refused: 0),
            ]
        )
        // It is nobody to later ticks, commands and starts.
        harness.tick(["-ada"], offset: 3, tick: 3)
        #expect(everything(harness) == [])
        #expect(harness.command(.pause) == .unknownSync)
        try harness.rewriteAndRestart()
        #expect(harness.planner.status(now: harness.now).isEmpty)
    }

    @Test("waits for each partition, and takes out nobody of one that is not known")
    func partitions() throws {
        let harness = try deleted()
        try harness.restart()
        know(0, by: harness)
        #expect(everything(harness) == ["-ada,bob"])
        harness.planner.partitionUnavailable(1, now: harness.now)
        #expect(everything(harness) == [])
        #expect(harness.status().sync == "s")
        know(1, by: harness, minute: 3)
        #expect(everything(harness) == ["-cyd"])
        #expect(harness.notes.last == .tookOut(sync: "s", refused: 0))
        // Nothing of it is left that a later tick could come upon.
        harness.tick([], offset: 4, tick: 4)
        harness.tick([], partition: 1, offset: 4, tick: 4)
        #expect(everything(harness) == [])
    }

    @Test("is nobody any more to a destination that refuses the credential of another sync")
    func neighbour() throws {
        let harness = try deleted()
        harness.syncs = [.test(id: "t", cohort: "other")]
        try harness.restart()
        know(0, 1, by: harness)
        #expect(everything(harness) == ["-ada,bob,cyd"])
        harness.planner.credentialsRefused(destination: "d", reason: "401", now: harness.now)
        harness.planner.credentialsChanged(destination: "d")
        #expect(everything(harness) == [])
        try harness.restart()
        #expect(harness.planner.status(now: harness.now).map(\.sync) == ["t"])
    }

    @Test("waits with all partitions for a person, however late each comes")
    func guardedOverPartitions() throws {
        let harness = try deleted { $0.massExits = MassExitGuard(share: 0.3, users: 2) }
        try harness.restart()
        know(0, by: harness)
        #expect(everything(harness) == [])
        know(1, by: harness, minute: 9)
        #expect(everything(harness) == [])
        #expect(harness.status().exitsToApprove == 3)
    }

    @Test("says how many users there are, not how many there were")
    func users() throws {
        let harness = PlannerHarness([.test()])
        harness.leavingDestinations = ["d"]
        harness.reset(["ada", "bob"], offset: 1, tick: 1)
        #expect(everything(harness) == ["+ada,bob"])
        harness.tick(["-bob"], offset: 2, tick: 2)
        #expect(everything(harness) == ["-bob"])
        harness.syncs = []
        try harness.restart()
        _ = harness.advance()
        #expect(harness.notes == [.leaving(sync: "s", destination: "d", users: 1)])
    }

    @Test("goes on after a crash: what is unknown is sent again, what was taken is not")
    func crash() throws {
        let harness = try deleted()
        harness.allowance = { _ in 2 }
        try harness.restart()
        know(0, 1, by: harness)
        harness.complete(try harness.request(), .delivered)
        let second = try harness.request()
        #expect(second.text == "-cyd")
        try harness.restart()
        know(0, 1, by: harness, minute: 3)
        let again = try harness.request()
        #expect(again.messageID == second.messageID)
        harness.complete(again, .delivered)
        #expect(everything(harness) == [])
        // Until the first attempt cannot be applied late any more, it is not over.
        #expect(harness.status().sync == "s")
        harness.now += 2 * PlannerHarness.timeout
        #expect(everything(harness) == [])
        #expect(harness.notes.last == .tookOut(sync: "s", refused: 0))
    }

    @Test("whose file is put back tells only those again who were taken out")
    func putBack() throws {
        let harness = try deleted()
        try harness.restart()
        know(0, by: harness)
        #expect(everything(harness) == ["-ada,bob"])
        harness.syncs = [.test()]
        try harness.restart()
        harness.reset(["ada", "bob"], offset: 3, tick: 3)
        harness.reset(["cyd"], partition: 1, offset: 3, tick: 3)
        #expect(everything(harness) == ["+ada,bob"])
        #expect(harness.status().reason == nil)
    }

    @Test("waits for a person where its guard says so")
    func guarded() throws {
        let harness = try deleted { $0.massExits = MassExitGuard(share: 0.3, users: 2) }
        try harness.restart()
        know(0, 1, by: harness)
        #expect(everything(harness) == [])
        #expect(harness.status().exitsToApprove == 3)
        #expect(harness.command(.approve) == .done)
        #expect(everything(harness) == ["-ada,bob,cyd"])
        #expect(harness.notes.last == .tookOut(sync: "s", refused: 0))
    }

    @Test(
        "that is put back has forgotten what a person was asked, and what was answered",
        arguments: [false, true]
    )
    func guardedAndPutBack(isApproved: Bool) throws {
        let guarded = SyncSettings.test().with {
            $0.massExits = MassExitGuard(share: 0.3, users: 2)
        }
        let harness = try deleted { $0 = guarded }
        harness.allowance = { _ in 0 }
        try harness.restart()
        know(0, 1, by: harness)
        #expect(everything(harness) == [])
        if isApproved { #expect(harness.command(.approve) == .done) }
        #expect(everything(harness) == [])
        harness.allowance = { _ in .max }
        harness.syncs = [guarded]
        for _ in 0..<2 {
            try harness.rewriteAndRestart()
            #expect(harness.status().exitsToApprove == nil)
        }
        harness.reset(["ada", "bob"], offset: 3, tick: 3)
        harness.reset([], partition: 1, offset: 3, tick: 3)
        #expect(everything(harness) == ["-cyd"])
        // Many at once wait for a person again.
        harness.reset(["eve"], partition: 1, offset: 4, tick: 4)
        #expect(everything(harness) == ["+eve"])
        harness.reset([], offset: 5, tick: 5)
        harness.reset([], partition: 1, offset: 5, tick: 5)
        #expect(everything(harness) == [])
        #expect(harness.status().exitsToApprove == 3)
    }

    @Test("that a person paused stays paused")
    func paused() throws {
        let harness = try deleted()
        #expect(harness.command(.pause) == .done)
        _ = harness.advance()
        try harness.restart()
        know(0, 1, by: harness)
        #expect(everything(harness) == [])
        #expect(harness.command(.resume) == .done)
        #expect(everything(harness) == ["-ada,bob,cyd"])
    }

    @Test("is over when what is left was refused for good")
    func refused() throws {
        let harness = try deleted()
        try harness.restart()
        know(0, 1, by: harness)
        harness.settle(try harness.request(), [.delivered, .skipped, .delivered])
        #expect(everything(harness) == [])
        #expect(harness.notes.last == .tookOut(sync: "s", refused: 1))
        // When they would have been tried again nobody is there.
        harness.now += 2 * 86_400_000
        #expect(everything(harness) == [])
        try harness.restart()
        #expect(harness.planner.status(now: harness.now).isEmpty)
    }

    @Test("is over when what is left was refused after an attempt that nobody knows the outcome of")
    func refusedAfterTimeout() throws {
        let harness = try deleted()
        try harness.restart()
        know(0, 1, by: harness)
        harness.complete(try harness.request(), .timeout)
        harness.now += 60_000
        harness.settle(try harness.request(), [.delivered, .skipped, .delivered])
        #expect(everything(harness) == [])
        harness.now += 2 * PlannerHarness.timeout
        #expect(everything(harness) == [])
        #expect(harness.notes.last == .tookOut(sync: "s", refused: 1))
    }

    @Test("and is to leave its users, or whose destination is gone too, is forgotten at once")
    func forgotten() throws {
        let leaving = try deleted { $0.removesUsers = false }
        try leaving.restart()
        #expect(everything(leaving) == [])
        #expect(leaving.notes == [.forgotten(sync: "s", users: 3)])
        let gone = try deleted()
        gone.leavingDestinations = []
        try gone.restart()
        #expect(everything(gone) == [])
        #expect(gone.notes == [.forgotten(sync: "s", users: 3)])
    }

    @Test("is taken by what was configured last, and another with its id begins with nobody")
    func terms() throws {
        let harness = try deleted { $0.removesUsers = false }
        harness.syncs = [.test()]
        try harness.restart()
        harness.reset(["ada", "bob"], offset: 2, tick: 2)
        harness.reset(["cyd"], partition: 1, offset: 2, tick: 2)
        #expect(everything(harness) == [])
        harness.syncs = []
        try harness.restart()
        know(0, 1, by: harness, minute: 3)
        #expect(everything(harness) == ["-ada,bob,cyd"])
        harness.syncs = [.test()]
        try harness.restart()
        harness.reset(["ada"], offset: 4, tick: 4)
        harness.reset([], partition: 1, offset: 4, tick: 4)
        #expect(everything(harness) == ["+ada"])
    }
}
