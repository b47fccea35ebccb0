import Basics
import Cohorts
import Configuration
import Engine
import Glibc
import HTTPAPI
import Kafka
import LogStore
import Telemetry
import Threads

// Where every partition begins, before the group gives them out.

extension DaemonRun {
    /// Restores every partition of the topic and decides where each is read from.
    ///
    /// - Returns: False when a stop was wanted meanwhile.
    func openPartitions(_ consumer: Consumer) throws(DaemonError) -> Bool {
        guard let count = try partitionCount(consumer) else { return false }
        // Before anything is read for definitions that are not all of them.
        try followControl(consumer)
        if isStopWanted() { return false }
        setStartup(["joining the consumer group"])
        try joinGroup(consumer)
        var replies: [(PartitionID, Mailbox<Result<OpenedPartition, DaemonError>>)] = []
        for partition in try partitionsToRead(of: count) {
            let reply = Mailbox<Result<OpenedPartition, DaemonError>>(capacity: 1)
            engines[Int(partition) % engines.count].post(.open(partition, reply))
            replies.append((partition, reply))
        }
        for (partition, reply) in replies {
            var answer: Result<OpenedPartition, DaemonError>?
            while answer == nil {
                heartbeat.beat()
                answer = reply.takeAll(timeoutMilliseconds: 1000).first
            }
            if let answer { opened[partition] = try answer.get() }
        }
        beginTime()
        try files.check(
            used: OpenFileLimit.used,
            connections: files.connections(wanted: configuration.http.connectionsMax)
        )
        while !isStopWanted() {
            if try lookForCommands(consumer) { break }
            usleep(200_000)
        }
        lookForCompaction(consumer)
        guard compareLogs() else { return false }
        for (index, engine) in engines.enumerated() { engine.post(.attach(consumer.queues[index])) }
        for partition in opened.keys.sorted() {
            guard try startPartition(partition, consumer) else { return false }
        }
        waitUntilStarted()
        hasStarted = true
        try readHistory()
        return true
    }

    func partitionCount(_ consumer: Consumer) throws(DaemonError) -> Int? {
        while !isStopWanted() {
            heartbeat.beat()
            do throws(KafkaError) {
                let count = try consumer.partitionCount(timeoutMilliseconds: 2000)
                if count > 0 { return count }
                setStartup(["topic \(configuration.kafka.topic) has no partitions"])
            } catch {
                switch error.kind {
                case .unknownTopicOrPartition:
                    setStartup(["topic \(configuration.kafka.topic) does not exist"])
                case .authorization: setStartup([error.text])
                default: setStartup([trouble.unreachable(since: nil)])
                }
                logger.warning(
                    "kafka_not_ready",
                    "\(error.description); trying again",
                    repeatKey: "\(error.code)"
                )
            }
            try serveControl(consumer)
            // Where it waits for the broker, another address may be what helps.
            lookForReload(nil)
            consumer.pollControl(timeoutMilliseconds: 200)
        }
        return nil
    }

    /// Asks Kafka what it still has of a partition and tells its worker where to begin.
    func startPartition(
        _ partition: PartitionID,
        _ consumer: Consumer
    ) throws(DaemonError) -> Bool {
        guard let (oldest, end) = watermarks(of: partition, consumer) else { return false }
        let engine = engines[Int(partition) % engines.count]
        let cut = opened[partition]?.cut
        let missing = opened[partition]?.missingTraces ?? MissingTraces()
        var commandsStart: LogStart?
        if commands.isRead {
            guard let start = self.commandsStart(of: partition, consumer) else { return false }
            if try isHalted(
                partition,
                at: cut?.position.commands,
                start,
                of: commands.name,
                consumer
            ) {
                return true
            }
            commandsStart = start
        }
        // What came later begins at its first offset.
        let isLatest = configuration.kafka.start == .latest && partition < shape.count
        var events = LogStart(
            offset: cut?.position.events ?? (isLatest ? end : oldest),
            end: end,
            oldest: oldest
        )
        var history: LogStart?
        if let cut {
            if diverged.contains(partition) {
                halt(other(partition, cut.position.events, oldest, end))
                return true
            }
            if try isHalted(
                partition,
                at: cut.position.events,
                events,
                of: configuration.kafka.topic,
                consumer
            ) {
                return true
            }
            // History is read again from the oldest record that the state was ever made from.
            if missing.needsEvents {
                let first = max(oldest, min(cut.firstOffset, cut.position.events))
                if missing.properties {
                    events.offset = first
                } else if !startedHistory.contains(partition) {
                    startedHistory.insert(partition)
                    past[partition] = first
                    history = LogStart(offset: first, end: cut.position.events, oldest: oldest)
                }
            }
        }
        engine.post(
            .start(
                partition,
                PartitionStart(
                    events: events,
                    history: history,
                    commands: commandsStart,
                    floor: ticks.floor
                )
            )
        )
        return true
    }

    /// Halts a partition whose snapshot stands where Kafka has nothing, unless it may go on behind that.
    ///
    /// - Returns: Whether it did one or the other, so that there is nothing more to start.
    func isHalted(
        _ partition: PartitionID,
        at offset: Offset?,
        _ start: LogStart,
        of topic: String,
        _ consumer: Consumer
    ) throws(DaemonError) -> Bool {
        guard let offset,
            let halt = missing(partition, offset, start.oldest, start.end, of: topic)
        else { return false }
        try self.halt(halt, orGoOn: consumer)
        return true
    }

    /// Where the commands of a partition are read from: all of them where the snapshot has none, or lacks what
    /// they fill.
    func commandsStart(of partition: PartitionID, _ consumer: Consumer) -> LogStart? {
        guard let (oldest, end) = watermarks(of: partition, in: commands.name, consumer) else {
            return nil
        }
        let isComplete = opened[partition]?.missingTraces.needsOrder == false
        let ours = isComplete ? opened[partition]?.cut?.position.commands : nil
        return LogStart(offset: ours ?? oldest, end: end, oldest: oldest)
    }

    func watermarks(
        of partition: PartitionID,
        in topic: String? = nil,
        _ consumer: Consumer
    ) -> (first: Offset, end: Offset)? {
        while !isStopWanted() {
            heartbeat.beat()
            do throws(KafkaError) {
                return try consumer.watermarks(partition, of: topic, timeoutMilliseconds: 2000)
            } catch {
                setStartup(["the start waits for Kafka: \(error.text)"])
                // The group must not wait for somebody to make a topic.
                if hasStarted, error.kind == .unknownTopicOrPartition { return nil }
                logger.warning(
                    "kafka_not_ready",
                    "\(error.description); trying again",
                    repeatKey: "\(error.code)"
                )
                usleep(200_000)
            }
        }
        return nil
    }

    /// Before the group gives us the partitions, their reports must say where to begin.
    func waitUntilStarted() {
        while !isStopWanted() {
            let waiting = environment.reports.all.contains { $0.state == .restoring }
            if !waiting { return }
            heartbeat.beat()
            usleep(1000)
        }
    }
}
