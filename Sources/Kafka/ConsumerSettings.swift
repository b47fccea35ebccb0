package import Basics

/// What a consumer is made of.
package struct ConsumerSettings: Sendable {
    /// The user's librdkafka properties, already checked (`ConfigurationCheck`).
    package var properties: [String: String]
    /// The consumer group.
    package var groupID: String
    /// Who we are in it across restarts: a daemon that was killed has its partitions back at once.
    package var groupInstanceID: String?
    /// How brokers name us in their logs.
    package var clientID: String
    /// The topic of events.
    package var topic: String
    /// A second topic, of which a partition is read by whoever reads the topic's partition of that number.
    ///
    /// The group does not know of it; from when on it is read, `ConsumerEvents.companionPosition` says.
    package var companion: String?
    /// Whether the member joins its group at once; else ``Consumer/join()`` makes it.
    package var joinsAtOnce = true
    /// How many engine threads, each with a queue.
    package var threads: Int
    /// Which queue, 0..<threads, a partition goes to.
    package var queueIndex: @Sendable (PartitionID) -> Int

    /// Settings with partitions dealt to the queues in turn, unless `queueIndex` says otherwise.
    package init(
        properties: [String: String],
        groupID: String,
        groupInstanceID: String? = nil,
        clientID: String,
        topic: String,
        companion: String? = nil,
        threads: Int,
        queueIndex: (@Sendable (PartitionID) -> Int)? = nil
    ) {
        precondition(threads > 0, "\(threads) engine threads")
        self.properties = properties
        self.groupID = groupID
        self.groupInstanceID = groupInstanceID
        self.clientID = clientID
        self.topic = topic
        self.companion = companion
        self.threads = threads
        self.queueIndex = queueIndex ?? { Int($0) % threads }
    }

    /// What the client gets, in the order it is set: our defaults, the user's, then what our promises rest on.
    var clientProperties: [(String, String)] {
        let defaults = [
            ("client.id", clientID),
            // What waits in the queue of an engine thread, few enough that they are in the processor's caches still when
            // they are read (docs/performance.md); a record takes some hundred bytes beside its own. An answer of a
            // broker has no more than that either, compressed.
            ("queued.min.messages", "16384"),
            ("queued.max.messages.kbytes", "4096"),
            // A tick waits for the end of the partition to be said, which an idle broker does this often.
            ("fetch.wait.max.ms", "100"),
            ("topic.metadata.refresh.interval.ms", "30000"),
            // How long an unknown topic is taken for one being made; by default its absence is said late.
            ("topic.metadata.propagation.max.ms", "3000"),
            ("reconnect.backoff.max.ms", "1000"),
            // A connection whose other end is gone without a word is given up after this.
            ("socket.timeout.ms", "30000"),
            ("statistics.interval.ms", "0"),
        ]
        let promises = [
            ("group.id", groupID),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "error"),
            ("isolation.level", "read_committed"),
            ("check.crcs", "true"),
            ("allow.auto.create.topics", "false"),
            ("partition.assignment.strategy", "range"),
            ("enable.partition.eof", "true"),
        ]
        let users = properties.sorted { $0.key.precedesByBytes($1.key) }.map { ($0.key, $0.value) }
        let instance = groupInstanceID.map { [("group.instance.id", $0)] } ?? []
        return defaults + instance + users + promises
    }
}
