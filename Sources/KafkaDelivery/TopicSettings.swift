package import Sync

/// What a destination that is a topic of Kafka is made of.
package struct TopicSettings: Sendable, Equatable {
    /// The topic; whether it is made when it is absent is the broker's affair.
    package var topic: String
    /// What its records are.
    package var records: TopicRecords
    /// librdkafka's properties, with secrets in clear: not for logs.
    package var properties: [String: String]
    /// How brokers name us in their logs, unless `client.id` is among the properties.
    package var clientID: String

    /// Settings from their parts.
    ///
    /// `kafka` are the properties of `kafka:`, which hold where `properties`, those of the destination, say
    /// nothing else. Both were checked.
    package init(
        topic: String,
        records: TopicRecords,
        kafka: [String: String],
        properties: [String: String] = [:],
        clientID: String
    ) {
        self.topic = topic
        self.records = records
        self.properties = kafka.merging(properties) { $1 }
        self.clientID = clientID
    }
}
