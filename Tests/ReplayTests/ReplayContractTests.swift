import Foundation
import TestKit
import Testing

@Suite("The contract of cohortctl replay: ticks and outputs")
struct ReplayContractTests {
    @Test("Without outputs named, the members go to stdout, one line per cohort by bytes of its id")
    func defaultOutput() throws {
        let kit = try CommandKit(
            cohorts: """
                id: c
                users: {performed: {event: x}}
                ---
                id: b-1
                users: {performed: {event: y}}
                ---
                id: b
                users: {not: {performed: {event: y}}}
                """,
            events: [
                CommandKit.x("\u{e9}", "2026-01-05T10:00:00Z"),
                CommandKit.x("z", "2026-01-05T10:00:01Z"),
                CommandKit.x("Z", "2026-01-05T10:00:02Z"),
            ]
        )
        let run = try kit.replay()
        #expect(run.status == 0)
        #expect(
            run.outputText == """
                {"cohort":"b","count":3,"users":["Z","z","\u{e9}"]}
                {"cohort":"b-1","count":0,"users":[]}
                {"cohort":"c","count":3,"users":["Z","z","\u{e9}"]}

                """
        )
        #expect(run.errors == "rejected 0 of 3\n")
    }

    @Test("Deltas are written as the contract spells them")
    func deltaText() throws {
        let kit = try CommandKit(events: [CommandKit.x(#"a \"b\"/é"#, "2026-01-05T10:00:00.250Z")])
        let run = try kit.replay(["--at", "2026-01-05T10:00:00.500Z", "--deltas", "-"])
        #expect(
            run.outputText == """
                {"tick":"2026-01-05T10:00:00.500Z","cohort":"c","user":"a \\"b\\"/\u{e9}","op":"enter"}

                """
        )
    }

    @Test("Deltas and members go to files, and one of them to stdout")
    func outputFiles() throws {
        let kit = try CommandKit(events: [CommandKit.x("a", "2026-01-05T10:00:00Z")])
        let files = try kit.replay(["--deltas", "d", "--members", "m"])
        #expect(files.output.isEmpty)
        let deltas = try kit.folder.text("d")
        let members = try kit.folder.text("m")
        #expect(deltas.hasPrefix("{\"tick\":\"2026-01-05T10:00:00Z\""))
        #expect(members == "{\"cohort\":\"c\",\"count\":1,\"users\":[\"a\"]}\n")
        let mixed = try kit.replay(["--deltas", "-", "--members", "m"])
        #expect(mixed.outputText == deltas)
        let onlyDeltas = try kit.replay(["--deltas", "-"])
        #expect(onlyDeltas.outputText == deltas)
    }

    @Test(
        "Ticks are multiples of the width from the first arrival to the first at or after the last one"
    )
    func defaultTicks() throws {
        let kit = try CommandKit(
            cohorts: "id: c\nusers: {performed: {event: x, last: 1m}}\n",
            events: [
                CommandKit.x("a", "2026-01-05T10:00:20Z"),
                CommandKit.x("b", "2026-01-05T10:02:10Z"),
            ]
        )
        #expect(
            try kit.deltas([]) == [
                "2026-01-05T10:01:00Z c a enter", "2026-01-05T10:02:00Z c a exit",
                "2026-01-05T10:03:00Z c b enter",
            ]
        )
        // A width that does not divide the minute still counts from 1970.
        #expect(
            try kit.deltas(["--tick", "7s", "--until", "2026-01-05T10:01:30Z"]) == [
                "2026-01-05T10:00:26Z c a enter", "2026-01-05T10:01:22Z c a exit",
            ]
        )
    }

    @Test(
        "The last tick is at --until exactly, and the clock alone makes exits after the last event"
    )
    func until() throws {
        let kit = try CommandKit(events: [CommandKit.x("a", "2026-01-05T10:00:00Z")])
        #expect(
            try kit.deltas(["--until", "2026-01-05T10:05:00.001Z"]) == [
                "2026-01-05T10:00:00Z c a enter", "2026-01-05T10:05:00Z c a exit",
            ]
        )
        #expect(
            try kit.deltas(["--until", "2026-01-05T10:04:59.999Z", "--tick", "7h"]) == [
                "2026-01-05T10:04:59.999Z c a enter"
            ]
        )
        #expect(try kit.members(["--until", "2026-01-05T10:04:59.999Z"]) == ["c": ["a"]])
    }

    @Test("A line that arrives after --until is not seen, even where it is the first one")
    func untilBeforeTheFirstArrival() throws {
        let kit = try CommandKit(
            events: [
                #"{"user_id":"a","event_type":"x","time":"2026-01-05T10:00:00Z","#
                    + #""server_received_time":"2026-01-05T10:03:00Z"}"#
            ])
        #expect(try kit.members(["--until", "2026-01-05T10:02:00Z"]) == ["c": []])
        #expect(try kit.members(["--until", "2026-01-05T10:03:00Z"]) == ["c": ["a"]])
        #expect(
            try kit.members(["--until", "2026-01-05T10:02:00Z", "--unordered"]) == ["c": ["a"]]
        )
    }

    @Test("The first tick is the first multiple at or after --from")
    func from() throws {
        let kit = try CommandKit(events: [CommandKit.x("a", "2026-01-05T10:00:30Z")])
        #expect(
            try kit.deltas(["--from", "2026-01-05T10:01:00.001Z"]) == [
                "2026-01-05T10:02:00Z c a enter"
            ]
        )
        #expect(
            try kit.deltas(["--from", "2026-01-05T09:00:00Z"]) == ["2026-01-05T10:01:00Z c a enter"]
        )
        #expect(try kit.deltas(["--from", "1767607261000"]) == ["2026-01-05T10:02:00Z c a enter"])
    }

    @Test("--at ticks at just those instants, sorted and each once")
    func at() throws {
        let kit = try CommandKit(events: [CommandKit.x("a", "2026-01-05T10:00:00Z")])
        let expected = ["2026-01-05T10:00:00Z c a enter", "2026-01-05T10:05:00Z c a exit"]
        #expect(
            try kit.deltas([
                "--at", "2026-01-05T10:05:00Z", "2026-01-05T10:00:00Z", "--at", "1767607200000",
            ]) == expected
        )
        #expect(try kit.members(["--at", "2026-01-05T09:59:59Z"]) == ["c": []])
    }

    @Test("--unordered takes the whole file first")
    func unordered() throws {
        let kit = try CommandKit(
            events: [
                CommandKit.x("b", "2026-01-05T10:06:00Z"),
                CommandKit.x("a", "2026-01-05T10:01:00Z"),
            ])
        #expect(try kit.members(["--at", "2026-01-05T10:05:00Z"]) == ["c": []])
        #expect(try kit.members(["--at", "2026-01-05T10:05:00Z", "--unordered"]) == ["c": ["a"]])
    }

    @Test("Without an accepted event there is no tick unless it is asked for")
    func nothingAccepted() throws {
        let kit = try CommandKit(events: ["", "  \t"])
        let run = try kit.replay(["--deltas", "d", "--members", "-"])
        #expect(run.status == 0)
        #expect(run.outputText == "{\"cohort\":\"c\",\"count\":0,\"users\":[]}\n")
        #expect(try kit.folder.text("d").isEmpty)
        #expect(run.errors == "rejected 0 of 0\n")
        #expect(try kit.members(["--until", "2026-01-05T10:00:00Z"]) == ["c": []])
    }

    @Test("stdin, CR before LF, lines of white space and a last line without LF are read")
    func lines() throws {
        let kit = try CommandKit()
        let text =
            CommandKit.x("a", "2026-01-05T10:00:00Z") + "\r\n \t\r\n\n"
            + CommandKit.x("b", "2026-01-05T10:00:01Z")
        let run = try kit.run(
            ["replay", "--cohorts", "cohorts.yaml", "--events", "-"],
            input: text
        )
        #expect(run.status == 0)
        #expect(run.outputText == "{\"cohort\":\"c\",\"count\":2,\"users\":[\"a\",\"b\"]}\n")
        #expect(run.errors == "rejected 0 of 2\n")
    }

    @Test("A line longer than any buffer is read whole")
    func longLine() throws {
        let padding = String(repeating: "p", count: 900_000)
        let kit = try CommandKit(
            events: [
                #"{"user_id":"a","event_type":"x","time":1767607200000,"more":"\#(padding)"}"#,
                CommandKit.x("b", "2026-01-05T10:00:01Z"),
            ])
        #expect(try kit.members() == ["c": ["a", "b"]])
    }

    @Test(
        "Only the keys that replay reads are taken from --config, and the environment is not looked at"
    )
    func config() throws {
        let kit = try CommandKit(
            cohorts: "id: c\nusers: {active: {}}\n",
            events: [
                CommandKit.x("a", "2026-01-05T10:00:00Z"),
                #"{"user_id":"b","event_type":"ping","time":"2026-01-05T10:00:00Z"}"#,
            ]
        )
        try kit.folder.write(
            "cohortd.yaml",
            "inactive_events: [ping]\ntick: 1s\ninclude: {cohorts: nowhere}\n"
        )
        #expect(try kit.members() == ["c": ["a", "b"]])
        #expect(try kit.members(["--config", "cohortd.yaml"]) == ["c": ["a"]])
    }
}
