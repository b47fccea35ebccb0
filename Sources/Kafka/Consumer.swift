package import Basics
internal import CDecompressionLimit
internal import CRdKafka

/// A member of the consumer group: it gets partitions of the events topic and deals them to engine queues.
///
/// - One consumer per daemon; one control thread calls `pollControl` over and over; each engine thread
///   drains its own `EngineQueue`; everybody else may make the position calls.
/// - Where reading starts is the owner's word alone (`ConsumerEvents.startPosition`): group offsets are
///   written for lag dashboards and never read.
/// - Records, ends and troubles of a partition come in order through the queue it was dealt to and
///   nowhere else; rebalances and troubles of the group through `pollControl` and nowhere else.
/// - A record handed out may, after `resume` or `restart`, come once more; none is left out. Owners drop
///   what lies before their position.
///
/// ```
///  broker ─► librdkafka ─┬─ main queue ───► pollControl (control thread) ─► ConsumerEvents
///                        ├─ partition 0 ─┬► engine queue 0 ─► consume (engine thread 0)
///                        ├─ partition 2 ─┘
///                        └─ partition 1 ──► engine queue 1 ─► consume (engine thread 1)
/// ```
///
/// `@unchecked Sendable`: the handle counts who is inside the C client, and `conversation` keeps what
/// changes behind its lock; the rest is immutable.
package final class Consumer: @unchecked Sendable {
    /// The queues, one for each engine thread.
    package let queues: [EngineQueue]
    let handle: ClientHandle
    let conversation: Conversation
    var topic: String { conversation.settings.topic }

    /// Makes the client and, unless the settings say later, joins the group; partitions come through `pollControl`.
    ///
    /// No broker is waited for: one that cannot be reached is told through `ConsumerEvents.failed`.
    /// - Throws: `KafkaError` of kind `configuration` when a property does not suit the client.
    package init(_ settings: ConsumerSettings, _ events: ConsumerEvents) throws(KafkaError) {
        let conversation = Conversation(settings, events)
        let callbacks = ClientCallbacks(
            log: events.log,
            failed: { conversation.failed($0) },
            rebalance: { conversation.rebalance($0, $1, $2) },
            committed: { conversation.committed($0) }
        )
        let handle = try ClientHandle(
            consumer: true,
            properties: settings.clientProperties,
            callbacks: callbacks
        )
        var queues: [EngineQueue] = []
        let waker = try handle.use { FetchWaker(settings.clientProperties, $0) }
        for _ in 0..<settings.threads {
            queues.append(try EngineQueue(handle, waker, conversation))
        }
        conversation.deal(to: queues.map(\.forwarding))
        _ = try handle.use { client throws(KafkaError) in
            // Otherwise errors of the client would wait in a second queue that nobody polls.
            rd_kafka_poll_set_consumer(client)
            // The client itself bounds what a batch of zstd turns into by the same.
            if let bytes = ClientHandle.property("receive.message.max.bytes", of: client) {
                cohortd_set_decompression_limit(bytes)
            }
        }
        self.queues = queues
        self.handle = handle
        self.conversation = conversation
        if settings.joinsAtOnce { try join() }
    }

    /// Joins the group; nothing is waited for.
    package func join() throws(KafkaError) {
        let topic = topic
        try handle.use { client throws(KafkaError) in
            let code = try PartitionList.with(topic, [(RD_KAFKA_PARTITION_UA, 0)]) {
                rd_kafka_subscribe(client, $0)
            }
            if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                throw KafkaError(code, "cannot subscribe to \(topic)")
            }
        }
    }

    /// Reads partitions without being in the group, each from where `ConsumerEvents.startPosition` says; once, instead of
    /// ``join()``.
    package func assign(_ partitions: [PartitionID]) throws(KafkaError) {
        try handle.use { client throws(KafkaError) in conversation.assign(partitions, client) }
    }

    /// Leaves the group and joins it again, so that it deals out the partitions anew.
    ///
    /// It does not by itself where a static member that was restarted finds more partitions than before: the group
    /// takes it for the one it was. Everything is revoked first; nothing is waited for.
    package func rejoin() throws(KafkaError) {
        let topic = topic
        try handle.use { client throws(KafkaError) in
            let code = rd_kafka_unsubscribe(client)
            if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                throw KafkaError(code, "cannot unsubscribe from \(topic)")
            }
        }
        try join()
    }

    /// Serves rebalances and errors; waits up to the time given for the first of them.
    ///
    /// For one thread, the control thread, and often: at least every second or so, for the group waits.
    package func pollControl(timeoutMilliseconds: Int) {
        // Once it is closed there is no group to talk to any more.
        _ = handle.useIfOpen { client in
            let timeout = Int32(clamping: timeoutMilliseconds)
            guard let message = rd_kafka_consumer_poll(client, timeout) else { return }
            defer { rd_kafka_message_destroy(message) }
            let code = message.pointee.err
            if code == RD_KAFKA_RESP_ERR_NO_ERROR {
                // Every partition is forwarded before it is read, so this is a record that no engine
                // will see; going on would lose it.
                conversation.failed(
                    KafkaError(
                        RD_KAFKA_RESP_ERR__INCONSISTENT,
                        topicName(message),
                        detail: "record \(message.pointee.offset) came outside its engine queue",
                        isFatal: true
                    )
                )
            } else {
                let detail = rd_kafka_message_errstr(message).map { String(cString: $0) }
                conversation.failed(
                    KafkaError.of(client, code, topicName(message), detail: detail)
                )
            }
        }
    }

    /// Leaves the group and frees the client; false when that took longer than the time given and goes on,
    /// or hangs, in a thread of its own.
    ///
    /// Nothing is told to the owner any more, and every other call fails with `closed` from now on: make
    /// state durable first, and exit whatever this returns. A static member keeps its place in the group.
    package func close(timeoutMilliseconds: Int) -> Bool {
        conversation.end()
        for queue in queues { queue.wake() }
        return handle.close(timeoutMilliseconds: timeoutMilliseconds)
    }

    /// Whether Kafka answers, as far as the position calls and the client's errors show.
    ///
    /// An answered position call (the tick's, or `probe`) ends "everything down"; nothing else does.
    package var reachability: Reachability { conversation.reachability }

    /// The partitions that are ours at this moment, in order.
    package var assignment: [PartitionID] { conversation.assignment }
}
