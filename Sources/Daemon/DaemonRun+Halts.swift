import Basics
import Cohorts
import Configuration
import HTTPAPI
import Kafka
import Telemetry
import Threads

// What happens where Kafka does not have what comes next: why a partition stands still, and how it goes on.

extension DaemonRun {
    // MARK: Standing still

    /// Halts a partition, and tells why and what to do.
    func halt(_ halt: LogHalt) {
        let text = "\(halt.text); nothing of it is sent. The remedy: \(halt.remedy)"
        let topic = LogValue(halt.topic)
        let partition = LogValue(halt.partition)
        let offset = LogValue(halt.offset)
        switch halt.cause {
        case .gone(let first, let end), .diverged(let first, let end):
            logger.error(
                "partition_halted",
                text,
                [
                    "topic": topic, "partition": partition, "offset": offset,
                    "kafka_first": LogValue(first), "kafka_last": LogValue(end),
                ]
            )
        case .damaged, .unknown:
            logger.error(
                "partition_halted",
                text,
                ["topic": topic, "partition": partition, "offset": offset]
            )
        }
        halts[halt.partition] = halt
        engine(of: halt.partition).post(
            .halt(halt.partition, reason: "\(halt.text); \(halt.remedy)")
        )
    }

    /// Finds out why a partition came to a stop, and what follows from it.
    func explain(
        _ partition: PartitionID,
        _ topic: String,
        _ offset: Offset,
        _ problem: PartitionProblem,
        _ consumer: Consumer
    ) throws(DaemonError) {
        switch problem {
        case .damagedBatch(let text, let known):
            if let known {
                // The decision was made already.
                let gap = LogGap(
                    isOfCommands: known.isOfCommands,
                    from: offset,
                    to: known.to,
                    at: known.at,
                    cause: .skipped
                )
                _ = try goOn(partition, without: gap, consumer)
                return
            }
            logger.warning(
                "batch_unreadable",
                "a batch cannot be read, and is read again: \(text)",
                ["topic": LogValue(topic), "partition": LogValue(partition)]
            )
            damage.ask(
                DamageQuestion(topic: topic, partition: partition, offset: offset, text: text)
            )
        case .unknownPartition(let text):
            halt(
                LogHalt(
                    topic: topic,
                    partition: partition,
                    offset: offset,
                    cause: .unknown,
                    text: "Kafka does not know \(topic)/\(partition) any more: \(text)"
                )
            )
        case .offsetOutOfRange:
            let first: Offset
            let end: Offset
            do throws(KafkaError) {
                (first, end) = try consumer.watermarks(
                    partition,
                    of: topic,
                    timeoutMilliseconds: 2000
                )
            } catch {
                // Asked again at the next turn; the group must not wait.
                logger.debug("kafka_not_ready", error.description, repeatKey: "explain")
                environment.control.postAtOnce(
                    .troubled(partition, topic: topic, offset: offset, problem: problem)
                )
                return
            }
            if let halt = missing(partition, offset, first, end, of: topic) {
                try self.halt(halt, orGoOn: consumer)
            } else {
                // It was not there for a moment only.
                _ = try goOn(partition, without: nil, consumer)
            }
        }
    }

    /// Why a partition cannot go on at an offset; nil where it can.
    func missing(
        _ partition: PartitionID,
        _ offset: Offset,
        _ first: Offset,
        _ end: Offset,
        of topic: String
    ) -> LogHalt? {
        guard offset < first || offset > end else { return nil }
        let range = "Kafka has \(first) to \(end) of \(topic)/\(partition)"
        return LogHalt(
            topic: topic,
            partition: partition,
            offset: offset,
            cause: offset < first
                ? .gone(first: first, end: end) : .diverged(first: first, end: end),
            text: offset < first
                ? "offset \(offset) is gone from Kafka: \(range)"
                : "log_diverged: offset \(offset) is beyond the end: \(range)"
        )
    }

    /// Halts, or goes on by itself where the configuration lets a gap be.
    func halt(_ halt: LogHalt, orGoOn consumer: Consumer) throws(DaemonError) {
        guard case .gone(let first, _) = halt.cause, loaded.daemon.kafka.onGap == .accept else {
            return self.halt(halt)
        }
        engine(of: halt.partition).post(.halt(halt.partition, reason: halt.text))
        _ = try goOn(
            halt.partition,
            without: gap(halt, to: first, cause: .gone),
            consumer
        )
    }

    /// Takes over what a second look at a batch has found.
    func looked(
        _ question: DamageQuestion,
        _ finding: DamageFinding,
        _ consumer: Consumer
    ) throws(DaemonError) {
        let partition = question.partition
        // Somebody may have decided meanwhile.
        guard let report = environment.reports[partition], report.state == .halted,
            offset(in: question.topic, report) == question.offset
        else { return }
        switch finding {
        case .readable:
            logger.notice(
                "batch_readable",
                "the batch can be read now",
                ["topic": LogValue(question.topic), "partition": LogValue(partition)]
            )
            _ = try goOn(partition, without: nil, consumer)
        case .changed:
            try explain(
                partition,
                question.topic,
                question.offset,
                .offsetOutOfRange,
                consumer
            )
        case .damaged(let next):
            let halt = LogHalt(
                topic: question.topic,
                partition: partition,
                offset: question.offset,
                cause: .damaged(next: next),
                text: "a batch cannot be read, \(DamageReader.attempts) times: \(question.text)"
            )
            guard let next, loaded.daemon.kafka.onDamage == .skip else { return self.halt(halt) }
            _ = try goOn(partition, without: gap(halt, to: next, cause: .skipped), consumer)
        }
    }

    // MARK: Going on

    /// Lets a halted partition go on, and reads it from there.
    ///
    /// - Parameters:
    ///   - partition: Which.
    ///   - gap: What is left out; nil for nothing.
    ///   - consumer: Who reads it.
    /// - Returns: Why not; nil where it goes on.
    /// - Throws: What ends the process.
    func goOn(
        _ partition: PartitionID,
        without gap: LogGap?,
        _ consumer: Consumer
    ) throws(DaemonError) -> String? {
        heartbeat.beat(.long)
        defer { heartbeat.beat() }
        let reply = Mailbox<LogStepOutcome>(capacity: 1)
        engine(of: partition).post(.goOn(partition, LogStep(gap: gap), reply))
        let outcome = reply.takeAll(timeoutMilliseconds: 30_000).first
        switch outcome {
        case .moved(let position, let firstOffset)?:
            halts[partition] = nil
            if let gap { tell(gap, of: partition) }
            opened[partition]?.cut?.position = position
            opened[partition]?.cut?.firstOffset = firstOffset
            diverged.remove(partition)
            guard try startPartition(partition, consumer) else {
                if isStopWanted() { return "cohortd stops" }
                let topic = loaded.daemon.kafka.topic
                let halt = LogHalt(
                    topic: topic,
                    partition: partition,
                    offset: position.events,
                    cause: .unknown,
                    text: "Kafka does not know \(topic)/\(partition) any more"
                )
                self.halt(halt)
                return halt.text
            }
            waitUntilStarted()
            read(partition, consumer)
            return nil
        case .refused(let text)?:
            logger.warning("partition_stays_halted", text, ["partition": LogValue(partition)])
            return text
        case nil: return "the engine thread of partition \(partition) does not answer"
        }
    }

    /// Has the client hand out a partition's records from where its worker stands.
    func read(_ partition: PartitionID, _ consumer: Consumer) {
        guard let report = environment.reports[partition], report.state != .halted else { return }
        // One that the group has not given us is read from there when it is.
        guard consumer.assignment.contains(partition) else { return }
        do throws(KafkaError) {
            try consumer.restart(
                partition,
                at: report.offset,
                companionAt: report.commandsOffset
            )
        } catch {
            logger.warning("kafka_restart", error.description, ["partition": LogValue(partition)])
        }
    }

    private func tell(_ gap: LogGap, of partition: PartitionID) {
        let kafka = loaded.daemon.kafka
        let topic = gap.isOfCommands ? kafka.commandsTopic : kafka.topic
        let what =
            switch gap.cause {
            case .gone: "offsets \(gap.from) to \(gap.to - 1) of \(topic)/\(partition) are lost"
            case .skipped:
                "offsets \(gap.from) to \(gap.to - 1) of \(topic)/\(partition) are left out"
            case .anew:
                "\(topic)/\(partition) is another log, or was cut: it stood at \(gap.from) and is read from \(gap.to) on"
            }
        logger.warning(
            "gap",
            "\(what); \(heldExits(by: gap))",
            [
                "topic": LogValue(topic), "partition": LogValue(partition),
                "from": LogValue(gap.from), "to": LogValue(gap.to),
            ]
        )
    }

    /// Which cohorts emit no exits because of a gap, and for how long.
    private func heldExits(by gap: LogGap) -> String {
        var gaps = LogGaps()
        gaps.append(gap)
        let plan = environment.plan
        var held: [String] = []
        var isForGood = false
        for (index, cohort) in plan.cohorts.enumerated()
        where !environment.acceptedHistory.contains(cohort.id) {
            switch gaps.doubt(cohort: index, of: plan) {
            case .none: break
            case .until(let end): held.append("\(cohort.id) until \(end.rfc3339)")
            case .forGood:
                held.append("\(cohort.id) for good")
                isForGood = true
            }
        }
        if held.isEmpty { return "no cohort looks back over it" }
        let remedy = isForGood ? "; to let exits go, list a cohort in accept_history" : ""
        return "exits are held back of " + held.joined(separator: ", ") + remedy
    }

    func gap(_ halt: LogHalt, to: Offset, cause: LogGap.Cause) -> LogGap {
        LogGap(
            isOfCommands: halt.topic != loaded.daemon.kafka.topic,
            from: halt.offset,
            to: to,
            at: max(clock.now, opened.values.compactMap(\.cut?.tick).max() ?? .distantPast),
            cause: cause
        )
    }

    private func offset(in topic: String, _ report: PartitionReport) -> Offset {
        topic == loaded.daemon.kafka.topic ? report.offset : report.commandsOffset ?? 0
    }

    func engine(of partition: PartitionID) -> EngineThread {
        engines[Int(partition) % engines.count]
    }
}
