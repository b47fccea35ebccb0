import Basics
import Delivery
import Foundation
import Sync
import Templates
import Testing

@Suite("What becomes of batches")
struct OutcomeTests {
    private func simple(_ rest: String = "batch: {max_items: 100, mix: true}") throws -> Simulation
    {
        try Simulation(settings(propertyTemplate(rest)))
    }

    /// The outcome of one batch that is answered like that.
    private func outcome(
        _ simulation: Simulation,
        _ answers: [HTTPOutcome],
        users list: [String] = users(0..<4)
    ) -> DeliveryOutcome? {
        var rest = answers
        simulation.partner = { _ in (rest.count > 1 ? rest.removeFirst() : rest[0], 10) }
        simulation.repeats = false
        simulation.submit(list)
        simulation.run(until: simulation.now + 100_000)
        return simulation.completions.last?.1.outcome
    }

    @Test(
        "refused users are found, named and skipped, and nobody else",
        arguments: [(1, 1000), (1, 1), (2, 64), (5, 1000), (0, 1000), (40, 40)]
    )
    func bisecting(_ badCount: Int, _ userCount: Int) throws {
        for seed in 0..<10 {
            var random = SeededGenerator(seed: UInt64(seed))
            var shuffled = users(0..<userCount)
            shuffled.shuffle(using: &random)
            let bad = Set(shuffled.prefix(badCount))
            let simulation = try simple("batch: {max_items: 1000, mix: true}")
            simulation.partner = { call in
                (.status(call.users.contains(where: bad.contains) ? 400 : 200), 10)
            }
            simulation.submit(users(0..<userCount))
            simulation.run()
            for user in users(0..<userCount) {
                let isBad = bad.contains(user)
                #expect(
                    simulation.outcomes[user] == (isBad ? .skipped : .delivered),
                    "seed \(seed)"
                )
                #expect(simulation.reasons[user] == (isBad ? "rejected_by_partner" : nil))
            }
            let depth = Int(log2(Double(userCount)).rounded(.up))
            let extra = simulation.calls.count - 1
            #expect(extra <= badCount * 2 * depth, "seed \(seed)")
            if badCount == 1 { #expect(extra <= 2 * depth + 1, "seed \(seed)") }
            #expect(simulation.completions.count == 1)
        }
    }

    @Test("halves obey the limits as well")
    func bisectingSlowly() throws {
        let simulation = try Simulation(settings(shipped("talon-one"), talonValues)) { call in
            (.status(call.users.contains("u611") ? 422 : 204), 100)
        }
        simulation.offer(users(0..<1000))
        simulation.run()
        #expect(simulation.outcomes.count { $0.value == .delivered } == 999)
        #expect(simulation.reasons["u611"] == "rejected_by_partner")
        #expect(peak(simulation.calls, per: 60_000) { $0.users.count } <= 1000)
    }

    @Test("401 pauses and never rejects a user; new credentials go on", arguments: [401, 403])
    func unauthorized(_ status: Int) throws {
        let simulation = try simple()
        #expect(
            outcome(simulation, [.status(status)])?.detail?.contains("answers \(status)") == true
        )
        #expect(simulation.outcomes.values.allSatisfy { $0 == .notApplied })
        #expect(simulation.worker.allowance(sync: "s1", now: simulation.now + 86_400_000) == 0)
        #expect(simulation.worker.status(now: simulation.now).breaker == .closed)
        #expect(simulation.worker.status(now: simulation.now).refusal != nil)
        try simulation.worker.credentialsChanged(settings(propertyTemplate("batch: {mix: true}")))
        #expect(outcome(simulation, [.status(200)]) == .delivered)
    }

    @Test("a refusal in the middle keeps who went through, and pauses")
    func refusedLater() throws {
        let simulation = try simple("batch: {max_items: 2, mix: true}")
        let outcome = outcome(simulation, [.status(200), .status(401)], users: users(0..<6))
        guard case .settled(let users, _, _, .authentication) = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
        #expect(
            users.outcomes == [.delivered, .delivered] + Array(repeating: .notApplied, count: 4)
        )
        #expect(simulation.calls.count == 2)
    }

    @Test("429 to a batch whose sync is gone slows the destination down", arguments: [429, 503])
    func nobodysAnswer(_ status: Int) throws {
        let simulation = try Simulation(
            settings(try shipped("talon-one"), talonValues),
            partner: { _ in (.status(status), 100) }
        )
        simulation.submit(["u1"])
        simulation.run(until: simulation.now)
        simulation.worker.remove(sync: "s1")
        simulation.run(until: simulation.now + 200)
        let found = simulation.worker.status(now: simulation.now)
        #expect((found.pausedUntil != nil) == (status == 429))
    }

    @Test("404 is gone, 422 fatal; each for its batch")
    func refusals() throws {
        for (status, name) in [(404, "gone"), (422, "failed")] {
            let outcome = outcome(try simple(), [.status(status)])
            switch outcome {
            case .gone where name == "gone", .failed where name == "failed": break
            default: Issue.record("\(status): \(String(describing: outcome))")
            }
        }
    }

    @Test(
        "whether it may have been applied is told",
        arguments: [
            (HTTPOutcome.notSent("x"), true), (.unknown("x"), false), (.status(500), false),
            (.status(503), false), (.status(429), true), (.status(423), true), (.status(302), true),
            (.status(408), false),
        ]
    )
    func applied(_ answer: HTTPOutcome, _ isKnown: Bool) throws {
        guard case .retriable(_, _, let known)? = outcome(try simple(), [answer]) else {
            Issue.record("no retriable outcome")
            return
        }
        #expect(known == isKnown)
    }

    @Test("Braze names users by index, and codes of its own stay out")
    func byIndex() throws {
        let simulation = try Simulation(settings(shipped("braze-attributes"), brazeValues))
        let body =
            #"{"message":"success","errors":["#
            + #"{"type":"'external_id' BLACKLISTED CANARY","index":1},{"type":"CANARY","index":3}]}"#
        guard
            case .settled(let outcomes, let detail, _, nil)? = outcome(
                simulation,
                [.status(201, body)]
            )
        else {
            Issue.record("not settled")
            return
        }
        #expect(outcomes.outcomes == [.delivered, .skipped, .delivered, .notApplied])
        #expect(outcomes.reasons == [1: "rejected_by_partner"])
        #expect(detail != nil && detail?.contains("CANARY") == false)
    }

    @Test("Amplitude names users by id, and makes its list with the first batch")
    func byID() throws {
        let simulation = try Simulation(
            settings(shipped("amplitude-cohorts"), amplitudeValues),
            listID: nil
        ) { call in
            guard !call.route.hasSuffix("/upload") else {
                return (.status(200, #"{"cohortId":"c7"}"#), 10)
            }
            let skipped = call.users.contains("u3001") ? #""u3001""# : ""
            return (.status(200, #"{"memberships_result":[{"skipped_ids":[\#(skipped)]}]}"#), 10)
        }
        simulation.repeats = false
        simulation.submit(["u9"] + users(1000..<3500), exits: 1)
        simulation.run()
        #expect(simulation.lists.map(\.listID) == ["c7"])
        #expect(simulation.calls[0].users.count == 2000)
        #expect(simulation.outcomes.count { $0.value == .accepted } == 2000)
        #expect(simulation.outcomes["u3001"] == .skipped)
        #expect(simulation.reasons["u3001"] == "unknown_user")
        #expect(simulation.outcomes["u3400"] == .delivered)
        #expect(simulation.outcomes["u9"] == .delivered)
        #expect(simulation.perSyncMax == 1)
    }

    @Test("who leaves a list that is not there is gone from it already")
    func leavingNothing() throws {
        let simulation = try Simulation(
            settings(shipped("amplitude-cohorts"), amplitudeValues),
            listID: nil
        )
        simulation.submit(["u1", "u2"], exits: 2)
        simulation.run()
        #expect(simulation.calls.isEmpty)
        #expect(simulation.completions.map(\.1.outcome) == [.delivered])
    }

    @Test("Meta says how many it did not take: the rest is accepted, and the number is told")
    func byCount() throws {
        let simulation = try Simulation(
            settings(shipped("meta-custom-audiences"), metaValues),
            listID: "55"
        )
        let body = #"{"num_invalid_entries":2,"invalid_entry_samples":{"u1":"CANARY"}}"#
        simulation.partner = { _ in (.status(200, body), 10) }
        var list = UserList()
        for user in users(0..<4) {
            row([user] + Array(repeating: "", count: 7)).withByteView { list.append($0) }
        }
        var request = simulation.request("s1", [])
        request.users = list
        simulation.worker.submit(request, now: simulation.now)
        let sent = simulation.worker.advance(now: simulation.now, wallClock: .earliest).requests
        simulation.worker.answered(
            token: try #require(sent.first).token,
            .status(200, body),
            now: simulation.now + 5,
            wallClock: .earliest
        )
        let effects = simulation.worker.advance(now: simulation.now + 5, wallClock: .earliest)
        guard case .settled(let outcomes, nil, _, nil)? = effects.completions.first?.outcome else {
            Issue.record("\(effects.completions)")
            return
        }
        #expect(outcomes.areAll(.accepted))
        #expect(outcomes.unnamedSkips == ["rejected_by_partner": 2])
    }

    @Test(
        "a success that cannot be read is no success",
        arguments: ["<html>", "{\"errors\":[{\"in"]
    )
    func unreadable(_ body: String) throws {
        let simulation = try Simulation(settings(shipped("braze-attributes"), brazeValues))
        let outcome = outcome(simulation, [.status(201, body, isBodyCut: true)])
        guard case .settled(let outcomes, nil, _, nil)? = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
        #expect(outcomes.areAll(.accepted))
        #expect(outcomes.doubt == "answer_unreadable")
    }

    @Test("a list that is gone is made again with the next batch")
    func recreated() throws {
        var isThere = false
        let simulation = try Simulation(settings(shipped("talon-one"), talonValues)) { call in
            if call.route.hasPrefix("POST") {
                isThere = true
                return (.status(201), 10)
            }
            return (.status(isThere ? 204 : 404), 10)
        }
        simulation.offer(users(0..<10))
        simulation.run()
        guard case .gone? = simulation.completions.first?.1.outcome else {
            Issue.record("\(simulation.completions)")
            return
        }
        #expect(simulation.lists.map(\.listID) == [cohort.id])
        #expect(simulation.outcomes["u4"] == .delivered)
    }

    @Test(
        "users of a list that cannot be made are told as the request that makes it ended",
        arguments: [
            (HTTPOutcome.status(500), UserOutcomes.Outcome.unknown),
            (.unknown("x"), .unknown), (.notSent("x"), .notApplied), (.status(429), .notApplied),
            (.status(401), .notApplied), (.status(200, "{}"), .notApplied),
        ]
    )
    func noList(_ answer: HTTPOutcome, _ expected: UserOutcomes.Outcome) throws {
        let simulation = try Simulation(
            settings(shipped("amplitude-cohorts"), amplitudeValues),
            listID: nil
        ) { _ in (answer, 10) }
        simulation.repeats = false
        simulation.submit(["u1"] + users(1000..<4000), exits: 1)
        simulation.run(until: simulation.now + 20)
        #expect(simulation.calls.count <= 1)
        #expect(simulation.lists.isEmpty)
        #expect(simulation.outcomes["u1"] == .notApplied, "it was not in the request")
        #expect(simulation.outcomes["u1500"] == expected)
        #expect(simulation.outcomes["u3500"] == .notApplied, "it was not in the request")
    }

    @Test("as many requests at once as the partner bears, and no more than the template says")
    func adaptive() throws {
        let simulation = try Simulation(settings(shipped("braze-attributes"), brazeValues)) {
            call in
            (.status(201, #"{"message":"success"}"#), 100)
        }
        simulation.offer(users(0..<10_000))
        simulation.run(until: simulation.now + 50)
        #expect(simulation.inFlightMax == 1)
        simulation.run()
        #expect(simulation.inFlightMax == 8)
        #expect(simulation.outcomes.count { $0.value == .delivered } == 10_000)
    }

    @Test("a list is asked for one request at a time, whatever it answers", arguments: [423, 429])
    func serial(_ status: Int) throws {
        var random = SeededGenerator(seed: 4)
        let simulation = try Simulation(
            settings(shipped("amplitude-cohorts"), amplitudeValues),
            syncs: ["a", "b", "c", "d", "e"]
        ) { _ in
            (.status(random.chance(percent: 30) ? status : 200, "{}"), Int64(random.below(900) + 1))
        }
        for (place, sync) in ["a", "b", "c", "d", "e"].enumerated() {
            simulation.offer(users(place * 10_000..<place * 10_000 + 5000), to: sync)
        }
        simulation.run(until: simulation.now + 7 * 86_400_000)
        #expect(simulation.isIdle)
        #expect(simulation.perSyncMax == 1)
        #expect(simulation.inFlightMax <= 4 && simulation.inFlightMax > 1)
        #expect(simulation.outcomes.count { $0.value == .accepted } == 25_000)
    }

    @Test(
        "a destination that never answers holds one batch per sync and its requests, for seven days"
    )
    func blackHole() throws {
        let syncs = (0..<20).map { "s\($0)" }
        let simulation = try Simulation(
            settings(propertyTemplate("batch: {max_items: 50, mix: true}\nconcurrency: {max: 4}")),
            syncs: syncs
        ) { _ in (.unknown("no answer within 30s"), 30_000) }
        for (place, sync) in syncs.enumerated() {
            simulation.offer(users(place * 1000..<place * 1000 + 500), to: sync)
        }
        simulation.run(until: simulation.now + 7 * 86_400_000)
        #expect(simulation.inFlightMax <= 4)
        let status = simulation.worker.status(now: simulation.now)
        #expect(status.breaker != .closed && status.openSince != nil)
        #expect(status.batches <= syncs.count)
        // Waits of 150 s at the mean, and 30 s for the probe.
        #expect((1000...10_000).contains(simulation.calls.count), "\(simulation.calls.count)")
        #expect(simulation.notes.count == 1, "\(simulation.notes)")
        simulation.partner = { _ in (.status(200), 10) }
        simulation.run(until: simulation.now + 1_000_000)
        #expect(simulation.isIdle)
        #expect(simulation.outcomes.values.allSatisfy { $0 == .delivered })
        #expect(simulation.notes.last == .recovered(destination: "partner"))
    }

    @Test("nothing that is told holds an id, a body, a query or a secret")
    func silence() throws {
        let template = try shipped("meta-custom-audiences")
        for status in [200, 302, 400, 401, 404, 429, 500] {
            let simulation = try Simulation(settings(template, metaValues), listID: "CANARY")
            let body = #"{"error":{"code":190,"message":"CANARY"}}"#
            simulation.partner = { _ in (.status(status, body), 10) }
            simulation.submit(["u777"])
            simulation.run(until: simulation.now + 50)
            let told =
                "\(simulation.completions) \(simulation.notes) \(simulation.calls.map(\.request))"
            #expect(!told.contains("CANARY") && !told.contains("u777"), "\(told)")
            var dumped = ""
            dump(simulation.worker, to: &dumped)
            #expect(!dumped.contains("CANARY") && dumped.contains("worker of partner"), "\(dumped)")
        }
    }
}

@Suite("Webhooks by a worker")
struct WebhookWorkerTests {
    private func simulation(
        _ partner: @escaping (Simulation.Call) -> (HTTPOutcome, Int64)
    ) throws
        -> Simulation
    {
        let settings = DestinationWorkerSettings(
            webhook: "crm",
            target: "https://crm.example",
            userAgent: "cohortd/test"
        )
        return try Simulation(settings, syncs: ["s1", "s2"], partner: partner)
    }

    @Test("a batch is one request to be signed, with the webhook's body")
    func request() throws {
        let simulation = try simulation { _ in (.status(200), 10) }
        simulation.submit(["u1", "u2"])
        simulation.run()
        let request = try #require(simulation.calls.first).request
        guard case .webhook(let messageID) = request.form else {
            Issue.record("\(request.form)")
            return
        }
        let text = String(decoding: request.body, as: UTF8.self)
        #expect(text.contains(#""message_id":"\#(messageID)""#))
        #expect(simulation.completions.map(\.1.outcome) == [.delivered])
    }

    @Test("outcomes are those of the webhook: unknown, refused, gone")
    func outcomes() throws {
        for (answer, word) in [
            (HTTPOutcome.unknown("x"), "retriable"), (.status(500), "retriable"),
            (.status(401), "authenticationRefused"), (.status(410), "gone"),
        ] {
            let simulation = try simulation { _ in (answer, 10) }
            simulation.repeats = false
            simulation.submit(["u1"])
            simulation.run(until: simulation.now + 20)
            let outcome = try #require(simulation.completions.first).1.outcome
            #expect("\(outcome)".hasPrefix(word), "\(outcome)")
        }
    }

    @Test("429 is waited out and never opens the breaker")
    func throttled() throws {
        var count = 0
        let simulation = try simulation { _ in
            count += 1
            return (.status(count < 30 ? 429 : 200), 10)
        }
        simulation.offer(["u1"])
        simulation.run()
        #expect(simulation.outcomes["u1"] == .delivered)
        #expect(simulation.notes.allSatisfy { if case .slowed = $0 { true } else { false } })
    }
}
