import Basics

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
            for (key, number) in [
                ("lag", partition.lag), ("commands_offset", partition.commandsOffset),
                ("commands_lag", partition.commandsLag),
            ] {
                writer.key(key)
                if let number { writer.value(number) } else { writer.null() }
            }
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
    /// `"tick"` and an instant or null.
    fileprivate mutating func tick(_ tick: EventTime?) {
        key("tick")
        if let tick { value(tick.rfc3339) } else { null() }
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
