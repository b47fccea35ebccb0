internal import Basics
internal import CRdKafka

/// Builds a list of partitions for one call of the client, and frees it after.
enum PartitionList {
    /// Lends a list of `partitions` of `topic`, each with its offset.
    static func with<Result>(
        _ topic: String,
        _ partitions: [(PartitionID, Offset)],
        _ body: (UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) throws(KafkaError) -> Result
    ) throws(KafkaError) -> Result {
        guard let list = rd_kafka_topic_partition_list_new(Int32(clamping: partitions.count)) else {
            throw KafkaError(configuration: "the Kafka client gives no list of partitions")
        }
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for (partition, offset) in partitions {
            rd_kafka_topic_partition_list_add(list, topic, partition)?.pointee.offset = offset
        }
        return try body(list)
    }

    /// The entries of a list of the client, copied.
    static func entries(
        _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
    ) -> [(partition: PartitionID, offset: Offset, code: rd_kafka_resp_err_t)] {
        UnsafeBufferPointer(start: list.pointee.elems, count: Int(list.pointee.cnt))
            .map { ($0.partition, $0.offset, $0.err) }
    }
}
