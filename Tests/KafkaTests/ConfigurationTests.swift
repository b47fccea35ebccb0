import Testing

@testable import Kafka

@Suite("librdkafka properties")
struct ConfigurationTests {
    @Test(
        "properties that our promises rest on are refused",
        arguments: [
            "enable.auto.commit", "enable.auto.offset.store", "auto.offset.reset",
            "enable.partition.eof", "isolation.level", "check.crcs", "group.id",
            "partition.assignment.strategy", "acks", "request.required.acks", "enable.idempotence",
            "plugin.library.paths", "ssl.engine.location",
        ]
    )
    func refused(_ name: String) {
        #expect(ConfigurationCheck.problem(name, "x")?.hasPrefix("\(name) cannot be set: ") == true)
    }

    @Test("ordinary properties are taken")
    func taken() {
        let properties = [
            ("bootstrap.servers", "127.0.0.1:9092"), ("session.timeout.ms", "6000"),
            ("group.instance.id", "one"), ("security.protocol", "SASL_SSL"),
            ("sasl.mechanisms", "SCRAM-SHA-512"), ("queued.min.messages", "1000"),
            ("partitioner", "murmur2_random"), ("compression.codec", "zstd"),
        ]
        for (name, value) in properties { #expect(ConfigurationCheck.problem(name, value) == nil) }
    }

    @Test("an unknown property names the nearest known one")
    func unknown() throws {
        let problem = try #require(ConfigurationCheck.problem("bootstrap.server", "x"))
        #expect(problem.contains("did you mean bootstrap.servers?"))
        #expect(ConfigurationCheck.problem("völlig.falsch", "")?.contains("did you mean") == false)
    }

    @Test("a value out of its range is said with its property")
    func badValue() throws {
        let problem = try #require(ConfigurationCheck.problem("session.timeout.ms", "soon"))
        #expect(problem.contains("session.timeout.ms"))
        #expect(ConfigurationCheck.problem("security.protocol", "carrier-pigeon") != nil)
    }

    @Test("a client of properties that do not go together is refused, with the reason")
    func unsuitable() {
        let settings = ConsumerSettings(
            properties: ["bootstrap.servers": "127.0.0.1:1", "max.poll.interval.ms": "1000"],
            groupID: "g",
            clientID: "c",
            topic: "t",
            threads: 1
        )
        let events = ConsumerEvents(
            startPosition: { _ in .hold },
            assigned: { _ in },
            revoked: { _, _ in },
            failed: { _ in },
            log: { _ in }
        )
        let error = #expect(throws: KafkaError.self) { try Consumer(settings, events) }
        #expect(error?.kind == .configuration)
        #expect(error?.text.contains("max.poll.interval.ms") == true)
    }

    @Test("errors carry the name that Kafka's documents use")
    func names() {
        #expect(KafkaError.closed.codeName == "_DESTROY")
        #expect(KafkaError.closed.description == "this Kafka client was closed (_DESTROY)")
        #expect(!KafkaError.closed.isRetriable)
    }
}
