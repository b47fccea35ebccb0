import Basics
import Daemon

/// What one run over a topic cost and what came of it.
struct KafkaEngineReport {
    var outcome: CatchUp.Outcome
    var threads: Int
    /// Deltas published to a topic; nil where they were only counted.
    var published: Int?
    var cpuSeconds: Double
    /// Of these: of the client's own threads, which fetch and decompress.
    var clientSeconds: Double
    var wallSeconds: Double
    /// Ids of the cohorts, in the order of the plan.
    var cohorts: [String]

    private func rate(_ seconds: Double) -> Double {
        seconds > 0 ? (Double(outcome.events) / seconds).rounded() : 0
    }

    private var sizes: [(id: String, count: Int)] {
        zip(cohorts, outcome.members).map { (id: $0, count: $1) }
    }

    /// For people.
    var text: String {
        var rows: [(String, String)] = [
            (
                "events",
                "\(outcome.events), \(outcome.rejected) rejected, \(outcome.duplicates) duplicates"
            ),
            ("threads", "\(threads)"),
            (
                "events/s/core",
                "\(Int(rate(cpuSeconds))) by CPU time of all threads "
                    + "(\(ReportText.fixed(cpuSeconds)) s, \(ReportText.fixed(clientSeconds)) s of "
                    + "them the client's)"
            ),
            (
                "events/s",
                "\(Int(rate(wallSeconds))) by wall time (\(ReportText.fixed(wallSeconds)) s)"
            ),
            ("users", "\(outcome.users)"),
            ("ticks", "\(outcome.ticks) of all partitions"),
            (
                "enters + exits",
                "\(outcome.enters) + \(outcome.exits) = \(outcome.enters + outcome.exits)"
            ),
            ("final sizes", sizes.map { "\($0.id) \($0.count)" }.joined(separator: ", ")),
        ]
        if let published { rows.append(("published", "\(published) deltas")) }
        return ReportText.table(rows)
    }

    /// For programs: one object, one line.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("events", outcome.events)
        writer.member("rejected", outcome.rejected)
        writer.member("duplicates", outcome.duplicates)
        writer.member("threads", threads)
        writer.member("users", outcome.users)
        ReportText.member("cpu_seconds", cpuSeconds, to: &writer)
        ReportText.member("client_cpu_seconds", clientSeconds, to: &writer)
        ReportText.member("wall_seconds", wallSeconds, to: &writer)
        writer.member("events_per_cpu_second", Int(rate(cpuSeconds)))
        writer.member("events_per_wall_second", Int(rate(wallSeconds)))
        writer.member("ticks", outcome.ticks)
        writer.member("enters", outcome.enters)
        writer.member("exits", outcome.exits)
        writer.key("deltas_published")
        if let published { writer.value(published) } else { writer.null() }
        writer.key("cohorts")
        writer.beginObject()
        for (id, count) in sizes { writer.member(id, count) }
        writer.endObject()
        writer.endObject()
        writer.newline()
        return writer.string
    }
}
