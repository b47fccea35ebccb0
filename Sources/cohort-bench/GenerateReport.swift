import Basics

/// What `cohort-bench generate` did.
struct GenerateReport {
    /// By a clock that never jumps, in milliseconds.
    let began: Int64
    var ended: Int64 = 0
    var sent = 0
    /// Of which is not known that they are there.
    var failed = 0
    /// Of these, those that were never given to the client.
    var leftOut = 0
    /// Why the first of them failed, where somebody said.
    var failure: String?
    var late = 0
    var duplicates = 0

    init(began: Int64) {
        self.began = began
    }

    private var seconds: Double { Double(max(1, ended - began)) / 1000 }

    /// One line for people.
    var text: String {
        let rate = Int((Double(sent) / seconds).rounded())
        return "sent \(sent) events in \(ReportText.fixed(seconds, places: 1)) s, \(rate)/s: "
            + "\(late) late, \(duplicates) duplicates; \(failed) failed"
            + (failure.map { ": \($0)" } ?? "")
    }

    /// One object.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("sent", sent)
        writer.member("failed", failed)
        writer.key("failure")
        if let failure { writer.value(failure) } else { writer.null() }
        writer.member("late", late)
        writer.member("duplicates", duplicates)
        ReportText.member("seconds", seconds, to: &writer)
        ReportText.member("events_per_second", Double(sent) / seconds, to: &writer)
        writer.endObject()
        writer.newline()
        return writer.string
    }
}

/// Says on stderr how far it is, every five seconds.
struct GenerateProgress {
    private let limit: Int?
    private var shownAt: Int64
    private var shownCount = 0

    private static let intervalMilliseconds: Int64 = 5000

    init(began: Int64, limit: Int?) {
        self.limit = limit
        shownAt = began
    }

    /// Says it, if it is time; `now` is of a clock that never jumps.
    mutating func show(_ count: Int, _ pending: Int, now: Int64) {
        guard now - shownAt >= Self.intervalMilliseconds else { return }
        let rate = Int64(count - shownCount) * 1000 / (now - shownAt)
        printError(
            "\(count)\(limit.map { " of \($0)" } ?? "") events, \(rate)/s"
                + (pending > 0 ? ", \(pending) of them wait for the broker" : "")
        )
        shownAt = now
        shownCount = count
    }
}
