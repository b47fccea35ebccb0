import Foundation
import TestKit
import Testing

@Suite("The language, case by case, through cohortctl")
struct LanguageCaseTests {
    /// What cohortctl said to a case, and what is wrong with it; nil where nothing is.
    private struct Answer {
        var errors: [String]
        var fault: String?
    }

    @Test("Every case gives the expected members and status")
    func allCases() throws {
        let text = try String(
            contentsOf: Golden.folder.appendingPathComponent("language-cases.jsonl"),
            encoding: .utf8
        )
        let cases = try text.split(separator: "\n").map { try LanguageCase(line: String($0)) }
        #expect(cases.count == 210)
        for item in cases {
            let answer = try Self.run(item)
            guard let fault = answer.fault else { continue }
            Issue.record(
                """
                \(item.fields.name) (\(item.fields.why)): \(fault)
                \(item.fields.cohorts)
                \(item.events.joined(separator: "\n"))
                \(answer.errors.joined(separator: "\n"))
                """
            )
        }
    }

    private static func run(_ item: LanguageCase) throws -> Answer {
        let fields = item.fields
        let folder = try TemporaryFolder()
        try folder.write("cohorts.yaml", fields.cohorts)
        try folder.write("events.jsonl", item.events.map { $0 + "\n" }.joined())
        var arguments = [
            "replay", "--cohorts", "cohorts.yaml", "--events", "events.jsonl", "--deltas", "deltas",
            "--members", "members",
        ]
        if !fields.at.isEmpty { arguments += ["--at"] + fields.at }
        if fields.unordered == true { arguments.append("--unordered") }
        if let config = item.config {
            try folder.write("cohortd.yaml", config)
            arguments += ["--config", "cohortd.yaml"]
        }
        for (cohort, users) in (fields.uploads ?? [:]).sorted(by: { $0.key < $1.key }) {
            try folder.write("\(cohort).txt", users.map { $0 + "\n" }.joined())
            arguments += ["--upload", "\(cohort)=\(cohort).txt"]
        }
        arguments += fields.args ?? []
        let run = try ProgramRun("cohortctl", arguments, in: folder.url)
        var answer = Answer(errors: run.errorLines)
        let status = fields.exit ?? 0
        if run.status != status {
            answer.fault = "status \(run.status), expected \(status)"
        } else if status == 2, run.errors.contains("error[not_yet]") {
            answer.fault = "it is refused only because it comes later"
        } else if status == 0 || status == 3 {
            answer.fault = try fault(in: folder, fields)
        }
        return answer
    }

    private static func fault(
        in folder: TemporaryFolder,
        _ fields: LanguageCase.Fields
    ) throws -> String? {
        let members = try MembersLine.read(folder.text("members"))
        if members.map(\.cohort) != fields.expected.keys.sorted() {
            return "cohorts \(members.map(\.cohort)), expected \(fields.expected.keys.sorted())"
        }
        for line in members {
            let expected = (fields.expected[line.cohort] ?? [])
                .map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
            if line.users.map({ Array($0.utf8) }) != expected || line.count != expected.count {
                return
                    "\(line.cohort) has \(line.users), expected \(fields.expected[line.cohort] ?? [])"
            }
        }
        if let expected = fields.expectedDeltas {
            let deltas = try folder.text("deltas").split(separator: "\n").map {
                try JSONDecoder().decode(DeltaLine.self, from: Data($0.utf8))
            }
            if deltas != expected { return "deltas \(deltas), expected \(expected)" }
        }
        return nil
    }
}
