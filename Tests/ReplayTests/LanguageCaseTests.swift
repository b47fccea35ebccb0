import Foundation
import TestKit
import Testing

@Suite("The language, case by case, through cohortctl")
struct LanguageCaseTests {
    /// What is wrong with the answer to a case; nil where nothing is.
    private struct Answer {
        var status: Int32
        var errors: [String]
        var fault: String?
    }

    @Test("Every case gives the expected members and status, or says that it comes later")
    func allCases() throws {
        let text = try String(
            contentsOf: Golden.folder.appendingPathComponent("language-cases.jsonl"),
            encoding: .utf8
        )
        let cases = try text.split(separator: "\n").map { try LanguageCase(line: String($0)) }
        let later = try Self.later()
        #expect(cases.count == 210)
        let names = Set(cases.map(\.fields.name))
        for name in later.keys where !names.contains(name) {
            Issue.record("\(name) in language-cases-later.txt is no case")
        }
        var passed = 0
        for item in cases {
            let answer = try Self.run(item)
            let problem: String?
            switch later[item.fields.name] {
            case nil: problem = answer.fault
            case .refused(let status): problem = Self.fault(of: answer, refusedWith: status)
            case .wrong:
                problem =
                    answer.fault == nil
                    ? "it passes now: take it off language-cases-later.txt" : nil
            }
            if let problem {
                Issue.record(
                    """
                    \(item.fields.name) (\(item.fields.why)): \(problem)
                    \(item.fields.cohorts)
                    \(item.events.joined(separator: "\n"))
                    \(answer.errors.joined(separator: "\n"))
                    """
                )
            } else if later[item.fields.name] == nil {
                passed += 1
            }
        }
        print(
            "language cases: \(passed) of \(cases.count) are evaluated, \(later.count) come later"
        )
    }

    /// What a case that comes later does until then.
    private enum Later {
        /// Ends with this status and says "not yet".
        case refused(Int32)
        /// Gives another answer than the expected one.
        case wrong
    }

    /// Lines of `NAME STATUS|wrong REASON…`; # begins a comment.
    private static func later() throws -> [String: Later] {
        let text = try String(
            contentsOf: Golden.folder.appendingPathComponent("language-cases-later.txt"),
            encoding: .utf8
        )
        var later: [String: Later] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ")
            try #require(words.count >= 3, "\(line): a name, a status and a reason are expected")
            later[String(words[0])] = Int32(words[1]).map { .refused($0) } ?? .wrong
        }
        return later
    }

    private static func fault(of answer: Answer, refusedWith status: Int32) -> String? {
        if answer.status != status {
            return "status \(answer.status), expected \(status) until it comes"
        }
        let said = answer.errors.filter { $0.contains(status == 2 ? "error[not_yet]" : "not yet") }
        if said.isEmpty { return "it does not say \"not yet\"" }
        if status == 2, said.count != answer.errors.count { return "it has other problems too" }
        return nil
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
        var answer = Answer(status: run.status, errors: run.errorLines)
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
