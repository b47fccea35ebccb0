import Basics
import Configuration
import Engine
import Replay
import TestKit
import Testing

/// Filters that ask one property for texts are answered together; it must make no difference.
@Suite("Filters of events")
struct TraceFilterTests {
    /// What an event carries, and which of the cohorts it brings its user into.
    private static let events: [(value: String, cohorts: Set<String>)] = [
        (#""p":"a""#, ["a", "ab", "all", "p-and-q"]),
        (#""p":"a","q":"a""#, ["a", "ab", "all", "q"]),
        (#""p":"b""#, ["ab", "all", "not-a"]),
        (#""p":"A""#, ["all", "not-a"]),
        (#""p":"""#, ["all", "empty", "not-a"]),
        (#""p":"5""#, ["all", "five", "not-a"]),
        (#""p":5"#, ["all", "five", "not-a"]),
        (#""p":["x","a"]"#, ["a", "ab", "all", "p-and-q"]),
        (#""p":["b","b"]"#, ["ab", "all", "not-a"]),
        (#""p":["x",5]"#, ["all", "five", "not-a"]),
        (#""p":[]"#, ["all", "not-a"]),
        (#""p":{"a":"a"}"#, ["all", "not-a"]),
        (#""p":null"#, ["all", "not-a"]),
        (#""p":true"#, ["all", "not-a"]),
        (#""r":"a""#, ["all", "not-a"]),
    ]

    private static let clauses = [
        ("a", "{p: a}"), ("ab", "{p: [a, b, a]}"), ("five", #"{p: "5"}"#), ("empty", #"{p: ""}"#),
        ("q", "{q: a}"), ("not-a", "{p: {is_not: a}}"), ("p-and-q", "{p: a, q: {set: false}}"),
    ]

    @Test("An event is counted by the filters that its values pass, and once by each")
    func values() throws {
        let yaml =
            Self.clauses.map {
                "id: \($0)\nusers: {performed: {event: e, last: 1d, count: {is: 1}, where: \($1)}}\n---\n"
            }.joined() + "id: all\nusers: {performed: {event: e, last: 1d, count: {is: 1}}}\n"
        let plan = try OracleCase.plan(yaml: yaml)
        var run = ReplayRun(
            plan: plan,
            settings: ReplayConfiguration(),
            schedule: .at([EventTime(milliseconds: 2000)]),
            unordered: false
        )
        var found: [String: Set<String>] = [:]
        func ticked(_ shard: borrowing Shard, _ tick: EventTime, _ deltas: [Delta]) {
            for delta in TickRecord(shard, tick, deltas).deltas {
                found[String(decoding: delta.user, as: UTF8.self), default: []].insert(delta.cohort)
            }
        }
        for (number, event) in Self.events.enumerated() {
            let line =
                #"{"user_id":"\#(number)","event_type":"e","time":1000,"event_properties":{"#
                + event.value + "}}"
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
    }
}
