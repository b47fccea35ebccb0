import Basics
import Testing

@testable import Sync

@Suite("Runs")
struct RunTests {
    private func hourly(success: Double = 0.95) -> PlannerHarness {
        PlannerHarness([
            .test().with {
                $0.cadence = .hourly
                $0.success = success
            }
        ])
    }

    /// An hourly sync that was new at 0:10 and had its first run, of `a`, at 1:00.
    private func running() -> PlannerHarness {
        let harness = hourly()
        harness.reset(["a"], offset: 1, tick: 10)
        #expect(harness.drain().isEmpty)
        harness.tick([], offset: 2, tick: 60)
        #expect(harness.drain().map(\.text) == ["+a"])
        _ = harness.advance()
        #expect(harness.status().state == .done)
        return harness
    }

    @Test("Changes leave when a run is due, and only then")
    func due() throws {
        let harness = running()
        for minute in Int64(61)..<120 {
            harness.tick(minute == 90 ? ["b", "-a"] : [], offset: minute, tick: minute)
            #expect(harness.advance(by: 60_000).isEmpty)
        }
        #expect(harness.status().state == .done)
        #expect(harness.status().pendingUsers == 2)
        harness.tick(["c"], offset: 120, tick: 120)
        #expect(Set(harness.drain().map(\.text)) == ["-a", "+b,c"])
        _ = harness.advance()
        let run = try #require(harness.status().lastRun)
        #expect(run.tick.milliseconds == 120 * 60_000)
        #expect(run.result == .succeeded && run.users == 3 && run.delivered == 3)
    }

    @Test("What changes after the run's tick waits for the next run")
    func later() throws {
        let harness = running()
        harness.tick(["b"], offset: 3, tick: 120)
        let request = try harness.request()
        #expect(request.text == "+b")
        harness.tick(["c", "-b"], offset: 4, tick: 121)
        harness.complete(request, .delivered)
        #expect(harness.drain().isEmpty)
        #expect(harness.status().state == .done)
        #expect(harness.status().pendingUsers == 2)
        harness.tick([], offset: 5, tick: 180)
        #expect(Set(harness.drain().map(\.text)) == ["-b", "+c"])
    }

    @Test("A run waits until every partition has reached its hour")
    func partitions() throws {
        let harness = hourly()
        harness.reset(["a"], partition: 0, offset: 1, tick: 10)
        harness.reset(["b"], partition: 1, offset: 1, tick: 10)
        _ = harness.drain()
        harness.tick([], partition: 0, offset: 2, tick: 61)
        #expect(harness.drain().isEmpty)
        harness.tick([], partition: 1, offset: 2, tick: 60)
        #expect(Set(harness.drain().flatMap(\.users.texts)) == ["a", "b"])
        // One that is halted holds up nobody.
        harness.planner.partitionUnavailable(1, now: harness.now)
        harness.tick(["c"], partition: 0, offset: 3, tick: 120)
        #expect(harness.drain().map(\.text) == ["+c"])
    }

    @Test("However many runs a downtime missed, one makes up for them")
    func afterDowntime() throws {
        let harness = running()
        try harness.restart()
        harness.reset(["a", "b"], offset: 3, tick: 60 * 7 + 20)
        #expect(harness.drain().map(\.text) == ["+b"])
        harness.tick(["c"], offset: 4, tick: 60 * 7 + 30)
        #expect(harness.drain().isEmpty)
        harness.tick([], offset: 5, tick: 60 * 8)
        #expect(harness.drain().map(\.text) == ["+c"])
    }

    @Test("A restart right after a run does not run again", arguments: [false, true])
    func afterRun(isRewritten: Bool) throws {
        let harness = running()
        harness.tick(["b"], offset: 3, tick: 120)
        _ = harness.drain()
        _ = harness.advance()
        if isRewritten { try harness.rewriteAndRestart() } else { try harness.restart() }
        #expect(harness.status().lastRun?.delivered == 1)
        harness.reset(["a", "b", "c"], offset: 4, tick: 130)
        #expect(harness.drain().isEmpty)
        harness.tick([], offset: 5, tick: 180)
        #expect(harness.drain().map(\.text) == ["+c"])
    }

    @Test(
        "A restart in the middle of a run goes on with it, and counts it as one",
        arguments: [false, true]
    )
    func inRun(isRewritten: Bool) throws {
        let harness = running()
        harness.tick((0..<2500).map { "u\($0)" }, offset: 3, tick: 120)
        harness.complete(try harness.request(), .delivered)
        let second = try harness.request()
        if isRewritten { try harness.rewriteAndRestart() } else { try harness.restart() }
        // Nothing is over before the membership is known again.
        #expect(harness.drain().isEmpty)
        #expect(harness.status().lastRun?.users == 1)
        harness.reset(["a"] + (0..<2500).map { "u\($0)" }, offset: 4, tick: 125)
        let sent = harness.drain()
        #expect(sent.first == second)
        #expect(sent.map(\.users.count) == [1000, 500])
        _ = harness.advance()
        let run = try #require(harness.status().lastRun)
        #expect(run.tick.milliseconds == 120 * 60_000)
        #expect(run.delivered == 2500 && run.users == 2500 && run.result == .succeeded)
        harness.tick([], offset: 5, tick: 179)
        #expect(harness.drain().isEmpty)
    }

    @Test(
        "A run below the share of success is no success",
        arguments: [
            (19, 1, .succeeded), (18, 2, .partiallySucceeded), (0, 20, .failed),
            (20, 0, .succeeded),
        ] as [(Int, Int, SyncStatus.RunResult)]
    )
    func results(delivered: Int, skipped: Int, result: SyncStatus.RunResult) throws {
        let harness = hourly()
        harness.reset((0..<20).map { "u\($0)" }, offset: 1, tick: 10)
        _ = harness.advance()
        harness.tick([], offset: 2, tick: 60)
        harness.settle(
            try harness.request(),
            Array(repeating: .delivered, count: delivered)
                + Array(repeating: .skipped, count: skipped)
        )
        #expect(harness.advance().isEmpty)
        let run = try #require(harness.status().lastRun)
        #expect(run.result == result)
        #expect(run.users == 20 && run.delivered == delivered && run.skipped == skipped)
    }

    @Test("A run without a change succeeds, and so does one that has to try again")
    func emptyAndRetried() throws {
        let harness = running()
        harness.tick([], offset: 3, tick: 120)
        #expect(harness.drain().isEmpty)
        #expect(harness.status().lastRun?.tick == Cut.at(0, 120).tick)
        #expect(harness.status().lastRun?.result == .succeeded)
        harness.tick(["b"], offset: 4, tick: 180)
        harness.complete(try harness.request(), .refused)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().state == .live)
        harness.complete(try harness.request(by: 1000), .delivered)
        _ = harness.advance()
        #expect(harness.status().lastRun?.delivered == 1)
    }

    @Test("A paused sync misses no run: it begins when it may")
    func paused() throws {
        let harness = running()
        #expect(harness.command(.pause) == .done)
        harness.tick(["b"], offset: 3, tick: 120)
        #expect(harness.drain().isEmpty)
        harness.tick([], offset: 4, tick: 130)
        #expect(harness.command(.resume) == .done)
        #expect(harness.drain().map(\.text) == ["+b"])
    }

    @Test("A run on demand sends what waits, and the next needs another word")
    func onDemand() throws {
        let harness = PlannerHarness([.test().with { $0.cadence = .onDemand }])
        harness.reset(["a"], offset: 1, tick: 1)
        #expect(harness.drain().isEmpty)
        #expect(harness.command(.run) == .done)
        #expect(harness.drain().map(\.text) == ["+a"])
        _ = harness.advance()
        harness.tick(["b"], offset: 2, tick: 500)
        #expect(harness.drain().isEmpty)
        #expect(harness.command(.run) == .done)
        #expect(harness.drain().map(\.text) == ["+b"])
    }

    @Test("Whoever is in a batch that is given up is settled within the run")
    func givenUp() throws {
        let harness = running()
        harness.tick(["b"], offset: 3, tick: 120)
        let enter = try harness.request()
        harness.complete(enter, .timeout)
        harness.tick(["-b"], offset: 4, tick: 121)
        #expect(harness.advance(by: 1000).isEmpty)
        #expect(harness.status().state == .live)
        harness.tick(["c"], offset: 5, tick: 122)
        let exit = try harness.request(by: 1000)
        #expect(exit.text == "-b")
        harness.complete(exit, .delivered)
        #expect(harness.drain().isEmpty)
        #expect(harness.status().lastRun?.tick == Cut.at(0, 120).tick)
        harness.tick([], offset: 6, tick: 180)
        #expect(harness.drain().map(\.text) == ["+c"])
    }

    @Test("A sync that becomes realtime forgets its runs")
    func becomesRealtime() throws {
        let harness = running()
        harness.tick(["b"], offset: 3, tick: 120)
        _ = try harness.request()
        harness.syncs[0].cadence = .realtime
        try harness.restart()
        harness.reset(["a", "b"], offset: 4, tick: 121)
        #expect(harness.drain().map(\.text) == ["+b"])
        harness.tick(["c"], offset: 5, tick: 122)
        #expect(harness.drain().map(\.text) == ["+c"])
        #expect(harness.status().lastRun == nil)
    }
}
