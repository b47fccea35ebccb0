import Basics

/// The engine behind a broker, and what it was measured against, round by round.
struct KafkaReport {
    let topic: PublishedTopic
    /// The program, or other threads; nil where there was nothing.
    let against: String?
    /// More than one: wall time is compared, else CPU time.
    var threads = 1
    var denominators: [Double] = []
    /// By CPU time, of the runs with one thread that others are compared with.
    var denominatorsByCPU: [Double] = []
    var runs: [EngineRun] = []

    private var figures: [Double] {
        runs.map { threads > 1 ? $0.eventsPerWallSecond : $0.eventsPerCPUSecond }
    }

    private var figure: Double { Self.median(figures) }
    private var denominator: Double { Self.median(denominators) }

    /// Of each round, so that what slows a machine for a while slows both.
    private var ratios: [Double] {
        zip(figures, denominators).map { $1 > 0 ? $0 / $1 : 0 }
    }

    /// What the threads would make if nobody else used the machine and they never waited: all of them, less what an
    /// event takes longer when they run side by side.
    private var byCPU: Double {
        let one = Self.median(denominatorsByCPU)
        let many = Self.median(runs.map { $0.eventsPerCPUSecond })
        return one > 0 ? Double(threads) * many / one : 0
    }

    private static func median(_ values: [Double]) -> Double {
        ReportText.quantile(0.5, of: values.sorted())
    }

    private static func list(_ values: [Double]) -> String {
        values.map { "\(Int($0))" }.joined(separator: " ")
    }

    /// For people.
    var text: String {
        let unit = threads > 1 ? "events/s" : "events/s/core"
        let kind = threads > 1 ? "by wall time, \(threads) threads" : "by CPU time of all threads"
        var rows: [(String, String)] = [
            ("events", "\(topic.records) in \(topic.partitions) partitions"),
            (unit, "\(Int(figure)) \(kind): \(Self.list(figures))"),
        ]
        if let against, !denominators.isEmpty {
            rows.append(
                ("against", "\(Int(denominator)) of \(against): \(Self.list(denominators))")
            )
            let each = ratios.map { ReportText.fixed($0) }.joined(separator: " ")
            rows.append(("ratio", "\(ReportText.fixed(Self.median(ratios))): \(each)"))
        }
        if threads > 1 {
            rows.append(
                ("if not alone", "\(ReportText.fixed(byCPU)) by CPU time an event, at most")
            )
        }
        rows.append(("enters + exits", runs.map { "\($0.flips)" }.joined(separator: " ")))
        return ReportText.table(rows)
    }

    /// For programs: one object, one line.
    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("events", topic.records)
        writer.member("partitions", topic.partitions)
        writer.member("threads", threads)
        ReportText.member("events_per_second", figure, to: &writer)
        writer.key("against")
        if let against { writer.value(against) } else { writer.null() }
        for (name, values) in [("against_per_second", denominators), ("ratio", ratios)] {
            if values.isEmpty {
                writer.key(name)
                writer.null()
            } else {
                ReportText.member(name, Self.median(values), to: &writer)
            }
        }
        if threads > 1 { ReportText.member("ratio_by_cpu", byCPU, to: &writer) }
        writer.key("ratios")
        writer.beginArray()
        for ratio in ratios { writer.value((ratio * 1e6).rounded() / 1e6) }
        writer.endArray()
        writer.key("runs")
        writer.beginArray()
        for run in runs { writer.raw(Array(run.json.utf8)) }
        writer.endArray()
        writer.endObject()
        writer.newline()
        return writer.string
    }
}
