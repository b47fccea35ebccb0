import Basics
import Cohorts
import Engine
import Events
import Kafka
import Telemetry
import Threads

extension PartitionWorker {
    /// Takes what the queue hands out for the partition of the commands topic.
    func takeCommand(_ record: borrowing RecordView, _ decoder: DecoderBox) {
        guard let next = commandsNext else { return }
        if record.isRecord {
            // Around a rebalance the client may hand out a record again.
            guard record.offset >= next else { return }
            decoder.hand.take(isCommand: true, partition: partition, offset: record.offset)
            applyCommand(record, decoder)
            decoder.hand.letGo()
            advance(commandsTo: record.offset + 1)
            return
        }
        switch record.content {
        case .record: break
        case .endOfPartition:
            report.commandsEnd = max(report.commandsEnd ?? 0, record.offset)
            advance(commandsTo: max(next, record.offset))
        case .failure(let error): trouble(error, topic: environment.commandsTopic)
        }
    }

    private func applyCommand(_ record: borrowing RecordView, _ decoder: DecoderBox) {
        if !commandsSetAside.isEmpty, commandsSetAside.contains(record.offset) {
            bytesOrNone(of: record) { rejectCommand(.crash, text: Self.crashText, record, $0) }
            return
        }
        guard let value = record.value else {
            report.commands.filtered += 1
            return
        }
        bytesSinceCommit += value.count
        let isHistory = isHistory(command: record.offset)
        let outcome = decoder.commands.decode(
            value,
            key: record.key,
            timestamp: record.timestamp.map { EventTime(milliseconds: $0) }
        )
        switch outcome {
        case .rejected(let reason):
            rejectCommand(reason, text: decoder.commands.rejectText, record, value)
        case .command(.upload(let user, let cohort, let isIn), let time):
            upload(user, to: cohort, isIn: isIn, at: time, isHistory: isHistory)
        case .command(.identify(let event), _):
            if isHistory {
                _ = shard.reapply(event)
            } else if shard.apply(event) == .usersMax {
                rejectCommand(
                    .usersMax,
                    text: "a new user beyond limits.users_max",
                    record,
                    value
                )
            } else {
                report.commands.applied += 1
            }
        }
    }

    private func upload(
        _ user: ByteView,
        to id: ByteView,
        isIn: Bool,
        at time: EventTime,
        isHistory: Bool
    ) {
        let cohort = environment.uploadCohorts[id.string]
        if isHistory {
            if let cohort { shard.reupload(user, cohort: cohort, isIn: isIn, at: time) }
            return
        }
        shard.upload(user, cohort: cohort, isIn: isIn, at: time)
        if cohort != nil {
            report.commands.applied += 1
            return
        }
        report.commands.filtered += 1
        environment.logger.warning(
            "upload_without_cohort",
            "an upload to a cohort that no definition with `uploaded` has; when one comes, the topic is read again",
            ["cohort": LogValue(String(id.string.prefix(64))), "partition": LogValue(partition)],
            repeatKey: "upload"
        )
    }

    private func rejectCommand(
        _ reason: RejectReason,
        text: String,
        _ record: borrowing RecordView,
        _ value: ByteView
    ) {
        // What is history was told when it was first read.
        if isHistory(command: record.offset) { return }
        report.commands.rejected += 1
        report.rejects[reason, default: 0] += 1
        environment.rejects.take(
            RejectedEvent(
                topic: environment.commandsTopic,
                partition: partition,
                offset: record.offset,
                index: nil,
                reason: reason,
                text: text,
                key: record.key?.array,
                value: value.array
            )
        )
    }

    /// Whether a command is one that the snapshot contains, read again to fill what it lacks.
    private func isHistory(command offset: Offset) -> Bool {
        if case .rebuilding(let until) = phase { offset < until.commands ?? 0 } else { false }
    }

    /// Begins to read the commands topic, which was not there before.
    func startCommands(_ start: LogStart) {
        if commandsNext == nil {
            commandsNext = start.offset
            isDirty = true
            _ = uploadsSuffice(start)
        }
        readsCommands = true
        report.commandsEnd = start.end
        publish()
    }

    /// Says which lists of uploaded users lack what is gone from the commands topic.
    ///
    /// - Returns: Whether the partition may go on.
    func uploadsSuffice(_ start: LogStart) -> Bool {
        guard start.oldest > 0 else { return true }
        let isFirstStart = opened.cut?.position.commands == nil
        let lists = isFirstStart ? shard.uploadLists : opened.missingTraces.uploads.sorted()
        return goesOn(
            without: lists.map {
                (environment.plan.cohorts[$0].id, "never, since old commands are gone")
            },
            isFirstStart: isFirstStart,
            oldest: "offset \(start.oldest) of \(environment.commandsTopic)"
        )
    }
}
