import Foundation
import TestKit
import Testing

@Suite("The contract of cohortctl replay: rejected events")
struct RejectContractTests {
    @Test("Rejects are told by file, line and reason, and counted; outputs are complete")
    func rejectLines() throws {
        let kit = try CommandKit(
            events: [
                CommandKit.x("a", "2026-01-05T10:00:00Z"), "{", #"{"event_type":"x","time":1}"#,
                #"{"user_id":"b","event_type":"$groupidentify","time":"2026-01-05T10:00:00Z"}"#,
                CommandKit.x("b", "2026-01-05T10:00:01Z"),
            ])
        let run = try kit.replay()
        #expect(run.status == 3)
        #expect(run.outputText == "{\"cohort\":\"c\",\"count\":2,\"users\":[\"a\",\"b\"]}\n")
        let lines = run.errorLines
        try #require(lines.count == 3, "\(run.errors)")
        #expect(lines[0].hasPrefix("events.jsonl:2: not_json: "))
        #expect(lines[1].hasPrefix("events.jsonl:3: missing_id: "))
        #expect(lines[2] == "rejected 2 of 5")
    }

    @Test("Elements of a batch are told by their index; an unreadable line counts once")
    func batches() throws {
        let kit = try CommandKit(
            events: [
                "{\"events\":[\(CommandKit.x("a", "2026-01-05T10:00:00Z")),7,{\"user_id\":\"u\"},"
                    + "{\"user_id\":\"b\",\"event_type\":\"x\",\"time\":\"soon\"}]}",
                #"{"events":{}}"#, #"{"events":[{"user_id":"a"},{"#,
            ])
        let run = try kit.replay()
        #expect(run.status == 3)
        let places = run.errorLines.map {
            $0.split(separator: " ").prefix(2).joined(separator: " ")
        }
        #expect(
            places == [
                "events.jsonl:1[1]: not_object:", "events.jsonl:1[2]: missing_event_type:",
                "events.jsonl:1[3]: bad_time:", "events.jsonl:2: not_object:",
                "events.jsonl:3: not_json:",
                "rejected 5",
            ]
        )
        #expect(run.errorLines.last == "rejected 5 of 6")
    }

    @Test("An empty batch holds no event")
    func emptyBatch() throws {
        let run = try CommandKit(events: [#"{"events":[]}"#]).replay()
        #expect(run.status == 0)
        #expect(run.errors == "rejected 0 of 0\n")
    }

    @Test("stdin is told as -")
    func standardInput() throws {
        let run = try CommandKit().run(
            ["replay", "--cohorts", "cohorts.yaml", "--events", "-"],
            input: "\n[]\n"
        )
        #expect(run.status == 3)
        #expect(run.errorLines.first?.hasPrefix("-:2: not_object: ") == true, "\(run.errors)")
        #expect(run.errorLines.last == "rejected 1 of 1")
    }

    @Test("--allow-rejects gives status 0")
    func allowed() throws {
        let kit = try CommandKit(events: ["{}"])
        #expect(try kit.replay().status == 3)
        let run = try kit.replay(["--allow-rejects"])
        #expect(run.status == 0)
        #expect(run.errorLines.last == "rejected 1 of 1")
    }

    @Test("Limits of the configuration count: size, future, users")
    func limits() throws {
        let kit = try CommandKit(
            events: [
                #"{"user_id":"a","event_type":"x","time":"2026-01-05T10:00:00Z"}"#,
                #"{"user_id":"b","event_type":"x","time":"2026-01-05T10:00:00Z"}"#,
                #"{"user_id":"a","event_type":"x","time":"2026-01-05T10:00:02Z","#
                    + #""server_received_time":"2026-01-05T10:00:00Z"}"#,
                #"{"user_id":"a","event_type":"x","time":"2026-01-05T10:00:00Z","more":"\#(String(repeating: "p", count: 1000))"}"#,
            ])
        try kit.folder.write(
            "cohortd.yaml",
            "limits: {users_max: 1, future_max: 1s}\nkafka: {event_bytes_max: 1KiB}\n"
        )
        let run = try kit.replay(["--config", "cohortd.yaml"])
        #expect(run.status == 3)
        let reasons = run.errorLines.dropLast().map { $0.split(separator: " ")[1] }
        #expect(reasons == ["users_max:", "future:", "too_large:"])
        #expect(run.outputText == "{\"cohort\":\"c\",\"count\":1,\"users\":[\"a\"]}\n")
    }
}
