import Arguments
import Basics
import Cohorts
import Configuration
import Engine
import InputFiles
import Replay

/// `cohort-bench ingest`.
struct IngestCommand {
    private let events: String
    private let cohorts: [String]
    private let options: ReplayOptions
    private let dropsInput: Bool
    private let program: String?
    private let repetitions: Int
    private let expectedFlips: Int?
    private let asJSON: Bool

    /// Reads the arguments; what is wrong with them is said before any file is looked at.
    init(_ arguments: ParsedArguments) throws(BenchStatus) {
        events = arguments.value("--events") ?? ""
        cohorts = arguments.values("--cohorts")
        asJSON = try arguments.asksForJSON()
        options = try ReplayOptions(arguments)
        dropsInput = arguments.flag("--drop-input")
        program = arguments.value("--against")
        repetitions = try arguments.number("--repeat", program == nil ? 1 : 3, in: 1...1000)
        expectedFlips =
            arguments.value("--expect-flips") == nil
            ? nil : try arguments.number("--expect-flips", 0, in: 0...Int.max)
    }

    func run() throws(BenchStatus) {
        let text: String
        let objection: String?
        if program != nil || repetitions > 1 {
            let report = try IngestTurns(
                events: events,
                cohorts: cohorts,
                options: options,
                more: dropsInput ? ["--drop-input"] : [],
                program: program,
                repetitions: repetitions
            ).run()
            text = asJSON ? report.json : report.text
            objection = report.objection(expectedFlips: expectedFlips)
        } else {
            let report = try runOnce()
            text = asJSON ? report.json : report.text
            objection = expectedFlips.flatMap(report.objection(expectedFlips:))
        }
        try printOutput(text)
        if let objection {
            printError("cohort-bench ingest: \(objection)")
            throw .unexpected
        }
    }

    private func runOnce() throws(BenchStatus) -> IngestReport {
        let settings = try options.settings()
        let plan = try options.plan(cohorts, settings: settings)
        do throws(InputError) {
            let file = try EventFile(path: events, dropsBehind: dropsInput)
            return measure(file, plan: plan, settings: settings)
        } catch {
            printError("cohort-bench: \(error.description)")
            throw .inputMissing
        }
    }

    private func measure(
        _ file: borrowing EventFile,
        plan: Plan,
        settings: ReplayConfiguration
    ) -> IngestReport {
        var replay = ReplayRun(
            plan: plan,
            settings: settings,
            schedule: options.rule,
            unordered: false
        )
        // As in a daemon, where nobody asks for an order.
        replay.sortsDeltas = false
        let timer = TickTimer(AllocationMarks(bytes: file.count))
        replay.beforeTick = { timer.begin() }
        var enters = 0
        var exits = 0
        func ticked(_ shard: borrowing Shard, _ tick: EventTime, _ deltas: [Delta]) {
            timer.end()
            for delta in deltas {
                if delta.entered { enters += 1 } else { exits += 1 }
            }
        }
        let start = Meter.read()
        var number = 0
        file.forEachLine { line in
            number += 1
            timer.allocations.line(bytes: line.count, events: replay.eventCount)
            replay.read(line: line, number: number, reject: { _ in }, ticked: ticked)
        }
        replay.finish(ticked: ticked)
        let allocations = timer.allocations.found(events: replay.eventCount)
        let end = Meter.read()
        return IngestReport(
            bytes: file.count,
            events: replay.eventCount,
            rejected: replay.rejectedCount,
            duplicates: replay.duplicateCount,
            users: replay.shard.userCount,
            cpuSeconds: end.cpuSeconds - start.cpuSeconds,
            wallSeconds: end.wallSeconds - start.wallSeconds,
            reservedBytes: replay.shard.bytesReserved,
            grownBytes: end.memoryBytes.flatMap { end in start.memoryBytes.map { end - $0 } },
            memoryBytes: end.memoryBytes,
            memoryPeakBytes: end.memoryPeakBytes,
            allocations: allocations,
            tickMilliseconds: timer.milliseconds.sorted(),
            enters: enters,
            exits: exits,
            cohorts: plan.cohorts.enumerated().map {
                ($1.id, replay.shard.memberCount(cohort: $0))
            }
        )
    }
}

/// How long each tick took, and what it allocated.
///
/// A class, since closures write to it.
private final class TickTimer {
    var allocations: AllocationMarks
    private var started = 0.0
    private(set) var milliseconds: [Double] = []

    init(_ allocations: AllocationMarks) {
        self.allocations = allocations
    }

    func begin() {
        allocations.tickBegins()
        started = Meter.wall()
    }

    func end() {
        milliseconds.append((Meter.wall() - started) * 1000)
        allocations.tickEnds()
    }
}
