import Foundation
import TestKit
import Testing

@Suite("The contract of cohortctl replay and validate: paths and exit statuses")
struct StatusContractTests {
    @Test(
        "Wrong usage is 64 before any file is looked at",
        arguments: [
            ["--until", "2026-01-05T10:00:00Z", "--from", "2026-01-05T10:00:00.001Z"],
            ["--tick", "999ms"], ["--tick", "0s"], ["--tick", "often"], ["--from", "yesterday"],
            ["--until", "2026-01-05"], ["--at", "2026-01-05T10:00:00Z", "--tick", "60s"],
            ["--at", "2026-01-05T10:00:00Z", "--from", "2026-01-05T10:00:00Z"],
            ["--at", "2026-01-05T10:00:00Z", "--until", "2026-01-05T10:00:00Z"],
            ["--deltas", "-", "--members", "-"], ["--upload", "c"], ["--colour"],
            ["--unordered", "--tick"],
        ]
    )
    func usage(_ arguments: [String]) throws {
        let kit = try CommandKit()
        let run = try kit.run(
            ["replay", "--cohorts", "missing.yaml", "--events", "missing.jsonl"] + arguments
        )
        #expect(run.status == 64, "\(run.errors)")
        #expect(run.output.isEmpty)
        #expect(!run.errors.isEmpty)
    }

    @Test("--cohorts and --events are needed")
    func needed() throws {
        let kit = try CommandKit()
        #expect(try kit.run(["replay", "--cohorts", "cohorts.yaml"]).status == 64)
        #expect(try kit.run(["replay", "--events", "events.jsonl"]).status == 64)
        #expect(try kit.run(["validate"]).status == 64)
    }

    @Test("A missing input is 66, before a wrong configuration, before a wrong definition")
    func order() throws {
        let kit = try CommandKit(cohorts: "id: c\n", events: ["{}"])
        try kit.folder.write("wrong.yaml", "tick: often\n")
        let wrong = ["--config", "wrong.yaml"]
        func status(_ cohorts: String, _ events: String, _ more: [String]) throws -> Int32 {
            try kit.run(["replay", "--cohorts", cohorts, "--events", events] + more).status
        }
        #expect(try status("cohorts.yaml", "missing.jsonl", wrong) == 66)
        #expect(try status("missing.yaml", "events.jsonl", wrong) == 66)
        #expect(try status("cohorts.yaml", "events.jsonl", wrong) == 78)
        #expect(try status("cohorts.yaml", "events.jsonl", ["--config", "missing.yaml"]) == 78)
        #expect(try status("cohorts.yaml", "events.jsonl", ["--deltas", "nowhere/d"]) == 2)
    }

    @Test("An output that cannot be written is 74, before rejected events")
    func output() throws {
        let kit = try CommandKit(events: ["{}", CommandKit.x("a", "2026-01-05T10:00:00Z")])
        #expect(try kit.replay(["--deltas", "nowhere/d"]).status == 74)
        #expect(try kit.replay(["--members", "/dev/full"]).status == 74)
        #expect(try kit.replay(["--deltas", "/dev/full", "--members", "m"]).status == 74)
        #expect(try kit.replay(["--members", "m"]).status == 3)
    }

    @Test("A folder stands for its definitions, not deeper, by bytes of the name")
    func folders() throws {
        let kit = try CommandKit(events: [CommandKit.x("a", "2026-01-05T10:00:00Z")])
        try kit.folder.write("d/b.yaml", "id: b\nusers: {performed: {event: x}}\n")
        try kit.folder.write("d/a.yml", "id: a\nusers: {member_of: b}\n")
        try kit.folder.write("d/c.json", #"{"id": "c2", "users": {"active": {}}}"#)
        try kit.folder.write("d/notes.txt", "id: [")
        try kit.folder.write("d/deeper/d.yaml", "id: [")
        let run = try kit.run(
            [
                "replay", "--events", "events.jsonl", "--cohorts", "d", "cohorts.yaml", "--members",
                "-",
            ])
        #expect(run.status == 0, "\(run.errors)")
        #expect(try MembersLine.read(run.outputText).map(\.cohort) == ["a", "b", "c", "c2"])
        let repeated = try kit.run(
            ["replay", "--cohorts", "d", "--events", "events.jsonl", "--cohorts", "cohorts.yaml"])
        #expect(repeated.outputText == run.outputText)
    }

    @Test("An id that occurs twice is a problem, also where one file is named twice")
    func idTwice() throws {
        let kit = try CommandKit()
        try kit.folder.write("second.yaml", CommandKit.cohort)
        let run = try kit.run(["validate", "cohorts.yaml", "second.yaml"])
        #expect(run.status == 2)
        #expect(run.errors.hasPrefix("second.yaml:1:5: error["), "\(run.errors)")
        #expect(try kit.run(["validate", "cohorts.yaml", "cohorts.yaml"]).status == 2)
    }

    @Test("An events file that is a folder is 66")
    func folderOfEvents() throws {
        let kit = try CommandKit()
        #expect(try kit.run(["replay", "--cohorts", "cohorts.yaml", "--events", "."]).status == 66)
    }

    @Test("validate counts what is valid on stdout and shows every problem on stderr")
    func validate() throws {
        let kit = try CommandKit()
        let good = try kit.run(["validate", "cohorts.yaml"])
        #expect(good.status == 0)
        #expect(good.outputText.hasPrefix("1 definition"))
        #expect(good.errors.isEmpty)
        try kit.folder.write(
            "two.yaml",
            "id: a\nusers: {active: {}}\n---\nid: b\nusers: {active: {}}\n"
        )
        let two = try kit.run(["validate", "two.yaml"])
        #expect(two.outputText == "2 definitions are valid\n")
        try kit.folder.write(
            "wrong.yaml",
            "id: a\nusers: {performed: {evnt: x, event: y, last: 5 minutes}}\n"
        )
        let wrong = try kit.run(["validate", "wrong.yaml"])
        #expect(wrong.status == 2)
        #expect(wrong.output.isEmpty)
        #expect(wrong.errorLines.count == 2, "\(wrong.errors)")
        #expect(
            wrong.errorLines.allSatisfy { $0.hasPrefix("wrong.yaml:2:") && $0.contains(": error[") }
        )
        #expect(wrong.errors.contains("did you mean \"event\"?"))
    }

    @Test("validate takes --config and ends like replay with 66 and 78")
    func validateStatuses() throws {
        let kit = try CommandKit()
        try kit.folder.write("wrong.yaml", "tick: often\n")
        #expect(try kit.run(["validate", "missing.yaml"]).status == 66)
        #expect(try kit.run(["validate", "cohorts.yaml", "--config", "wrong.yaml"]).status == 78)
        #expect(try kit.run(["validate", "cohorts.yaml", "--config", "missing.yaml"]).status == 78)
    }

    @Test("A clause that comes later is refused as such")
    func later() throws {
        let kit = try CommandKit(
            cohorts: "id: c\nusers:\n  predicted: {prediction: p, percentile: {gte: 90}}\n"
        )
        let clause = try kit.replay()
        #expect(clause.status == 2)
        #expect(clause.errors.contains("cohorts.yaml:3:"))
        #expect(clause.errors.contains("error[not_yet]"))
    }
}
