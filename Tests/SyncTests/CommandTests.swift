import Basics
import Testing

@testable import Sync

@Suite("Commands")
struct CommandTests {
    private func refused(_ text: String) -> SyncCommandResult { .refused(text) }

    @Test(
        "A paused sync keeps count and sends nothing until it is resumed, over restarts and rewrites"
    )
    func pause() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        #expect(harness.command(.pause) == .done)
        let effects = harness.planner.advance(now: harness.now)
        #expect(effects.requests.isEmpty && effects.mustCommit)
        harness.journal += effects.records
        #expect(harness.status().state == .paused)
        #expect(harness.command(.pause) == refused("sync s is paused already"))
        #expect(
            harness.command(.run) == refused("sync s is paused; cohortctl syncs show s")
        )
        try harness.restart()
        harness.reset(["a"], offset: 2, tick: 2)
        #expect(harness.advance().isEmpty)
        try harness.rewriteAndRestart()
        harness.reset(["a", "b"], offset: 3, tick: 3)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().pendingUsers == 2)
        #expect(harness.command(.resume) == .done)
        #expect(harness.drain().map(\.text) == ["+a,b"])
        try harness.restart()
        harness.reset(["a", "b", "c"], offset: 4, tick: 4)
        #expect(harness.drain().map(\.text) == ["+c"])
    }

    @Test("What is on its way when a sync is paused is still heard")
    func pausedInFlight() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        let request = try harness.request()
        #expect(harness.command(.pause) == .done)
        harness.complete(request, .delivered)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().pendingUsers == 0)
        #expect(harness.command(.resume) == .done)
        #expect(harness.advance().isEmpty)
    }

    @Test("What does not fit is refused with what would")
    func refusals() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        #expect(harness.command(.resume) == refused("sync s is not paused"))
        #expect(harness.command(.approve) == refused("sync s waits for no approval"))
        #expect(harness.planner.command(.pause, sync: "x", now: 0) == .unknownSync)

        let paused = PlannerHarness([.test(paused: true)])
        #expect(
            paused.command(.resume)
                == refused("sync s is paused in its file; set paused: false there and restart")
        )
        let once = PlannerHarness([.test().with { $0.shape.isReasserted = false }])
        #expect(
            once.command(.run)
                == refused("sync s sends each change once; there is nothing to send again")
        )
        let runs = PlannerHarness([.test().with { $0.cadence = .onDemand }])
        #expect(runs.command(.run) == .done)
        #expect(runs.command(.run) == refused("a run of sync s is under way"))

        let guarded = PlannerHarness([
            .test().with { $0.massExits = MassExitGuard(share: 0, users: 0) }
        ])
        guarded.reset(["a"], offset: 1, tick: 1)
        _ = guarded.drain()
        guarded.tick(["-a"], offset: 2, tick: 2)
        #expect(
            guarded.command(.resume)
                == refused(
                    "sync s waits for approval because 1 users would leave at once; "
                        + "see cohortctl syncs approve s"
                )
        )
    }

    @Test(
        "Resume tries again what was refused, and so does a new credential after 401",
        arguments: [true, false]
    )
    func resumeAfterRefusal(byCredential: Bool) throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        harness.complete(try harness.request(), .authenticationRefused(detail: "401"))
        #expect(harness.advance(by: 1_000_000).isEmpty)
        if byCredential {
            harness.planner.credentialsChanged(destination: "other")
            #expect(harness.advance().isEmpty)
            harness.planner.credentialsChanged(destination: "d")
        } else {
            #expect(harness.command(.resume) == .done)
        }
        #expect(harness.drain().map(\.text) == ["+a"])
        #expect(harness.status().state == .live)
    }

    @Test("A new credential does not help a sync that a person must look at")
    func failedNeedsPerson() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        harness.complete(try harness.request(), .failed(detail: "404"))
        harness.planner.credentialsChanged(destination: "d")
        #expect(harness.advance().isEmpty)
        #expect(harness.status().state == .failed)
        #expect(harness.command(.resume) == .done)
        #expect(harness.drain().map(\.text) == ["+a"])
    }

    @Test("A run that was asked for before a crash begins after it", arguments: [false, true])
    func runAskedIsDurable(isRewritten: Bool) throws {
        let harness = PlannerHarness([.test().with { $0.cadence = .onDemand }])
        #expect(harness.command(.run) == .done)
        let effects = harness.planner.advance(now: harness.now)
        #expect(effects.mustCommit)
        harness.journal += effects.records
        if isRewritten { try harness.rewriteAndRestart() } else { try harness.restart() }
        harness.reset(["a"], offset: 1, tick: 1)
        #expect(harness.drain().map(\.text) == ["+a"])
        _ = harness.advance()
        #expect(harness.status().lastRun?.result == .succeeded)
        harness.tick(["b"], offset: 2, tick: 2)
        #expect(harness.advance().isEmpty)
    }

    @Test("A refused credential holds every sync of the destination, and a new one lets all go on")
    func credentialOfAll() throws {
        let harness = PlannerHarness([
            .test(id: "s"), .test(id: "t", cohort: "e"), .test(id: "u", destination: "other"),
        ])
        harness.reset(["a"], offset: 1, tick: 1)
        harness.planner.credentialsRefused(destination: "d", reason: "401", now: harness.now)
        #expect(harness.advance().map(\.syncID) == ["u"])
        #expect(harness.status(0).state == .paused && harness.status(1).state == .paused)
        #expect(harness.status(0).reason == "401" && harness.status(1).reason == "401")
        harness.planner.credentialsChanged(destination: "d")
        #expect(harness.advance().map(\.syncID) == ["s"])
        #expect(harness.status(1).state != .paused)
    }
}
