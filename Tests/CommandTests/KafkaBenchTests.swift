import Foundation
import TestKit
import Testing

@testable import cohort_bench

/// A file of events and a cohort of those who did something lately.
struct BenchFiles {
    let folder: TemporaryFolder
    let events: String
    let cohort: String

    init() throws {
        folder = try TemporaryFolder()
        events = folder.url.appendingPathComponent("events.jsonl").path
        cohort = folder.url.appendingPathComponent("cohort.yaml").path
        let start = 1_767_571_200_000
        var lines = ""
        for number in 0..<2000 {
            lines +=
                #"{"user_id":"u\#(number % 97)","event_type":"\#(number % 5 == 0 ? "buy" : "look")","#
                + #""time":\#(start + number * 20_000),"insert_id":"\#(number / 2)"}"# + "\n"
        }
        try lines.write(toFile: events, atomically: true, encoding: .utf8)
        try """
        id: buyers
        name: Buyers
        users: {performed: {event: buy, last: 1h}}
        """.write(toFile: cohort, atomically: true, encoding: .utf8)
    }

    /// What a benchmark says of these events, as JSON.
    func run(_ arguments: [String]) throws -> [String: Any] {
        let ended = try Cohortctl.run(
            arguments + ["--events", events, "--cohorts", cohort, "--output", "json"],
            environment: ProcessInfo.processInfo.environment,
            program: "cohort-bench"
        )
        #expect(ended.status == 0, "\(ended.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(ended.output.utf8))
        return try #require(object as? [String: Any])
    }

    /// The last tick, at which everybody has left.
    static let until = ["--until", "2026-01-06T00:00:00Z"]
}

@Suite("The benchmarks around Kafka")
struct KafkaBenchTests {
    private func program(_ text: String, in folder: TemporaryFolder) throws -> String {
        let path = folder.url.appendingPathComponent("program").path
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        return path
    }

    @Test("kafka gives the enters and exits of a replay, and a ratio to what it is compared with")
    func against() throws {
        let input = try BenchFiles()
        let program = try program(
            """
            #!/bin/sh
            echo "consumed $4 msgs 0.2 MB in 0.01s = 5 msgs/s wall; cpu 0.01s = 1000 msgs/s per core"
            """,
            in: input.folder
        )
        let replay = try input.run(["ingest"] + BenchFiles.until)
        let enters = try #require(replay["enters"] as? Int)
        #expect(enters > 0)
        let report = try input.run(
            ["kafka", "--against", program, "--rounds", "2", "--partitions", "3"] + BenchFiles.until
        )
        #expect(report["events"] as? Int == 2000)
        #expect(report["partitions"] as? Int == 3)
        #expect(report["against_per_second"] as? Double == 1000)
        let runs = try #require(report["runs"] as? [[String: Any]])
        #expect(runs.count == 2)
        for run in runs {
            #expect(run["events"] as? Int == 2000)
            #expect(run["enters"] as? Int == enters)
            #expect(run["exits"] as? Int == replay["exits"] as? Int)
            #expect(run["duplicates"] as? Int == replay["duplicates"] as? Int)
        }
        let rate = try #require(report["events_per_second"] as? Double)
        let ratios = try #require(report["ratios"] as? [Double])
        #expect(ratios.count == 2)
        #expect(ratios.contains { abs($0 - rate / 1000) < 0.001 })
    }

    @Test("kafka --threads compares with one thread; all is in the client before the clock starts")
    func threads() throws {
        let input = try BenchFiles()
        let report = try input.run(
            ["kafka", "--threads", "2", "--rounds", "1", "--partitions", "4"] + BenchFiles.until
        )
        #expect(report["against"] as? String == "1 thread")
        let run = try #require((report["runs"] as? [[String: Any]])?.first)
        #expect(run["threads"] as? Int == 2)
        #expect(run["events"] as? Int == 2000)
        #expect(try #require(report["ratio"] as? Double) > 0)
    }

    @Test("with state and a topic of deltas, one tick at the end publishes who is in")
    func durable() throws {
        let input = try BenchFiles()
        let end = ["--until", "2026-01-05T11:06:40Z"]
        let replay = try input.run(["ingest"] + end)
        let members = try #require((replay["cohorts"] as? [String: Int])?["buyers"])
        let report = try input.run(
            [
                "kafka", "--rounds", "1", "--partitions", "2", "--durable", "--tick-at-end",
                "--data-in", input.folder.url.path, "--property", "fetch.wait.max.ms=50",
            ] + end
        )
        #expect(report["ratio"] is NSNull)
        let run = try #require((report["runs"] as? [[String: Any]])?.first)
        #expect(run["enters"] as? Int == members)
        #expect(run["exits"] as? Int == 0)
        #expect((run["cohorts"] as? [String: Int])?["buyers"] == members)
    }

    @Test("a program that reads less than there is, or says nothing, is no comparison")
    func shortProgram() throws {
        let input = try BenchFiles()
        for text in ["echo 'consumed 7 msgs; cpu 1s = 5 msgs/s'", "echo hello"] {
            let ended = try Cohortctl.run(
                [
                    "kafka", "--events", input.events, "--cohorts", input.cohort, "--against",
                    try program("#!/bin/sh\n\(text)\n", in: input.folder),
                ],
                environment: ProcessInfo.processInfo.environment,
                program: "cohort-bench"
            )
            #expect(ended.status == 74)
            #expect(ended.errors.contains("did not read all"))
        }
    }

    @Test("the in-process broker drops records beyond 5 MiB of a partition, which is found")
    func evicted() throws {
        let input = try BenchFiles()
        var lines = ""
        var word: UInt64 = 1
        for number in 0..<3000 {
            var noise = ""
            for _ in 0..<200 {
                word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                noise += String(word, radix: 36)
            }
            lines +=
                #"{"user_id":"u","event_type":"look","time":\#(1_767_571_200_000 + number),"#
                + #""event_properties":{"noise":"\#(noise)"}}"# + "\n"
        }
        try lines.write(toFile: input.events, atomically: true, encoding: .utf8)
        let ended = try Cohortctl.run(
            ["kafka", "--events", input.events, "--cohorts", input.cohort, "--partitions", "1"],
            environment: ProcessInfo.processInfo.environment,
            program: "cohort-bench"
        )
        #expect(ended.status == 74)
        #expect(ended.errors.contains("published were 0 to 3000"), "\(ended.errors)")
    }

    @Test("what reads and drops says how fast it was in one line among others")
    func parse() throws {
        let line =
            "consumed 2000000 msgs 554.7 MB in 1.79s = 1118753 msgs/s wall; cpu 1.30s = 1537181 msgs/s "
            + "per core; maxrss 37 MB errs 0 h 250000000"
        let read = try #require(ConsumeDiscard(output: "warning\n\(line)\n"))
        #expect(read.records == 2_000_000)
        #expect(read.recordsPerCPUSecond == 1_537_181)
    }

    @Test(
        "what says it otherwise is refused",
        arguments: [
            "", "consumed", "consumed 5 msgs", "consumed x msgs; cpu 1s = 5 msgs/s",
            "consumed 5 msgs; cpu 1s =", "consumed 5 msgs; cpu 0.00s = inf msgs/s per core",
            "consumed 5 msgs; cpu 1s = -1 msgs/s",
        ]
    )
    func refused(_ output: String) {
        #expect(ConsumeDiscard(output: output) == nil)
    }
}
