import Basics
import Delivery
import Sync
import Templates
import Testing

@Suite("Limits on a simulated clock")
struct PacingTests {
    @Test("Talon.One: 100,000 users take 100 ± 1 minutes, and no minute ever sees more than 1000")
    func initialPopulation() throws {
        var random = SeededGenerator(seed: 7)
        let simulation = try Simulation(settings(shipped("talon-one"), talonValues)) { _ in
            (.status(204), Int64(random.number(in: 50...400)))
        }
        let start = simulation.now
        simulation.offer(users(0..<100_000))
        let minutes = Double(simulation.run() - start) / 60_000
        #expect(simulation.isIdle)
        #expect((99...101).contains(minutes), "\(minutes) minutes")
        #expect(peak(simulation.calls, per: 60_000) { $0.users.count } <= 1000)
        #expect(simulation.outcomes.count == 100_000)
        #expect(simulation.outcomes.values.allSatisfy { $0 == .delivered })
    }

    @Test("a live delta leaves with the next allowance while an initial population runs")
    func liveDeltas() throws {
        let simulation = try Simulation(
            settings(shipped("talon-one"), talonValues),
            syncs: ["live", "initial"]
        )
        simulation.offer(users(0..<50_000), to: "initial")
        for round in 0..<10 {
            simulation.run(until: simulation.now + 97_531)
            let user = "u\(1_000_000 + round)"
            let offered = simulation.now
            simulation.offer([user], to: "live")
            simulation.run(until: offered + 61_000)
            #expect(simulation.outcomes[user] == .delivered, "round \(round)")
        }
        #expect(peak(simulation.calls, per: 60_000) { $0.users.count } <= 1000)
    }

    @Test("an allowance is never more than a window lets through")
    func allowance() throws {
        var worker = DestinationWorker(
            settings(try shipped("talon-one"), talonValues),
            generator: SeededGenerator(seed: 1)
        )
        #expect(worker.allowance(sync: "s1", now: 0) == 0, "the sync is not known")
        try worker.configure(sync: "s1", cohort: cohort, listID: "L")
        #expect(worker.allowance(sync: "s1", now: 0) == 1000)
        let unlimited = try propertyTemplate("batch: {max_items: 50000, mix: true}")
        worker = DestinationWorker(settings(unlimited), generator: SeededGenerator(seed: 1))
        try worker.configure(sync: "s1", cohort: cohort)
        #expect(worker.allowance(sync: "s1", now: 0) == DestinationWorker.usersMax)
    }

    @Test("a worker that takes another one's place waits until what that sent counts no more")
    func successor() throws {
        var worker = DestinationWorker(
            settings(try shipped("talon-one"), talonValues),
            generator: SeededGenerator(seed: 1)
        )
        try worker.configure(sync: "s1", cohort: cohort, listID: "L")
        worker.holdForLimits(sentBefore: 5000, now: 100)
        // A minute and a timeout of 30 s, less the five seconds.
        #expect(worker.allowance(sync: "s1", now: 85_099) == 0)
        let effects = worker.advance(now: 100, wallClock: EventTime(milliseconds: 0))
        #expect(effects.notes == [.waiting(destination: "partner", wait: 85_000)])
        #expect(effects.wakeAt == 85_100)
        #expect(worker.allowance(sync: "s1", now: 85_100) == 1000)
        for age: Int64 in [90_000, .max / 2] {
            worker.holdForLimits(sentBefore: age, now: 90_000)
            #expect(worker.allowance(sync: "s1", now: 90_000) == 1000)
        }
        worker.holdForLimits(sentBefore: -3_600_000, now: 90_000)
        #expect(worker.allowance(sync: "s1", now: 179_999) == 0)
        #expect(worker.allowance(sync: "s1", now: 180_000) == 1000)
    }

    @Test("no limit is exceeded in any span, whatever is answered", arguments: 0..<20)
    func randomAnswers(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let limits = [
            "- {unit: items, count: 40, per: 10s}",
            "- {unit: requests, count: 7, per: 3s}",
            "- {scope: audience, unit: requests, count: 3, per: 2s}",
            "- {scope: route, unit: items, count: 900, per: 60s}",
            "- {scope: user, unit: requests, count: 1, per: 5s}",
        ]
        let template = try propertyTemplate(
            "batch: {max_items: 25, mix: true}\nconcurrency: {max: 4}\nlimits:\n"
                + limits.joined(separator: "\n")
        )
        let simulation = try Simulation(
            settings(template),
            syncs: ["a", "b", "c"],
            seed: UInt64(seed)
        ) { _ in
            let status = random.pick([200, 200, 200, 200, 201, 429, 500, 400, 423])
            let wait = random.pick(["", "2", "0", "-5", "x"])
            let outcome: HTTPOutcome =
                switch random.below(20) {
                case 0: .notSent("refused")
                case 1: .unknown("timed out")
                default: .status(status, headers: wait.isEmpty ? [] : [("Retry-After", wait)])
                }
            return (outcome, Int64(random.number(in: 1...random.pick([5, 300, 3000]))))
        }
        for sync in ["a", "b", "c"] {
            let start = sync == "a" ? 0 : sync == "b" ? 1000 : 2000
            simulation.offer(users(start..<start + 300), to: sync)
        }
        simulation.run(until: simulation.now + 3_600_000)
        let calls = simulation.calls
        #expect(calls.count > 30, "seed \(seed)")
        #expect(peak(calls, per: 10_000) { $0.users.count } <= 40, "seed \(seed)")
        #expect(peak(calls, per: 3000) { _ in 1 } <= 7, "seed \(seed)")
        #expect(peak(calls, per: 60_000) { $0.users.count } <= 900, "seed \(seed)")
        for sync in ["a", "b", "c"] {
            let own = calls.filter { $0.sync == sync }
            #expect(peak(own, per: 2000) { _ in 1 } <= 3, "seed \(seed), sync \(sync)")
        }
        var byUser: [String: [Simulation.Call]] = [:]
        for call in calls { for user in call.users { byUser[user, default: []].append(call) } }
        for (user, calls) in byUser {
            #expect(peak(calls, per: 5000) { _ in 1 } <= 1, "seed \(seed), user \(user)")
        }
        #expect(simulation.inFlightMax <= 4, "seed \(seed)")
        #expect(!simulation.outcomes.isEmpty, "seed \(seed)")
    }

    @Test(
        "what the partner asks to wait is held to 1 s … 1 h",
        arguments: [
            ("0", 1000...1000), ("-5", 1...2000), ("315360000", 3_600_000...3_600_000),
            ("soon", 1...2000), ("90", 90_000...90_000),
        ] as [(String, ClosedRange<Int64>)]
    )
    func retryAfter(_ header: String, _ expected: ClosedRange<Int64>) throws {
        var isFirst = true
        let simulation = try Simulation(settings(shipped("talon-one"), talonValues)) { _ in
            defer { isFirst = false }
            return (.status(isFirst ? 429 : 204, headers: [("retry-after", header)]), 10)
        }
        simulation.offer(users(0..<10))
        simulation.run(until: simulation.now + 10)
        let status = simulation.worker.status(now: simulation.now)
        let wait = (status.pausedUntil ?? simulation.now) - simulation.now
        #expect(expected.contains(wait), "\(header): \(wait)")
        #expect(status.rateFactor == 0.7)
        #expect(status.breaker == .closed)
        #expect(simulation.worker.allowance(sync: "s1", now: simulation.now) == 0)
        #expect(simulation.outcomes["u3"] == .notApplied)
        simulation.run()
        #expect(simulation.outcomes["u3"] == .delivered)
    }

    @Test("what the partner says is left is believed where it is less")
    func remaining() throws {
        let template = try propertyTemplate(
            """
            batch: {max_items: 1, mix: true}
            limits:
              - {unit: requests, count: 100, per: 10s, headers: {remaining: X-Left, reset: {name: X-Reset, unit: s}}}
            """
        )
        var left = 2
        let simulation = try Simulation(settings(template)) { call in
            defer { left = max(0, left - 1) }
            return (.status(200, headers: [("X-Left", "\(left)"), ("X-Reset", "40")]), 1)
        }
        let start = simulation.now
        simulation.offer(users(0..<5))
        simulation.run(until: start + 30_000)
        #expect(simulation.calls.count == 3)
        simulation.run(until: start + 41_000)
        #expect(simulation.calls.count > 3)
    }

    @Test("the rate rises by a tenth for each clean window, up to what it was")
    func recovery() throws {
        var isFirst = true
        let simulation = try Simulation(settings(shipped("talon-one"), talonValues)) { _ in
            defer { isFirst = false }
            return (.status(isFirst ? 429 : 204, headers: [("Retry-After", "1")]), 10)
        }
        simulation.offer(["u1"])
        let start = simulation.now + 10
        simulation.run(until: start)
        func percent(_ minutes: Int64) -> Int {
            Int(simulation.worker.status(now: start + minutes * 60_000).rateFactor * 100 + 0.5)
        }
        #expect([0, 1, 2, 3, 4, 100].map(percent) == [70, 77, 85, 93, 100, 100])
    }
}
