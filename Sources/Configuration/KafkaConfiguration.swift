/// `kafka` of `cohortd.yaml`.
package struct KafkaConfiguration: Hashable, Sendable {
    /// The key `start`.
    package enum Start: String, CaseIterable, Sendable {
        case earliest
        case latest
    }

    /// The key `on_gap`.
    package enum OnGap: String, CaseIterable, Sendable {
        case halt
        case accept
    }

    /// The key `tombstone`.
    package enum Tombstone: String, CaseIterable, Sendable {
        case ignore
        case deleteUser = "delete_user"
    }

    /// The key `on_damage`.
    package enum OnDamage: String, CaseIterable, Sendable {
        case halt
        case skip
    }

    package var topic = "events"
    package var group = "cohortd"
    /// Nil = none.
    package var deadLetterTopic: String? = "cohortd.dead-letter"
    package var commandsTopic = "cohortd.commands"
    package var controlTopic = "cohortd.control"
    package var start = Start.earliest
    package var onGap = OnGap.halt
    package var tombstone = Tombstone.ignore
    package var onDamage = OnDamage.halt
    package var repartition = false
    package var eventBytesMax = 1 << 20
    /// By librdkafka's names; the caller sorts them by bytes where order shows.
    package var properties: [String: ReferencedText] = [
        "bootstrap.servers": .plain("127.0.0.1:9092")
    ]

    /// The defaults.
    package init() {}

    /// Properties that the daemon sets itself, because its promises rest on them, with the reason.
    package static let refusedProperties: KeyValuePairs<String, String> = [
        "enable.auto.commit": "offsets are committed after the state that holds them is durable",
        "enable.auto.offset.store":
            "offsets are committed after the state that holds them is durable",
        "auto.offset.reset": "kafka.start says where a new partition begins",
        "enable.partition.eof": "ticks wait for the end of a partition",
        "isolation.level": "every reading of the log must give the same events",
        "check.crcs": "damaged batches must be noticed",
        "group.id": "kafka.group names the group",
        "partition.assignment.strategy": "the hand-over of state is written for one strategy",
        "acks": "what is produced must not be lost",
        "enable.idempotence": "what is produced must not be doubled",
        "plugin.library.paths": "it loads code into the daemon",
        "ssl.engine.location": "it loads code into the daemon",
    ]
}
