import Basics
import Configuration
import HTTPAPI
import Kafka
import Telemetry
import Threads

// What a person orders done about the logs of Kafka.

extension DaemonRun {
    private static let answerMilliseconds = 2000

    /// Does what a caller asks of a log.
    func change(
        _ request: LogRequest,
        _ consumer: Consumer
    ) throws(DaemonError) -> Result<LogReport, APIQueryError> {
        guard hasStarted else { return .failure(.notReady(reason: "cohortd is still starting")) }
        let kafka = loaded.daemon.kafka
        guard [kafka.topic, kafka.commandsTopic].contains(request.topic) else {
            return .failure(
                .unknownLog(
                    reason:
                        "\(request.topic) is not read; it is \(kafka.topic) or \(kafka.commandsTopic)"
                )
            )
        }
        if let partition = request.partition, opened[partition] == nil,
            !added.contains(partition) || request.topic != kafka.topic
        {
            return .failure(
                .unknownLog(reason: "there is no partition \(partition) of \(request.topic)")
            )
        }
        switch request.kind {
        case .rebase(let at): return try rebase(request, at: at, consumer)
        case .skip(let offsets):
            guard let partition = request.partition else {
                return .failure(.refused(reason: "only of one partition offsets can be left out"))
            }
            return try skip(offsets, of: request.topic, partition, consumer)
        }
    }

    // MARK: rebase

    private func rebase(
        _ request: LogRequest,
        at: Offset?,
        _ consumer: Consumer
    ) throws(DaemonError) -> Result<LogReport, APIQueryError> {
        var partitions = request.partition.map { [$0] } ?? []
        if request.partition == nil {
            partitions = halts.values.filter { $0.topic == request.topic }.map(\.partition)
            if request.topic == loaded.daemon.kafka.topic { partitions += added }
        }
        guard !partitions.isEmpty else {
            return .failure(.refused(reason: "no partition of \(request.topic) is halted"))
        }
        var report = LogReport(topic: request.topic)
        for partition in partitions.sorted() {
            switch try rebase(partition, of: request.topic, at: at, consumer) {
            case .success(let step): report.steps.append(step)
            case .failure(let error):
                if report.steps.isEmpty { return .failure(error) }
                let done = report.steps.map { "\(request.topic)/\($0.partition)" }
                return .failure(
                    .refused(
                        reason: "\(done.joined(separator: ", ")) went on; then: \(error.reason)"
                    )
                )
            }
        }
        return .success(report)
    }

    private func rebase(
        _ partition: PartitionID,
        of topic: String,
        at: Offset?,
        _ consumer: Consumer
    ) throws(DaemonError) -> Result<LogReport.Step, APIQueryError> {
        let name = "\(topic)/\(partition)"
        if added.contains(partition) { return try begin(partition, consumer) }
        guard let halt = halts[partition] else { return .failure(notHalted(partition, name)) }
        guard halt.topic == topic else {
            return .failure(
                .refused(
                    reason: "partition \(partition) is halted by \(halt.topic): \(halt.remedy)"
                )
            )
        }
        if case .damaged = halt.cause {
            return .failure(.refused(reason: "\(halt.text): \(halt.remedy)"))
        }
        let first: Offset
        let end: Offset
        do throws(KafkaError) {
            (first, end) = try consumer.watermarks(
                partition,
                of: topic,
                timeoutMilliseconds: Self.answerMilliseconds
            )
        } catch {
            return .failure(
                error.kind == .unknownTopicOrPartition
                    ? .refused(reason: "Kafka does not have \(name): \(halt.remedy)")
                    : .notReady(reason: error.description)
            )
        }
        if at == nil, isUnchanged(halt, first, end) {
            return try step(halt, to: halt.offset, without: nil, consumer)
        }
        let to = at ?? first
        guard (first...max(first, end)).contains(to) else {
            return .failure(
                .refused(
                    reason: "offset \(to) is not there: Kafka has \(first) to \(end) of \(name)"
                )
            )
        }
        var cause = LogGap.Cause.anew
        if case .gone = halt.cause, halt.offset <= to { cause = .gone }
        return try step(halt, to: to, without: gap(halt, to: to, cause: cause), consumer)
    }

    /// Whether the log is the one that was read, and has what comes next.
    private func isUnchanged(_ halt: LogHalt, _ first: Offset, _ end: Offset) -> Bool {
        if case .diverged = halt.cause { return false }
        guard halt.topic == loaded.daemon.kafka.topic, first <= halt.offset, halt.offset <= end,
            let last = environment.reports[halt.partition]?.fingerprint
        else { return false }
        return compare([halt.partition: last])[halt.partition] == .same
    }

    private func notHalted(_ partition: PartitionID, _ name: String) -> APIQueryError {
        if environment.reports[partition]?.state == .halted {
            return .notReady(reason: "it is still looked into why partition \(partition) is halted")
        }
        return .refused(reason: "\(name) is not halted: there is nothing to do")
    }

    private func step(
        _ halt: LogHalt,
        to: Offset,
        without gap: LogGap?,
        _ consumer: Consumer
    ) throws(DaemonError) -> Result<LogReport.Step, APIQueryError> {
        if let refusal = try goOn(halt.partition, without: gap, consumer) {
            return .failure(.notReady(reason: refusal))
        }
        logger.notice(
            "partition_goes_on",
            "a person let \(halt.topic)/\(halt.partition) go on",
            [
                "topic": LogValue(halt.topic), "partition": LogValue(halt.partition),
                "from": LogValue(halt.offset), "to": LogValue(to),
            ]
        )
        return .success(LogReport.Step(partition: halt.partition, from: halt.offset, to: to))
    }

    // MARK: skip

    private func skip(
        _ offsets: ClosedRange<Offset>,
        of topic: String,
        _ partition: PartitionID,
        _ consumer: Consumer
    ) throws(DaemonError) -> Result<LogReport, APIQueryError> {
        let name = "\(topic)/\(partition)"
        let next = offsets.upperBound + 1
        var report = LogReport(topic: topic)
        guard let halt = halts[partition], halt.topic == topic, case .damaged = halt.cause else {
            let isOfCommands = topic != loaded.daemon.kafka.topic
            let isDone = environment.reports[partition]?.gaps.all.contains {
                $0.isOfCommands == isOfCommands && $0.cause == .skipped
                    && $0.from == offsets.lowerBound && $0.to == next
            }
            if isDone ?? false {
                report.steps = [
                    LogReport.Step(partition: partition, from: offsets.lowerBound, to: next)
                ]
                return .success(report)
            }
            if let halt = halts[partition] {
                return .failure(.refused(reason: "\(halt.text): \(halt.remedy)"))
            }
            return .failure(notHalted(partition, name))
        }
        guard offsets.lowerBound == halt.offset else {
            return .failure(
                .refused(
                    reason: "\(name) stands at offset \(halt.offset): leave out from there on"
                )
            )
        }
        do throws(KafkaError) {
            let (_, end) = try consumer.watermarks(
                partition,
                of: topic,
                timeoutMilliseconds: Self.answerMilliseconds
            )
            guard next <= end else {
                return .failure(
                    .refused(reason: "offset \(next - 1) is not there: \(name) ends before \(end)")
                )
            }
        } catch {
            return .failure(.notReady(reason: error.description))
        }
        return try step(halt, to: next, without: gap(halt, to: next, cause: .skipped), consumer)
            .map {
                report.steps = [$0]
                return report
            }
    }
}
