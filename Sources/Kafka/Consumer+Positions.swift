package import Basics
internal import CRdKafka

// Calls that ask a broker or move a position. They block up to the time given: call them from threads that
// may wait, never from an engine thread.
extension Consumer {
    /// The end offset of each partition: the offset that its next visible record will have at least.
    ///
    /// The tick barrier's question. The client asks with `read_committed`, so the answer is the last stable
    /// offset: before the first record of a transaction that is still open, after the marker of the last
    /// finished one. It equals the offset of `endOfPartition` when nothing is written in between.
    ///
    /// One request per broker that leads any of the partitions, all at once (`rd_kafka_offsets_for_times`
    /// with the protocol's "latest"). `rd_kafka_query_watermark_offsets` would cost two requests in turn for
    /// each partition, and in librdkafka 2.0.2 it forgets its timeout.
    ///
    /// - Parameters:
    ///   - partitions: Which.
    ///   - topic: Of which topic; nil is the consumer's own.
    ///   - timeoutMilliseconds: How long to wait.
    /// - Returns: an entry for every partition asked for, each with its offset or its own trouble.
    /// - Throws: `KafkaError` when nothing was learnt in time.
    package func endOffsets(
        _ partitions: [PartitionID],
        of topic: String? = nil,
        timeoutMilliseconds: Int
    ) throws(KafkaError) -> [PartitionID: Result<Offset, KafkaError>] {
        try offsets(partitions, of: topic, at: Offset(RD_KAFKA_OFFSET_END), timeoutMilliseconds)
    }

    /// The offset of the oldest record that each partition still has; as `endOffsets`.
    package func firstOffsets(
        _ partitions: [PartitionID],
        of topic: String? = nil,
        timeoutMilliseconds: Int
    ) throws(KafkaError) -> [PartitionID: Result<Offset, KafkaError>] {
        let beginning = Offset(RD_KAFKA_OFFSET_BEGINNING)
        return try offsets(partitions, of: topic, at: beginning, timeoutMilliseconds)
    }

    /// The first and the end offset of one partition; waits up to the time given for each.
    package func watermarks(
        _ partition: PartitionID,
        of topic: String? = nil,
        timeoutMilliseconds: Int
    ) throws(KafkaError) -> (first: Offset, end: Offset) {
        let first = try firstOffsets(
            [partition],
            of: topic,
            timeoutMilliseconds: timeoutMilliseconds
        )
        let end = try endOffsets([partition], of: topic, timeoutMilliseconds: timeoutMilliseconds)
        guard let first = first[partition], let end = end[partition] else {
            preconditionFailure("no answer for partition \(partition), the only one asked for")
        }
        return (try first.get(), try end.get())
    }

    /// The first offset of each partition whose record is of `instant` or later; a partition without one is left out.
    package func offsets(
        _ partitions: [PartitionID],
        since instant: EventTime,
        timeoutMilliseconds: Int
    ) throws(KafkaError) -> [PartitionID: Offset] {
        var offsets: [PartitionID: Offset] = [:]
        let time = max(0, instant.milliseconds)
        for entry in try entries(partitions, of: nil, at: time, timeoutMilliseconds) {
            if entry.code != RD_KAFKA_RESP_ERR_NO_ERROR {
                throw KafkaError(
                    entry.code,
                    "the offsets of \(topic)/\(entry.partition) are unknown"
                )
            }
            if entry.offset >= 0 { offsets[entry.partition] = entry.offset }
        }
        return offsets
    }

    /// How many partitions the topic has.
    ///
    /// - Throws: `KafkaError` of kind `unknownTopicOrPartition` when there is no such topic.
    package func partitionCount(timeoutMilliseconds: Int) throws(KafkaError) -> Int {
        let topic = topic
        let count = try handle.use { client throws(KafkaError) in
            guard let handle = rd_kafka_topic_new(client, topic, nil) else {
                throw KafkaError(rd_kafka_last_error(), "topic \(topic)")
            }
            defer { rd_kafka_topic_destroy(handle) }
            return try Self.metadata(client, handle, "topic \(topic)", timeoutMilliseconds) {
                metadata throws(KafkaError) in
                guard metadata.topic_cnt == 1, let answer = metadata.topics?.pointee else {
                    throw KafkaError(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "topic \(topic)")
                }
                if answer.err != RD_KAFKA_RESP_ERR_NO_ERROR {
                    throw KafkaError(answer.err, "topic \(topic)")
                }
                return Int(answer.partition_cnt)
            }
        }
        conversation.answered()
        return count
    }

    /// How many partitions a topic has that may be missing; nil where it is.
    ///
    /// Looks it up among all topics: to ask for one by its name makes brokers that make topics make it.
    package func partitionCount(
        ifThere topic: String,
        timeoutMilliseconds: Int
    ) throws(KafkaError) -> Int? {
        let count = try handle.use { client throws(KafkaError) in
            try Self.metadata(client, nil, "Kafka", timeoutMilliseconds, allTopics: true) {
                metadata -> Int? in
                for index in 0..<Int(metadata.topic_cnt) {
                    guard let answer = metadata.topics?[index], let name = answer.topic,
                        String(cString: name) == topic, answer.err == RD_KAFKA_RESP_ERR_NO_ERROR
                    else { continue }
                    return Int(answer.partition_cnt)
                }
                return nil
            }
        }
        conversation.answered()
        return count
    }

    /// Begins to read the companion's partitions, those of the partitions that are read, where
    /// `ConsumerEvents.companionPosition` says; those that flow already go on.
    ///
    /// Only on the thread that calls `pollControl`; all partitions are fetched anew, as with `restart`.
    package func startCompanions() throws(KafkaError) {
        try handle.use { client throws(KafkaError) in try conversation.startCompanions(client) }
    }

    /// Asks any broker for anything, to learn whether Kafka can be reached (`reachability`).
    package func probe(timeoutMilliseconds: Int) throws(KafkaError) {
        try handle.use { client throws(KafkaError) in
            try Self.metadata(client, nil, "Kafka", timeoutMilliseconds) { _ in }
        }
        conversation.answered()
    }

    /// Writes the group's offsets, for lag dashboards only; returns at once, an error is only logged.
    package func commitOffsets(_ offsets: [PartitionID: Offset]) throws(KafkaError) {
        if offsets.isEmpty { return }
        try handle.use { client throws(KafkaError) in
            try PartitionList.with(topic, offsets.map { ($0.key, $0.value) }) { list in
                let code = rd_kafka_commit(client, list, 1)
                if code != RD_KAFKA_RESP_ERR_NO_ERROR { conversation.committed(code) }
            }
        }
    }

    /// Reads `partition` from `offset` on, also one that is held, paused, or silent after an error, and its companion
    /// from `companionOffset` on, where one is given.
    ///
    /// Only on the thread that calls `pollControl` (also inside an event). All partitions are fetched anew
    /// from where they are, so this is for repairs, not for every day.
    package func restart(
        _ partition: PartitionID,
        at offset: Offset,
        companionAt companionOffset: Offset? = nil
    ) throws(KafkaError) {
        try handle.use { client throws(KafkaError) in
            try conversation.restart(partition, at: offset, companionAt: companionOffset, client)
        }
    }

    /// Hands out no more records of `partition` until it is resumed, restarted or assigned anew.
    package func pause(_ partition: PartitionID) throws(KafkaError) {
        try handle.use { client throws(KafkaError) in
            try conversation.pause(conversation.place(partition), client)
        }
    }

    /// Goes on after `pause`, at the record after the last that was handed out.
    package func resume(_ partition: PartitionID) throws(KafkaError) {
        try handle.use { client throws(KafkaError) in
            try conversation.resume(conversation.place(partition), client)
        }
    }

    /// Hands out no more records of anything until `release`, nor of what is assigned meanwhile.
    ///
    /// What was fetched is dropped and fetched again then.
    package func hold() throws(KafkaError) {
        try handle.use { client throws(KafkaError) in try conversation.hold(client) }
    }

    /// Goes on after `hold`, with what is assigned by then.
    package func release() throws(KafkaError) {
        try handle.use { client throws(KafkaError) in try conversation.release(client) }
    }

    private func offsets(
        _ partitions: [PartitionID],
        of topic: String?,
        at end: Offset,
        _ timeoutMilliseconds: Int
    ) throws(KafkaError) -> [PartitionID: Result<Offset, KafkaError>] {
        if partitions.isEmpty { return [:] }
        let entries = try entries(partitions, of: topic, at: end, timeoutMilliseconds)
        let topic = topic ?? self.topic
        var answers: [PartitionID: Result<Offset, KafkaError>] = [:]
        for entry in entries {
            if entry.code != RD_KAFKA_RESP_ERR_NO_ERROR {
                let context = "the offsets of \(topic)/\(entry.partition) are unknown"
                answers[entry.partition] = .failure(KafkaError(entry.code, context))
            } else if entry.offset < 0 {
                let context = "the offsets of \(topic)/\(entry.partition) are unknown"
                answers[entry.partition] = .failure(
                    KafkaError(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, context)
                )
            } else {
                answers[entry.partition] = .success(entry.offset)
            }
        }
        conversation.answered()
        return answers
    }

    /// What the brokers answer to a time, in milliseconds, or to one of the names of an end.
    private func entries(
        _ partitions: [PartitionID],
        of topic: String?,
        at time: Int64,
        _ timeoutMilliseconds: Int
    ) throws(KafkaError) -> [PartitionList.Entry] {
        let topic = topic ?? self.topic
        return try handle.use { client throws(KafkaError) in
            // The list carries the times asked for in, and the offsets out.
            let asked = partitions.map { ($0, time) }
            return try PartitionList.with(topic, asked) { list throws(KafkaError) in
                let timeout = Int32(clamping: timeoutMilliseconds)
                let code = rd_kafka_offsets_for_times(client, list, timeout)
                if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                    throw KafkaError(code, "the offsets of \(topic) are unknown")
                }
                return PartitionList.entries(list)
            }
        }
    }

    private static func metadata<Result>(
        _ client: OpaquePointer,
        _ topic: OpaquePointer?,
        _ context: String,
        _ timeoutMilliseconds: Int,
        allTopics: Bool = false,
        _ body: (rd_kafka_metadata) throws(KafkaError) -> Result
    ) throws(KafkaError) -> Result {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(
            client,
            allTopics ? 1 : 0,
            topic,
            &metadata,
            Int32(clamping: timeoutMilliseconds)
        )
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else {
            throw KafkaError(code, context)
        }
        defer { rd_kafka_metadata_destroy(metadata) }
        return try body(metadata.pointee)
    }
}
