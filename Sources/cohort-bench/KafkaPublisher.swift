import Basics
import Events
import Glibc
import Kafka
import Synchronization

/// Publishes a file of events keyed by user, each with its arrival as a replay reckons it.
final class KafkaPublisher {
    /// Why a topic is not as it must be.
    struct Failure: Error {
        let text: String
    }

    /// What went wrong with records.
    private final class Refused: Sendable {
        let count = Atomic(0)
    }

    private let topic: String
    private let producer: Producer
    private let refused = Refused()
    /// Records by partition.
    private(set) var records: [Int64]
    /// Lines that are no event.
    private(set) var skipped = 0

    init(
        _ bootstrap: String,
        topic: String,
        partitions: Int,
        compression: String
    ) throws(KafkaError) {
        self.topic = topic
        records = [Int64](repeating: 0, count: partitions)
        let refused = refused
        producer = try Producer(
            ProducerSettings(
                properties: [
                    "bootstrap.servers": bootstrap,
                    "queue.buffering.max.messages": "1000000",
                    "queue.buffering.max.kbytes": "1048576",
                ],
                clientID: "cohort-bench",
                lingerMilliseconds: 50,
                compression: compression
            ),
            delivered: { _, error in
                if error != nil { refused.count.wrappingAdd(1, ordering: .relaxed) }
            },
            failed: { printError("cohort-bench kafka-publish: \($0.description)") },
            log: { _ in }
        )
    }

    /// Makes the topic of a broker that does not make it by itself.
    ///
    /// Its records are as old as the events say, and would be deleted for that.
    func createTopic() throws(KafkaError) {
        _ = try Admin(producer).createTopic(
            topic,
            partitions: records.count,
            configuration: ["retention.ms": "-1"],
            timeoutMilliseconds: 20_000
        )
    }

    /// Publishes the first `limit` events, and waits until the broker has them.
    func publish(_ file: borrowing EventFile, limit: Int) throws {
        var decoder = EventDecoder(
            extraction: Extraction(),
            eventBytesMax: 1 << 20,
            futureMax: 86_400_000 * 365
        )
        var newest: EventTime?
        var problem: KafkaError?
        var count = 0
        file.forEachLine { line in
            if line.isWhiteSpace || problem != nil || count == limit { return }
            guard case .events(1) = decoder.begin(line, source: .replay),
                case .event(let event)? = decoder.next(previousArrival: newest)
            else {
                skipped += 1
                return
            }
            newest = event.arrival
            count += 1
            let partition = Int(Hashing.hash64(event.userID) % UInt64(records.count))
            records[partition] += 1
            do throws(KafkaError) {
                try send(line, event, PartitionID(partition))
            } catch {
                problem = error
            }
        }
        if let problem { throw problem }
        try producer.flush(timeoutMilliseconds: 120_000)
        let refused = refused.count.load(ordering: .relaxed)
        if refused > 0 { throw Failure(text: "the broker refused \(refused) records") }
    }

    func close() {
        _ = producer.close(timeoutMilliseconds: 5000)
    }

    private func send(
        _ line: ByteView,
        _ event: EventView,
        _ partition: PartitionID
    ) throws(KafkaError) {
        while true {
            do throws(KafkaError) {
                return try producer.send(
                    topic: topic,
                    key: event.userID,
                    value: line,
                    partition: partition,
                    timestamp: event.arrival.milliseconds
                )
            } catch {
                guard error.kind == .queueFull else { throw error }
                usleep(1000)
            }
        }
    }

    /// Compares what the broker has of every partition with what was published.
    ///
    /// The in-process broker drops the oldest records of a partition beyond 5 MiB, and says nothing.
    func check(_ bootstrap: String) throws {
        let consumer = try Consumer(
            ConsumerSettings(
                properties: ["bootstrap.servers": bootstrap],
                groupID: "cohort-bench-check",
                clientID: "cohort-bench",
                topic: topic,
                threads: 1
            ),
            ConsumerEvents(
                startPosition: { _ in .hold },
                assigned: { _ in },
                revoked: { _, _ in },
                failed: { _ in },
                log: { _ in }
            )
        )
        defer { _ = consumer.close(timeoutMilliseconds: 5000) }
        let partitions = Array(0..<PartitionID(records.count))
        let first = try consumer.firstOffsets(partitions, timeoutMilliseconds: 10_000)
        let end = try consumer.endOffsets(partitions, timeoutMilliseconds: 10_000)
        for partition in partitions {
            let held = (try first[partition]?.get() ?? -1, try end[partition]?.get() ?? -1)
            let published = (Int64(0), records[Int(partition)])
            guard held == published else {
                throw Failure(
                    text: "the broker has offsets \(held.0) to \(held.1) of partition "
                        + "\(partition), published were 0 to \(published.1): take more partitions "
                        + "or fewer events"
                )
            }
        }
    }
}
