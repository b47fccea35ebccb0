import Basics
import Kafka
import Testing

/// What two topics with the same number of partitions hold, read from the beginning to the end of each.
struct TopicReader {
    struct Record: Equatable {
        /// That of the topic.
        var partition: PartitionID
        var offset: Offset
        var key: String
        /// Nil for a tombstone.
        var value: String?
        /// By name; those that have no value are left out.
        var headers: [String: String] = [:]
    }

    private(set) var first: [Record] = []
    private(set) var second: [Record] = []

    /// Reads both to the end they have now.
    init(
        _ broker: Broker,
        _ names: (String, String),
        partitions: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await self.init(
            broker.address,
            names,
            partitions: partitions,
            sourceLocation: sourceLocation
        )
    }

    /// Reads both, at the broker of an address, to the end they have now.
    init(
        _ address: String,
        _ names: (String, String),
        partitions: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let failures = Locked<[String]>([])
        let consumer = try Consumer(
            ConsumerSettings(
                properties: ["bootstrap.servers": address],
                groupID: "reader",
                clientID: "reader",
                topic: names.0,
                companion: names.1,
                threads: 1
            ),
            ConsumerEvents(
                startPosition: { _ in .offset(0) },
                companionPosition: { _ in 0 },
                assigned: { _ in },
                revoked: { _, _ in },
                failed: { error in failures.withLock { $0.append("\(error)") } },
                log: { _ in }
            )
        )
        var records: (first: [Record], second: [Record]) = ([], [])
        var ends: (first: Set<PartitionID>, second: Set<PartitionID>) = ([], [])
        try await eventually(
            "\(names) are read; \(failures.withLock { $0 })",
            sourceLocation: sourceLocation
        ) {
            consumer.pollControl(timeoutMilliseconds: 5)
            _ = consumer.queues[0].consume(timeoutMilliseconds: 5) { view in
                switch view.content {
                case .record:
                    let record = Record(
                        partition: view.partition,
                        offset: view.offset,
                        key: String(decoding: view.key?.array ?? [], as: UTF8.self),
                        value: view.value.map { String(decoding: $0.array, as: UTF8.self) },
                        headers: view.headers.reduce(into: [:]) { headers, header in
                            headers[header.name] = header.value.map {
                                String(decoding: $0, as: UTF8.self)
                            }
                        }
                    )
                    if view.isOfCompanion {
                        records.second.append(record)
                    } else {
                        records.first.append(record)
                    }
                case .endOfPartition:
                    if view.isOfCompanion {
                        ends.second.insert(view.partition)
                    } else {
                        ends.first.insert(view.partition)
                    }
                case .failure(let error): failures.withLock { $0.append("\(error)") }
                }
            }
            return ends.first.count == partitions && ends.second.count == partitions
        }
        _ = consumer.close(timeoutMilliseconds: 10_000)
        first = records.first
        second = records.second
    }
}
