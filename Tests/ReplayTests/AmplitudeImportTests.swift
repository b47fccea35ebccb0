import Foundation
import TestKit
import Testing

/// Amplitude's six template cohorts, from its JSON to their members.
@Suite("Import of Amplitude's cohorts through cohortctl")
struct AmplitudeImportTests {
    private static let templates = [
        "active-30-days", "new-30-days", "retained-14-days", "active-4-weeks",
        "product-qualified-leads", "new-and-gone",
    ]

    private static func json(_ name: String) -> String {
        Golden.folder.appendingPathComponent("amplitude/\(name).json").path
    }

    /// Users with the ages in days of their events, and the templates they are in, counted from 1.
    private static let fixtures: [(user: String, type: String, ages: [Double], cohorts: Set<Int>)] =
        [
            ("weekly", "open", [27.5, 20.5, 13.5, 6.5], [1, 2, 3, 4]),
            ("thrice", "open", [2.5, 1.5, 0.5], [1, 2, 5]),
            ("gone", "open", [7.5], [1, 2, 6]),
            ("back", "open", [60, 2], [1]),
            ("day-14", "open", [20, 6], [1, 2, 3]),
            ("day-13", "open", [20, 7], [1, 2]),
            ("day-15", "open", [20, 5], [1, 2]),
            ("one-week-missing", "open", [27.5, 20.5, 6.5], [1, 2]),
            ("no-longer-new", "open", [31.5, 0.5], [1]),
            ("inactive", "ping", [0.5], [2]),
        ]

    @Test("the six templates have the members that their users' ages ask for")
    func templates() throws {
        let folder = try TemporaryFolder()
        for name in Self.templates {
            let run = try ProgramRun("cohortctl", ["import", "amplitude", Self.json(name)])
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.errors.isEmpty)
            try folder.write("cohorts/\(name).yaml", run.output)
        }
        let now = 1_767_607_200_000.0
        let events = Self.fixtures.flatMap { fixture in
            fixture.ages.map { age in
                (
                    age,
                    #"{"user_id":"\#(fixture.user)","event_type":"\#(fixture.type)","time":\#(Int64(now - age * 86_400_000))}"#
                )
            }
        }
        let lines = events.sorted { $0.0 > $1.0 }.map { $0.1 + "\n" }
        try folder.write("events.jsonl", lines.joined())
        try folder.write("cohortd.yaml", "inactive_events: [ping]\ninclude: {cohorts: cohorts}\n")
        let run = try ProgramRun(
            "cohortctl",
            [
                "replay", "--cohorts", "cohorts", "--events", "events.jsonl", "--config",
                "cohortd.yaml",
                "--at", "\(Int64(now))", "--members", "-",
            ],
            in: folder.url
        )
        #expect(run.status == 0, "\(run.errors)")
        let found = try MembersLine.read(run.outputText)
        #expect(Set(found.map(\.cohort)) == Set(Self.templates))
        for (index, name) in Self.templates.enumerated() {
            let expected = Self.fixtures.filter { $0.cohorts.contains(index + 1) }.map(\.user)
            #expect(found.first { $0.cohort == name }?.users == expected.sorted(), "\(name)")
        }
    }

    @Test("what is left out is on stderr with its place, and the rest is printed")
    func leftOut() throws {
        let path = Self.json("cohort-list")
        let run = try ProgramRun("cohortctl", ["import", "amplitude", path])
        #expect(run.status == 1)
        #expect(run.errorLines.count == 8)
        #expect(
            run.errorLines.allSatisfy {
                $0.hasPrefix("\(path):") && $0.contains(": left out cohorts[")
            }
        )
        let expected = try String(
            contentsOf: Golden.folder.appendingPathComponent("amplitude/cohort-list.yaml"),
            encoding: .utf8
        )
        #expect(run.outputText == expected)
    }

    @Test("a file that is not there is 66, one that is none of Amplitude's is 2")
    func noImport() throws {
        let folder = try TemporaryFolder()
        try folder.write("ours.yaml", "id: a\nusers: {new: {}}\n")
        let missing = try ProgramRun(
            "cohortctl",
            ["import", "amplitude", "none.json"],
            in: folder.url
        )
        #expect(missing.status == 66)
        #expect(missing.errors.hasPrefix("cohortctl: cannot read none.json: "))
        let ours = try ProgramRun(
            "cohortctl",
            ["import", "amplitude", "ours.yaml"],
            in: folder.url
        )
        #expect(ours.status == 2)
        #expect(ours.errors.hasPrefix("ours.yaml:1:1: error: "))
        for run in [missing, ours] {
            #expect(run.output.isEmpty)
            #expect(run.errorLines.count == 1)
        }
        #expect(try ProgramRun("cohortctl", ["import", "amplitude"]).status == 64)
        #expect(try ProgramRun("cohortctl", ["import", "mixpanel", "a.json"]).status == 64)
    }
}
