import Basics
import Testing

@testable import cohort_bench

/// A run of `ingest` with these figures.
private func run(
    events: Int = 100,
    users: Int = 10,
    flips: Int = 7,
    wall: Double = 1000,
    cpu: Double = 1200,
    memory: Int = 5000,
    peak: Int = 9000
) -> IngestFigures {
    var figures = IngestFigures()
    figures.events = events
    figures.users = users
    figures.cohorts = 2
    figures.flips = flips
    figures.eventsPerWallSecond = wall
    figures.eventsPerCPUSecond = cpu
    figures.allocations = Allocations(events: 50, count: 25, ofTicks: 5)
    figures.memoryBytes = memory
    figures.memoryPeakBytes = peak
    return figures
}

@Suite("Figures of benchmarks")
struct BenchReportTests {
    @Test("Of what a parser prints, the better repetition of the mode counts")
    func parserOutput() {
        let output = """
            impl haswell bytes 556742348
            mode per-line,ordered: 2000000 events 1.111s 1800000 events/s 0.50 GB/s (chk 1 2.00 3)
            mode per-line,walk-all: 2000000 events 1.651s 1211387 events/s 0.34 GB/s (chk 1 2.00 3)
            mode per-line,walk-all: 2000000 events 1.551s 1289477 events/s 0.36 GB/s (chk 1 2.00 3)
            mode iterate_many: 2000000 events 0.800s 2500000 events/s 0.70 GB/s (chk 1 2.00 3)
            """
        #expect(ParserOutput(output) == ParserOutput(events: 2_000_000, eventsPerSecond: 1_289_477))
    }

    @Test(
        "Other lines are no figure",
        arguments: [
            "", "load\n", "mode per-line,walk-all: 2000000 events 1.551s",
            "mode per-line,ordered: 5 events 1.0s 5 events/s",
            "mode per-line,walk-all: five events 1.0s 5 events/s",
            "mode per-line,walk-all: 5 events 1.0s nan events/s",
            "mode per-line,walk-all: 5 events 0.0s inf events/s",
            "mode per-line,walk-all: 5 events 1.0s 0 events/s",
        ]
    )
    func noParserOutput(_ output: String) {
        #expect(ParserOutput(output) == nil)
    }

    @Test("The median is the middle, or the mean of the middle two; the best is the largest")
    func series() {
        var series = Series()
        #expect(series.median == 0 && series.best == 0)
        series.append(30)
        #expect(series.median == 30 && series.best == 30)
        #expect(series.text("events/s") == "30 events/s")
        series.append(10)
        #expect(series.median == 20 && series.best == 30)
        series.append(25)
        #expect(series.median == 25 && series.best == 30)
        #expect(series.text("events/s") == "25 events/s (best 30)")
    }

    @Test("A ratio is one of medians and one of the best, and never a division by nothing")
    func ratio() {
        var ratio = Ratio()
        #expect(ratio.ofMedians == 0 && ratio.ofBest == 0)
        for value in [100.0, 300, 200] { ratio.figure.append(value) }
        for value in [800.0, 1200, 400] { ratio.denominator.append(value) }
        #expect(ratio.ofMedians == 0.25)
        #expect(ratio.ofBest == 0.25)
        #expect(ratio.text == "0.250 of the medians, 0.250 of the best")
    }

    @Test("Numbers have as many decimals as asked for")
    func fixed() {
        #expect(ReportText.fixed(12.3456) == "12.346")
        #expect(ReportText.fixed(0.000_001_6, places: 6) == "0.000002")
        #expect(ReportText.fixed(3, places: 6) == "3.000000")
        #expect(ReportText.fixed(0.9996) == "1.000")
    }

    @Test("What a run prints as JSON, another process reads")
    func ingestFigures() throws {
        let report = IngestReport(
            bytes: 1000,
            events: 100,
            rejected: 1,
            duplicates: 2,
            users: 10,
            cpuSeconds: 0.5,
            wallSeconds: 0.8,
            reservedBytes: 3000,
            grownBytes: 4000,
            memoryBytes: 5000,
            memoryPeakBytes: 9000,
            allocations: Allocations(events: 50, count: 25, ofTicks: 5),
            tickMilliseconds: [1, 2],
            enters: 4,
            exits: 3,
            cohorts: [("a", 1), ("b\"}", 2)]
        )
        let figures = try #require(IngestFigures(json: Array(report.json.utf8)))
        #expect(figures == run(wall: 125, cpu: 200))
        #expect(report.json.contains("\"allocations_per_event\":0.5,"))
        #expect(report.text.contains("allocations     0.500000 an event, 0.100000 of it in ticks"))
        #expect(report.objection(expectedFlips: 7) == nil)
        #expect(report.objection(expectedFlips: 8)?.contains("7 enters and exits, but 8") == true)
        #expect(IngestFigures(json: Array("{\"events\":1}".utf8)) == nil)
        #expect(IngestFigures(json: Array("no JSON".utf8)) == nil)
    }

    @Test("Runs against a parser are divided by it")
    func turns() {
        var report = IngestTurnsReport(program: "parse_only")
        for (parsed, wall) in [(4000.0, 1000.0), (5000, 1500), (2000, 1100)] {
            report.parsed(ParserOutput(events: 100, eventsPerSecond: parsed))
            report.ingested(run(wall: wall))
        }
        #expect(
            report.json == """
                {"events":100,"users":10,"flips":7,"against":"parse_only","unit":"events/s by wall time",\
                "figure":1100,"figure_best":1500,"figures":[1000,1500,1100],"denominator":4000,\
                "denominator_best":5000,"denominators":[4000,5000,2000],"ratio":0.275,"ratio_best":0.3,\
                "events_per_cpu_second":1200,"events_per_cpu_second_best":1200,\
                "allocations_per_event":0.5,"repetitions":3}

                """
        )
        #expect(report.text.contains("ratio           0.275 of the medians, 0.300 of the best\n"))
        #expect(report.objection(expectedFlips: nil) == nil)
        #expect(report.objection(expectedFlips: 7) == nil)
        #expect(report.objection(expectedFlips: 6)?.hasPrefix("7 enters and exits") == true)
    }

    @Test(
        "One run of several with other flips, or a parser that read something else, is an objection"
    )
    func objections() {
        var report = IngestTurnsReport(program: nil)
        report.ingested(run(flips: 7))
        report.ingested(run(flips: 9))
        #expect(report.objection(expectedFlips: 7)?.hasPrefix("9 enters and exits") == true)
        #expect(!report.json.contains("denominator"))
        #expect(report.json.contains("\"against\":null"))

        var other = IngestTurnsReport(program: "parse_only")
        other.parsed(ParserOutput(events: 99, eventsPerSecond: 1))
        other.ingested(run())
        #expect(other.objection(expectedFlips: 7) == "parse_only read 99 events and ours 100")
    }

    @Test("The rate with more cohorts is divided by the one with fewer")
    func cohorts() {
        var report = CohortsReport()
        report.add(fewer: run(cpu: 2000), more: run(cpu: 1000))
        #expect(report.text.contains("ratio           0.500\n"))
        #expect(
            report.json == """
                {"events":100,"users":10,"unit":"events/s by CPU time","figure":1000,"figure_best":1000,\
                "figures":[1000],"denominator":2000,"denominator_best":2000,"denominators":[2000],\
                "ratio":0.5,"ratio_best":0.5,"figure_cohorts":2,"denominator_cohorts":2,\
                "figure_flips":7,"denominator_flips":7,"repetitions":1}

                """
        )
    }

    @Test("What a process takes without users does not count as memory of users")
    func memory() {
        let fewer = run(users: 10, memory: 5000, peak: 9000)
        let report = MemoryReport(fewer: fewer, more: run(users: 30, memory: 12_000, peak: 17_000))
        #expect(report.objection == nil)
        #expect(report.text.contains("ratio           350 bytes a user; 400 at the peak\n"))
        #expect(
            report.json.hasPrefix(
                """
                {"unit":"bytes; users; bytes a user","figure":7000,"denominator":20,"ratio":350.0,\
                "ratio_peak":400.0,
                """
            )
        )
        #expect(MemoryReport(fewer: fewer, more: fewer).objection?.contains("more users") == true)
        let blind = MemoryReport(fewer: fewer, more: run(users: 30, memory: 0))
        #expect(blind.objection?.contains("does not say") == true)
    }

    @Test("Allocations count from the middle of the file on, those of ticks apart")
    func allocations() {
        var marks = AllocationMarks(bytes: 10)
        var kept: [[Int]] = []
        func allocate() { kept.append([Int](repeating: kept.count, count: 100)) }
        kept.reserveCapacity(10)
        let before = AllocationMarks.count
        allocate()
        // A sanitizer has a malloc of its own.
        guard AllocationMarks.count > before else { return }
        marks.line(bytes: 4, events: 0)
        allocate()
        marks.line(bytes: 4, events: 1)
        #expect(marks.found(events: 2).events == 1)
        let none = marks.found(events: 2).count
        allocate()
        marks.tickBegins()
        allocate()
        allocate()
        marks.tickEnds()
        let found = marks.found(events: 3)
        #expect(found.count - none == 3)
        #expect(found.ofTicks == 2)
        #expect(found.events == 2)
        #expect(kept.count == 5)
    }

    @Test("A tick's pause is its longest stretch, the beginning included")
    func tickTiming() {
        var timing = TickTiming()
        timing.begin { spin(milliseconds: 4) }
        for _ in 0..<3 { timing.slice { spin(milliseconds: 1) } }
        #expect(timing.longest.cpu >= 0.004)
        #expect(timing.longest.cpu == timing.beginning.cpu)
        #expect(timing.total.cpu >= 0.007)
        #expect(timing.longest.cpu < timing.total.cpu)
        var series = TickSeries(users: 100)
        timing.flips = 250
        series.timings = [timing, timing]
        #expect(series.flipsPerUser == 2.5)
        #expect(abs(series.figure / (timing.total.cpu * 1000) - 1) < 1e-9)
        #expect(abs(series.ratio / (series.figure * 10) - 1) < 1e-9)
    }

    @Test("Flips that the events cannot cause are an objection")
    func tickObjection() {
        func report(midnight: Int, everyone: Int) -> TickReport {
            func series(_ flips: Int) -> TickSeries {
                var timing = TickTiming()
                timing.flips = flips
                var series = TickSeries(users: 50)
                series.timings = [timing]
                return series
            }
            return TickReport(
                sizes: TickBench.Sizes(),
                figures: TickBench.Figures(
                    cohorts: 100,
                    touched: series(200),
                    midnight: series(midnight),
                    full: series(everyone)
                )
            )
        }
        #expect(report(midnight: 50, everyone: 0).objection == nil)
        #expect(report(midnight: 49, everyone: 0).objection != nil)
        #expect(report(midnight: 50, everyone: 1).objection != nil)
    }

    /// Uses the processor for a while.
    private func spin(milliseconds: Double) {
        let end = Meter.threadCPU() + milliseconds / 1000
        while Meter.threadCPU() < end {}
    }
}
