import Foundation
import TestKit
import Testing

@Suite("The benchmark's workload")
struct WorkloadTests {
    private static let folder = Environment.current["COHORTD_PERF"].map { URL(fileURLWithPath: $0) }
    private static let isNightly = Environment.current["COHORTD_NIGHTLY"] == "1"

    /// Sizes at the end of the cohorts that the language expresses so far.
    ///
    /// Source: the workload's own notes, from two programs written apart.
    private static let sizes = [
        "c01": 29124, "c02": 12532, "c03": 4687, "c04": 5839, "c07": 3980, "c08": 41580,
        "c09": 1772,
        "c11": 58, "c15": 1236, "c18": 556, "c19": 17652,
    ]

    @Test(
        "Two million events end in the sizes computed apart",
        .enabled(if: folder != nil, "COHORTD_PERF names no folder"),
        .enabled(if: isNightly, "it takes minutes; COHORTD_NIGHTLY=1 runs it")
    )
    func twoMillionEvents() throws {
        let folder = try #require(Self.folder)
        let scratch = try TemporaryFolder()
        let events = scratch.url.appendingPathComponent("events.jsonl").path
        let generator = try ProgramRun(
            "/usr/bin/env",
            [
                "python3", folder.appendingPathComponent("generate_events.py").path, "--events",
                "2000000", "--users", "200000", "--seed", "42", "--days", "7", "--out", events,
            ]
        )
        try #require(
            generator.status == 0,
            "the generator needs python3 with numpy: \(generator.errors)"
        )
        let cohorts = Self.sizes.keys.sorted().map {
            folder.appendingPathComponent("cohorts/\($0).yaml").path
        }
        let run = try ProgramRun(
            "cohortctl",
            [
                "replay", "--events", events, "--tick", "60s", "--until", "2026-01-12T00:00:00Z",
                "--cohorts",
            ]
                + cohorts
        )
        try #require(run.status == 0, "\(run.errors)")
        for line in try MembersLine.read(run.outputText) {
            #expect(line.count == Self.sizes[line.cohort], "\(line.cohort)")
        }
    }
}
