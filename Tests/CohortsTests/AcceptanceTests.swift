import Basics
import Cohorts
import Events
import Testing
import YAML

/// Every construct of the language once, and what it is read as.
@Suite("What is accepted")
struct AcceptanceTests {
    @Test(
        "clauses that break no rule",
        arguments: [
            "{all: [{active: {}}, {any: [{inactive: {}}, {not: {new: {}}}]}]}",
            "{active: {last: 7d}}", "{active: {last: 1s, offset: 36500d}}",
            "{active: {last: 5214w}}",
            "{active: {last: 7d, align: day}}", "{active: {last: 2w, align: week, offset: 1h}}",
            "{active: {last: 1d, align: day, exclude_current: false}}",
            "{new: {since: 2024-02-29}}", "{new: {since: \"2026-01-05t10:00:00.123456+05:45\"}}",
            "{inactive: {between: [2026-01-05, 2026-01-05]}}", "{active: {within_first: 1h}}",
            "{performed: {event: [x, y, x]}}", "{performed: {event: \"*\"}}",
            "{performed: {event: _active, where: {a.b: 1}, where_user: {country: [US, GB]}}}",
            "{performed: {event: x, same: [p, q], count: {gte: 1, is_not: 3}}}",
            "{performed: {event: x, same: p, sum: {property: v, is: {gte: 0.000001}}}}",
            "{performed: {event: x, same: p, avg: {property: v, is: {lte: 5}}}}",
            "{performed: {event: x, same: p, nth: 5}}",
            "{performed: {event: x, count: {between: [0, 1000000000]}}}",
            "{performed: {event: x, count: {is: 0}}}", "{performed: {event: x, count: 2.5}}",
            "{performed: {event: x, sum: {property: v, is: {gt: -1e20}}}}",
            "{performed: {event: x, min: {property: v, is: {between: [-1.5, 2]}}}}",
            "{performed: {event: x, distinct: {property: d, is: {lt: 1}}}}",
            "{performed: {event: x, relative: {op: is_not, event: [y, z], where: {a: 1}}}}",
            "{performed: {event: x, on_distinct: {interval: month, count: {gte: 2}, is: {lt: 3}}}}",
            "{performed: {event: x, on_distinct: {interval: 1h, is: 2}}}",
            "{performed: {event: x, on_distinct: {interval: 1h, is: 2}, last: 2h, offset: 30m}}",
            "{performed: {event: x, on_distinct: {interval: week, is: 2}, last: 2w, align: week}}",
            "{sequence: {steps: [{event: x}, {event: y, where: {a: 1}}], within: 1m, same: i, last: 1d}}",
            "{retained: {start: {event: s}, return: {event: r}, days: [0, 36500], last: 30d}}",
            "{retained: {start: {new: true}, return: {event: \"*\"}, days: [1, 2]}}",
            "{property: {p: x, q: 5, r: true, s: \"\", t: [a, 1, false], 7: 1, true: yes, \"\": 1}}",
            "{property: {p: {is: 5, is_not: [1, 2], contains: a, not_contains: [b]}}}",
            "{property: {p: {starts_with: [zz, x], ends_with: 5, set: true, glob: [\"a*\", 1]}}}",
            "{property: {p: {glob: \"[]a-][!-z]^\\\\\\\\[a-zA-Z]**/?\"}}}",
            "{property: {p: {gt: \" 5 \", gte: 2026-01-05, lt: \"2026-01-05T00:00:00+01:00\", lte: -1e5}}}",
            "{property: {p: {between: [5, \"5.0\"]}, q: {between: [2026-01-05, \"2026-01-05T00:00:00Z\"]}}}",
            "{property: {p: {version_gt: \"2.10\", version_lte: \"3\"}, q: {set_is: [a, 5], set_contains: a}}}",
            "{property: {p\u{301}: 1, \u{1e55}: 2}}",
            "{had_property: {p: 1, mode: most_recent, last: 7d}}",
            "{had_property: {p: {is_not: 1}}}",
            "{predicted: {prediction: churn, percentile: {gte: 90}}}",
            "{predicted: {prediction: churn, probability: 0.5}}", "{uploaded: true}",
        ]
    )
    func accepted(_ text: String) {
        let (definitions, problems) = parse("id: c\nusers: \(text)\n")
        #expect(problems.map(\.description) == [])
        #expect(definitions.count == 1)
    }

    @Test("a definition carries its words, its place and its defaults")
    func definition() throws {
        let text = """
            ---
            id: 0-a_z
            name: Cart abandoners
            description: |
              Two
              lines
            timezone: Asia/Kathmandu
            users: {active: {}}
            ---
            # nothing here
            ---
            id: second
            users:
              uploaded: true
            """
        let (definitions, problems) = parse(text)
        #expect(problems.isEmpty)
        let first = try #require(definitions.first)
        #expect(first.id == "0-a_z")
        #expect(first.name == "Cart abandoners")
        #expect(first.description == "Two\nlines\n")
        #expect(first.timezone == "Asia/Kathmandu")
        #expect(first.file == "cohorts.yaml")
        #expect(first.mark == Mark(line: 2, column: 1))
        #expect(first.users.mark == Mark(line: 8, column: 9))
        let second = try #require(definitions.last)
        #expect(definitions.count == 2)
        #expect(second.name == "second")
        #expect(second.description == "")
        #expect(second.timezone == nil)
        #expect(second.users.mark == Mark(line: 14, column: 3))
        #expect(
            String(decoding: second.document.json, as: UTF8.self)
                == #"{"id":"second","users":{"uploaded":true}}"#
        )
    }

    @Test("a performed clause without mode counts at least one, at any time")
    func performedDefaults() throws {
        guard case .performed(let performed) = clause("{performed: {event: x}}") else {
            Issue.record("refused")
            return
        }
        #expect(performed.filter == EventFilter(event: .named(["x"])))
        guard case .count(let predicate) = performed.mode else {
            Issue.record("another mode")
            return
        }
        #expect(predicate == NumberPredicate(tests: [test(.greaterOrEqual, .integer(1))]))
        #expect(performed.window.form == .anyTime)
        #expect(performed.window.mark == Mark(line: 2, column: 9))
        #expect(performed.modeMark == Mark(line: 2, column: 9))
    }

    @Test("selectors, filters and groups")
    func performedParts() throws {
        let text =
            "{performed: {event: [b, a, b], where: {price: {gte: 20}}, where_user: {c: [US]}, same: [q, p]}}"
        guard case .performed(let performed) = clause(text) else {
            Issue.record("refused")
            return
        }
        #expect(performed.filter.event == .named(["b", "a"]))
        #expect(
            performed.filter.whereEvent == [
                PropertyTest(name: "price", tests: [test(.greaterOrEqual, .integer(20))])
            ]
        )
        #expect(
            performed.filter.whereUser == [
                PropertyTest(name: "c", tests: [test(.equal, .text("US"))])
            ]
        )
        #expect(performed.same == ["q", "p"])
        guard case .performed(let any) = clause("{performed: {event: \"*\"}}"),
            case .performed(let active) = clause("{performed: {event: _active}}")
        else {
            Issue.record("refused")
            return
        }
        #expect(any.filter.event == .any)
        #expect(active.filter.event == .active)
    }

    @Test(
        "windows",
        arguments: [
            ("{}", Window.Form.anyTime),
            ("{last: 90s}", .last(milliseconds: 90_000, offset: 0)),
            ("{last: 2w, offset: 1d}", .last(milliseconds: 1_209_600_000, offset: 86_400_000)),
            (
                "{last: 7d, align: day}",
                .aligned(unit: .day, count: 7, excludeCurrent: false, offset: 0)
            ),
            (
                "{exclude_current: true, align: week, last: 2w, offset: 1h}",
                .aligned(unit: .week, count: 2, excludeCurrent: true, offset: 3_600_000)
            ),
            ("{since: 1970-01-02}", .dates(from: .init(daysSince1970: 1), to: nil)),
            (
                "{between: [1969-12-31, 1970-01-01]}",
                .dates(from: .init(daysSince1970: -1), to: .init(daysSince1970: 0))
            ),
            (
                "{since: \"1969-12-31T23:59:59.9999Z\"}",
                .instants(from: EventTime(milliseconds: -1), to: nil)
            ),
            (
                "{between: [\"1970-01-01T01:00:00+01:00\", \"1970-01-01T00:00:01.5009Z\"]}",
                .instants(from: EventTime(milliseconds: 0), to: EventTime(milliseconds: 1500))
            ),
            ("{within_first: 3h}", .withinFirst(milliseconds: 10_800_000)),
        ]
    )
    func windows(_ text: String, _ form: Window.Form) {
        guard case .new(let window) = clause("{new: \(text)}") else {
            Issue.record("refused")
            return
        }
        #expect(window.form == form)
    }

    @Test(
        "operands keep their kind",
        arguments: [
            ("9223372036854775807", Operand.integer(.max)),
            ("9223372036854775808", .double(9_223_372_036_854_775_808)),
            ("5.0", .double(5)), ("-0.0", .double(0)), ("-0", .integer(0)), ("1e3", .double(1000)),
            ("0x1F", .integer(31)), ("no", .text("no")), ("\"5\"", .text("5")),
            ("12:30", .text("12:30")),
            ("2026-01-05", .text("2026-01-05")), ("True", .boolean(true)),
        ]
    )
    func operands(_ text: String, _ operand: Operand) {
        guard case .property(let tests) = clause("{property: {p: \(text)}}") else {
            Issue.record("refused")
            return
        }
        #expect(tests == [PropertyTest(name: "p", tests: [test(.equal, operand)])])
    }

    @Test("predicate maps keep every key and list")
    func predicateMaps() throws {
        let text = "{property: {p: {is_not: [a, 2], between: [1, 2.5], set: false}, q: [x, y]}}"
        guard case .property(let tests) = clause(text) else {
            Issue.record("refused")
            return
        }
        #expect(
            tests == [
                PropertyTest(
                    name: "p",
                    tests: [
                        test(.notEqual, .text("a"), .integer(2)),
                        test(.between, .integer(1), .double(2.5)), test(.set, .boolean(false)),
                    ]
                ),
                PropertyTest(name: "q", tests: [test(.equal, .text("x"), .text("y"))]),
            ]
        )
    }

    @Test("modes")
    func modes() throws {
        func mode(_ text: String) -> Performed.Mode? {
            guard case .performed(let performed) = clause("{performed: {event: x, \(text)}}") else {
                return nil
            }
            return performed.mode
        }
        let three = NumberPredicate(tests: [test(.equal, .integer(3))])
        guard case .count(let count) = mode("count: 3"), count == three else {
            Issue.record("count")
            return
        }
        guard case .relative(.less, let to) = mode("relative: {op: lt, event: y, where: {a: 1}}"),
            to.event == .named(["y"]), to.whereEvent.count == 1
        else {
            Issue.record("relative")
            return
        }
        guard case .sum("p", three) = mode("sum: {property: p, is: 3}"),
            case .average("p", three) = mode("avg: {property: p, is: 3}"),
            case .minimum("p", three) = mode("min: {property: p, is: 3}"),
            case .maximum("p", three) = mode("max: {property: p, is: 3}"),
            case .distinct("p", three) = mode("distinct: {property: p, is: 3}")
        else {
            Issue.record("aggregates")
            return
        }
        guard case .nth(4) = mode("nth: 4"),
            case .onDistinct(.milliseconds(3_600_000), _, three) = mode(
                "on_distinct: {interval: 1h, is: 3}"
            ),
            case .onDistinct(.week, three, three) = mode(
                "on_distinct: {interval: week, count: 3, is: 3}"
            )
        else {
            Issue.record("nth and on_distinct")
            return
        }
    }

    @Test("sequence, retained, had_property, predicted and member_of")
    func otherClauses() throws {
        guard
            case .sequence(let sequence) = clause(
                "{sequence: {steps: [{event: x}, {event: y}], within: 1m, same: i, last: 1h}}"
            )
        else {
            Issue.record("sequence")
            return
        }
        #expect(
            sequence.steps == [
                EventFilter(event: .named(["x"])), EventFilter(event: .named(["y"])),
            ]
        )
        #expect(sequence.within == 60_000)
        #expect(sequence.same == ["i"])
        #expect(sequence.window.form == .last(milliseconds: 3_600_000, offset: 0))
        guard
            case .retained(let retained) = clause(
                "{retained: {start: {new: true}, return: {event: r}, days: [1, 7]}}"
            ),
            case .firstSeen = retained.start
        else {
            Issue.record("retained")
            return
        }
        #expect(retained.end == EventFilter(event: .named(["r"])))
        #expect(retained.days == (1, 7))
        guard
            case .hadProperty(let had) = clause(
                "{had_property: {p: 1, mode: most_recent, last: 1d}}"
            )
        else {
            Issue.record("had_property")
            return
        }
        #expect(had.mostRecent)
        #expect(had.tests.map(\.name) == ["p"])
        guard
            case .predicted(let predicted) = clause("{predicted: {prediction: x, probability: 1}}")
        else {
            Issue.record("predicted")
            return
        }
        #expect(!predicted.byPercentile)
        let (definitions, problems) = parse(
            "id: a\nusers: {member_of: b}\n---\nid: b\nusers: {uploaded: true}\n"
        )
        #expect(problems.isEmpty)
        guard case .memberOf("b") = definitions.first?.users.kind else {
            Issue.record("member_of")
            return
        }
    }

    private func test(_ op: PredicateOperator, _ operands: Operand...) -> PredicateTest {
        PredicateTest(op: op, operands: operands)
    }
}

extension NumberPredicate {
    /// Lets a predicate stand in a pattern.
    static func ~= (pattern: NumberPredicate, value: NumberPredicate) -> Bool { pattern == value }
}
