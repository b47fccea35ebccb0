import Delivery
import Sync
import Testing

@Suite("Access tokens of a partner")
struct TokenTests {
    /// A partner that gives tokens `T1`, `T2` and so on, and takes requests with one of `taken`.
    private final class Issuer {
        var count = 0
        var lifetime = "3600"
        /// What the endpoint answers instead.
        var failure: HTTPOutcome?
        var taken: (Int) -> Bool = { _ in true }
        var refusal = 401

        func answer(_ call: Simulation.Call) -> (HTTPOutcome, Int64) {
            guard call.isForToken else {
                let token = call.token?.dropFirst().description ?? ""
                return (.status(taken(Int(token) ?? 0) ? 200 : refusal), 100)
            }
            if let failure { return (failure, 100) }
            count += 1
            return (.status(200, #"{"access_token":"T\#(count)","expires_in":\#(lifetime)}"#), 100)
        }
    }

    private let own: DestinationWorkerSettings

    init() throws {
        own = settings(
            try propertyTemplate(
                """
                settings: {secret: {type: secret, required: true}}
                auth:
                  kind: oauth2
                  token:
                    request:
                      method: POST
                      url: https://login.example.com/token
                      encoding: form
                      body: {grant_type: client_credentials, client_secret: '${settings.secret}'}
                batch: {max_items: 10, mix: true}
                concurrency: {max: 4}
                """
            ),
            ["secret": "CANARY"]
        )
    }

    private func simulation(
        _ issuer: Issuer,
        syncs: [String] = ["s1"]
    ) throws -> Simulation {
        try Simulation(own, syncs: syncs, partner: { issuer.answer($0) })
    }

    @Test("one is fetched before the first request, by one request, and all of all syncs carry it")
    func first() throws {
        let simulation = try self.simulation(Issuer(), syncs: ["s1", "s2"])
        simulation.offer(users(0..<100))
        simulation.offer(users(100..<200), to: "s2")
        simulation.run()
        #expect(simulation.isIdle)
        #expect(simulation.calls.count { $0.isForToken } == 1)
        #expect(simulation.calls.first?.isForToken == true)
        let members = simulation.calls.dropFirst()
        #expect(members.count >= 20)
        #expect(members.allSatisfy { $0.token == "T1" })
        #expect(simulation.outcomes.count { $0.value == .delivered } == 200)
        #expect(simulation.inFlightMax <= 4)
    }

    @Test(
        "one is kept until a minute before it expires, or for half a short life",
        arguments: [("3600", 3_540_000), ("90", 45_000), (#""120""#, 60_000), ("null", 540_000)]
    )
    func expiry(_ lifetime: String, _ kept: Int64) throws {
        let issuer = Issuer()
        issuer.lifetime = lifetime
        let simulation = try self.simulation(issuer)
        simulation.offer(users(0..<1))
        simulation.run(until: simulation.now + 1)
        let start = simulation.now - 1
        simulation.run(until: start + kept - 1)
        simulation.offer(users(1..<2))
        simulation.run(until: start + kept - 1)
        #expect(issuer.count == 1)
        simulation.run(until: start + kept + 1000)
        simulation.offer(users(2..<3))
        simulation.run(until: start + kept + 2000)
        #expect(issuer.count == 2)
        #expect(simulation.calls.last?.token == "T2")
        #expect(simulation.outcomes.count { $0.value == .delivered } == 3)
    }

    @Test(
        "a refused token is renewed once, and nobody is told twice or at fault",
        arguments: [401, 403]
    )
    func refused(_ status: Int) throws {
        let issuer = Issuer()
        issuer.refusal = status
        issuer.taken = { $0 >= 2 }
        let simulation = try self.simulation(issuer)
        simulation.submit(users(0..<40))
        simulation.run()
        #expect(issuer.count == 2)
        #expect(simulation.completions.count == 1)
        #expect(simulation.outcomes.count { $0.value == .delivered } == 40)
        let taken = simulation.calls.filter { $0.token == "T2" }.flatMap(\.users)
        #expect(taken.sorted() == users(0..<40).sorted())
        #expect(simulation.worker.status(now: simulation.now).refusal == nil)
    }

    @Test("what another token does not mend pauses, until a person resumes it")
    func paused() throws {
        let issuer = Issuer()
        issuer.taken = { _ in false }
        let simulation = try self.simulation(issuer)
        simulation.repeats = false
        simulation.submit(users(0..<40))
        simulation.run(until: simulation.now + 100_000)
        #expect(issuer.count == 2)
        #expect(simulation.outcomes.values.allSatisfy { $0 == .notApplied })
        #expect(simulation.worker.status(now: simulation.now).refusal != nil)
        #expect(simulation.worker.allowance(sync: "s1", now: simulation.now) == 0)
        issuer.taken = { $0 == 3 }
        simulation.worker.resume()
        simulation.offer(users(0..<40))
        simulation.run(until: simulation.now + 100_000)
        #expect(issuer.count == 3)
        #expect(simulation.outcomes.count { $0.value == .delivered } == 40)
    }

    @Test("a refused credential pauses, and another one goes on", arguments: [400, 401, 403, 404])
    func credential(_ status: Int) throws {
        let issuer = Issuer()
        issuer.failure = .status(status, #"{"error":"invalid_grant","hint":"CANARY"}"#)
        let simulation = try self.simulation(issuer)
        simulation.offer(users(0..<10))
        simulation.run(until: simulation.now + 100_000)
        let refusal = simulation.worker.status(now: simulation.now).refusal ?? ""
        #expect(refusal.contains("answers \(status) to auth.token.request"))
        #expect(simulation.outcomes.values.allSatisfy { $0 == .notApplied })
        #expect(!"\(simulation.notes) \(refusal) \(simulation.completions)".contains("CANARY"))
        issuer.failure = nil
        try simulation.worker.credentialsChanged(own)
        simulation.run(until: simulation.now + 100_000)
        #expect(simulation.outcomes.count { $0.value == .delivered } == 10)
    }

    @Test("an endpoint that fails or is too busy is asked again, within the breaker")
    func failing() throws {
        let failures: [HTTPOutcome] = [
            .status(503), .status(429), .status(200, "{}"), .status(200, "<html>"),
            .notSent("no route"), .unknown("timeout"),
        ]
        for failure in failures {
            let issuer = Issuer()
            issuer.failure = failure
            let simulation = try self.simulation(issuer)
            simulation.submit(users(0..<10))
            simulation.repeats = false
            simulation.run(until: simulation.now + 1000)
            #expect(simulation.completions.count == 1, "\(failure)")
            #expect(simulation.outcomes.values.allSatisfy { $0 == .notApplied })
            #expect(simulation.worker.status(now: simulation.now).refusal == nil)
            simulation.repeats = true
            simulation.offer(users(0..<10))
            let before = simulation.now
            simulation.run(until: before + 60_000)
            // Waits between attempts, as for any other request.
            #expect(simulation.calls.count < 60 || failure == .notSent("no route"), "\(failure)")
            issuer.failure = nil
            simulation.run(until: before + 3_600_000)
            #expect(simulation.outcomes.count { $0.value == .delivered } == 10, "\(failure)")
        }
    }

    @Test("an answer of before other secrets is not taken")
    func changedMeanwhile() throws {
        let issuer = Issuer()
        let simulation = try self.simulation(issuer)
        simulation.submit(users(0..<10))
        simulation.run(until: simulation.now + 50)
        try simulation.worker.credentialsChanged(own)
        simulation.run()
        #expect(issuer.count == 2)
        #expect(simulation.calls.allSatisfy { $0.isForToken || $0.token == "T2" })
        #expect(simulation.outcomes.count { $0.value == .delivered } == 10)
    }

    @Test("a token shows itself nowhere")
    func hidden() throws {
        let issuer = Issuer()
        issuer.taken = { _ in false }
        let simulation = try self.simulation(issuer)
        simulation.submit(users(0..<10))
        simulation.repeats = false
        simulation.run(until: simulation.now + 100_000)
        let told =
            "\(simulation.notes) \(simulation.completions) \(simulation.worker) "
            + "\(simulation.worker.status(now: simulation.now)) \(simulation.calls.map(\.request))"
        #expect(!told.contains("T1") && !told.contains("CANARY"))
        var text = ""
        dump(simulation.worker, to: &text)
        #expect(!text.contains("T1") && !text.contains("CANARY"))
    }
}

extension Simulation.Call {
    fileprivate var isForToken: Bool { route == "POST https://login.example.com/token" }

    /// The token it carries.
    fileprivate var token: String? {
        guard case .whole(_, _, let headers) = request.form else { return nil }
        return headers.first { $0.name == "Authorization" }.map {
            String($0.value.dropFirst("Bearer ".count))
        }
    }
}
