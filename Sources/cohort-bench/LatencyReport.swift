import Basics

/// How long users took from their event to the webhook.
struct LatencyReport {
    var rate: Int
    var seconds: Int
    var published: Int
    /// Of these: not taken by the broker.
    var refused: Int
    var marked: Int
    /// Who was never received, by number.
    var missing: [Int]
    /// Ascending.
    var milliseconds: [Double]

    private func quantile(_ share: Double) -> Double {
        ReportText.quantile(share, of: milliseconds)
    }

    /// For people.
    var text: String {
        let rows: [(String, String)] = [
            (
                "events",
                "\(published) in \(seconds) s, \(rate) a second asked for, \(refused) refused by the "
                    + "broker"
            ),
            (
                "users",
                "\(marked) entered, \(milliseconds.count) received"
                    + (missing.isEmpty
                        ? ""
                        : "; missing: "
                            + missing.prefix(10).map { String($0) }.joined(separator: ", "))
            ),
            ("tick", "\(LatencyFolder.tickMilliseconds) ms"),
            (
                "event → webhook",
                "p50 \(ReportText.fixed(quantile(0.5))) ms, p99 \(ReportText.fixed(quantile(0.99))) ms, max "
                    + "\(ReportText.fixed(quantile(1))) ms"
            ),
        ]
        return ReportText.table(rows)
    }

    /// For programs: one object, one line.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("events", published)
        writer.member("events_refused", refused)
        writer.member("seconds", seconds)
        writer.member("rate", rate)
        writer.member("users_entered", marked)
        writer.member("users_received", milliseconds.count)
        writer.member("tick_ms", LatencyFolder.tickMilliseconds)
        for (name, share) in [("p50_ms", 0.5), ("p99_ms", 0.99), ("max_ms", 1.0)] {
            writer.key(name)
            writer.value(quantile(share))
        }
        writer.endObject()
        writer.newline()
        return writer.string
    }
}
