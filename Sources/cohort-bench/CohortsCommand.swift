import Arguments
import Basics

/// `cohort-bench cohorts`.
struct CohortsCommand {
    private let events: String
    private let fewer: [String]
    private let more: [String]
    private let options: ReplayOptions
    private let repetitions: Int
    private let asJSON: Bool

    /// Reads the arguments; what is wrong with them is said before any file is looked at.
    init(_ arguments: ParsedArguments) throws(BenchStatus) {
        events = arguments.value("--events") ?? ""
        fewer = arguments.values("--cohorts")
        more = arguments.values("--more-cohorts")
        options = try ReplayOptions(arguments)
        repetitions = try arguments.number("--repeat", 1, in: 1...1000)
        asJSON = try arguments.asksForJSON()
    }

    /// Runs `ingest` with the one and the other definitions in turns.
    func run() throws(BenchStatus) {
        var report = CohortsReport()
        for _ in 0..<repetitions {
            report.add(
                fewer: try options.ingest(events, cohorts: fewer),
                more: try options.ingest(events, cohorts: more)
            )
        }
        try printOutput(asJSON ? report.json : report.text)
    }
}

/// What more cohorts cost.
struct CohortsReport {
    private(set) var ratio = Ratio()
    /// The last runs.
    private(set) var fewer = IngestFigures()
    private(set) var more = IngestFigures()

    /// Notes a run of each.
    mutating func add(fewer: IngestFigures, more: IngestFigures) {
        self.fewer = fewer
        self.more = more
        ratio.denominator.append(fewer.eventsPerCPUSecond)
        ratio.figure.append(more.eventsPerCPUSecond)
    }

    /// For people.
    var text: String {
        func row(_ series: Series, _ run: IngestFigures) -> String {
            series.text("events/s/core")
                + " with \(run.cohorts) cohorts, \(run.flips) enters and exits"
        }
        return ReportText.table([
            ("events", "\(more.events), \(more.users) users"),
            ("figure", row(ratio.figure, more)),
            ("denominator", row(ratio.denominator, fewer)),
            ("ratio", ratio.text),
            ("repetitions", "\(ratio.figure.values.count) of each, in turns"),
        ])
    }

    /// For programs: one object, one line.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("events", more.events)
        writer.member("users", more.users)
        writer.member("unit", "events/s by CPU time")
        ratio.write(to: &writer)
        writer.member("figure_cohorts", more.cohorts)
        writer.member("denominator_cohorts", fewer.cohorts)
        writer.member("figure_flips", more.flips)
        writer.member("denominator_flips", fewer.flips)
        writer.member("repetitions", ratio.figure.values.count)
        writer.endObject()
        writer.newline()
        return writer.string
    }
}
