import Delivery
import Sync
import Testing

@Suite("Looking up the partner's own ids")
struct LookupTests {
    /// A partner that knows users by ids such as `p17` for `u17`.
    private final class Directory {
        var knows: (String) -> Bool = { _ in true }
        /// What it answers a lookup of these users instead.
        var failure: ([String]) -> HTTPOutcome? = { _ in nil }
        var prefix = "p"

        func answer(_ call: Simulation.Call) -> (HTTPOutcome, Int64) {
            guard call.isLookup else { return (.status(200), 100) }
            if let outcome = failure(call.users) { return (outcome, 100) }
            let elements = call.users.filter(knows).map {
                #"{"ref":"\#($0)","id":"\#(prefix)\#($0.dropFirst())"}"#
            }
            return (.status(200, #"{"found":[\#(elements.joined(separator: ","))]}"#), 100)
        }
    }

    private let own: DestinationWorkerSettings

    init() throws {
        own = try Self.settings("ttl: 10m")
    }

    private static func settings(
        _ lookup: String,
        _ rest: String = "concurrency: {max: 4}"
    ) throws -> DestinationWorkerSettings {
        DeliveryTests.settings(
            try template(
                """
                template: t
                model: property
                base_url: https://api.example.com
                identity: {keys: [{name: id, from: user_id}]}
                members: {change: {method: POST, path: /m, body: {ids: {$each: changes, item: '${u.partner_id}'}}}}
                batch: {max_items: 20, mix: true}
                lookup:
                  request: {method: POST, path: /find, body: {ids: {$each: batch, item: '${u.id}'}}}
                  batch: 10
                  key: /found/*/ref
                  id: /found/*/id
                  \(lookup)
                responses: \(standardResponses)
                \(rest)
                """
            )
        )
    }

    private func simulation(_ directory: Directory) throws -> Simulation {
        try Simulation(own, partner: { directory.answer($0) })
    }

    @Test("all are asked for before they are sent, in batches; nobody twice while the id is kept")
    func success() throws {
        let simulation = try self.simulation(Directory())
        simulation.submit(users(0..<40))
        simulation.run()
        #expect(simulation.calls.count { $0.isLookup } == 4)
        #expect(simulation.calls.filter(\.isLookup).allSatisfy { $0.users.count == 10 })
        #expect(simulation.sentIDs == (0..<40).map { "p\($0)" })
        #expect(simulation.outcomes.count { $0.value == .delivered } == 40)
        #expect(simulation.inFlightMax == 4)
        simulation.submit(users(30..<45), exits: 5)
        simulation.run()
        #expect(simulation.calls.filter(\.isLookup).last?.users == users(40..<45))
        #expect(simulation.sentIDs.count == 55)
        // Longer than the ids are kept.
        simulation.run(until: simulation.now + 600_001)
        simulation.submit(users(0..<10))
        simulation.run()
        #expect(simulation.calls.count { $0.isLookup } == 6)
    }

    @Test("who is not there is skipped, and all others are sent")
    func missing() throws {
        let directory = Directory()
        directory.knows = { !$0.hasSuffix("3") }
        let simulation = try self.simulation(directory)
        simulation.submit(users(0..<40))
        simulation.run()
        #expect(simulation.completions.count == 1)
        for user in users(0..<40) {
            let isMissing = user.hasSuffix("3")
            #expect(simulation.outcomes[user] == (isMissing ? .skipped : .delivered))
            #expect(simulation.reasons[user] == (isMissing ? "lookup_missing" : nil))
        }
        directory.knows = { _ in false }
        simulation.submit(users(100..<120))
        simulation.run()
        #expect(users(100..<120).allSatisfy { simulation.outcomes[$0] == .skipped })
    }

    @Test(
        "a lookup that fails sends nobody, and all are sent again",
        arguments: [
            HTTPOutcome.status(503), .status(429), .notSent("no route"), .unknown("timeout"),
        ]
    )
    func failing(_ outcome: HTTPOutcome) throws {
        let directory = Directory()
        directory.failure = { _ in outcome }
        let simulation = try self.simulation(directory)
        simulation.repeats = false
        simulation.submit(users(0..<20))
        simulation.run(until: simulation.now + 1000)
        #expect(simulation.completions.count == 1)
        #expect(simulation.outcomes.values.allSatisfy { $0 == .notApplied })
        #expect(simulation.sentIDs == [])
        directory.failure = { _ in nil }
        simulation.repeats = true
        simulation.offer(users(0..<20))
        simulation.run(until: simulation.now + 3_600_000)
        #expect(simulation.outcomes.count { $0.value == .delivered } == 20)
    }

    @Test("a refused credential pauses, and what only a person mends pauses the sync")
    func refused() throws {
        for (status, isPaused) in [(401, true), (404, false), (422, false)] {
            let directory = Directory()
            directory.failure = { _ in .status(status) }
            let simulation = try self.simulation(directory)
            simulation.repeats = false
            simulation.submit(users(0..<20))
            simulation.run(until: simulation.now + 1000)
            #expect((simulation.worker.status(now: simulation.now).refusal != nil) == isPaused)
            #expect(simulation.outcomes.values.allSatisfy { $0 == .notApplied })
            guard let outcome = simulation.completions.first?.1.outcome else {
                Issue.record("no completion")
                continue
            }
            switch outcome {
            case .authenticationRefused: #expect(isPaused)
            case .failed: #expect(!isPaused)
            default: Issue.record("\(outcome)")
            }
        }
    }

    @Test("a user whom the partner does not even look up is found, and costs no other")
    func bisecting() throws {
        let directory = Directory()
        directory.failure = { $0.contains("u7") ? .status(400) : nil }
        let simulation = try self.simulation(directory)
        simulation.submit(users(0..<40))
        simulation.run()
        #expect(simulation.outcomes.count { $0.value == .delivered } == 39)
        #expect(simulation.reasons["u7"] == "rejected_by_partner")
    }

    @Test("an answer longer than what is read of it is asked for in halves")
    func cut() throws {
        let directory = Directory()
        directory.failure = { $0.count > 3 ? .status(200, "{", isBodyCut: true) : nil }
        let simulation = try self.simulation(directory)
        simulation.submit(users(0..<10))
        simulation.run()
        #expect(simulation.outcomes.count { $0.value == .delivered } == 10)
        #expect(simulation.sentIDs.sorted() == (0..<10).map { "p\($0)" })
    }

    @Test("limits count lookups, and other secrets forget what was found")
    func limits() throws {
        let directory = Directory()
        let slow = try Self.settings(
            "ttl: 1d",
            "limits: [{unit: requests, count: 2, per: 10s}]\nconcurrency: {max: 4}"
        )
        let simulation = try Simulation(slow, partner: { directory.answer($0) })
        simulation.submit(users(0..<40))
        simulation.run()
        #expect(peak(simulation.calls, per: 10_000) { _ in 1 } <= 2)
        #expect(simulation.outcomes.count { $0.value == .delivered } == 40)
        directory.prefix = "q"
        try simulation.worker.credentialsChanged(slow)
        simulation.submit(users(0..<10))
        simulation.run()
        #expect(simulation.sentIDs.suffix(10) == (0..<10).map { "q\($0)" })
    }
}

extension Simulation.Call {
    fileprivate var isLookup: Bool { route.hasSuffix("/find") }
}

extension Simulation {
    /// The partner's ids in the requests that carry users, in order.
    fileprivate var sentIDs: [String] {
        calls.filter { !$0.isLookup }.flatMap { call in
            call.request.body.split(separator: UInt8(ascii: "\"")).map {
                String(decoding: $0, as: UTF8.self)
            }.filter { $0.count > 1 && ($0.hasPrefix("p") || $0.hasPrefix("q")) }
        }
    }
}
