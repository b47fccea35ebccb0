import Foundation
import TestKit
import Testing

/// The repository.
private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../..").standardizedFileURL.path

private let events = root + "/docs/try/events.jsonl"
private let abandoners = root + "/config/cohorts/cart-abandoners.yaml"

@Suite("Commands that measure")
struct BenchCommandTests {
    private func bench(_ arguments: String...) throws -> Ended {
        try Cohortctl.run(arguments, environment: [:], program: "cohort-bench")
    }

    /// A program that prints this whatever it is given.
    private func program(_ folder: TemporaryFolder, _ script: String) throws -> String {
        let file = try folder.write("parser", "#!/bin/sh\n" + script)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: file.path)
        return file.path
    }

    private func object(_ text: String) throws -> [String: Any] {
        let parsed = try JSONSerialization.jsonObject(with: Data(text.utf8))
        return try #require(parsed as? [String: Any])
    }

    @Test("ingest runs in turns with a parser and divides by it")
    func against() throws {
        let folder = try TemporaryFolder()
        let parser = try program(
            folder,
            """
            echo run >>"$(dirname "$0")/runs"
            echo "mode per-line,walk-all: $(wc -l <"$1") events 0.001s 4000 events/s 0.36 GB/s (chk 1)"
            echo "mode per-line,walk-all: $(wc -l <"$1") events 0.001s 5000 events/s 0.36 GB/s (chk 1)"
            """
        )
        let ended = try bench(
            "ingest",
            "--events",
            events,
            "--cohorts",
            abandoners,
            "--until",
            "2026-03-03T12:00:00Z",
            "--against",
            parser,
            "--repeat",
            "2",
            "--expect-flips",
            "4",
            "--output",
            "json"
        )
        #expect(ended.status == 0)
        #expect(ended.errors.isEmpty)
        #expect(try folder.text("runs") == "run\nrun\n")
        let report = try object(ended.output)
        #expect(report["flips"] as? Int == 4)
        #expect(report["denominators"] as? [Int] == [5000, 5000])
        let figures = try #require(report["figures"] as? [Int])
        #expect(figures.count == 2)
        let ratio = try #require(report["ratio"] as? Double)
        let median = Double(figures[0] + figures[1]) / 2
        #expect(abs(ratio - median / 5000) < 0.001)
    }

    @Test("ingest with other flips than expected prints its report and fails")
    func expectFlips() throws {
        for more in [[], ["--repeat", "2"]] {
            let arguments =
                ["ingest", "--events", events, "--cohorts", abandoners, "--expect-flips", "2"]
                + more
            let ended = try Cohortctl.run(arguments, environment: [:], program: "cohort-bench")
            #expect(ended.status == 1)
            #expect(ended.output.contains("enters"))
            // Ada enters and leaves, Bob enters; he leaves behind the last arrival, where the replay ends.
            #expect(ended.errors.contains("3 enters and exits, but 2 are expected"))
        }
    }

    @Test("A program that is missing, fails or says nothing of use is named")
    func badPrograms() throws {
        let folder = try TemporaryFolder()
        for (script, message) in [
            ("echo nothing", "printed no line 'mode per-line,walk-all: N events"),
            ("exit 3", "ended with status 3"),
            ("kill -9 $$", "was ended by signal 9"),
        ] {
            let ended = try bench(
                "ingest",
                "--events",
                events,
                "--cohorts",
                abandoners,
                "--against",
                try program(folder, script)
            )
            #expect(ended.status == 69)
            #expect(ended.errors.contains(message))
            #expect(ended.output.isEmpty)
        }
        let missing = try bench(
            "ingest",
            "--events",
            events,
            "--cohorts",
            abandoners,
            "--against",
            "/nonexistent/parser"
        )
        #expect(missing.status == 69)
        #expect(missing.errors.contains("cannot run /nonexistent/parser: No such file"))
    }

    @Test("What is wrong in a run of its own ends the comparison with its status")
    func childStatus() throws {
        let ended = try bench(
            "cohorts",
            "--events",
            events,
            "--cohorts",
            abandoners,
            "--more-cohorts",
            "/nonexistent"
        )
        #expect(ended.status == 66)
        #expect(ended.errors.contains("/nonexistent"))
        #expect(ended.output.isEmpty)
    }

    @Test("cohorts prints both rates and their ratio")
    func cohorts() throws {
        let ended = try bench(
            "cohorts",
            "--events",
            events,
            "--cohorts",
            abandoners,
            "--more-cohorts",
            root + "/config/cohorts",
            "--repeat",
            "2"
        )
        #expect(ended.status == 0)
        #expect(ended.errors.isEmpty)
        for row in ["figure  ", "denominator  ", "ratio  "] {
            #expect(ended.output.contains("\n" + row))
        }
        #expect(ended.output.contains("with 1 cohorts, 3 enters and exits"))
    }

    @Test("memory divides by the users that the second file has more")
    func memory() throws {
        let folder = try TemporaryFolder()
        let lines = (0..<5000).map {
            #"{"user_id":"u\#($0)","event_type":"purchase","time":"2026-03-02T10:00:00Z"}"#
        }
        let many = try folder.write("many.jsonl", lines.joined(separator: "\n")).path
        let arguments = ["memory", "--cohorts", abandoners, "--output", "json"]
        let ended = try Cohortctl.run(
            arguments + ["--events", events, "--more-events", many],
            environment: [:],
            program: "cohort-bench"
        )
        #expect(ended.status == 0)
        #expect(ended.errors.isEmpty)
        let report = try object(ended.output)
        #expect(report["denominator"] as? Int == 4997)
        let figure = try #require(report["figure"] as? Int)
        #expect(figure > 4997 * 50)
        let swapped = try Cohortctl.run(
            arguments + ["--events", many, "--more-events", events],
            environment: [:],
            program: "cohort-bench"
        )
        #expect(swapped.status == 1)
        #expect(swapped.errors.contains("a file with more users is expected"))
    }

    @Test("tick flips what its events must flip, whatever the slices")
    func tick() throws {
        for slice in ["1", "7", "1000000"] {
            let ended = try bench(
                "tick",
                "--users",
                "300",
                "--touched",
                "40",
                "--ticks",
                "8",
                "--history",
                "3",
                "--slice",
                slice,
                "--output",
                "json"
            )
            #expect(ended.status == 0)
            #expect(ended.errors.isEmpty)
            let report = try object(ended.output)
            #expect(report["cohorts"] as? Int == 100)
            for (name, users, ticks, flips) in [
                ("touched", 40, 8, 4.0), ("midnight", 150, 3, 1.0), ("everyone", 300, 3, 0.0),
            ] {
                let part = try #require(report[name] as? [String: Any])
                #expect(part["denominator"] as? Int == users)
                #expect(part["ticks"] as? Int == ticks)
                #expect(part["flips_per_user"] as? Double == flips)
            }
        }
    }

    @Test(
        "Arguments that cannot be are refused before anything is read",
        arguments: [
            ["tick", "--users", "10", "--touched", "11"], ["tick", "--slice", "0"],
            ["tick", "--ticks", "601"], ["tick", "--output", "yaml"],
            ["ingest", "--events", "x", "--cohorts", "y", "--repeat", "0"],
            ["ingest", "--events", "x", "--cohorts", "y", "--expect-flips", "many"],
            ["memory", "--events", "x", "--cohorts", "y"],
            ["cohorts", "--events", "x", "--cohorts", "y"],
        ]
    )
    func usage(_ arguments: [String]) throws {
        let ended = try Cohortctl.run(arguments, environment: [:], program: "cohort-bench")
        #expect(ended.status == 64)
        #expect(ended.output.isEmpty)
        #expect(!ended.errors.isEmpty)
    }
}
