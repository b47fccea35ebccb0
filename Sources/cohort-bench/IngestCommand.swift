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
    private let config: String?
    private let skipUnsupported: Bool
    private let asJSON: Bool
    private let rule: TickSchedule.Rule

    /// Reads the arguments; what is wrong with them is said before any file is looked at.
    init(_ arguments: ParsedArguments) throws(BenchStatus) {
        events = arguments.value("--events") ?? ""
        cohorts = arguments.values("--cohorts")
        config = arguments.value("--config")
        skipUnsupported = arguments.flag("--skip-unsupported")
        asJSON = try arguments.asksForJSON()
        var width: Int64 = 60_000
        if let text = arguments.value("--tick") {
            guard let milliseconds = DurationText.milliseconds(text), milliseconds >= 1000,
                milliseconds <= 36_500 * 86_400_000
            else {
                throw arguments.usage(
                    "--tick \(text): a duration of at least 1s is expected, such as 60s"
                )
            }
            width = milliseconds
        }
        var until: EventTime?
        if let text = arguments.value("--until") {
            guard let instant = EventTime(rfc3339: text) else {
                throw arguments.usage(
                    "--until \(text): an instant is expected, such as 2026-01-05T00:00:00Z"
                )
            }
            until = instant
        }
        rule = .every(width: width, from: nil, until: until)
    }

    func run() throws(BenchStatus) {
        let definitions = try BenchInput.definitions(cohorts, skipping: skipUnsupported)
        let settings = try BenchInput.settings(config)
        let file: EventFile
        do throws(InputError) {
            file = try EventFile(path: events)
        } catch {
            printError("cohort-bench: \(error.description)")
            throw .inputMissing
        }
        let plan = PlanCompiler.compile(
            definitions,
            PlanSettings(
                for: definitions,
                inactiveEvents: settings.inactiveEvents,
                defaultZone: settings.timezone
            )
        )
        let report = measure(file, plan: plan, settings: settings)
        try printOutput(asJSON ? report.json : report.text)
    }

    private func measure(
        _ file: borrowing EventFile,
        plan: Plan,
        settings: ReplayConfiguration
    ) -> IngestReport {
        var replay = ReplayRun(plan: plan, settings: settings, schedule: rule, unordered: false)
        let timer = TickTimer()
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
            replay.read(line: line, number: number, reject: { _ in }, ticked: ticked)
        }
        replay.finish(ticked: ticked)
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
            tickMilliseconds: timer.milliseconds.sorted(),
            enters: enters,
            exits: exits,
            cohorts: plan.cohorts.enumerated().map {
                ($1.id, replay.shard.memberCount(cohort: $0))
            }
        )
    }
}

/// How long each tick took.
///
/// A class, since two closures write to it.
private final class TickTimer {
    private var started = 0.0
    private(set) var milliseconds: [Double] = []

    func begin() { started = Meter.wall() }

    func end() { milliseconds.append((Meter.wall() - started) * 1000) }
}
