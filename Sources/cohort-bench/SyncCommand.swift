import Arguments
import Basics
import Configuration
import Delivery
import InputFiles
import Templates

/// `cohort-bench sync`.
struct SyncCommand {
    private let arguments: ParsedArguments
    private let templatePath: String
    private let values: [String: SettingValue]
    private let answer: HTTPAnswer
    private let users: Int
    private let asJSON: Bool

    /// Reads the arguments; what is wrong with them is said before any file is looked at.
    init(_ arguments: ParsedArguments) throws(BenchStatus) {
        self.arguments = arguments
        templatePath = arguments.value("--template") ?? ""
        var values: [String: SettingValue] = [:]
        for text in arguments.values("--setting") {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else {
                throw arguments.usage("--setting \(text): NAME=VALUE is expected")
            }
            values[String(parts[0])] = SettingValue(String(parts[1]))
        }
        self.values = values
        let status = arguments.value("--answer-status") ?? "200"
        guard let code = Int(status), (100...599).contains(code) else {
            throw arguments.usage(
                "--answer-status \(status): an HTTP status is expected, such as 200"
            )
        }
        let body = arguments.value("--answer-body") ?? ""
        answer = HTTPAnswer(status: code, bodyPrefix: Array(body.utf8))
        users = try arguments.number("--users", 1_000_000, in: 1...50_000_000)
        asJSON = try arguments.asksForJSON()
    }

    func run() throws(BenchStatus) {
        let bytes: [UInt8]
        do throws(InputError) {
            bytes = try InputFiles.read(templatePath)
        } catch {
            printError("cohort-bench: \(error.description)")
            throw .inputMissing
        }
        let reading = Template.read([ConfigurationFile(name: templatePath, bytes: bytes)])
        for problem in reading.problems { printError(problem.description) }
        guard reading.problems.isEmpty, let template = reading.value.first else {
            throw .configuration
        }
        let figures: SyncBench.Figures
        do throws(TemplateBindingError) {
            figures = try SyncBench(
                template: template,
                values: values,
                answer: answer,
                userCount: users
            ).run()
        } catch {
            throw arguments.usage("--template \(templatePath): \(error.description)")
        }
        let report = SyncReport(template: template.name, figures: figures)
        try printOutput(asJSON ? report.json : report.text)
    }
}
