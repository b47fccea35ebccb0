import Kafka
import KafkaDelivery
import Sync
import Testing

@Suite("Topics as destinations, on the in-process broker")
struct TopicTransportTests {
    let broker: EmbeddedBroker
    let scenarios: TopicScenarios

    init() throws {
        let broker = try EmbeddedBroker()
        self.broker = broker
        scenarios = TopicScenarios(
            bootstrap: broker.bootstrapServers,
            createTopic: { name, partitions in try broker.createTopic(name, partitions: partitions)
            }
        )
    }

    /// The text and the certainty of an outcome that asks for a repetition.
    private func retry(
        _ outcome: DeliveryOutcome
    ) throws -> (text: String, isKnownNotApplied: Bool) {
        guard case .retriable(let detail, nil, let knownNotApplied) = outcome else {
            Issue.record("\(outcome)")
            throw NotInTime(what: "a retriable outcome")
        }
        return (detail, knownNotApplied)
    }

    @Test("changes arrive under their key, numbered, in the order of the batches")
    func changes() async throws { try await scenarios.changes("changes") }

    @Test("a table gets a value on entry and a tombstone on exit")
    func table() async throws { try await scenarios.table("table") }

    @Test("a batch that takes too long is unknown; sent again it is waited for, not sent twice")
    func outage() async throws {
        try broker.createTopic("outage", partitions: 1)
        try await withTransport(scenarios.settings("outage", .changes)) { transport, outcomes in
            transport.submit(TopicScenarios.request(1), token: 1)
            try await outcomes.expectDelivered(1)
            try broker.setDown()
            transport.submit(TopicScenarios.request(2, timeoutMilliseconds: 500), token: 2)
            let failure = try retry(try await outcomes.wait(for: 2))
            #expect(!failure.isKnownNotApplied)
            #expect(failure.text.contains("no acknowledgment of 2 of 2 records within 500ms"))
            transport.submit(TopicScenarios.request(2), token: 3)
            try broker.setUp()
            try await outcomes.expectDelivered(3)
        }
        #expect(try await scenarios.records("outage", count: 4).count == 4)
    }

    @Test("a batch of which the client takes no record is known not to be applied")
    func queueFull() async throws {
        try broker.createTopic("full", partitions: 1)
        try broker.setDown()
        let settings = scenarios.settings(
            "full",
            .changes,
            properties: ["queue.buffering.max.messages": "2"]
        )
        try await withTransport(settings) { transport, outcomes in
            transport.submit(TopicScenarios.request(1), token: 1)
            transport.submit(TopicScenarios.request(2), token: 2)
            let failure = try retry(try await outcomes.wait(for: 2))
            #expect(failure.isKnownNotApplied)
            #expect(failure.text.contains("0 of 2 records acknowledged"))
            try broker.setUp()
            try await outcomes.expectDelivered(1)
            transport.submit(TopicScenarios.request(2), token: 3)
            try await outcomes.expectDelivered(3)
        }
    }

    @Test("a fatal error of the client is answered with a new one")
    func fatal() async throws {
        try broker.createTopic("fatal", partitions: 1)
        // The answer to InitProducerId: not allowed, which no client recovers from.
        try broker.failNext(request: 22, codes: [31])
        try await withTransport(scenarios.settings("fatal", .changes)) { transport, outcomes in
            transport.submit(TopicScenarios.request(1), token: 1)
            let failure = try retry(try await outcomes.wait(for: 1))
            #expect(failure.text.contains("sent again with a new connection"))
            transport.submit(TopicScenarios.request(1), token: 2)
            try await outcomes.expectDelivered(2)
        }
        #expect(try await scenarios.records("fatal", count: 2).count == 2)
    }

    @Test("a property that does not suit the client fails the batch with its name")
    func properties() async throws {
        let settings = scenarios.settings("never", .table, properties: ["linger.msec": "5"])
        try await withTransport(settings) { transport, outcomes in
            transport.submit(TopicScenarios.request(), token: 1)
            guard case .failed(let detail) = try await outcomes.wait(for: 1) else {
                Issue.record("not failed")
                return
            }
            #expect(detail.contains("linger.msec") && detail.hasSuffix("then restart"))
        }
    }

    @Test("a stop cuts off what is not acknowledged, and what comes later is not sent")
    func stop() async throws {
        try broker.createTopic("stop", partitions: 1)
        try broker.setDown()
        let outcomes = TopicOutcomes()
        let transport = TopicTransport(scenarios.settings("stop", .changes)) {
            outcomes.add($0, $1)
        }
        transport.submit(TopicScenarios.request(1), token: 1)
        transport.stop(graceMilliseconds: 10)
        transport.submit(TopicScenarios.request(2), token: 2)
        #expect(try !retry(try await outcomes.wait(for: 1)).isKnownNotApplied)
        #expect(try retry(try await outcomes.wait(for: 2)).isKnownNotApplied)
    }
}
