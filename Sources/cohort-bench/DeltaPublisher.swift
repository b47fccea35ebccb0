import Basics
import Cohorts
import Engine
import Glibc
import Kafka
import Synchronization

/// Publishes deltas to a topic, each keyed by its user.
final class DeltaPublisher: Sendable {
    private final class Counts: Sendable {
        let sent = Atomic(0)
        let refused = Atomic(0)
    }

    private let topic: String
    private let producer: Producer
    private let counts: Counts

    init(_ bootstrap: String, topic: String) throws(KafkaError) {
        self.topic = topic
        let counts = Counts()
        self.counts = counts
        producer = try Producer(
            ProducerSettings(
                properties: ["bootstrap.servers": bootstrap],
                clientID: "cohort-bench",
                lingerMilliseconds: 50
            ),
            delivered: { _, error in
                if error != nil { counts.refused.wrappingAdd(1, ordering: .relaxed) }
            },
            failed: { printError("cohort-bench kafka-engine: \($0.description)") },
            log: { _ in }
        )
        _ = try Admin(producer).createTopic(topic, partitions: 8, timeoutMilliseconds: 20_000)
    }

    /// How many were published.
    var count: Int { counts.sent.load(ordering: .relaxed) }

    /// Publishes the deltas of one tick; from any thread.
    func publish(_ deltas: [Delta], of shard: borrowing Shard, at tick: EventTime) {
        let instant = tick.rfc3339
        var writer = JSONWriter()
        for delta in deltas {
            writer.clear()
            let user = shard.userID(delta.slot)
            writer.beginObject()
            writer.member("tick", instant)
            writer.member("cohort", shard.plan.cohorts[delta.cohort].id)
            writer.key("user")
            writer.value(user)
            writer.member("op", delta.entered ? "enter" : "exit")
            writer.endObject()
            writer.bytes.withByteView { send(user, $0) }
        }
        counts.sent.wrappingAdd(deltas.count, ordering: .relaxed)
    }

    /// Waits until the broker has them.
    func flush() throws {
        try producer.flush(timeoutMilliseconds: 60_000)
        let refused = counts.refused.load(ordering: .relaxed)
        if refused > 0 {
            throw KafkaPublisher.Failure(text: "the broker refused \(refused) deltas")
        }
    }

    private func send(_ key: ByteView, _ value: ByteView) {
        while true {
            do throws(KafkaError) {
                return try producer.send(topic: topic, key: key, value: value)
            } catch {
                guard error.kind == .queueFull else {
                    counts.refused.wrappingAdd(1, ordering: .relaxed)
                    return
                }
                usleep(1000)
            }
        }
    }
}
