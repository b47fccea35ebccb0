import Foundation
import TestKit
import Testing

@Suite("Made-up traffic on the command line")
struct GenerateTests {
    private func run(_ arguments: [String]) throws -> Ended {
        try Cohortctl.run(["generate"] + arguments, environment: [:], program: "cohort-bench")
    }

    private static let fixed = ["--fast", "--start", "2026-01-05T00:00:00Z"]

    @Test(
        "the same seed and start give the same bytes, however they are paced; the last line is on stderr"
    )
    func bytes() throws {
        let options = [
            "--start", "2026-01-05T00:00:00Z", "--rate", "5000", "--late", "0.1", "--duplicates",
            "0.1", "--seed", "9", "--count", "2500",
        ]
        let fast = try run(options + ["--fast"])
        #expect(fast.status == 0)
        let lines = fast.output.split(separator: "\n")
        #expect(lines.count == 2500)
        #expect(try run(options).output == fast.output)
        #expect(try run(Self.fixed + ["--count", "2500"]).output != fast.output)
        let last = try #require(
            fast.errors.wholeMatch(
                of:
                    /sent 2500 events in \d+\.\d s, \d+\/s: (\d+) late, (\d+) duplicates; 0 failed\n/
            )
        )
        let distinct = Set(lines).count
        #expect(try #require(Int(last.2)) == 2500 - distinct)
        #expect((150...300).contains(try #require(Int(last.1))))
    }

    @Test("--duration makes what the rate makes in that time")
    func duration() throws {
        let ended = try run(Self.fixed + ["--rate", "30", "--duration", "1500ms"])
        #expect(ended.output.split(separator: "\n").count == 45)
    }

    @Test("without a start, nothing that is made fast is ahead of its time")
    func past() throws {
        let began = Int64(Date().timeIntervalSince1970 * 1000)
        let ended = try run(["--fast", "--rate", "10", "--count", "1000"])
        let times = ended.output.matches(of: /"time":(\d+)/).compactMap { Int64($0.1) }
        #expect(times.count == 1000)
        #expect(times[999] - times[0] == 99_900)
        #expect((began - 100...began + 60_000).contains(times[999]))
    }

    @Test("it keeps to the rate by the clock")
    func paced() throws {
        let began = ProcessInfo.processInfo.systemUptime
        let ended = try run(["--rate", "1000", "--count", "1500"])
        #expect(ended.status == 0)
        #expect(ProcessInfo.processInfo.systemUptime - began >= 1.49)
    }

    @Test("what replay makes of it: late ones and duplicates, and nothing is rejected")
    func replay() throws {
        let folder = try TemporaryFolder()
        let ended = try run(
            Self.fixed + [
                "--count", "3000", "--users", "50", "--late", "0.2", "--duplicates", "0.1",
                "--types", "look=9", "buy=1",
            ]
        )
        let events = try folder.write("events.jsonl", Data(ended.output.utf8)).path
        let cohort = try folder.write(
            "cohort.yaml",
            Data("id: all\nname: All\nusers: {performed: {event: '*', last: 1d}}\n".utf8)
        ).path
        let replayed = try Cohortctl.run(
            ["replay", "--cohorts", cohort, "--events", events],
            environment: [:]
        )
        #expect(replayed.status == 0)
        #expect(replayed.errors == "rejected 0 of 3000\n")
        #expect(replayed.output.contains("\"count\":50,"))
        #expect(ended.output.contains("\"event_type\":\"buy\""))
    }

    @Test("a stdout that takes nothing is an error")
    func full() throws {
        let ended = try Cohortctl.run(
            ["generate", "--fast", "--count", "100"],
            environment: [:],
            output: "/dev/full",
            program: "cohort-bench"
        )
        #expect(ended.status == 74)
        #expect(ended.errors.contains("cannot write stdout: No space left on device"))
    }

    @Test(
        "arguments that make no sense are refused with what is expected",
        arguments: [
            (["--users", "0"], "--users 0: a number from 1 to 1000000000"),
            (["--rate", "x"], "--rate x: a number from 1 to 10000000"),
            (["--late", "1.5"], "--late 1.5: a number from 0 to 1"),
            (["--late", "nan"], "--late nan: a number from 0 to 1"),
            (["--duplicates=-0.1"], "--duplicates -0.1: a number from 0 to 1"),
            (["--skew", "11"], "--skew 11: a number from 0 to 10"),
            (["--late-max", "0s"], "--late-max 0s: a duration"),
            (["--start", "soon"], "--start soon: an instant is expected"),
            (["--count", "5", "--duration", "1s"], "either --count or --duration"),
            (["--types", "buy"], "--types buy: TYPE=WEIGHT is expected"),
            (["--types", "=5"], "--types =5: TYPE=WEIGHT is expected"),
            (["--types", "buy=0"], "--types buy=0: TYPE=WEIGHT is expected"),
            (["--topic", "x"], "--topic: --bootstrap says where the broker is"),
            (["--property", "a=b"], "--property: --bootstrap says where the broker is"),
            (["--output", "json"], "--output json: with --bootstrap only"),
            (["--bootstrap", "127.0.0.1:1", "--property", "no.such=1"], "no.such"),
        ] as [([String], String)]
    )
    func usage(_ arguments: [String], _ text: String) throws {
        let ended = try run(arguments)
        #expect(ended.status == 64)
        #expect(ended.output.isEmpty)
        #expect(ended.errors.contains(text), "\(ended.errors)")
    }
}
