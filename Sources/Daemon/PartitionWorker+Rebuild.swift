import Basics
import Cohorts
import Engine
import HTTPAPI
import Kafka
import LogStore
import Telemetry
import Threads

/// What is to be said, or refused, when history does not reach back as far as cohorts look.
struct HistoryCheck {
    /// Cohorts that look at any event ever although the oldest ones are gone.
    var everything: [CohortPlan] = []
    /// Cohorts that look back a bounded time.
    var bounded: [(cohort: CohortPlan, milliseconds: Int64)] = []
    let isFirstStart: Bool

    /// Nil where Kafka still has its first record, or no cohort looks at events.
    ///
    /// - Parameters:
    ///   - start: Where reading begins, and what Kafka still has.
    ///   - missing: What is to be filled; nil at the first start of a partition. A cohort of which the snapshot
    ///     has everything does not depend on what Kafka still has.
    ///   - plan: The cohorts.
    init?(start: PartitionStart, missing: MissingTraces?, plan: Plan) {
        isFirstStart = missing == nil
        guard start.events.oldest > 0, start.events.offset >= start.events.oldest else {
            return nil
        }
        if let missing, !missing.needsEvents { return nil }
        for (index, cohort) in plan.cohorts.enumerated() {
            if let missing {
                if !missing.cohorts.contains(index) { continue }
                if missing.properties, plan.readsProperties(cohort: index) {
                    everything.append(cohort)
                    continue
                }
            }
            switch cohort.reach {
            case .nothing: break
            case .everything: everything.append(cohort)
            case .milliseconds(let reach): bounded.append((cohort, reach))
            }
        }
        if everything.isEmpty, bounded.isEmpty { return nil }
    }
}

extension PartitionWorker {
    /// Begins to fill what the snapshot lacks: beside what is new where the order of events does not matter, else in
    /// the order of the log up to where the snapshot stands.
    func beginRebuild(_ start: PartitionStart) {
        needsRebuild = false
        let missing = opened.missingTraces
        var past = start
        if let history = start.history { past.events = history }
        historyCheck = HistoryCheck(start: past, missing: missing, plan: environment.plan)
        environment.logger.notice(
            "rebuild_started",
            "the definitions look at events that the snapshot did not keep: history is read again",
            [
                "partition": LogValue(partition), "from": LogValue(past.events.offset),
                "to": LogValue(next),
                "commands_from": LogValue(start.commands?.offset ?? 0),
                "commands_to": LogValue(commandsNext ?? 0),
            ]
        )
        shard.beginRebuild(of: missing)
        if let history = start.history {
            fill = HistoryFill(from: history.offset, until: next, next: history.offset)
            fill?.isChecked = historyCheck == nil
        }
        if missing.needsOrder {
            rebuildEnd = position
            next = start.events.offset
            if commandsNext != nil, let commands = start.commands {
                commandsNext = commands.offset
            }
        } else {
            // From here on changes are added to what the new definitions call it.
            writeAnew()
        }
    }

    /// The log was read up to where the snapshot stands.
    func endRebuild() {
        heartbeat.beat(.long)
        rebuildEnd = nil
        if fill == nil { shard.finishRebuild() }
        phase = .catchingUp(
            to: LogPosition(events: report.endOffset ?? next, commands: report.commandsEnd)
        )
        writeAnew()
        if fill == nil {
            environment.logger.notice(
                "rebuild_done",
                "history was read again",
                ["partition": LogValue(partition)]
            )
        }
        setState(.replaying)
    }

    /// Makes the whole state durable, once there is space on the disk.
    func writeAnew() {
        isDirty = true
        do throws(StoreError) { try rewrite() } catch { cannotSave(error) }
    }

    /// Looks at the oldest record's time and says which cohorts lack history.
    ///
    /// - Returns: Whether the partition may go on; at a later start a cohort that was not accepted ends the
    ///   process instead.
    func historySuffices(_ check: HistoryCheck, oldest record: borrowing RecordView) -> Bool {
        let now = environment.clock.now
        let oldest = record.timestamp.map { EventTime(milliseconds: $0) }
        var lacking: [(id: String, complete: String)] = check.everything.map {
            ($0.id, "never, since it looks at any event ever")
        }
        for (cohort, reach) in check.bounded {
            guard let oldest else {
                lacking.append((cohort.id, "unknown, since the oldest record has no timestamp"))
                continue
            }
            if now - reach < oldest { lacking.append((cohort.id, (oldest + reach).rfc3339)) }
        }
        return goesOn(
            without: lacking,
            isFirstStart: check.isFirstStart,
            oldest: "offset \(record.offset)\(oldest.map { ", " + $0.rfc3339 } ?? "")"
        )
    }

    /// Says which cohorts lack history, or, at a later start, refuses to go on with one that was not accepted.
    ///
    /// - Parameters:
    ///   - lacking: Ids of cohorts, each with the instant from when on it is complete.
    ///   - isFirstStart: Whether the partition has nothing yet that could get worse.
    ///   - oldest: The oldest record that Kafka has.
    /// - Returns: Whether the partition may go on; else the process ends.
    func goesOn(
        without lacking: [(id: String, complete: String)],
        isFirstStart: Bool,
        oldest: String
    ) -> Bool {
        let refused = lacking.filter { !environment.acceptedHistory.contains($0.id) }
        if !isFirstStart, !refused.isEmpty {
            let ids = refused.map(\.id).joined(separator: ", ")
            let flags = refused.map { "--accept-history \($0.id)" }.joined(separator: " ")
            halt("history that \(ids) looks at is gone from Kafka")
            environment.control.postAtOnce(
                .fatal(
                    DaemonError(
                        status: DaemonError.Status.configuration,
                        "partition \(partition): the history that \(ids) needs is gone from Kafka "
                            + "(its oldest record has \(oldest)); start with \(flags), or list the ids in accept_history, to go on "
                            + "from what is left"
                    )
                )
            )
            return false
        }
        for (id, complete) in lacking {
            environment.logger.warning(
                "history_incomplete",
                "events that cohort \(id) looks at are gone from Kafka: complete from \(complete)",
                ["partition": LogValue(partition), "cohort": LogValue(id)]
            )
        }
        return true
    }
}
