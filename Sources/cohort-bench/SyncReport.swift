import Basics

/// What delivering to everybody cost.
struct SyncReport {
    let template: String
    let figures: SyncBench.Figures

    private var usersPerSecond: Int {
        figures.deliverySeconds > 0
            ? Int((Double(figures.users) / figures.deliverySeconds).rounded()) : 0
    }

    private func perUser(_ bytes: Int) -> Double {
        figures.users > 0 ? Double(bytes) / Double(figures.users) : 0
    }

    private func quantile(_ share: Double) -> Double {
        ReportText.quantile(share, of: figures.tickMilliseconds)
    }

    /// For people.
    var text: String {
        let rows: [(String, String)] = [
            ("template", template),
            (
                "users",
                "\(figures.users), taken over in \(ReportText.fixed(figures.resetSeconds)) s of CPU"
            ),
            (
                "users/s/core",
                "\(usersPerSecond): planned, journalled, rendered and judged in "
                    + "\(ReportText.fixed(figures.deliverySeconds)) s of CPU"
            ),
            ("requests", "\(figures.requests), \(figures.bodyBytes) bytes of bodies"),
            (
                "idle ticks",
                "\(figures.tickMilliseconds.count): p50 \(ReportText.fixed(quantile(0.5))) ms, p99 "
                    + "\(ReportText.fixed(quantile(0.99))) ms, max \(ReportText.fixed(quantile(1))) ms"
            ),
            (
                "bytes a user",
                "\(ReportText.fixed(perUser(figures.ledgerBytes))) of a sync keyed by user id, beside "
                    + "\(ReportText.fixed(perUser(figures.idBytes))) of the ids that all syncs share"
            ),
        ]
        return ReportText.table(rows)
    }

    /// For programs: one object, one line.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("template", template)
        writer.member("users", figures.users)
        ReportText.member("reset_cpu_seconds", figures.resetSeconds, to: &writer)
        ReportText.member("delivery_cpu_seconds", figures.deliverySeconds, to: &writer)
        writer.member("users_per_cpu_second", usersPerSecond)
        writer.member("requests", figures.requests)
        writer.member("body_bytes", figures.bodyBytes)
        writer.key("idle_ticks")
        writer.beginObject()
        writer.member("count", figures.tickMilliseconds.count)
        ReportText.member("p50_ms", quantile(0.5), to: &writer)
        ReportText.member("p99_ms", quantile(0.99), to: &writer)
        ReportText.member("max_ms", quantile(1), to: &writer)
        writer.endObject()
        ReportText.member("ledger_bytes_per_user", perUser(figures.ledgerBytes), to: &writer)
        ReportText.member("shared_id_bytes_per_user", perUser(figures.idBytes), to: &writer)
        writer.endObject()
        writer.newline()
        return writer.string
    }
}
