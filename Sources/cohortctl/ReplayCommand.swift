import Arguments
import Basics
import Cohorts
import Configuration
import Engine
import Events
import InputFiles
import Replay

/// The command `cohortctl replay`.
struct ReplayCommand {
    private let events: String
    private let cohorts: [String]
    private let config: String?
    private var uploads: [(cohort: String, file: String)] = []
    private let schedule: TickSchedule.Rule
    private let unordered: Bool
    private let allowRejects: Bool
    private let deltasPath: String?
    private let membersPath: String?

    /// Reads the arguments; what is wrong with them is said before any file is looked at.
    init(_ arguments: ParsedArguments) throws(ExitStatus) {
        for text in arguments.values("--upload") {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw usage("--upload \(text): COHORT=FILE is expected")
            }
            uploads.append((String(parts[0]), String(parts[1])))
        }
        events = arguments.value("--events") ?? "-"
        cohorts = arguments.values("--cohorts")
        config = arguments.value("--config")
        unordered = arguments.flag("--unordered")
        allowRejects = arguments.flag("--allow-rejects")
        schedule = try Self.schedule(arguments)
        let members = arguments.value("--members")
        deltasPath = arguments.value("--deltas")
        membersPath = members ?? (deltasPath == nil ? "-" : nil)
        if deltasPath == "-", membersPath == "-" {
            throw usage("--deltas and --members cannot both be stdout")
        }
    }

    private static func schedule(
        _ arguments: ParsedArguments
    ) throws(ExitStatus) -> TickSchedule.Rule {
        let from = try instant(arguments.value("--from"), of: "--from")
        let until = try instant(arguments.value("--until"), of: "--until")
        let at = arguments.values("--at")
        if !at.isEmpty {
            if from != nil || until != nil || arguments.value("--tick") != nil {
                throw usage("--at goes with none of --from, --until and --tick")
            }
            var instants: Set<EventTime> = []
            for text in at {
                if let instant = try instant(text, of: "--at") { instants.insert(instant) }
            }
            return .at(instants.sorted())
        }
        var width: Int64 = 60_000
        if let text = arguments.value("--tick") {
            guard let milliseconds = DurationText.milliseconds(text), milliseconds >= 1000,
                milliseconds <= 36_500 * 86_400_000
            else {
                throw usage("--tick \(text): a duration of at least 1s is expected, such as 60s")
            }
            width = milliseconds
        }
        if let from, let until, until < from { throw usage("--until is before --from") }
        return .every(width: width, from: from, until: until)
    }

    private static func instant(
        _ text: String?,
        of option: String
    ) throws(ExitStatus) -> EventTime? {
        guard let text else { return nil }
        guard let instant = EventTime(argument: text) else {
            throw usage(
                "\(option) \(text): an instant is expected, 2026-01-05T00:00:00Z or epoch milliseconds"
            )
        }
        return instant
    }

    /// Runs it, in the order in which the exit statuses are decided.
    func run() throws(ExitStatus) {
        var reader = try openEvents()
        let files = try DefinitionInput.files(cohorts)
        let lists = try readUploads()
        let settings = try DefinitionInput.settings(config)
        let definitions = try DefinitionInput.parse(files)
        try DefinitionInput.refuseUnsupported(definitions)

        let plan = PlanCompiler.compile(
            definitions,
            PlanSettings(
                for: definitions,
                inactiveEvents: settings.inactiveEvents,
                defaultZone: settings.timezone
            )
        )
        var replay = ReplayRun(
            plan: plan,
            settings: settings,
            schedule: schedule,
            unordered: unordered
        )
        for (cohort, users) in lists {
            guard let index = plan.cohorts.firstIndex(where: { $0.id == cohort }),
                plan.uploadLists.contains(index)
            else {
                throw usage("--upload \(cohort): there is no cohort of that id with uploaded: true")
            }
            for user in users {
                user.withByteView { (id: ByteView) -> Void in replay.upload(id, cohort: index) }
            }
        }
        var deltas: Output?
        if let deltasPath { deltas = try Output(path: deltasPath) }
        var members: Output?
        if let membersPath { members = try Output(path: membersPath) }

        var failure: ExitStatus?
        var lineNumber = 0
        let name = events
        func ticked(_ shard: borrowing Shard, _ tick: EventTime, _ changes: [Delta]) {
            guard deltas != nil, failure == nil else { return }
            var lines: [UInt8] = []
            ReplayOutput.append(changes, of: shard, at: tick, to: &lines)
            do throws(ExitStatus) { try deltas?.write(lines) } catch { failure = error }
        }
        let unreadable = reader.forEachLine { line in
            lineNumber += 1
            replay.read(
                line: line,
                number: lineNumber,
                reject: { reject in
                    let element = reject.index.map { "[\($0)]" } ?? ""
                    printError(
                        "\(name):\(reject.line)\(element): \(reject.reason.rawValue): \(reject.text)"
                    )
                },
                ticked: ticked
            )
        }
        if let unreadable {
            printError("cohortctl: \(unreadable.description)")
            throw .inputMissing
        }
        replay.finish(ticked: ticked)
        if let failure { throw failure }
        for (index, cohort) in plan.cohorts.enumerated() where members != nil {
            var line: [UInt8] = []
            ReplayOutput.append(members: replay.members(cohort: index), of: cohort.id, to: &line)
            try members?.write(line)
        }
        try deltas?.finish()
        try members?.finish()
        printError("rejected \(replay.rejectedCount) of \(replay.eventCount)")
        if replay.rejectedCount > 0, !allowRejects { throw .eventsRejected }
    }

    /// The ids of every `--upload`: one a line, without one CR before the LF; empty lines are skipped.
    private func readUploads() throws(ExitStatus) -> [(cohort: String, users: [[UInt8]])] {
        var lists: [(cohort: String, users: [[UInt8]])] = []
        for (cohort, file) in uploads {
            do throws(InputError) {
                var users: [[UInt8]] = []
                for line in try InputFiles.read(file).split(separator: UInt8(ascii: "\n")) {
                    let id = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
                    if !id.isEmpty { users.append(Array(id)) }
                }
                lists.append((cohort, users))
            } catch {
                printError("cohortctl: \(error.description)")
                throw .inputMissing
            }
        }
        return lists
    }

    private func openEvents() throws(ExitStatus) -> LineReader {
        do throws(InputError) {
            if events != "-", InputFiles.isFolder(events) {
                throw InputError(path: events, reason: "it is a folder")
            }
            return try LineReader(path: events)
        } catch {
            printError("cohortctl: \(error.description)")
            throw .inputMissing
        }
    }
}

/// Says what is wrong with the arguments.
private func usage(_ text: String) -> ExitStatus {
    printError("cohortctl replay: \(text); see cohortctl replay --help")
    return .usage
}
