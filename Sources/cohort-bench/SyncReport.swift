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
        guard let last = figures.tickMilliseconds.last else { return 0 }
        let index = Int((Double(figures.tickMilliseconds.count) * share).rounded(.up)) - 1
        return index < 0 ? last : figures.tickMilliseconds[index]
    }

    /// For people.
    var text: String {
        let rows: [(String, String)] = [
            ("template", template),
            ("users", "\(figures.users), taken over in \(fixed(figures.resetSeconds)) s of CPU"),
            (
                "users/s/core",
                "\(usersPerSecond): planned, journalled, rendered and judged in "
                    + "\(fixed(figures.deliverySeconds)) s of CPU"
            ),
            ("requests", "\(figures.requests), \(figures.bodyBytes) bytes of bodies"),
            (
                "idle ticks",
                "\(figures.tickMilliseconds.count): p50 \(fixed(quantile(0.5))) ms, p99 "
                    + "\(fixed(quantile(0.99))) ms, max \(fixed(quantile(1))) ms"
            ),
            (
                "bytes a user",
                "\(fixed(perUser(figures.ledgerBytes))) of a sync keyed by user id, beside "
                    + "\(fixed(perUser(figures.idBytes))) of the ids that all syncs share"
            ),
        ]
        return rows.map { name, value in
            name + String(repeating: " ", count: 16 - name.count) + value + "\n"
        }.joined()
    }

    /// For programs: one object, one line.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("template", template)
        writer.member("users", figures.users)
        member("reset_cpu_seconds", figures.resetSeconds, to: &writer)
        member("delivery_cpu_seconds", figures.deliverySeconds, to: &writer)
        writer.member("users_per_cpu_second", usersPerSecond)
        writer.member("requests", figures.requests)
        writer.member("body_bytes", figures.bodyBytes)
        writer.key("idle_ticks")
        writer.beginObject()
        writer.member("count", figures.tickMilliseconds.count)
        member("p50_ms", quantile(0.5), to: &writer)
        member("p99_ms", quantile(0.99), to: &writer)
        member("max_ms", quantile(1), to: &writer)
        writer.endObject()
        member("ledger_bytes_per_user", perUser(figures.ledgerBytes), to: &writer)
        member("shared_id_bytes_per_user", perUser(figures.idBytes), to: &writer)
        writer.endObject()
        writer.newline()
        return writer.string
    }

    private func member(_ name: String, _ number: Double, to writer: inout JSONWriter) {
        writer.key(name)
        writer.value((number * 1e6).rounded() / 1e6)
    }
}
