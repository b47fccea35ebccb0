import Basics
import Testing

@testable import Sync

@Suite("Outcomes")
struct OutcomeTests {
    @Test("A batch of unknown outcome goes out again unchanged, byte for byte, after a pause")
    func sameAgain() throws {
        let harness = PlannerHarness()
        harness.reset(["a", "b"], offset: 1, tick: 1)
        let first = try harness.request()
        harness.complete(first, .timeout)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().state == .initial)
        #expect(harness.status().reason == "timeout")
        #expect(harness.status().unknownUsers == 2)
        let wake = try #require(harness.wakeAt)
        #expect(wake > harness.now && wake <= harness.now + 1000)
        harness.tick(["c"], offset: 2, tick: 2)
        let second = try harness.request(by: wake - harness.now)
        #expect(second == first)
        #expect(WebhookBody.render(second) == WebhookBody.render(first))
        harness.complete(second, .delivered)
        #expect(harness.drain().map(\.text) == ["+c"])
        #expect(harness.status().state == .live)
        #expect(harness.notes.count == 2)
    }

    @Test("When somebody of a batch of unknown outcome changed, the rest go in a new one at once")
    func split() throws {
        let harness = PlannerHarness()
        harness.reset(["a", "b"], offset: 1, tick: 1)
        let first = try harness.request()
        harness.complete(first, .timeout)
        harness.tick(["-a"], offset: 2, tick: 2)
        let second = try harness.request(by: 1000)
        #expect(second.text == "+b")
        #expect(second.minute == 2)
        #expect(second.messageID.prefix(36) != first.messageID.prefix(36))
        harness.complete(second, .delivered)
        // Settling counts from the last attempt of the batch that was given up.
        #expect(harness.advance(by: 999).isEmpty)
        #expect(harness.wakeAt == harness.now + 1)
        let third = try harness.request(by: 1)
        #expect(third.text == "-a")
    }

    @Test("After a refused connection the opposite goes without waiting")
    func knownNotApplied() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        #expect(harness.drain().map(\.text) == ["+a"])
        harness.tick(["-a"], offset: 2, tick: 2)
        let exit = try harness.request()
        harness.complete(exit, .refused)
        harness.tick(["a"], offset: 3, tick: 3)
        // Nothing was applied, so nothing is to be done.
        #expect(harness.advance(by: 1000).isEmpty)
        #expect(harness.status().pendingUsers == 0)
        harness.tick(["-a"], offset: 4, tick: 4)
        #expect(harness.drain().map(\.text) == ["-a"])
    }

    @Test("A refused connection after a timeout does not make the timeout harmless")
    func refusedAfterTimeout() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        let first = try harness.request()
        harness.complete(first, .timeout)
        let second = try harness.request(by: 1000)
        harness.complete(second, .refused)
        harness.tick(["-a"], offset: 2, tick: 2)
        #expect(harness.status().pendingUsers == 1)
        var sent: [DeliveryRequest] = []
        var waited: Int64 = 1000
        while sent.isEmpty, waited < 10_000 {
            sent = harness.advance(by: 100)
            waited += 100
        }
        #expect(sent.map(\.text) == ["-a"])
        #expect(waited >= 2000)
    }

    @Test("A confirmation does not shorten the wait for an earlier attempt that may come late")
    func confirmedButDoubtful() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        let first = try harness.request()
        harness.complete(first, .timeout)
        let second = try harness.request(by: 1000)
        harness.complete(second, .delivered)
        harness.tick(["-a"], offset: 2, tick: 2)
        #expect(harness.advance(by: 999).isEmpty)
        #expect(try harness.request(by: 1).text == "-a")
    }

    @Test("Retries go on without end, jittered under a bound from 1 s to 5 min")
    func backoff() throws {
        var generator = SeededGenerator(seed: 7)
        var backoff = Backoff()
        var largest: [Int64] = []
        for _ in 0..<200 {
            let delay = backoff.delay(retryAfter: nil, generator: &generator)
            #expect(delay >= 1)
            largest.append(delay)
        }
        for (attempt, delay) in largest.enumerated() {
            #expect(delay <= min(300_000, 1000 << Int64(min(attempt, 20))))
        }
        #expect(largest.suffix(100).contains { $0 > 200_000 })
        #expect(largest.suffix(100).contains { $0 < 100_000 })
    }

    @Test(
        "Retry-After wins, within 1 s and 1 h",
        arguments: [(0, 1000), (-5, 1000), (42_000, 42_000), (1 << 40, 3_600_000)]
            as [(Int64, Int64)]
    )
    func retryAfter(asked: Int64, waited: Int64) throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        let request = try harness.request()
        harness.complete(
            request,
            .retriable(detail: "429", retryAfterMilliseconds: asked, knownNotApplied: true)
        )
        #expect(harness.advance(by: waited - 1).isEmpty)
        #expect(harness.wakeAt == harness.now + 1)
        #expect(harness.advance(by: 1).count == 1)
    }

    @Test(
        "401, 403 and 410 hold the sync, also over a restart that tries once",
        arguments: [
            (
                DeliveryOutcome.authenticationRefused(detail: "401: change it"),
                SyncStatus.State.paused
            ),
            (.gone(detail: "410: remove the sync"), .failed),
            (.failed(detail: "bad host: correct it"), .failed),
        ]
    )
    func held(outcome: DeliveryOutcome, state: SyncStatus.State) throws {
        let harness = PlannerHarness()
        harness.reset(["a", "b"], offset: 1, tick: 1)
        let first = try harness.request()
        harness.complete(first, outcome)
        #expect(harness.advance(by: 10_000_000).isEmpty)
        #expect(harness.wakeAt == nil)
        #expect(harness.status().state == state)
        #expect(harness.status().pendingUsers == 2)
        let reason = try #require(outcome.detail)
        #expect(harness.notes == [.held(sync: "s", reason: reason)])
        #expect(harness.notes[0].description.hasSuffix(": \(reason)"))

        try harness.restart()
        #expect(harness.status().reason?.hasPrefix("paused before this start") == true)
        harness.reset(["a", "b"], offset: 2, tick: 2)
        let probe = try harness.request()
        #expect(WebhookBody.render(probe) == WebhookBody.render(first))
        harness.complete(probe, outcome)
        #expect(harness.advance(by: 10_000_000).isEmpty)
        #expect(harness.status().state == state)

        try harness.restart()
        harness.reset(["a", "b"], offset: 3, tick: 3)
        harness.complete(try harness.request(), .delivered)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().state == .live)
        #expect(harness.notes.last == .resumed(sync: "s"))
        try harness.restart()
        #expect(harness.status().state == .pending)
    }

    @Test("401 is not a rejection: everybody is delivered once the credential is right")
    func unauthorisedIsNoRejection() throws {
        let harness = PlannerHarness()
        harness.reset((0..<1500).map { "u\($0)" }, offset: 1, tick: 1)
        harness.complete(try harness.request(), .authenticationRefused(detail: "401"))
        #expect(harness.status().pendingUsers == 1500)
        try harness.restart()
        harness.reset((0..<1500).map { "u\($0)" }, offset: 2, tick: 2)
        let sent = harness.drain()
        #expect(sent.map(\.users.count) == [1000, 500])
        #expect(Set(sent.flatMap(\.users.texts)).count == 1500)
    }

    @Test("An answer to something that is not in flight is ignored")
    func strayAnswer() throws {
        let harness = PlannerHarness()
        harness.planner.completed(sync: "x", message: "y", outcome: .delivered, now: 0)
        harness.reset(["a"], offset: 1, tick: 1)
        let request = try harness.request()
        harness.complete(request, .delivered)
        harness.complete(request, .authenticationRefused(detail: "401"))
        #expect(harness.advance().isEmpty)
        #expect(harness.status().state == .live)
    }

    @Test(
        "3-day outage with flapping users costs no more than the difference at its end"
    )
    func outage() throws {
        let harness = PlannerHarness()
        harness.reset((0..<100).map { "u\($0)" }, offset: 1, tick: 1)
        #expect(harness.drain().count == 1)
        var generator = SeededGenerator(seed: 3)
        var members = Set((0..<100).map { "u\($0)" })
        for minute in Int64(2)..<4322 {
            var changes: [String] = []
            for user in Set((0..<5).map { _ in "u\(generator.below(200))" }).sorted() {
                if members.remove(user) != nil {
                    changes.append("-" + user)
                } else {
                    members.insert(user)
                    changes.append(user)
                }
            }
            harness.tick(changes, offset: minute, tick: minute)
            for request in harness.advance(by: 60_000) { harness.complete(request, .refused) }
        }
        #expect(harness.status().oldestPendingSeconds > 3600)
        let machine = harness.planner.machines[0]
        let queued = machine.lanes.reduce(0) { sum, lane in
            [lane.exits, lane.enters].reduce(sum) { $0 + $1.fresh.count + $1.returned.count }
        }
        #expect(queued <= 1000)
        #expect(machine.ledger.count <= 300)
        let expected = members.symmetricDifference((0..<100).map { "u\($0)" })
        #expect(harness.status().pendingUsers >= expected.count)
        harness.now += 400_000
        let sent = harness.drain()
        #expect(sent.reduce(0) { $0 + $1.users.count } == expected.count)
        #expect(Set(sent.flatMap(\.users.texts)) == expected)
        #expect(sent.count == 2)
    }
}
