internal import CRdKafka

/// Makes topics, through the connections of a producer.
package struct Admin: Sendable {
    /// What became of a topic that should exist.
    package enum Outcome: Sendable, Equatable {
        /// It was made.
        case created
        /// It was there before; its partitions and configuration were not looked at.
        case existed
        /// The broker knows no such request (the in-process one): sending a record makes the topic.
        case unsupported
    }

    private let producer: Producer

    /// Uses this producer's connections.
    package init(_ producer: Producer) {
        self.producer = producer
    }

    /// Makes a topic with the broker's default replication.
    ///
    /// - Parameters:
    ///   - name: The topic.
    ///   - partitions: How many; nil is the broker's default.
    ///   - configuration: The topic's own settings, such as `cleanup.policy`.
    ///   - timeoutMilliseconds: How long to wait, for the request and for the brokers to have the topic.
    /// - Returns: whether the topic was made, was there, or cannot be made in this way.
    /// - Throws: `KafkaError`: of kind `authorization` without the right, retriable without an answer.
    package func createTopic(
        _ name: String,
        partitions: Int?,
        configuration: [String: String] = [:],
        timeoutMilliseconds: Int
    ) throws(KafkaError) -> Outcome {
        let context = "topic \(name) cannot be made"
        return try producer.handle.use { client throws(KafkaError) in
            if Self.isInProcess(client, timeoutMilliseconds) { return .unsupported }
            var text = [CChar](repeating: 0, count: 512)
            guard
                let topic = rd_kafka_NewTopic_new(
                    name,
                    Int32(clamping: partitions ?? -1),
                    -1,
                    &text,
                    text.count
                )
            else {
                throw KafkaError(configuration: "\(context): \(String(nulTerminated: text))")
            }
            defer { rd_kafka_NewTopic_destroy(topic) }
            for (key, value) in configuration.sorted(by: { $0.key < $1.key }) {
                let code = rd_kafka_NewTopic_set_config(topic, key, value)
                if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                    throw KafkaError(code, "\(context): \(key)")
                }
            }
            return try Self.request(topic, client, context, timeoutMilliseconds)
        }
    }

    /// Whether this is the in-process broker, which says so in its cluster's name.
    ///
    /// It names a controller that does not exist, and the client would wait for it until the timeout.
    static func isInProcess(_ client: OpaquePointer, _ timeout: Int) -> Bool {
        guard let name = rd_kafka_clusterid(client, Int32(clamping: timeout)) else { return false }
        defer { rd_kafka_mem_free(client, name) }
        return String(cString: name).hasPrefix("mockCluster")
    }

    private static func request(
        _ topic: OpaquePointer,
        _ client: OpaquePointer,
        _ context: String,
        _ timeout: Int
    ) throws(KafkaError) -> Outcome {
        var topics: [OpaquePointer?] = [topic]
        return try AdminRequest(
            client,
            RD_KAFKA_ADMIN_OP_CREATETOPICS,
            limits: [
                rd_kafka_AdminOptions_set_request_timeout,
                rd_kafka_AdminOptions_set_operation_timeout,
            ],
            timeoutMilliseconds: timeout,
            context
        ).answer {
            rd_kafka_CreateTopics(client, &topics, topics.count, $0, $1)
        } read: { event throws(KafkaError) in
            try outcome(of: event, context)
        }
    }

    private static func outcome(
        of event: OpaquePointer,
        _ context: String
    ) throws(KafkaError) -> Outcome {
        var code = rd_kafka_event_error(event)
        var detail = rd_kafka_event_error_string(event).map { String(cString: $0) }
        if code == RD_KAFKA_RESP_ERR_NO_ERROR {
            var count = 0
            let result = rd_kafka_event_CreateTopics_result(event)
            guard let answers = rd_kafka_CreateTopics_result_topics(result, &count), count == 1
            else {
                throw KafkaError(RD_KAFKA_RESP_ERR__BAD_MSG, context, detail: "the answer is empty")
            }
            code = rd_kafka_topic_result_error(answers[0])
            detail = rd_kafka_topic_result_error_string(answers[0]).map { String(cString: $0) }
        }
        switch code {
        case RD_KAFKA_RESP_ERR_NO_ERROR: return .created
        case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS: return .existed
        case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE: return .unsupported
        default: throw KafkaError(code, context, detail: detail)
        }
    }
}
