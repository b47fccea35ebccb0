import Basics

/// What an ingest run cost and what came of it.
struct IngestReport {
    var bytes: Int
    var events: Int
    var rejected: Int
    var duplicates: Int
    var users: Int
    var cpuSeconds: Double
    var wallSeconds: Double
    /// Memory of the engine's tables, their free space included.
    var reservedBytes: Int
    /// How much the process' own memory grew during the run; nil where the system does not say.
    var grownBytes: Int?
    /// The process' own memory at the end; nil where the system does not say.
    var memoryBytes: Int?
    /// The most memory it had, pages of files included; nil where the system does not say.
    var memoryPeakBytes: Int?
    /// Of the second half of the file.
    var allocations: Allocations
    /// Ascending.
    var tickMilliseconds: [Double]
    var enters: Int
    var exits: Int
    /// By bytes of the id.
    var cohorts: [(id: String, count: Int)]

    private func rate(_ seconds: Double) -> Int {
        seconds > 0 ? Int((Double(events) / seconds).rounded()) : 0
    }

    private func perUser(_ bytes: Int) -> Int { users > 0 ? bytes / users : 0 }

    private func quantile(_ share: Double) -> Double {
        ReportText.quantile(share, of: tickMilliseconds)
    }

    /// What is wrong with the run, so that its figures mean nothing; nil where nothing is.
    func objection(expectedFlips: Int) -> String? {
        let flips = enters + exits
        return flips == expectedFlips ? nil : Self.objection(flips: flips, expected: expectedFlips)
    }

    static func objection(flips: Int, expected: Int) -> String {
        "\(flips) enters and exits, but \(expected) are expected: the memberships are wrong, "
            + "or --expect-flips, the events or the definitions are of another run"
    }

    /// For people.
    var text: String {
        let grown = grownBytes.map { "\(perUser($0)) the process grew by" } ?? "growth unknown"
        let rows: [(String, String)] = [
            (
                "events",
                "\(events) (\(bytes) bytes), \(rejected) rejected, \(duplicates) duplicates"
            ),
            (
                "events/s/core",
                "\(rate(cpuSeconds)) by CPU time (\(ReportText.fixed(cpuSeconds)) s)"
            ),
            ("events/s", "\(rate(wallSeconds)) by wall time (\(ReportText.fixed(wallSeconds)) s)"),
            ("users", "\(users)"),
            ("bytes a user", "\(perUser(reservedBytes)) reserved by the engine, \(grown)"),
            ("allocations", allocations.text),
            (
                "ticks",
                "\(tickMilliseconds.count): p50 \(ReportText.fixed(quantile(0.5))) ms, p99 "
                    + "\(ReportText.fixed(quantile(0.99))) ms, max \(ReportText.fixed(quantile(1))) ms"
            ),
            ("enters + exits", "\(enters) + \(exits) = \(enters + exits)"),
            ("final sizes", cohorts.map { "\($0.id) \($0.count)" }.joined(separator: ", ")),
        ]
        return ReportText.table(rows)
    }

    /// For programs: one object, one line.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("events", events)
        writer.member("bytes", bytes)
        writer.member("rejected", rejected)
        writer.member("duplicates", duplicates)
        writer.member("users", users)
        ReportText.member("cpu_seconds", cpuSeconds, to: &writer)
        ReportText.member("wall_seconds", wallSeconds, to: &writer)
        writer.member("events_per_cpu_second", rate(cpuSeconds))
        writer.member("events_per_wall_second", rate(wallSeconds))
        writer.member("reserved_bytes_per_user", perUser(reservedBytes))
        writer.key("grown_bytes_per_user")
        if let grownBytes { writer.value(perUser(grownBytes)) } else { writer.null() }
        for (name, bytes) in [
            ("memory_bytes", memoryBytes), ("memory_peak_bytes", memoryPeakBytes),
        ] {
            writer.key(name)
            if let bytes { writer.value(bytes) } else { writer.null() }
        }
        writer.member("second_half_events", allocations.events)
        writer.member("second_half_allocations", allocations.count)
        writer.member("second_half_allocations_of_ticks", allocations.ofTicks)
        ReportText.member("allocations_per_event", allocations.perEvent, to: &writer)
        writer.key("ticks")
        writer.beginObject()
        writer.member("count", tickMilliseconds.count)
        ReportText.member("p50_ms", quantile(0.5), to: &writer)
        ReportText.member("p99_ms", quantile(0.99), to: &writer)
        ReportText.member("max_ms", quantile(1), to: &writer)
        writer.endObject()
        writer.member("enters", enters)
        writer.member("exits", exits)
        writer.key("cohorts")
        writer.beginObject()
        for cohort in cohorts { writer.member(cohort.id, cohort.count) }
        writer.endObject()
        writer.endObject()
        writer.newline()
        return writer.string
    }
}
