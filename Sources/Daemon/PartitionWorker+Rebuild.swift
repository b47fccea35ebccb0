import Basics
import Cohorts
import Engine
import HTTPAPI
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
        guard start.oldest > 0, start.offset >= start.oldest else { return nil }
        for (index, cohort) in plan.cohorts.enumerated() {
            if let missing, missing.properties, plan.readsProperties(cohort: index) {
                everything.append(cohort)
                continue
            }
            if let missing, cohort.traces.isDisjoint(with: missing.traces),
                cohort.recordTraces.isDisjoint(with: missing.recordTraces)
            {
                continue
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
    /// Fills the traces that the snapshot lacks from the oldest record on, up to the snapshot's offset.
    func beginRebuild(_ start: PartitionStart) {
        if let until = rebuildEnd {
            // Taken away and given back in the middle: it goes on where it was.
            phase = .rebuilding(until: until)
            report.catchUp = (next, max(until, start.end))
            setState(.building)
            return
        }
        historyCheck = HistoryCheck(
            start: start,
            missing: opened.missingTraces,
            plan: environment.plan
        )
        phase = .rebuilding(until: next)
        let until = next
        rebuildEnd = until
        next = start.offset
        report.catchUp = (start.offset, max(until, start.end))
        shard.beginRebuild(of: opened.missingTraces)
        setState(.building)
        environment.logger.notice(
            "rebuild_started",
            "the definitions look at events that the snapshot did not keep: history is read again",
            [
                "partition": LogValue(partition), "from": LogValue(start.offset),
                "to": LogValue(until),
            ]
        )
        if next >= until { endRebuild() }
    }

    func endRebuild() {
        shard.finishRebuild()
        needsRebuild = false
        rebuildEnd = nil
        phase = .catchingUp(to: report.endOffset ?? next)
        do throws(DaemonError) {
            try rewrite()
        } catch {
            environment.control.postAtOnce(.fatal(error))
        }
        environment.logger.notice(
            "rebuild_done",
            "history was read again",
            ["partition": LogValue(partition)]
        )
        setState(.replaying)
    }

    /// Looks at the oldest record's time and says which cohorts lack history.
    ///
    /// - Returns: Whether the partition may go on; at a later start a cohort that was not accepted ends the
    ///   process instead.
    func historySuffices(_ check: HistoryCheck, oldest timestamp: Int64?) -> Bool {
        let now = environment.clock.now
        let oldest = timestamp.map { EventTime(milliseconds: $0) }
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
        let refused = lacking.filter { !environment.acceptedHistory.contains($0.id) }
        if !check.isFirstStart, !refused.isEmpty {
            let ids = refused.map(\.id).joined(separator: ", ")
            let flags = refused.map { "--accept-history \($0.id)" }.joined(separator: " ")
            halt("history that \(ids) looks at is gone from Kafka")
            environment.control.postAtOnce(
                .fatal(
                    DaemonError(
                        status: DaemonError.Status.configuration,
                        "partition \(partition): the history that \(ids) needs is gone from Kafka "
                            + "(its oldest record has offset \(next)\(oldest.map { ", " + $0.rfc3339 } ?? ""));"
                            + " start with \(flags), or list the ids in accept_history, to go on "
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
