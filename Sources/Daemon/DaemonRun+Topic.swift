import Basics
import Configuration
import HTTPAPI
import Kafka
import LogStore
import Telemetry
import Threads

// Whether the topic is still the one that the state was made from.

extension DaemonRun {
    /// How often the topic is looked at, in milliseconds: more partitions are noticed within a minute.
    static let topicEvery: Int64 = 10_000
    private static let answerMilliseconds = 5000

    /// What became of the record that was applied last.
    enum Comparison: Equatable {
        case same
        /// Another record, or none, is in its place.
        case other
        /// It cannot be compared: Kafka has deleted it, or cannot read it.
        case gone
    }

    // MARK: The same log

    /// Compares the last records that were applied with those that Kafka has in their places; who is not answered for
    /// is left out.
    func compare(_ last: [PartitionID: RecordFingerprint]) -> [PartitionID: Comparison] {
        guard !last.isEmpty else { return [:] }
        heartbeat.beat(.long)
        defer { heartbeat.beat() }
        let logger = logger
        do throws(KafkaError) {
            let probe = try LogProbe(
                properties: kafkaProperties,
                topic: loaded.daemon.kafka.topic
            ) {
                logger.debug("kafka_client", $0.text, repeatKey: $0.text)
            }
            defer { probe.close(timeoutMilliseconds: Self.answerMilliseconds) }
            let findings = try probe.look(
                at: last.mapValues(\.offset),
                timeoutMilliseconds: Self.answerMilliseconds
            )
            var answers: [PartitionID: Comparison] = [:]
            for (partition, finding) in findings {
                guard let last = last[partition] else { continue }
                answers[partition] = comparison(last, finding)
            }
            return answers
        } catch {
            logger.warning("kafka_not_ready", error.description, repeatKey: "\(error.code)")
            return [:]
        }
    }

    private func comparison(
        _ last: RecordFingerprint,
        _ finding: LogProbe.Finding
    ) -> Comparison? {
        switch finding {
        case .record(let found):
            if found == last { return .same }
            // Compaction takes records away one by one.
            return isCompacted && found.offset > last.offset ? .gone : .other
        case .end: return isCompacted ? .gone : .other
        case .damaged: return .gone
        case .failure(let error): return error.kind == .offsetOutOfRange ? .gone : nil
        }
    }

    /// Finds the partitions whose log is another one than their snapshot was made from.
    ///
    /// - Returns: False when a stop was wanted before Kafka answered.
    func compareLogs() -> Bool {
        var left = opened.compactMapValues(\.cut?.fingerprint)
        while !isStopWanted() {
            for (partition, comparison) in compare(left) {
                if comparison == .other { diverged.insert(partition) }
                left[partition] = nil
            }
            if left.isEmpty { return true }
            setStartup(["comparing Kafka's log with the snapshots: \(left.count) partitions to go"])
        }
        return false
    }

    /// Learns whether Kafka keeps only the newest record of a key: then history is not complete.
    func lookForCompaction(_ consumer: Consumer) {
        heartbeat.beat(.long)
        defer { heartbeat.beat() }
        do throws(KafkaError) {
            let policy = try consumer.topicSetting(
                "cleanup.policy",
                timeoutMilliseconds: Self.answerMilliseconds
            )
            isCompacted = policy?.contains("compact") ?? false
        } catch {
            logger.debug("topic_setting", error.description)
        }
        guard isCompacted else { return }
        logger.warning(
            "topic_compacted",
            "\(loaded.daemon.kafka.topic) has cleanup.policy=compact, so Kafka removes events that later ones of their"
                + " key replace: whatever is read again lacks them. Set cleanup.policy=delete"
        )
    }

    // MARK: The partitions of the topic

    /// Notes how many partitions there are; those that came since the state was made are not read.
    ///
    /// - Returns: Those that are.
    func partitionsToRead(of count: Int) throws(DaemonError) -> [PartitionID] {
        topicCount = count
        do throws(StoreError) {
            try shape.begin(topic: loaded.daemon.kafka.topic, count: count)
        } catch {
            throw DaemonError(error)
        }
        let all = (0..<count).map { PartitionID($0) }
        added = all.filter { !shape.contains($0) }
        tellAdded()
        if count < shape.count {
            logger.error(
                "partitions_missing",
                "\(loaded.daemon.kafka.topic) has \(count) partitions and had \(shape.count): it was made anew."
                    + " Users of the others stay as they are at destinations. Make the topic again with \(shape.count)"
                    + " partitions, or begin with an empty data_dir"
            )
        }
        return all.filter { shape.contains($0) }
    }

    /// Looks now and then whether partitions were added, and whether a topic that was gone is back.
    func lookAtTopic(_ consumer: Consumer, now: Int64) throws(DaemonError) {
        guard now - topicLookedAt >= Self.topicEvery else { return }
        topicLookedAt = now
        try giveWay(consumer, now: now)
        do throws(KafkaError) {
            let count = try consumer.partitionCount(timeoutMilliseconds: 2000)
            if count > topicCount {
                added += (topicCount..<count).map { PartitionID($0) }
                topicCount = count
                tellAdded()
            }
            try rejoinIfIncomplete(consumer)
            try warnOfRetention(consumer)
        } catch {
            logger.debug("kafka_not_ready", error.description, repeatKey: "topic")
        }
        for halt in halts.values where halt.cause == .unknown {
            try lookWhetherBack(halt, consumer)
        }
    }

    /// Has the group deal out its partitions anew where it has left some out since the last look.
    private func rejoinIfIncomplete(_ consumer: Consumer) throws(KafkaError) {
        let given = Set(consumer.assignment)
        let isIncomplete = !given.isEmpty && opened.keys.contains { !given.contains($0) }
        defer { wasIncomplete = isIncomplete }
        if isIncomplete, wasIncomplete { try consumer.rejoin() }
    }

    private func tellAdded() {
        guard !added.isEmpty else { return }
        logger.error("partitions_added", addedText)
    }

    /// Which partitions are not read, and what to do; empty for none.
    var addedText: String {
        guard let first = added.first else { return "" }
        let topic = loaded.daemon.kafka.topic
        let names = added.map { "\(topic)/\($0)" }.joined(separator: ", ")
        return
            "\(names) came after the state was made, and \(added.count == 1 ? "is" : "are") not read: producers"
            + " send users there whose history is in another partition. Send events to a new topic that has as many"
            + " partitions from the start, and begin with an empty data_dir; or accept that such users are counted"
            + " anew: cohortctl kafka rebase \(added.count == 1 ? "\(topic)/\(first)" : topic)"
    }

    /// Reads a partition that came later, from its first offset on.
    func begin(
        _ partition: PartitionID,
        _ consumer: Consumer
    ) throws(DaemonError) -> Result<LogReport.Step, APIQueryError> {
        heartbeat.beat(.long)
        defer { heartbeat.beat() }
        let topics = [loaded.daemon.kafka.topic] + (commands.isRead ? [commands.name] : [])
        for topic in topics {
            do throws(KafkaError) {
                _ = try consumer.watermarks(
                    partition,
                    of: topic,
                    timeoutMilliseconds: Self.answerMilliseconds
                )
            } catch {
                let isMissing = error.kind == .unknownTopicOrPartition
                return .failure(
                    isMissing
                        ? .refused(
                            reason: "\(topic) has no partition \(partition): give it as many as"
                                + " \(loaded.daemon.kafka.topic) has"
                        ) : .notReady(reason: error.description)
                )
            }
        }
        do throws(StoreError) { try shape.add(partition) } catch { throw DaemonError(error) }
        added.removeAll { $0 == partition }
        let reply = Mailbox<Result<OpenedPartition, DaemonError>>(capacity: 1)
        engine(of: partition).post(.open(partition, reply))
        guard let answer = reply.takeAll(timeoutMilliseconds: 30_000).first else {
            return .failure(.notReady(reason: "an engine thread does not answer"))
        }
        opened[partition] = try answer.get()
        guard try startPartition(partition, consumer) else {
            return .failure(.notReady(reason: "cohortd stops"))
        }
        waitUntilStarted()
        if consumer.assignment.contains(partition) {
            read(partition, consumer)
        } else {
            do throws(KafkaError) { try consumer.rejoin() } catch {
                return .failure(.notReady(reason: error.description))
            }
        }
        let first = environment.reports[partition]?.offset ?? 0
        logger.warning(
            "partition_begun",
            "a person let \(loaded.daemon.kafka.topic)/\(partition) be read; of users whose history is in another"
                + " partition too, each counts by what is in it",
            ["partition": LogValue(partition), "to": LogValue(first)]
        )
        return .success(LogReport.Step(partition: partition, from: first, to: first))
    }

    /// A topic that was unknown may only have been so for a moment.
    private func lookWhetherBack(_ halt: LogHalt, _ consumer: Consumer) throws(DaemonError) {
        guard halt.topic == loaded.daemon.kafka.topic,
            let last = environment.reports[halt.partition]?.fingerprint
        else { return }
        let first: Offset
        let end: Offset
        do throws(KafkaError) {
            (first, end) = try consumer.watermarks(halt.partition, timeoutMilliseconds: 2000)
        } catch {
            logger.debug("kafka_not_ready", error.description, repeatKey: "topic")
            return
        }
        if let missing = missing(halt.partition, halt.offset, first, end, of: halt.topic) {
            // Nobody can say that this is what was there before.
            return self.halt(other(missing.partition, missing.offset, first, end))
        }
        switch compare([halt.partition: last])[halt.partition] {
        case .same: _ = try goOn(halt.partition, without: nil, consumer)
        case .other, .gone: self.halt(other(halt.partition, halt.offset, first, end))
        case nil: break
        }
    }

    /// The halt of a partition whose log is another one.
    func other(
        _ partition: PartitionID,
        _ offset: Offset,
        _ first: Offset,
        _ end: Offset
    ) -> LogHalt {
        let topic = loaded.daemon.kafka.topic
        return LogHalt(
            topic: topic,
            partition: partition,
            offset: offset,
            cause: .diverged(first: first, end: end),
            text:
                "log_diverged: \(topic)/\(partition) is not the log that the state was made from up to offset"
                + " \(offset); it was made anew, or cut and written on. Kafka has \(first) to \(end)"
        )
    }

    // MARK: Retention

    /// Who is less behind has caught up before anything is deleted.
    private static let lagMin: Int64 = 1000

    /// Whether less than a quarter of what Kafka keeps lies before an offset: what is deleted next is near.
    ///
    /// A log that still begins at its first record deletes nothing.
    static func isRetentionNear(_ offset: Offset, first: Offset, end: Offset) -> Bool {
        first > 0 && end - offset >= lagMin && (offset - first) * 4 < end - first
    }

    /// Warns of partitions that are read too slowly for what Kafka keeps.
    private func warnOfRetention(_ consumer: Consumer) throws(KafkaError) {
        let behind = environment.reports.all.filter {
            $0.state != .halted && $0.lag ?? 0 >= Self.lagMin
        }
        let firsts = try consumer.firstOffsets(
            behind.map(\.partition),
            timeoutMilliseconds: 2000
        )
        for report in behind {
            guard let first = try firsts[report.partition]?.get(), let end = report.endOffset,
                Self.isRetentionNear(report.offset, first: first, end: end)
            else { continue }
            logger.warning(
                "retention_near",
                "less than a quarter of what Kafka keeps is left before the next event is deleted: give the topic a"
                    + " longer retention until the partition has caught up",
                [
                    "partition": LogValue(report.partition), "offset": LogValue(report.offset),
                    "kafka_first": LogValue(first), "kafka_last": LogValue(end),
                ],
                repeatKey: "\(report.partition)"
            )
        }
    }
}
