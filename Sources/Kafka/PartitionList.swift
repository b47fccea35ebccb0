internal import Basics
internal import CRdKafka

/// A partition of a topic.
struct TopicPartition: Hashable {
    var topic: String
    var partition: PartitionID
}

/// Builds a list of partitions for one call of the client, and frees it after.
enum PartitionList {
    /// Lends a list of `partitions` of `topic`, each with its offset.
    static func with<Result>(
        _ topic: String,
        _ partitions: [(PartitionID, Offset)],
        _ body: (UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) throws(KafkaError) -> Result
    ) throws(KafkaError) -> Result {
        try with(partitions.map { (TopicPartition(topic: topic, partition: $0.0), $0.1) }, body)
    }

    /// Lends a list of partitions, each with its offset.
    static func with<Result>(
        _ partitions: [(TopicPartition, Offset)],
        _ body: (UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) throws(KafkaError) -> Result
    ) throws(KafkaError) -> Result {
        guard let list = rd_kafka_topic_partition_list_new(Int32(clamping: partitions.count)) else {
            throw KafkaError(configuration: "the Kafka client gives no list of partitions")
        }
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for (place, offset) in partitions {
            rd_kafka_topic_partition_list_add(list, place.topic, place.partition)?.pointee.offset =
                offset
        }
        return try body(list)
    }

    /// An entry of a list of the client.
    struct Entry {
        var topic: String
        var partition: PartitionID
        var offset: Offset
        var code: rd_kafka_resp_err_t
    }

    /// The entries of a list of the client, copied.
    static func entries(
        _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
    ) -> [Entry] {
        UnsafeBufferPointer(start: list.pointee.elems, count: Int(list.pointee.cnt)).map {
            Entry(
                topic: $0.topic.map { String(cString: $0) } ?? "",
                partition: $0.partition,
                offset: $0.offset,
                code: $0.err
            )
        }
    }
}
