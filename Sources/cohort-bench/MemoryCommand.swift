import Arguments
import Basics

/// `cohort-bench memory`.
struct MemoryCommand {
    private let events: String
    private let moreEvents: String
    private let cohorts: [String]
    private let options: ReplayOptions
    private let asJSON: Bool

    /// Reads the arguments; what is wrong with them is said before any file is looked at.
    init(_ arguments: ParsedArguments) throws(BenchStatus) {
        events = arguments.value("--events") ?? ""
        moreEvents = arguments.value("--more-events") ?? ""
        cohorts = arguments.values("--cohorts")
        options = try ReplayOptions(arguments)
        asJSON = try arguments.asksForJSON()
    }

    /// Runs `ingest` over the one and the other events, each in a process of its own.
    func run() throws(BenchStatus) {
        let report = MemoryReport(
            fewer: try options.ingest(events, cohorts: cohorts, more: ["--drop-input"]),
            more: try options.ingest(moreEvents, cohorts: cohorts, more: ["--drop-input"])
        )
        if let objection = report.objection {
            printError("cohort-bench memory: \(objection)")
            throw .unexpected
        }
        try printOutput(asJSON ? report.json : report.text)
    }
}

/// What a user takes of the process' memory.
struct MemoryReport {
    let fewer: IngestFigures
    let more: IngestFigures

    /// How many more users the larger run saw.
    var users: Int { more.users - fewer.users }

    /// What is wrong with the runs, so that nothing can be said; nil where nothing is.
    var objection: String? {
        if fewer.memoryBytes == 0 || more.memoryBytes == 0 {
            return "the system does not say how much memory a process has"
        }
        if users <= 0 {
            return "--more-events has \(more.users) users, and --events \(fewer.users): "
                + "a file with more users is expected"
        }
        return nil
    }

    private func slope(_ bytes: (IngestFigures) -> Int) -> Double {
        Double(bytes(more) - bytes(fewer)) / Double(max(1, users))
    }

    /// For people.
    var text: String {
        func row(_ run: IngestFigures) -> String {
            "\(run.events) events, \(run.users) users: \(run.memoryBytes) bytes at the end, "
                + "\(run.memoryPeakBytes) at the peak"
        }
        func slope(_ bytes: (IngestFigures) -> Int) -> String {
            "\(Int(self.slope(bytes).rounded()))"
        }
        return ReportText.table([
            ("fewer users", row(fewer)),
            ("more users", row(more)),
            ("figure", "\(more.memoryBytes - fewer.memoryBytes) bytes more at the end"),
            ("denominator", "\(users) users more"),
            (
                "ratio",
                "\(slope(\.memoryBytes)) bytes a user; \(slope(\.memoryPeakBytes)) at the peak"
            ),
        ])
    }

    /// For programs: one object, one line.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("unit", "bytes; users; bytes a user")
        writer.member("figure", more.memoryBytes - fewer.memoryBytes)
        writer.member("denominator", users)
        ReportText.member("ratio", slope(\.memoryBytes), to: &writer)
        ReportText.member("ratio_peak", slope(\.memoryPeakBytes), to: &writer)
        for (name, run) in [("fewer", fewer), ("more", more)] {
            writer.key(name)
            writer.beginObject()
            writer.member("events", run.events)
            writer.member("users", run.users)
            writer.member("memory_bytes", run.memoryBytes)
            writer.member("memory_peak_bytes", run.memoryPeakBytes)
            writer.endObject()
        }
        writer.endObject()
        writer.newline()
        return writer.string
    }
}
