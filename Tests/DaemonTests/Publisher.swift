import Basics
import Kafka
import Testing

/// A producer as a product would have one: keyed by user, lz4.
final class Publisher {
    private let producer: Producer
    private let failures = Locked<[String]>([])
    private var count = 0
    /// Stands in the insert ids, so that no event is taken for one of another publisher.
    private let number: Int
    private static let numbers = Locked(0)

    init(
        _ broker: String,
        compression: String = "lz4",
        properties: [String: String] = [:]
    ) throws {
        number = Self.numbers.withLock { number in
            number += 1
            return number
        }
        let failures = failures
        producer = try Producer(
            ProducerSettings(
                properties: properties.merging(["bootstrap.servers": broker]) { $1 },
                clientID: "tests",
                lingerMilliseconds: 20,
                compression: compression
            ),
            delivered: { _, error in
                if let error { failures.withLock { $0.append(error.description) } }
            },
            failed: { _ in },
            log: { _ in }
        )
    }

    deinit {
        _ = producer.close(timeoutMilliseconds: 5000)
    }

    /// Queues a record; one that does not fit waits for room.
    func send(
        topic: String = "events",
        key: String?,
        value: [UInt8]?,
        partition: PartitionID? = nil,
        timestamp: Int64? = nil,
        headers: [RecordHeader] = []
    ) async throws {
        while true {
            do throws(KafkaError) {
                try producer.send(
                    topic: topic,
                    key: key.map { Array($0.utf8) },
                    value: value,
                    headers: headers,
                    partition: partition,
                    timestamp: timestamp
                )
                return
            } catch {
                guard error.kind == .queueFull else { throw error }
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Queues an event and returns its JSON.
    @discardableResult
    func event(
        _ type: String,
        of user: String,
        at time: Int64 = wallClock(),
        properties: String = "{}",
        userProperties: String = "{}",
        topic: String = "events",
        partition: PartitionID? = nil
    ) async throws -> String {
        count += 1
        let json =
            #"{"user_id":"\#(user)","event_type":"\#(type)","time":\#(time),"insert_id":"\#(number)-\#(count)","#
            + #""event_properties":\#(properties),"user_properties":\#(userProperties)}"#
        try await send(
            topic: topic,
            key: user,
            value: Array(json.utf8),
            partition: partition
        )
        return json
    }

    /// Waits until everything is in the broker.
    func flush(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await eventually("all is delivered", within: 60, sourceLocation: sourceLocation) {
            producer.pendingCount == 0
        }
        #expect(failures.withLock { $0 } == [], sourceLocation: sourceLocation)
    }
}
