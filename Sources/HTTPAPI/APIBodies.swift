import Basics
import Sync

/// The JSON bodies of the routes.
///
/// Instants are RFC 3339.
enum APIBodies {
    static func readiness(_ readiness: Readiness) -> JSONWriter {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("ready", readiness.reasons.isEmpty)
        writer.key("reasons")
        writer.beginArray()
        for reason in readiness.reasons { writer.value(reason) }
        writer.endArray()
        writer.endObject()
        return writer
    }

    static func status(_ report: StatusReport) -> JSONWriter {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("version", report.version)
        writer.member("started_at", report.startedAt.rfc3339)
        writer.tick(report.tick)
        writer.member("users", report.users)
        writer.key("partitions")
        writer.beginArray()
        for partition in report.partitions.sorted(by: { $0.partition < $1.partition }) {
            writer.beginObject()
            writer.member("partition", partition.partition)
            writer.member("state", partition.state.rawValue)
            writer.member("offset", partition.offset)
            writer.member("lag", orNull: partition.lag)
            writer.member("commands_offset", orNull: partition.commandsOffset)
            writer.member("commands_lag", orNull: partition.commandsLag)
            writer.tick(partition.tick)
            writer.endObject()
        }
        writer.endArray()
        writer.key("syncs")
        writer.beginArray()
        for sync in report.syncs.sorted(by: { $0.sync.precedesByBytes($1.sync) }) {
            writer.beginObject()
            writer.member("sync", sync.sync)
            writer.member("state", sync.state.rawValue)
            writer.member("pending", sync.pending)
            writer.key("oldest_pending_seconds")
            writer.seconds(milliseconds: sync.oldestPendingMilliseconds)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer
    }

    static func time(_ report: TimeReport) -> JSONWriter {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("now", report.now.rfc3339)
        writer.tick(report.tick)
        writer.endObject()
        return writer
    }

    static func log(_ report: LogReport) -> JSONWriter {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("topic", report.topic)
        writer.key("partitions")
        writer.beginArray()
        for step in report.steps {
            writer.beginObject()
            writer.member("partition", step.partition)
            writer.member("from", step.from)
            writer.member("to", step.to)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer
    }

    static func cohorts(_ cohorts: [CohortSummary]) -> JSONWriter {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("cohorts")
        writer.beginArray()
        for cohort in cohorts.sorted(by: { $0.id.precedesByBytes($1.id) }) {
            writer.beginObject()
            writer.member("id", cohort.id)
            writer.member("name", cohort.name)
            writer.member("state", cohort.state.rawValue)
            if let percent = cohort.percent { writer.member("percent", percent) }
            writer.member("count", cohort.count)
            writer.tick(cohort.tick)
            writer.key("definition")
            writer.raw(cohort.definitionJSON)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer
    }

    static func changes(_ text: String) -> JSONWriter {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("changes", text)
        writer.endObject()
        return writer
    }

    static func syncs(_ syncs: [SyncSummary]) -> JSONWriter {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("syncs")
        writer.beginArray()
        for sync in syncs.sorted(by: { $0.status.sync.precedesByBytes($1.status.sync) }) {
            writer.sync(sync)
        }
        writer.endArray()
        writer.endObject()
        return writer
    }

    static func sync(_ sync: SyncSummary) -> JSONWriter {
        var writer = JSONWriter()
        writer.sync(sync)
        return writer
    }

    static func members(_ page: MembersPage, of cohort: String) -> JSONWriter {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("cohort", cohort)
        writer.tick(page.tick)
        writer.member("count", page.count)
        writer.key("users")
        writer.beginArray()
        for user in page.users { writer.value(user) }
        writer.endArray()
        writer.key("next")
        if page.hasMore, let last = page.users.last { writer.value(last) } else { writer.null() }
        writer.endObject()
        return writer
    }
}

extension JSONWriter {
    /// A sync as one object.
    fileprivate mutating func sync(_ sync: SyncSummary) {
        let status = sync.status
        beginObject()
        member("id", status.sync)
        member("cohort", sync.cohort)
        member("destination", status.destination)
        member("cadence", sync.cadence)
        member("state", status.state.rawValue)
        member("reason", orNull: status.reason)
        member("reason_seconds", orNull: status.reasonSeconds)
        member("pending", status.pendingUsers)
        member("oldest_pending_seconds", status.oldestPendingSeconds)
        member("acknowledged", status.acknowledgedUsers)
        member("skipped", status.skippedUsers)
        key("since_start")
        beginObject()
        member("delivered", Int64(clamping: status.deliveredUsers))
        member("accepted", Int64(clamping: status.acceptedUsers))
        member("unknown", Int64(clamping: status.unknownUsers))
        endObject()
        member("initial_percent", orNull: status.initialPercent.map(Int64.init))
        member("initial_seconds_left", orNull: status.initialSecondsLeft)
        member("exits_to_approve", orNull: status.exitsToApprove.map(Int64.init))
        member("retry_seconds", orNull: status.retrySeconds)
        member("next_run", orNull: sync.nextRun?.rfc3339)
        key("last_run")
        if let run = status.lastRun {
            beginObject()
            tick(run.tick)
            member("result", run.result.rawValue)
            member("users", run.users)
            member("delivered", run.delivered)
            member("skipped", run.skipped)
            endObject()
        } else {
            null()
        }
        endObject()
    }

    /// `"tick"` and an instant or null.
    fileprivate mutating func tick(_ tick: EventTime?) {
        member("tick", orNull: tick?.rfc3339)
    }

    fileprivate mutating func member(_ name: String, orNull number: Int64?) {
        key(name)
        if let number { value(number) } else { null() }
    }

    fileprivate mutating func member(_ name: String, orNull text: String?) {
        key(name)
        if let text { value(text) } else { null() }
    }

    /// A number of seconds, with decimals only when there are any.
    fileprivate mutating func seconds(milliseconds: Int64) {
        if milliseconds % 1000 == 0 {
            value(milliseconds / 1000)
        } else {
            value(Double(milliseconds) / 1000)
        }
    }
}
