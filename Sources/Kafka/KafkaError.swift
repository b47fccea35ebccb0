internal import CRdKafka

/// What went wrong with Kafka: the client's code, its text, and what kind of trouble it is.
///
/// `text` says what was being done, to which topic or partition, and what Kafka or the client answered.
package struct KafkaError: Error, Equatable, CustomStringConvertible {
    /// The kinds of trouble that a caller treats differently.
    package enum Kind: Equatable, Sendable {
        /// A property or an argument that the client does not take: the configuration must change.
        case configuration
        /// The partition holds no such offset: it is before the first, or beyond the end.
        case offsetOutOfRange
        /// Kafka does not know the topic or the partition: absent, deleted, or not yet visible.
        case unknownTopicOrPartition
        /// A batch whose checksum, compression or form is wrong.
        case damagedBatch
        /// The producer holds as much as it may: poll, wait, send again.
        case queueFull
        /// No answer in time.
        case timedOut
        /// No connection, or it broke.
        case transport
        /// No broker at all can be reached.
        case allBrokersDown
        /// The broker refuses our identity.
        case authentication
        /// The broker refuses what we ask for.
        case authorization
        /// Another process uses our `group.instance.id` or our place in the group.
        case fenced
        /// The broker knows no such request.
        case unsupported
        /// This client was closed.
        case closed
        /// Anything else; see the code.
        case other
    }

    /// The code of librdkafka: negative for the client's own, else that of the Kafka protocol.
    package let code: Int32
    /// The kind of trouble.
    package let kind: Kind
    /// What happened, where.
    package let text: String
    /// Whether the same call may succeed later with nothing changed.
    package let isRetriable: Bool
    /// Whether the client is of no use any more and must be made anew.
    package let isFatal: Bool

    /// The code's name as Kafka's documents and librdkafka write it, such as `_TIMED_OUT`.
    package var codeName: String {
        guard let name = rd_kafka_err2name(rd_kafka_resp_err_t(rawValue: code)) else {
            return "\(code)"
        }
        return String(cString: name)
    }

    /// The text with the code's name.
    package var description: String { "\(text) (\(codeName))" }

    init(
        _ code: rd_kafka_resp_err_t,
        _ context: String,
        detail: String? = nil,
        isFatal: Bool = false
    ) {
        let kind = Self.kind(of: code)
        self.code = code.rawValue
        self.kind = kind
        let reason =
            detail ?? rd_kafka_err2str(code).map { String(cString: $0) } ?? "error \(code.rawValue)"
        text = context.isEmpty ? reason : "\(context): \(reason)"
        self.isFatal = isFatal || code == RD_KAFKA_RESP_ERR__FATAL || kind == .fenced
        isRetriable = !self.isFatal && Self.isRetriable(code, kind)
    }

    init(configuration text: String) {
        code = RD_KAFKA_RESP_ERR__INVALID_ARG.rawValue
        kind = .configuration
        self.text = text
        isRetriable = false
        isFatal = false
    }

    /// No answer in time to what `text` says.
    package static func timedOut(_ text: String) -> KafkaError {
        KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT, text)
    }

    /// Reads and destroys an error object of the client.
    init(consuming error: OpaquePointer, _ context: String) {
        let text = rd_kafka_error_string(error).map { String(cString: $0) }
        self.init(
            rd_kafka_error_code(error),
            context,
            detail: text,
            isFatal: rd_kafka_error_is_fatal(error) != 0
        )
        rd_kafka_error_destroy(error)
    }

    /// What every call of a closed client throws.
    package static let closed = KafkaError(
        RD_KAFKA_RESP_ERR__DESTROY,
        "",
        detail: "this Kafka client was closed"
    )

    static func kind(of code: rd_kafka_resp_err_t) -> Kind {
        switch code {
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
            .offsetOutOfRange
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
            .unknownTopicOrPartition
        case RD_KAFKA_RESP_ERR__BAD_MSG, RD_KAFKA_RESP_ERR__BAD_COMPRESSION,
            RD_KAFKA_RESP_ERR_INVALID_MSG, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
            RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED, RD_KAFKA_RESP_ERR__INCONSISTENT:
            .damagedBatch
        case RD_KAFKA_RESP_ERR__QUEUE_FULL:
            .queueFull
        case RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
            RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
            .timedOut
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RD_KAFKA_RESP_ERR__SSL:
            .transport
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
            .allBrokersDown
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
            .authentication
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            .authorization
        case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR__FENCED,
            RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
            .fenced
        case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
            .unsupported
        case RD_KAFKA_RESP_ERR__DESTROY:
            .closed
        case RD_KAFKA_RESP_ERR__INVALID_ARG:
            .configuration
        default:
            .other
        }
    }

    private static func isRetriable(_ code: rd_kafka_resp_err_t, _ kind: Kind) -> Bool {
        switch kind {
        case .queueFull, .timedOut, .transport, .allBrokersDown, .unknownTopicOrPartition:
            return true
        case .configuration, .offsetOutOfRange, .damagedBatch, .authentication, .authorization,
            .fenced, .unsupported, .closed:
            return false
        case .other:
            break
        }
        switch code {
        case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
            RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, RD_KAFKA_RESP_ERR_NOT_CONTROLLER,
            RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
            RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, RD_KAFKA_RESP_ERR__WAIT_COORD,
            RD_KAFKA_RESP_ERR__IN_PROGRESS,
            RD_KAFKA_RESP_ERR__WAIT_CACHE, RD_KAFKA_RESP_ERR__RETRY,
            RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, RD_KAFKA_RESP_ERR__STATE,
            RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE:
            return true
        default:
            return false
        }
    }
}
