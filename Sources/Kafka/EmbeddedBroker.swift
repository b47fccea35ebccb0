internal import CRdKafka

/// librdkafka's in-process broker: real Kafka protocol on loopback ports of its choice, nothing on disk.
///
/// For the demo and for tests. What it is not:
/// - it keeps 5 MiB, as sent, or 100,000 batches of a partition and drops the oldest in silence;
/// - it knows no static members: those of a killed process come back after `session.timeout.ms`;
/// - it knows no CreateTopics, DescribeConfigs or DeleteRecords, and makes every topic that is asked for, with four
///   partitions;
/// - records of aborted transactions stay visible; partitions cannot be added, topics not be deleted.
///
/// `@unchecked Sendable`: the C cluster takes its calls as messages to its own thread.
package final class EmbeddedBroker: @unchecked Sendable {
    /// What clients set as `bootstrap.servers`.
    package let bootstrapServers: String
    private let handle: ClientHandle

    /// Starts that many brokers.
    package init(brokers: Int = 1) throws(KafkaError) {
        let callbacks = ClientCallbacks(log: { _ in }, failed: { _ in })
        let properties = [("test.mock.num.brokers", "\(brokers)"), ("client.id", "broker")]
        handle = try ClientHandle(consumer: false, properties: properties, callbacks: callbacks)
        bootstrapServers = try handle.use { client throws(KafkaError) in
            String(cString: rd_kafka_mock_cluster_bootstraps(try Self.cluster(client)))
        }
    }

    /// Makes a topic.
    package func createTopic(_ name: String, partitions: Int) throws(KafkaError) {
        try call("topic \(name) cannot be made") {
            rd_kafka_mock_topic_create($0, name, Int32(clamping: partitions), 1)
        }
    }

    /// Makes a broker, counted from 1, refuse and drop connections.
    package func setDown(_ broker: Int = 1) throws(KafkaError) {
        try call("broker \(broker) cannot be taken down") {
            rd_kafka_mock_broker_set_down($0, Int32(clamping: broker))
        }
    }

    /// Makes a broker answer again.
    package func setUp(_ broker: Int = 1) throws(KafkaError) {
        try call("broker \(broker) cannot be brought up") {
            rd_kafka_mock_broker_set_up($0, Int32(clamping: broker))
        }
    }

    /// Makes every answer of a broker take this long.
    package func setRoundTrip(_ broker: Int = 1, milliseconds: Int) throws(KafkaError) {
        try call("broker \(broker) cannot be slowed") {
            rd_kafka_mock_broker_set_rtt($0, Int32(clamping: broker), Int32(clamping: milliseconds))
        }
    }

    /// Moves the leadership of a partition to a broker.
    package func setLeader(_ topic: String, partition: Int32, broker: Int) throws(KafkaError) {
        try call("the leader of \(topic)/\(partition) cannot be moved") {
            rd_kafka_mock_partition_set_leader($0, topic, partition, Int32(clamping: broker))
        }
    }

    /// Answers the next requests of a kind, by its number in the Kafka protocol, with these codes, one each.
    package func failNext(request: Int16, codes: [Int32]) throws(KafkaError) {
        let codes = codes.map { rd_kafka_resp_err_t(rawValue: $0) }
        try call("errors cannot be planned") {
            rd_kafka_mock_push_request_errors_array($0, request, codes.count, codes)
            return RD_KAFKA_RESP_ERR_NO_ERROR
        }
    }

    /// Stops the brokers; false when that took longer than the time given and goes on in a thread.
    package func close(timeoutMilliseconds: Int) -> Bool {
        handle.close(timeoutMilliseconds: timeoutMilliseconds)
    }

    private func call(
        _ context: String,
        _ body: (OpaquePointer) -> rd_kafka_resp_err_t
    ) throws(KafkaError) {
        try handle.use { client throws(KafkaError) in
            let code = body(try Self.cluster(client))
            if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code, context) }
        }
    }

    private static func cluster(_ client: OpaquePointer) throws(KafkaError) -> OpaquePointer {
        guard let cluster = rd_kafka_handle_mock_cluster(client) else {
            throw KafkaError(
                RD_KAFKA_RESP_ERR__STATE,
                "",
                detail: "the Kafka client runs no in-process broker"
            )
        }
        return cluster
    }
}
