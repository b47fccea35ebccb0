package import Basics
internal import CRdKafka

/// What an engine queue hands out: a record, the end of a partition, or trouble with one.
///
/// Borrowed: it and every view taken from it are valid only during the call that hands it out.
package struct RecordView: ~Copyable {
    /// What this is.
    package enum Content {
        /// A record; a nil value is a tombstone.
        case record
        /// Everything before this offset was handed out, and at that moment there was nothing more.
        case endOfPartition
        /// The partition has trouble; which, says the error.
        ///
        /// Of the kinds `offsetOutOfRange` and `damagedBatch` no record of the partition follows until it
        /// is restarted or assigned anew. Other troubles end by themselves when their cause does.
        case failure(KafkaError)
    }

    private let message: UnsafePointer<rd_kafka_message_t>
    /// Whether it belongs to the companion's partition, not to the topic's.
    package let isOfCompanion: Bool

    init(_ message: UnsafePointer<rd_kafka_message_t>, isOfCompanion: Bool) {
        self.message = message
        self.isOfCompanion = isOfCompanion
    }

    /// Whether this is a record: the cheap question of the hot path.
    package var isRecord: Bool { message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR }

    /// Whether this is a batch that cannot be read.
    var isDamage: Bool {
        !isRecord && message.pointee.err != RD_KAFKA_RESP_ERR__PARTITION_EOF
            && KafkaError.kind(of: message.pointee.err) == .damagedBatch
    }

    /// What this is.
    package var content: Content {
        switch message.pointee.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR: .record
        case RD_KAFKA_RESP_ERR__PARTITION_EOF: .endOfPartition
        default: .failure(error)
        }
    }

    /// The partition; −1 when trouble belongs to none.
    package var partition: PartitionID { message.pointee.partition }

    /// The record's offset; for the end of a partition the offset of the next record to come; for trouble
    /// the offset it was met at, where Kafka says so.
    package var offset: Offset { message.pointee.offset }

    /// The record's timestamp, milliseconds since 1970-01-01 UTC; nil when it has none.
    package var timestamp: Int64? {
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let timestamp = rd_kafka_message_timestamp(message, &type)
        return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || timestamp == -1 ? nil : timestamp
    }

    /// The value; nil is a tombstone, which differs from an empty value.
    package var value: ByteView? {
        // Of a failure the payload is librdkafka's text.
        isRecord ? Self.view(message.pointee.payload, message.pointee.len) : nil
    }

    /// The key, if the record has one.
    package var key: ByteView? {
        isRecord ? Self.view(message.pointee.key, message.pointee.key_len) : nil
    }

    /// The headers in their order, copied; names may repeat, values may be null.
    package var headers: [RecordHeader] {
        var list: OpaquePointer?
        guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list
        else {
            return []
        }
        var headers: [RecordHeader] = []
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var count = 0
        while rd_kafka_header_get_all(list, headers.count, &name, &value, &count)
            == RD_KAFKA_RESP_ERR_NO_ERROR
        {
            headers.append(
                RecordHeader(
                    name: name.map { String(cString: $0) } ?? "",
                    value: value.map { Array(UnsafeRawBufferPointer(start: $0, count: count)) }
                )
            )
        }
        return headers
    }

    private var error: KafkaError {
        let detail = rd_kafka_message_errstr(message).map { String(cString: $0) }
        return KafkaError(message.pointee.err, topicName(message), detail: detail)
    }

    private static func view(_ start: UnsafeMutableRawPointer?, _ count: Int) -> ByteView? {
        start.map { ByteView(UnsafeRawBufferPointer(start: $0, count: count)) }
    }
}

/// A header of a record: a name and bytes, or a name alone.
package struct RecordHeader: Sendable, Equatable {
    /// The name; Kafka asks for text.
    package let name: String
    /// The bytes; nil is a null value, which differs from an empty one.
    package let value: [UInt8]?

    /// A header with these bytes.
    package init(name: String, value: [UInt8]?) {
        self.name = name
        self.value = value
    }

    /// A header whose value is text.
    package init(name: String, text: String) {
        self.init(name: name, value: Array(text.utf8))
    }
}
