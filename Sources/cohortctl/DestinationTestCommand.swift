import Arguments
import Basics
import Configuration
import Destinations
import Glibc
import InputFiles
import Sync
import Templates
import Threads

/// The command `cohortctl destinations test`: shows what a destination would get, and tries it.
struct DestinationTestCommand {
    private let id: String
    private let path: String
    private let isSent: Bool
    private let sample: SampleBatch

    init(_ arguments: ParsedArguments) throws(ExitStatus) {
        id = arguments.operands[0]
        path = arguments.value("--config") ?? "/etc/cohortd/cohortd.yaml"
        isSent = arguments.flag("--send")
        let user = arguments.value("--user") ?? "cohortd-test-user"
        guard (1...1024).contains(user.utf8.count) else {
            printError("cohortctl: --user: an id of 1 to 1024 bytes is expected")
            throw .usage
        }
        sample = SampleBatch(user: user, now: SystemClock().now)
    }

    func run() throws(ExitStatus) {
        let configured = try ConfiguredDestinations(configuration: path)
        guard let destination = configured.destinations.first(where: { $0.id == id }) else {
            let known = configured.destinations.map(\.id)
            let hint =
                Suggestion.nearest(to: id, among: known).map { "did you mean '\($0)'?" }
                ?? "it has: \(known.joined(separator: ", "))"
            printError("cohortctl: \(path) has no destination '\(id)'; \(hint)")
            throw .no
        }
        var secrets = TestSecrets(destination: id, areNeeded: isSent)
        switch destination.template {
        case .webhook(let webhook):
            try run(try WebhookTest(webhook, destination, sample, &secrets), secrets)
        case .partner(let partner):
            guard let template = configured.templates.first(where: { $0.name == partner.template })
            else { preconditionFailure("\(partner.template) was known when \(id) was read") }
            try run(try PartnerTest(template, partner, destination, sample, &secrets), secrets)
        case .file(let file):
            let folder = file.path.lastIndex(of: "/").map { String(file.path[...$0]) } ?? "."
            try run(folder: folder, "appended to \(file.path)", sample.lines)
        case .fileCSV(let csv):
            try run(folder: csv.directory, "the files of a run in \(csv.directory)", sample.files)
        case .kafkaTopic(let kafka):
            try refuseToSend("a record cannot be taken back from the topic \(kafka.topic)")
            try show("key and value of records in \(kafka.topic)", sample.records(.changes))
        case .kafkaTable(let kafka):
            try refuseToSend("a record cannot be taken back from the topic \(kafka.topic)")
            try show("key and value of records in \(kafka.topic)", sample.records(.table))
        case .objectStoreCSV(let store):
            try refuseToSend("nothing is put into the bucket \(store.bucket) for a test")
            try show(
                "the objects of a run in \(store.bucket), under \"\(store.prefix)\"",
                sample.files
            )
        }
    }

    private func run(
        _ test: some HTTPDestinationTest,
        _ secrets: TestSecrets
    ) throws(ExitStatus) {
        guard isSent else {
            let texts = try test.rendered().map(\.text)
            return try show("*** stands for secrets", secrets.redact(texts.joined(separator: "\n")))
        }
        printError(
            "cohortctl: asking the real destination \(id): \(sample.user) is added, then removed"
        )
        let sender = TestSender(destination: id)
        defer { sender.stop() }
        var isTaken = true
        for step in try test.steps(by: sender) {
            isTaken = isTaken && step.isTaken
            try print(secrets.redact("\(step.name): \(step.text)\n"))
        }
        if !isTaken { throw .no }
    }

    private func run(folder: String, _ title: String, _ text: String) throws(ExitStatus) {
        guard isSent else { return try show(title, text) }
        guard access(folder, W_OK | X_OK) == 0 else {
            printError(
                "cohortctl: \(folder): \(SystemError.text(errno)); create it, writable for the user "
                    + "cohortd runs as"
            )
            throw .no
        }
        try print("\(folder) can be written by this user; nothing was\n")
    }

    private func refuseToSend(_ reason: String) throws(ExitStatus) {
        guard isSent else { return }
        printError(
            "cohortctl: --send is not for \(id): \(reason); leave it out to see what is sent"
        )
        throw .usage
    }

    private func show(_ title: String, _ text: String) throws(ExitStatus) {
        try print(
            "destination \(id): \(sample.user) enters and \(sample.leaver) leaves; \(title)\n\n"
                + text
        )
    }

    private func print(_ text: String) throws(ExitStatus) {
        var output = Output.standard
        try output.write(text)
        try output.finish()
    }
}
