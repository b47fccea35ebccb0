import Foundation
import Testing

@Suite("Help")
struct HelpTests {
    @Test("docs/cli.md shows the help of every command as it is")
    func documented() throws {
        let page = try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../docs/cli.md"),
            encoding: .utf8
        )
        let commands = [
            ["cohortctl"], ["cohortctl", "validate"], ["cohortctl", "replay"],
            ["cohortctl", "import"], ["cohortctl", "import", "amplitude"],
            ["cohortctl", "status"], ["cohortctl", "top"], ["cohortctl", "cohorts"],
            ["cohortctl", "cohorts", "list"],
            ["cohortctl", "cohorts", "show"], ["cohortctl", "cohorts", "members"],
            ["cohortctl", "cohorts", "apply"], ["cohortctl", "cohorts", "delete"],
            ["cohortctl", "cohorts", "accept"], ["cohortctl", "reload"],
            ["cohortctl", "syncs"], ["cohortctl", "syncs", "list"], ["cohortctl", "syncs", "show"],
            ["cohortctl", "syncs", "run"], ["cohortctl", "syncs", "pause"],
            ["cohortctl", "syncs", "resume"], ["cohortctl", "syncs", "approve"],
            ["cohortctl", "kafka"], ["cohortctl", "kafka", "rebase"],
            ["cohortctl", "kafka", "skip"],
            ["cohortctl", "time"], ["cohortctl", "time", "accept"],
            ["cohortctl", "destinations"], ["cohortctl", "destinations", "test"], ["cohortd"],
            ["cohortd", "run"], ["cohortd", "check"], ["cohortd", "demo"], ["cohortd", "version"],
            ["cohort-bench", "ingest"], ["cohort-bench", "cohorts"], ["cohort-bench", "memory"],
            ["cohort-bench", "tick"], ["cohort-bench", "sync"], ["cohort-bench", "latency"],
            ["cohort-bench", "kafka"],
            ["cohort-bench", "kafka-publish"], ["cohort-bench", "kafka-engine"],
            ["cohort-bench", "restore"], ["cohort-bench", "generate"],
        ]
        for command in commands {
            let ended = try Cohortctl.run(
                command.dropFirst() + ["--help"],
                environment: [:],
                program: command[0]
            )
            #expect(ended.status == 0)
            #expect(ended.errors.isEmpty)
            let words = command.joined(separator: " ")
            #expect(
                page.contains("\n```\n\(ended.output)```\n"),
                "docs/cli.md shows another help of '\(words)': put in what it prints"
            )
        }
    }
}
