import Basics

/// What runs of `ingest` cost, beside what parsing alone cost.
struct IngestTurnsReport {
    let program: String?
    private(set) var ratio = Ratio()
    private(set) var byCPU = Series()
    /// Of each run of ours.
    private(set) var runs: [IngestFigures] = []
    /// How many events the program read; nil without one.
    private(set) var parsedEvents: Int?

    init(program: String?) {
        self.program = program
    }

    mutating func parsed(_ output: ParserOutput) {
        parsedEvents = output.events
        ratio.denominator.append(output.eventsPerSecond)
    }

    mutating func ingested(_ figures: IngestFigures) {
        ratio.figure.append(figures.eventsPerWallSecond)
        byCPU.append(figures.eventsPerCPUSecond)
        runs.append(figures)
    }

    /// What is wrong with the runs, so that their figures mean nothing; nil where nothing is.
    func objection(expectedFlips: Int?) -> String? {
        if let program, let parsedEvents, let ours = runs.first?.events, parsedEvents != ours {
            return "\(program) read \(parsedEvents) events and ours \(ours)"
        }
        guard let expectedFlips,
            let wrong = runs.first(where: { $0.flips != expectedFlips })
        else { return nil }
        return IngestReport.objection(flips: wrong.flips, expected: expectedFlips)
    }

    /// Of the last run; they do not differ.
    private var allocations: Allocations { runs.last?.allocations ?? Allocations() }

    /// For people.
    var text: String {
        let last = runs.last
        var rows: [(String, String)] = [
            (
                "events",
                "\(last?.events ?? 0), \(last?.flips ?? 0) enters and exits, \(last?.users ?? 0) users"
            ),
            ("figure", ratio.figure.text("events/s by wall time")),
        ]
        if let program {
            rows += [
                (
                    "denominator",
                    ratio.denominator.text("events/s") + " of \(program), \(ParserOutput.mode)"
                ),
                ("ratio", ratio.text),
            ]
        }
        rows += [
            ("events/s/core", byCPU.text("by CPU time")),
            ("allocations", allocations.text),
            ("repetitions", "\(runs.count)" + (program == nil ? "" : " of each, in turns")),
        ]
        return ReportText.table(rows)
    }

    /// For programs: one object, one line.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("events", runs.last?.events ?? 0)
        writer.member("users", runs.last?.users ?? 0)
        writer.member("flips", runs.last?.flips ?? 0)
        writer.key("against")
        if let program { writer.value(program) } else { writer.null() }
        writer.member("unit", "events/s by wall time")
        ratio.write(to: &writer)
        writer.member("events_per_cpu_second", Int(byCPU.median.rounded()))
        writer.member("events_per_cpu_second_best", Int(byCPU.best.rounded()))
        ReportText.member("allocations_per_event", allocations.perEvent, to: &writer)
        writer.member("repetitions", runs.count)
        writer.endObject()
        writer.newline()
        return writer.string
    }
}
