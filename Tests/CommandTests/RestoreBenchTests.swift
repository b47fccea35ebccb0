import Foundation
import TestKit
import Testing

@Suite("The benchmark of a start")
struct RestoreBenchTests {
    private func restore(_ arguments: [String]) throws -> Ended {
        try Cohortctl.run(
            ["restore"] + arguments,
            environment: ProcessInfo.processInfo.environment,
            program: "cohort-bench"
        )
    }

    @Test("every copy of a user is there again, in a process of its own")
    func copies() throws {
        let input = try BenchFiles()
        let ended = try restore([
            "--events", input.events, "--copies", "3", "--cohorts", input.cohort, "--partitions",
            "2", "--rounds", "1", "--output", "json",
        ])
        #expect(ended.status == 0, "\(ended.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(ended.output.utf8))
        let report = try #require(object as? [String: Any])
        #expect(report["users"] as? Int == 3 * 97)
        #expect(try #require(report["bytes"] as? Int) > 0)
        for figure in ["seconds", "read_seconds", "ratio", "first_tick_seconds"] {
            #expect(try #require(report[figure] as? Double) > 0, "\(figure)")
        }
    }

    @Test("it needs events or a folder, and not both")
    func usage() throws {
        let input = try BenchFiles()
        for arguments in [[], ["--events", input.events, "--data", input.folder.url.path]] {
            let ended = try restore(["--cohorts", input.cohort] + arguments)
            #expect(ended.status == 64)
            #expect(ended.errors.contains("either --events or --data"))
        }
    }
}
