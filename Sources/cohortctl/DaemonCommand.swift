import Arguments
import Basics
import Configuration
import Destinations
import YAML

/// The commands that ask a running daemon.
struct DaemonCommand {
    private let words: [String]
    private let operands: [String]
    private let client: DaemonClient
    /// Prints the API's bodies instead of tables.
    private let asJSON: Bool
    /// Whether a change was confirmed that cannot be taken back.
    private let isConfirmed: Bool
    /// Whether a definition may begin without history that is gone.
    private let isFromNow: Bool

    /// `--at` of `kafka rebase`.
    private let at: String?

    /// Reads the arguments; what is wrong with them is said before anyone is asked.
    init(_ arguments: ParsedArguments) throws(ExitStatus) {
        words = arguments.command
        operands = arguments.operands
        isConfirmed = words == ["syncs", "approve"] && arguments.flag("--yes")
        isFromNow =
            [["cohorts", "apply"], ["cohorts", "accept"]].contains(words)
            && arguments.flag("--from-now")
        if words == ["cohorts", "accept"], !isFromNow {
            printError("cohortctl: cohorts accept takes --from-now: from when on is it complete?")
            throw .usage
        }
        at = words == ["kafka", "rebase"] ? arguments.value("--at") : nil
        client = try DaemonClient(arguments)
        asJSON = try arguments.asksForJSON()
    }

    func run() throws(ExitStatus) {
        switch words {
        case ["status"]: try status()
        case ["cohorts", "list"]: try list()
        case ["cohorts", "show"]: try show(operands[0])
        case ["cohorts", "members"]: try members(of: operands[0])
        case ["cohorts", "apply"]: try apply(file: operands[0])
        case ["cohorts", "delete"]:
            try change(path(ofCohort: operands[0]), .delete, said: "deleted \(operands[0])")
        case ["cohorts", "accept"]:
            try change(path(ofCohort: operands[0]) + "/accept?from=now", .post, said: "accepted")
        case ["reload"]: try change("/v1/reload", .post, said: "reloaded")
        case ["syncs", "list"]: try listSyncs()
        case ["syncs", "show"]: try showSync(operands[0])
        case ["syncs", "approve"]: try approve(operands[0])
        case ["syncs", "run"], ["syncs", "pause"], ["syncs", "resume"]:
            try command(words[1], operands[0])
        case ["time", "accept"]: try acceptTime()
        case ["kafka", "rebase"]: try rebase(LogName(operands[0]))
        case ["kafka", "skip"]: try skip(LogName(operands[0]), operands[1])
        default: preconditionFailure("the table has a command that nobody runs: \(words)")
        }
    }

    private func status() throws(ExitStatus) {
        let reply = try client.ask(StatusReply.self, "/v1/status")
        if asJSON { return try printLine(reply.body) }
        let readiness = try client.ask(ReadinessReply.self, "/readyz", orStatus: 503)
        try printText(DaemonTables.status(reply.value, readiness.value))
    }

    private func list() throws(ExitStatus) {
        let reply = try client.ask(CohortsReply.self, "/v1/cohorts")
        if asJSON { return try printLine(reply.body) }
        try printText(DaemonTables.cohorts(reply.value.cohorts))
    }

    private func show(_ id: String) throws(ExitStatus) {
        let reply = try client.ask(CohortsReply.self, "/v1/cohorts")
        let index = reply.value.cohorts.firstIndex { $0.id.utf8.elementsEqual(id.utf8) }
        // The reply was read as a whole already, so its text has the same elements in the same places.
        let texts = JSONText(reply.body).member("cohorts")?.elements ?? []
        guard let index, texts.indices.contains(index) else {
            let nearest = Suggestion.nearest(to: id, among: reply.value.cohorts.map(\.id))
            let hint = nearest.map { "did you mean '\($0)'?" } ?? "cohortctl cohorts list shows all"
            printError("cohortctl: there is no cohort '\(id)'; \(hint)")
            throw .no
        }
        if asJSON { return try printLine(Array(texts[index].bytes)) }
        let definition = texts[index].member("definition")?.indented ?? "null"
        try printText(DaemonTables.cohort(reply.value.cohorts[index], definition: definition))
    }

    /// Sends the one definition of a file, which is checked here first.
    private func apply(file: String) throws(ExitStatus) {
        let files = try DefinitionInput.files([file])
        let bytes = files.flatMap(\.bytes)
        let (documents, problems) = DocumentReader.read(bytes)
        for problem in problems {
            printError("\(file):\(problem.mark.line):\(problem.mark.column): \(problem.text)")
        }
        if !problems.isEmpty { throw .definitionInvalid }
        guard let document = documents.first, documents.count == 1, files.count == 1 else {
            printError(
                "cohortctl: \(file) has \(documents.count) definitions; one is applied at a time"
            )
            throw .definitionInvalid
        }
        guard case .mapping(let pairs) = document.value,
            case .text(let id)? = pairs.first(where: { $0.key == "id" })?.value.value
        else {
            printError("cohortctl: \(file): the definition has no id")
            throw .definitionInvalid
        }
        try change(
            path(ofCohort: id) + (isFromNow ? "?from=now" : ""),
            .put,
            definition: bytes,
            said: "applied \(id)",
            hint: "; cohortctl cohorts list shows when it is live"
        )
    }

    /// Changes the definitions and says what changed.
    private func change(
        _ path: String,
        _ method: HTTPClient.Method,
        definition: [UInt8] = [],
        said: String,
        hint: String = ""
    ) throws(ExitStatus) {
        let reply = try client.ask(
            ChangesReply.self,
            path,
            method: method,
            definition: definition
        )
        if asJSON { return try printLine(reply.body) }
        try printText("\(said): \(reply.value.changes)\(hint)\n")
    }

    /// Prints page after page as they come, so that `| head` ends early and no list is held in memory.
    private func members(of id: String) throws(ExitStatus) {
        var output = Output.standard
        var after: String?
        while true {
            var path = "/v1/cohorts/\(PercentEncoding.segment(id))/members?limit=10000"
            if let after { path += "&after=\(PercentEncoding.segment(after))" }
            let page = try client.ask(MembersReply.self, path)
            if asJSON {
                try output.write(page.body + [UInt8(ascii: "\n")])
            } else {
                var lines: [UInt8] = []
                for user in page.value.users {
                    lines += user.utf8
                    lines.append(UInt8(ascii: "\n"))
                }
                try output.write(lines)
            }
            guard let next = page.value.next else { break }
            if let after, !after.utf8.lexicographicallyPrecedes(next.utf8) {
                printError(
                    "cohortctl: \(client.address.text): the pages of the members do not go on"
                )
                throw .unreachable
            }
            after = next
        }
        try output.finish()
    }

    private func listSyncs() throws(ExitStatus) {
        let reply = try client.ask(SyncsReply.self, "/v1/syncs")
        if asJSON { return try printLine(reply.body) }
        try printText(SyncTables.list(reply.value.syncs))
    }

    private func showSync(_ id: String) throws(ExitStatus) {
        let reply = try client.ask(SyncReply.self, path(ofSync: id))
        if asJSON { return try printLine(reply.body) }
        try printText(SyncTables.sync(reply.value))
    }

    /// Says how many would leave before it lets them.
    private func approve(_ id: String) throws(ExitStatus) {
        let sync = try client.ask(SyncReply.self, path(ofSync: id)).value
        guard let exits = sync.exitsToApprove else {
            printError("cohortctl: nothing of sync \(id) waits for approval; it is \(sync.state)")
            throw .no
        }
        let warning =
            "\(exits) of the \(sync.acknowledged) users that \(sync.destination) holds of sync \(id) leave"
        guard isConfirmed else {
            printError("cohortctl: \(warning) when this is approved; repeat it with --yes")
            throw .no
        }
        printError("cohortctl: \(warning)")
        try command("approve", id)
    }

    private func command(_ command: String, _ id: String) throws(ExitStatus) {
        let reply = try client.ask(
            SyncReply.self,
            path(ofSync: id) + "/" + command,
            method: .post
        )
        if asJSON { return try printLine(reply.body) }
        try printText(SyncTables.answer(reply.value, to: command))
    }

    private func acceptTime() throws(ExitStatus) {
        let reply = try client.ask(TimeReply.self, "/v1/time/accept", method: .post)
        if asJSON { return try printLine(reply.body) }
        let last = reply.value.tick.map { "; the last tick was \($0)" } ?? ""
        try printText("time goes on from \(reply.value.now)\(last)\n")
    }

    private func path(ofCohort id: String) -> String {
        "/v1/cohorts/\(PercentEncoding.segment(id))"
    }

    private func rebase(_ log: LogName) throws(ExitStatus) {
        var query = log.query
        if let at {
            guard log.partition != nil, let offset = Offset(at), offset >= 0 else {
                printError("cohortctl: --at \(at): an offset of one partition is expected")
                throw .usage
            }
            query += "&at=\(offset)"
        }
        try changeLog("/v1/kafka/rebase?\(query)")
    }

    private func skip(_ log: LogName, _ offsets: String) throws(ExitStatus) {
        let ends = offsets.split(separator: "-", omittingEmptySubsequences: false).map {
            Offset($0)
        }
        guard log.partition != nil, ends.count == 2, let first = ends[0], let last = ends[1],
            first <= last
        else {
            printError("cohortctl: \(offsets): FROM-TO of one partition is expected, as 120-134")
            throw .usage
        }
        try changeLog("/v1/kafka/skip?\(log.query)&first=\(first)&last=\(last)")
    }

    private func changeLog(_ path: String) throws(ExitStatus) {
        let reply = try client.ask(LogReply.self, path, method: .post)
        if asJSON { return try printLine(reply.body) }
        let lines = reply.value.partitions.map { step in
            let stood = step.from == step.to ? "" : "; it stood at \(step.from)"
            return "\(reply.value.topic)/\(step.partition) goes on at offset \(step.to)\(stood)\n"
        }
        try printText(lines.joined())
    }

    private func path(ofSync id: String) -> String { "/v1/syncs/\(PercentEncoding.segment(id))" }

    private func printLine(_ body: [UInt8]) throws(ExitStatus) {
        var output = Output.standard
        try output.write(body + [UInt8(ascii: "\n")])
        try output.finish()
    }

    private func printText(_ text: String) throws(ExitStatus) {
        var output = Output.standard
        try output.write(text)
        try output.finish()
    }
}

extension ParsedArguments {
    /// Whether the output is for programs.
    func asksForJSON() throws(ExitStatus) -> Bool {
        switch value("--output") {
        case nil, "text": return false
        case "json": return true
        case .some(let other):
            printError("cohortctl: --output \(other): text or json is expected")
            throw .usage
        }
    }
}
