import Basics
import Kafka
import Synchronization

/// A producer that keeps what became of each record.
final class Sender: Sendable {
    final class Reports: Sendable {
        let delivered = Mutex<[UInt64]>([])
        let failed = Mutex<[UInt64: KafkaError]>([:])
        let errors = Mutex<[KafkaError]>([])
    }

    let producer: Producer
    let reports: Reports

    init(bootstrap: String, properties: [String: String] = [:], compression: String = "lz4") throws
    {
        let reports = Reports()
        self.reports = reports
        let common = ["bootstrap.servers": bootstrap, "reconnect.backoff.max.ms": "250"]
        producer = try Producer(
            ProducerSettings(
                properties: common.merging(properties) { $1 },
                clientID: "kafka-tests",
                compression: compression
            ),
            delivered: { token, error in
                if let error {
                    reports.failed.withLock { $0[token] = error }
                } else {
                    reports.delivered.withLock { $0.append(token) }
                }
            },
            failed: { error in reports.errors.withLock { $0.append(error) } },
            log: { _ in }
        )
    }

    /// Sends `count` records "PARTITION:NUMBER" to each partition, in turn, and waits for their delivery.
    func fill(
        _ topic: String,
        partitions: Int,
        count: Int,
        from first: Int = 0,
        padding: Int = 0
    ) throws {
        let pad = String(repeating: ".", count: padding)
        for number in first..<(first + count) {
            for partition in 0..<partitions {
                try producer.send(
                    topic: topic,
                    key: Array("k\(number)".utf8),
                    value: Array("\(partition):\(number)\(pad)".utf8),
                    partition: PartitionID(partition),
                    timestamp: Int64(1_700_000_000_000 + number)
                )
            }
        }
        try producer.flush(timeoutMilliseconds: 30_000)
    }
}

/// The records "PARTITION:NUMBER" with these numbers.
func texts(_ partition: PartitionID, _ numbers: Range<Int>) -> [String] {
    numbers.map { "\(partition):\($0)" }
}
