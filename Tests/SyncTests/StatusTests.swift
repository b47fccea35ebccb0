import Basics
import Testing

@testable import Sync

@Suite("Status")
struct StatusTests {
    @Test("The first population has a percentage and an estimate by the rate so far")
    func progress() throws {
        let harness = PlannerHarness()
        harness.reset((0..<4000).map { "u\($0)" }, offset: 1, tick: 1)
        let first = try harness.request()
        #expect(harness.status().initialPercent == 0)
        #expect(harness.status().initialSecondsLeft == nil)
        harness.now += 30_000
        harness.complete(first, .delivered)
        #expect(harness.status().state == .initial)
        #expect(harness.status().initialPercent == 25)
        #expect(harness.status().initialSecondsLeft == 90)
        #expect(harness.status().acknowledgedUsers == 1000)
        _ = harness.drain()
        _ = harness.advance()
        #expect(harness.status().state == .live)
        #expect(harness.status().initialPercent == nil)
        #expect(harness.status().initialSecondsLeft == nil)
    }

    @Test("A sync is degraded only after it failed for as long as that takes, and still tries")
    func degraded() throws {
        let harness = PlannerHarness([.test().with { $0.degradedMilliseconds = 3_600_000 }])
        harness.reset(["a"], offset: 1, tick: 1)
        harness.complete(try harness.request(), .refused)
        let since = harness.now
        var attempts = 0
        while harness.now < since + 3_600_000 - 1000 {
            for request in harness.advance(by: 1000) {
                attempts += 1
                harness.complete(request, .refused)
            }
            #expect(harness.status().state == .initial)
        }
        _ = harness.advance(by: 1000).map { harness.complete($0, .refused) }
        #expect(harness.status().state == .degraded)
        #expect(harness.status().reason == "connection refused")
        #expect(harness.status().reasonSeconds == 3600)
        #expect(
            harness.notes == [
                .failing(sync: "s", reason: "connection refused"),
                .degraded(sync: "s", reason: "connection refused"),
            ]
        )
        #expect(attempts > 10)
        let next = try harness.request(by: 300_000)
        harness.complete(next, .delivered)
        _ = harness.advance()
        #expect(harness.status().state == .live)
        #expect(harness.notes.last == .recovered(sync: "s"))
    }

    @Test("The next attempt is counted down")
    func retry() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        harness.complete(
            try harness.request(),
            .retriable(detail: "429", retryAfterMilliseconds: 90_000, knownNotApplied: true)
        )
        #expect(harness.status().retrySeconds == 90)
        #expect(harness.advance(by: 30_500).isEmpty)
        #expect(harness.status().retrySeconds == 60)
        #expect(harness.advance(by: 59_500).count == 1)
        #expect(harness.status().retrySeconds == nil)
    }
}
