import Basics
import Configuration
import Engine
import Replay
import TestKit
import Testing

/// Filters that ask one property for texts are answered together; it must make no difference.
@Suite("Filters of events")
struct TraceFilterTests {
    /// What an event of type `e` carries, and which of the cohorts it brings its user into.
    private static let events: [(value: String, cohorts: Set<String>)] = [
        (#""p":"a""#, ["a", "a-or-5", "ab", "all", "any", "p-and-q"]),
        (#""p":"a","q":"a""#, ["a", "a-or-5", "ab", "all", "any", "q"]),
        (#""p":"b""#, ["ab", "all", "not-a"]),
        (#""p":"A""#, ["all", "not-a"]),
        (#""p":"""#, ["all", "empty", "not-a"]),
        (#""p":"5""#, ["a-or-5", "all", "five", "not-a"]),
        (#""p":5"#, ["a-or-5", "all", "five", "not-a"]),
        (#""p":5.0"#, ["a-or-5", "all", "five", "not-a"]),
        (#""p":1.5"#, ["all", "not-a", "one-and-a-half"]),
        (#""p":"true""#, ["all", "is-true", "not-a"]),
        (#""p":true"#, ["all", "is-true", "not-a"]),
        (#""p":["x","a"]"#, ["a", "a-or-5", "ab", "all", "any", "p-and-q"]),
        (#""p":["b","b"]"#, ["ab", "all", "not-a"]),
        (#""p":["x",5]"#, ["a-or-5", "all", "five", "not-a"]),
        (#""p":[]"#, ["all", "not-a"]),
        (#""p":{"a":"a"}"#, ["all", "not-a"]),
        (#""p":null"#, ["all", "not-a"]),
        (#""r":"a""#, ["all", "not-a"]),
        (#""r":1},"user_properties":{"p":"a""#, ["all", "not-a", "of-user"]),
        (#""r":1},"user_properties":{"p":"b""#, ["all", "not-a"]),
    ]

    private static let clauses = [
        ("a", "where: {p: a}"), ("ab", "where: {p: [a, b, a]}"), ("five", #"where: {p: "5"}"#),
        ("empty", #"where: {p: ""}"#), ("q", "where: {q: a}"), ("not-a", "where: {p: {is_not: a}}"),
        ("p-and-q", "where: {p: a, q: {set: false}}"), ("a-or-5", "where: {p: [a, 5]}"),
        ("one-and-a-half", #"where: {p: "1.5"}"#), ("is-true", #"where: {p: "true"}"#),
        ("of-user", "where_user: {p: a}"),
    ]

    @Test("An event is counted by the filters that its values pass, and once by each")
    func values() throws {
        let yaml =
            Self.clauses.map {
                "id: \($0)\nusers: {performed: {event: e, last: 1d, count: {is: 1}, \($1)}}\n"
                    + "---\n"
            }.joined() + "id: all\nusers: {performed: {event: e, last: 1d, count: {is: 1}}}\n---\n"
            + "id: any\n"
            + #"users: {performed: {event: "*", last: 1d, count: {is: 1}, where: {p: a}}}"#
            + "\n"
        let plan = try OracleCase.plan(yaml: yaml)
        var run = ReplayRun(
            plan: plan,
            settings: ReplayConfiguration(),
            schedule: .at([EventTime(milliseconds: 2000)]),
            unordered: false
        )
        var lines = Self.events.enumerated().map { number, event in
            #"{"user_id":"\#(number)","event_type":"e","time":1000,"event_properties":{"#
                + event.value + "}}"
        }
        // A type that no cohort names.
        lines.append(#"{"user_id":"f","event_type":"f","time":1000,"event_properties":{"p":"a"}}"#)
        var found: [String: Set<String>] = [:]
        func ticked(_ shard: borrowing Shard, _ tick: EventTime, _ deltas: [Delta]) {
            for delta in TickRecord(shard, tick, deltas).deltas {
                found[String(decoding: delta.user, as: UTF8.self), default: []].insert(delta.cohort)
            }
        }
        for (number, line) in lines.enumerated() {
            line.withByteView {
                run.read(
                    line: $0,
                    number: number + 1,
                    reject: { Issue.record("\(line): \($0)") },
                    ticked: ticked
                )
            }
        }
        run.finish(ticked: ticked)
        for (number, event) in Self.events.enumerated() {
            #expect(found["\(number)"] == event.cohorts, "\(event.value)")
        }
        #expect(found["f"] == ["any"])
    }
}
