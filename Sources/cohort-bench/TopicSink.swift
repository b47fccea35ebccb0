import Arguments
import Basics
import Kafka
import Synchronization
import Traffic

/// Where `cohort-bench generate` publishes to.
struct TopicTarget {
    let topic: String
    let partitions: Int?
    let properties: [String: String]
    let compression: String

    /// Reads the arguments; nil where none names a broker.
    init?(_ arguments: ParsedArguments) throws(BenchStatus) {
        guard let bootstrap = arguments.value("--bootstrap") else {
            for option in ["--topic", "--partitions", "--compression"]
            where arguments.value(option) != nil {
                throw arguments.usage("\(option): --bootstrap says where the broker is")
            }
            if !arguments.values("--property").isEmpty {
                throw arguments.usage("--property: --bootstrap says where the broker is")
            }
            return nil
        }
        topic = arguments.value("--topic") ?? "events"
        partitions =
            arguments.value("--partitions") == nil
            ? nil : try arguments.number("--partitions", 1, in: 1...10_000)
        properties = try arguments.properties().merging(["bootstrap.servers": bootstrap]) { $1 }
        compression = arguments.value("--compression") ?? "lz4"
    }
}

/// Made-up events as records of a topic: the user is the key, the arrival the timestamp.
struct TopicSink: TrafficSink {
    /// What became of records, told on the producer's thread.
    private final class Deliveries: Sendable {
        let refused = Atomic(0)
        let reason = Mutex<String?>(nil)
        let isBroken = Atomic(false)
    }

    private let topic: String
    private let producer: Producer
    private let deliveries = Deliveries()

    /// Connects, and makes the topic where that is asked for.
    init(_ target: TopicTarget) throws(BenchStatus) {
        topic = target.topic
        let deliveries = deliveries
        do throws(KafkaError) {
            producer = try Producer(
                ProducerSettings(
                    properties: target.properties,
                    clientID: "cohort-bench",
                    lingerMilliseconds: 20,
                    compression: target.compression
                ),
                delivered: { _, error in
                    guard let error else { return }
                    deliveries.refused.wrappingAdd(1, ordering: .relaxed)
                    deliveries.reason.withLock { $0 = $0 ?? error.description }
                },
                failed: { error in
                    if error.isFatal { deliveries.isBroken.store(true, ordering: .relaxed) }
                    printError("cohort-bench generate: \(error.description)")
                },
                log: { _ in }
            )
        } catch {
            printError("cohort-bench generate: \(error.description)")
            throw .usage
        }
        guard let partitions = target.partitions else { return }
        do throws(KafkaError) {
            _ = try Admin(producer).createTopic(
                topic,
                partitions: partitions,
                timeoutMilliseconds: 20_000
            )
        } catch {
            printError("cohort-bench generate: \(error.description)")
            throw .outputFailed
        }
    }

    func take(_ event: TrafficGenerator.Event) throws(BenchStatus) -> Bool {
        do throws(KafkaError) {
            try producer.send(
                topic: topic,
                key: Array(event.user.utf8),
                value: event.json,
                timestamp: event.arrival.milliseconds
            )
            return true
        } catch {
            if error.kind == .queueFull { return false }
            printError("cohort-bench generate: \(error.description)")
            throw .outputFailed
        }
    }

    func flush() {}

    var pending: Int {
        // After a fatal error nothing more is delivered, and nobody says so of each record.
        deliveries.isBroken.load(ordering: .relaxed) ? 0 : producer.pendingCount
    }

    func wait(milliseconds: Int) {
        do throws(KafkaError) {
            try producer.flush(timeoutMilliseconds: milliseconds)
        } catch {
            // Not all of it yet: `pending` tells.
        }
    }

    func end() -> Int {
        let waiting = producer.pendingCount
        _ = producer.close(timeoutMilliseconds: 5000)
        return waiting + deliveries.refused.load(ordering: .relaxed)
    }

    var failure: String? { deliveries.reason.withLock { $0 } }
}
