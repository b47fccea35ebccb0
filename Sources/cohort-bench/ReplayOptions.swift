import Arguments
import Basics
import Cohorts
import Configuration
import InputFiles
import Replay

/// How a replay is to run, in the commands that run one.
struct ReplayOptions {
    let rule: TickSchedule.Rule
    let skipUnsupported: Bool
    private let config: String?
    /// The same options on the command line of `ingest`.
    let words: [String]

    /// The options as a table of arguments has them.
    static let table: [Option] = [
        .one("--config", "FILE", "Takes what 'cohortctl replay' takes from this cohortd.yaml."),
        .one("--tick", "D", "Distance of ticks, at least 1s. Default: 60s."),
        .one(
            "--until",
            "T",
            "Last tick, exactly. Default: the first at or after the last arrival."
        ),
        .flag(
            "--skip-unsupported",
            "Leaves out definitions that this version cannot evaluate, with a line for each."
        ),
    ]

    /// Reads the arguments; what is wrong with them is said before any file is looked at.
    init(_ arguments: ParsedArguments) throws(BenchStatus) {
        config = arguments.value("--config")
        skipUnsupported = arguments.flag("--skip-unsupported")
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
        var words: [String] = []
        for option in ["--config", "--tick", "--until"] {
            if let value = arguments.value(option) { words += [option, value] }
        }
        if skipUnsupported { words.append("--skip-unsupported") }
        self.words = words
    }

    /// The settings of `--config`, or the defaults.
    func settings() throws(BenchStatus) -> ReplayConfiguration {
        try BenchInput.settings(config)
    }

    /// Definitions as a plan that can be run.
    func plan(
        _ cohorts: [String],
        settings: ReplayConfiguration
    ) throws(BenchStatus) -> Plan {
        let definitions = try BenchInput.definitions(cohorts, skipping: skipUnsupported)
        return PlanCompiler.compile(
            definitions,
            PlanSettings(
                for: definitions,
                inactiveEvents: settings.inactiveEvents,
                defaultZone: settings.timezone
            )
        )
    }

    /// Runs `ingest` in a process of its own.
    ///
    /// - Parameters:
    ///   - events: The file of events.
    ///   - cohorts: Files and folders of definitions.
    ///   - more: Further words of the command line.
    /// - Returns: What it said.
    /// - Throws: The status it ended with; why is on stderr by then.
    func ingest(
        _ events: String,
        cohorts: [String],
        more: [String] = []
    ) throws(BenchStatus) -> IngestFigures {
        var arguments = ["ingest", "--output", "json", "--events", events]
        for path in cohorts { arguments += ["--cohorts", path] }
        let output = try ChildProcess.runOwn(arguments + words + more)
        guard let figures = IngestFigures(json: output) else {
            printError("cohort-bench: a run of ingest did not say what it measured")
            throw .programFailed
        }
        return figures
    }
}
