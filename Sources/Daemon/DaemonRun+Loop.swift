import Basics
import Configuration
import HTTPAPI
import Kafka
import Telemetry
import Threads

// The control loop.

extension DaemonRun {
    func loop(_ consumer: Consumer) throws(DaemonError) {
        logger.info("started", "cohortd \(Version.text) runs", ["http": LogValue(address)])
        while !isStopWanted() {
            heartbeat.beat()
            consumer.pollControl(timeoutMilliseconds: 20)
            try serveControl(consumer)
            // What a change of the configuration says of itself is not to be said over.
            if isStopWanted() { break }
            let now = clock.monotonicMilliseconds
            watchMemory(consumer, now: now)
            if commands.isDue(now: now) { try startCommandsIfThere(consumer) }
            askForTick(consumer)
            if now - committedAt >= 5000, !durable.isEmpty {
                committedAt = now
                commitOffsets(consumer)
            }
            try readHistory()
            try lookAtTopic(consumer, now: now)
            watchKafka(consumer, now: now)
            if wasReady, past.isEmpty { try forgetAccepted() }
            try followControl(consumer)
            lookForReload(consumer)
            logger.flush()
        }
    }

    /// Finds out whether the clock can be believed, and from when on ticks are owed.
    func beginTime() {
        let lastTick = opened.values.compactMap(\.cut?.tick).max()
        gate.begin(stored: clockFile.reference, lastTick: lastTick)
        if let lastTick { ticks.raise(to: lastTick) }
        if let now = believedTime() { ticks.begin(now: now) }
    }

    /// The wall clock, as far as ticks go by it; nil while it cannot be believed.
    func believedTime() -> EventTime? {
        let (now, hold, reference) = gate.look(witness)
        if let error = clockFile.keep(reference) {
            logger.warning(
                "clock_file",
                "\(DaemonError(error).text); after a restart the clock may need to be accepted",
                repeatKey: "clock"
            )
        }
        if let hold {
            if !hold.isLike(self.hold) {
                let held = Double(opened.count)
                logger.warning("time_held", TickGate.text(hold, now: now))
                environment.metrics.update { $0.set(.ticksHeld, ["clock"], to: held) }
            }
        } else if self.hold != nil {
            logger.notice("time_goes_on", "the clock is believed again: \(now.rfc3339)")
            environment.metrics.update { $0.set(.ticksHeld, ["clock"], to: 0) }
        }
        self.hold = hold
        return hold == nil ? now : nil
    }

    func askForTick(_ consumer: Consumer) {
        let monotonic = clock.monotonicMilliseconds
        guard let now = believedTime(), let tick = ticks.due(now: now, monotonic: monotonic) else {
            return
        }
        let partitions = consumer.assignment.filter { opened[$0] != nil && halts[$0] == nil }
        if partitions.isEmpty {
            ticks.failed(monotonic: monotonic)
            return
        }
        do throws(KafkaError) {
            var ends: [PartitionID: LogPosition] = [:]
            for (partition, answer) in try consumer.endOffsets(
                partitions,
                timeoutMilliseconds: 2000
            ) {
                ends[partition] = LogPosition(events: try answer.get())
            }
            if commands.isRead {
                for (partition, answer) in try consumer.endOffsets(
                    partitions,
                    of: commands.name,
                    timeoutMilliseconds: 2000
                ) {
                    ends[partition]?.commands = try answer.get()
                }
            }
            for (index, engine) in engines.enumerated() {
                let mine = ends.filter { Int($0.key) % engines.count == index }
                if !mine.isEmpty { engine.post(.tick(tick, ends: mine)) }
            }
            ticks.done(tick)
            trouble.ticked()
            gate.ticked(tick)
            environment.metrics.update { $0.set(.ticksHeld, ["broker"], to: 0) }
        } catch {
            ticks.failed(monotonic: clock.monotonicMilliseconds)
            trouble.tickFailed(error, at: clock.monotonicMilliseconds)
            environment.metrics.update {
                $0.set(.ticksHeld, ["broker"], to: Double(partitions.count))
            }
            logger.warning(
                "tick_held",
                "no tick without the ends of the partitions: \(error.description)",
                repeatKey: "tick"
            )
        }
    }

    func serveControl(_ consumer: Consumer) throws(DaemonError) {
        for message in environment.control.takeAll(timeoutMilliseconds: 0) {
            heartbeat.beat()
            switch message {
            case .fatal(let error): throw error
            case .met(let error): trouble.met(error, at: clock.monotonicMilliseconds)
            case .durable(let partition, let offset): durable[partition] = offset
            case .filled(let partition): endHistory(of: partition)
            case .leftOut(let partition, let offset): history?.goOn(partition, at: offset)
            case .troubled(let partition, let topic, let offset, let problem):
                try explain(partition, topic, offset, problem, consumer)
            case .looked(let question, let finding): try looked(question, finding, consumer)
            case .changeDefinitions(let order):
                order.reply.post(try change(order.request, consumer))
            case .changeLog(let order): order.reply.post(try change(order.request, consumer))
            }
        }
    }

    func commitOffsets(_ consumer: Consumer) {
        // Only a member of the group may commit: one that is still joining would be thrown out for it.
        let owned = Set(consumer.assignment)
        let offsets = durable.filter { owned.contains($0.key) }
        do throws(KafkaError) {
            try consumer.commitOffsets(offsets)
            for partition in offsets.keys { durable[partition] = nil }
        } catch {
            logger.debug("kafka_commit_failed", error.description, repeatKey: "commit")
        }
    }

    func watchKafka(_ consumer: Consumer, now: Int64) {
        let reachability = consumer.reachability
        if !reachability.isReachable, now - probedAt >= 1000 {
            probedAt = now
            do throws(KafkaError) {
                try consumer.probe(timeoutMilliseconds: 500)
            } catch {
                logger.warning("kafka_unreachable", error.description, repeatKey: "unreachable")
            }
        }
        let reports = environment.reports.all
        let isFlowing =
            consumer.reachability.isReachable && memoryWatch.memory.level != .critical
        for report in trouble.look(at: reports, isFlowing: isFlowing, now: now) {
            logger.warning(
                "partition_stalled",
                KafkaTrouble.stall(report)
                    + ": look at the brokers; if they are well, the batch there cannot be read",
                [
                    "partition": LogValue(report.partition), "offset": LogValue(report.offset),
                    "kafka_last": LogValue(report.endOffset ?? report.offset),
                ]
            )
        }
        let missing = opened.count - consumer.assignment.count { opened[$0] != nil }
        trouble.misses(missing, at: now)
        if missing == 0 { rivalry.hasAll() }
        var reasons = trouble.reasons(
            consumer.reachability,
            missing: missing,
            reports: reports,
            now: now
        )
        if !added.isEmpty { reasons.append(addedText) }
        if topicCount < shape.count {
            reasons.append(
                "topic \(configuration.kafka.topic) has \(topicCount) partitions, and had \(shape.count)"
            )
        }
        if let problem = commands.problem { reasons.append(problem) }
        if let held = gate.reason { reasons.append(held) }
        if let reason = memoryWatch.memory.reason { reasons.append(reason) }
        setStartup(reasons)
        if reasons.isEmpty, queries.readiness().reasons.isEmpty { wasReady = true }
    }
}
