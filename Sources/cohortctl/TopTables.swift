import Basics

/// What `cohortctl top` prints.
enum TopTables {
    /// The screen, line by line.
    static func lines(_ figures: TopFigures, address: String) -> [String] {
        let up = figures.upSeconds.map { ", up \(TextTable.age(seconds: $0))" } ?? ""
        var lines = ["cohortd \(figures.version) at \(address)\(up)"]
        if figures.ready {
            lines[0] += ", ready"
        } else {
            lines[0] += ", not ready"
            lines += figures.reasons.map { "not ready: \(TextTable.shown($0))" }
        }
        lines += [
            "events  \(events(figures))",
            "lag     \(figures.lag.map { "\($0) records" } ?? "unknown")",
            "ticks   \(ticks(figures))",
            "memory  \(memory(figures))",
            "users   \(figures.users)\(changes(figures))",
            "",
        ]
        lines += TextTable.rows(
            ["PARTITION", "STATE", "EVENTS", "LAG", "TICK", "SNAPSHOT"],
            figures.partitions.map {
                [
                    "\($0.partition)", $0.state, rate($0.eventsPerSecond),
                    $0.lag.map { "\($0)" } ?? "unknown", age($0.tickAgeSeconds),
                    age($0.snapshotAgeSeconds),
                ]
            },
            empty: "no partitions are assigned"
        )
        lines.append("")
        lines += TextTable.rows(
            ["SYNC", "STATE", "PENDING", "OLDEST", "SENT"],
            figures.syncs.map {
                [
                    $0.sync, $0.state, "\($0.pending)",
                    $0.pending > 0 ? age($0.oldestPendingSeconds) : "-", rate($0.usersPerSecond),
                ]
            },
            empty: "no syncs are configured"
        )
        return lines
    }

    private static func events(_ figures: TopFigures) -> String {
        let since = "\(figures.rejected) rejected since the start"
        guard let rates = figures.eventsPerSecond else { return since }
        let parts = zip(TopFigures.outcomes, rates).map { "\(rate($1)) \($0)" }
        return "\(rate(rates.reduce(0, +))): \(parts.joined(separator: ", ")); \(since)"
    }

    private static func ticks(_ figures: TopFigures) -> String {
        var parts = [
            figures.tickAgeSeconds.map { "the last \(TextTable.age(seconds: $0)) ago" }
                ?? "none yet"
        ]
        if let mean = figures.tickMeanSeconds { parts.append("\(duration(mean)) on average") }
        if let most = figures.tickMostSeconds, most.isFinite {
            parts.append("99 % within \(duration(most))")
        }
        for (cause, partitions) in figures.held {
            parts.append("held in \(partitions) by \(TextTable.shown(cause))")
        }
        return parts.joined(separator: ", ")
    }

    private static func memory(_ figures: TopFigures) -> String {
        guard let used = figures.memoryBytes else { return "unknown" }
        guard let most = figures.memoryMaxBytes, most > 0 else { return size(used) }
        let percent = Int((Double(used) / Double(most) * 100).rounded())
        return "\(size(used)) of \(size(most)) (\(percent) %)"
    }

    private static func changes(_ figures: TopFigures) -> String {
        guard let enters = figures.entersPerSecond, let exits = figures.exitsPerSecond else {
            return ""
        }
        return "; \(rate(enters)) enter a cohort, \(rate(exits)) leave one"
    }

    private static func age(_ seconds: Double?) -> String {
        seconds.map { TextTable.age(seconds: $0) } ?? "-"
    }

    private static func rate(_ perSecond: Double?) -> String {
        guard let perSecond else { return "-" }
        if perSecond == 0 || perSecond >= 10 { return "\(Int64(perSecond.rounded()))/s" }
        return "\(tenths(perSecond))/s"
    }

    private static func duration(_ seconds: Double) -> String {
        seconds < 1 ? "\(tenths(seconds * 1000)) ms" : "\(tenths(seconds)) s"
    }

    private static func size(_ bytes: Int64) -> String {
        var value = Double(bytes)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1024 { return "\(tenths(value)) \(unit)" }
            value /= 1024
        }
        return "\(tenths(value)) TiB"
    }

    /// With one decimal, none where it is 0.
    private static func tenths(_ number: Double) -> String {
        let tenths = Int64((number * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    // MARK: For scripts

    /// One object; what is not known is null.
    static func json(_ figures: TopFigures, address: String, at: EventTime) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("at", at.rfc3339)
        writer.member("address", address)
        writer.member("version", figures.version)
        writer.member("started_at", figures.startedAt)
        writer.member("ready", figures.ready)
        writer.key("reasons")
        writer.beginArray()
        for reason in figures.reasons { writer.value(reason) }
        writer.endArray()
        writer.member("interval_seconds", figures.intervalSeconds)
        writer.key("events_per_second")
        writer.beginObject()
        for (index, outcome) in TopFigures.outcomes.enumerated() {
            writer.member(outcome, figures.eventsPerSecond?[index])
        }
        writer.endObject()
        writer.member("rejected", figures.rejected)
        writer.member("lag", orNull: figures.lag)
        writer.member("tick_age_seconds", figures.tickAgeSeconds)
        writer.member("tick_mean_seconds", figures.tickMeanSeconds)
        writer.member("tick_p99_seconds", figures.tickMostSeconds)
        writer.key("ticks_held")
        writer.beginObject()
        for (cause, partitions) in figures.held { writer.member(cause, partitions) }
        writer.endObject()
        writer.member("memory_bytes", orNull: figures.memoryBytes)
        writer.member("memory_max_bytes", orNull: figures.memoryMaxBytes)
        writer.member("users", figures.users)
        writer.member("enters_per_second", figures.entersPerSecond)
        writer.member("exits_per_second", figures.exitsPerSecond)
        writer.key("partitions")
        writer.beginArray()
        for partition in figures.partitions {
            writer.beginObject()
            writer.member("partition", partition.partition)
            writer.member("state", partition.state)
            writer.member("events_per_second", partition.eventsPerSecond)
            writer.member("lag", orNull: partition.lag)
            writer.member("tick_age_seconds", partition.tickAgeSeconds)
            writer.member("snapshot_age_seconds", partition.snapshotAgeSeconds)
            writer.endObject()
        }
        writer.endArray()
        writer.key("syncs")
        writer.beginArray()
        for sync in figures.syncs {
            writer.beginObject()
            writer.member("sync", sync.sync)
            writer.member("state", sync.state)
            writer.member("pending", sync.pending)
            writer.member("oldest_pending_seconds", sync.oldestPendingSeconds)
            writer.member("users_per_second", sync.usersPerSecond)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        writer.newline()
        return writer.bytes
    }
}

extension JSONWriter {
    /// A number with three decimals at most; null where it is not known or not finite.
    fileprivate mutating func member(_ name: String, _ number: Double?) {
        key(name)
        if let number, number.isFinite { value((number * 1000).rounded() / 1000) } else { null() }
    }

    /// A whole number; null where it is not known.
    fileprivate mutating func member(_ name: String, orNull number: Int64?) {
        key(name)
        if let number { value(number) } else { null() }
    }
}
