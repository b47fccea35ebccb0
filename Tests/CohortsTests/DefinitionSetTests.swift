import Basics
import Cohorts
import Foundation
import Testing

/// What is checked across definitions and files, and how problems are shown.
@Suite("Sets of definitions")
struct DefinitionSetTests {
    private func check(_ files: (name: String, text: String)...) -> [String] {
        DefinitionParser.parse(
            files.map { DefinitionSource(name: $0.name, bytes: Array($0.text.utf8)) },
            isTimeZone: zones.contains
        ).problems.map(\.description)
    }

    @Test("an id that occurs twice names its first place, also in another file")
    func duplicateIDs() {
        let problems = check(
            ("a.yaml", "id: x\nusers: {active: {}}\n"),
            ("b.yaml", "# second\nid:   x\nusers: {new: {}}\n")
        )
        #expect(
            problems == [#"b.yaml:2:7: error[duplicate_id]: the id "x" is taken by a.yaml:1:5"#]
        )
    }

    @Test("an id counts as taken and as known although its definition is wrong")
    func wrongDefinitionsKeepTheirIDs() {
        let problems = check(
            ("a.yaml", "id: x\nusers: {performed: {}}\n"),
            ("b.yaml", "id: y\nusers: {member_of: x}\n")
        )
        #expect(problems == ["a.yaml:2:20: error[empty]: `performed` cannot be an empty map"])
    }

    @Test("an unknown id suggests the nearest one")
    func unknownIDs() {
        let problems = check(
            ("a.yaml", "id: cart-abandoners\nusers: {active: {}}\n"),
            (
                "b.yaml",
                "id: y\nusers: {all: [{member_of: cart-abandonners}, {not: {member_of: zzz}}]}\n"
            )
        )
        #expect(
            problems == [
                #"b.yaml:2:27: error[unknown_id]: there is no cohort "cart-abandonners" (did you mean "cart-abandoners"?)"#,
                #"b.yaml:2:64: error[unknown_id]: there is no cohort "zzz""#,
            ]
        )
    }

    @Test("an id is not called unknown while a document cannot be read")
    func unreadableDocumentsMayHoldIDs() {
        let problems = check(
            ("a.yaml", "id: x\nusers: {active: {}\n"),
            ("b.yaml", "id: y\nusers: {member_of: x}\n")
        )
        #expect(problems.count == 1)
        #expect(problems[0].hasPrefix("a.yaml:3:1: error[yaml_syntax]: "))
    }

    @Test("a cycle is reported once, with its path")
    func cycles() {
        let problems = check(
            ("a.yaml", "id: a\nusers: {all: [{member_of: b}, {member_of: d}]}\n"),
            ("b.yaml", "id: b\nusers: {not: {member_of: c}}\n---\nid: c\nusers: {member_of: a}\n"),
            ("d.yaml", "id: d\nusers: {member_of: e}\n---\nid: e\nusers: {active: {}}\n")
        )
        #expect(
            problems == [
                "b.yaml:5:20: error[cycle]: cohorts that are members of each other: a → b → c → a"
            ]
        )
    }

    @Test("a long chain of references is no cycle and needs no stack")
    func longChain() {
        let count = 20_000
        let text = (0..<count).map { index in
            let users = index + 1 < count ? "{member_of: c\(index + 1)}" : "{active: {}}"
            return "id: c\(index)\nusers: \(users)\n---\n"
        }.joined()
        #expect(check(("a.yaml", text)) == [])
    }

    @Test("all problems of all files come at once, by file and place")
    func everythingAtOnce() {
        let problems = check(
            (
                "z.yaml",
                """
                id: Big
                users:
                  all:
                    - performed: {event: x, wihtin: 3d, last: 7}
                    - property: {plan: {starts: pro}, age: {gt: old}}
                    - actve: {}
                """
            ),
            (
                "a.yaml",
                "id: a\nusers: {performed: {event: x, version: 1, count: {gt: 1, gte: -1}}}\n"
            ),
            ("b.json", #"{"id": "b", "users": {"performed": {"event": 5}}}"#)
        )
        #expect(
            problems == [
                #"z.yaml:1:5: error[bad_id]: "Big" is no id (expected 1 to 64 of a-z 0-9 _ -, the first a letter or digit)"#,
                #"z.yaml:4:29: error[unknown_key]: unknown key "wihtin" (did you mean "within_first"?)"#,
                "z.yaml:4:47: error[wrong_type]: a duration is a text, not a number (expected an integer and one of s m h d w such as 7d)",
                #"z.yaml:5:25: error[unknown_key]: unknown key "starts" (did you mean "starts_with"?)"#,
                "z.yaml:5:49: error[never_holds]: `gt` never holds for old (expected a number, a date such as 2026-01-31 or an instant such as 2026-01-31T12:00:00Z)",
                #"z.yaml:6:7: error[unknown_key]: unknown key "actve" (did you mean "active"?)"#,
                #"a.yaml:2:31: error[unknown_key]: unknown key "version" (expected one of event where where_user same count relative sum avg min max distinct nth on_distinct last offset align exclude_current since between within_first)"#,
                "a.yaml:2:63: error[out_of_range]: `gte` cannot be -1 (expected 0 to 1000000000)",
                #"b.json:1:46: error[not_text]: an event's name is a text, and 5 is a number: quote it (expected "5")"#,
            ]
        )
    }

    @Test("a version without quotes is refused with the remedy")
    func versionRemedy() {
        let problems = check(
            ("a.yaml", "id: a\nusers: {property: {app_version: {version_gte: 2.10}}}\n")
        )
        #expect(
            problems == [
                #"a.yaml:2:47: error[not_text]: a version is a text, and 2.10 without quotes is a number: quote it (expected "2.10")"#
            ]
        )
    }

    @Test("columns count Unicode scalars, also after a byte order mark")
    func columns() {
        let problems = check(
            ("a.yaml", "\u{feff}id: a\nusers: {property: {\"e\u{301}😀\": null}}\n")
        )
        #expect(problems.count == 1)
        #expect(problems[0].hasPrefix("a.yaml:2:27: error[null_operand]: "))
    }

    @Test("a message is one short line whatever the value is")
    func oneLine() {
        let long = String(repeating: "x", count: 100_000)
        let problems = check(("a.yaml", "id: \"a\\n\\e[31m\(long)\"\nusers: {active: {}}\n"))
        #expect(problems.count == 1)
        #expect(problems[0].hasPrefix(#"a.yaml:1:5: error[bad_id]: "a\u{a}\u{1b}[31mxxx"#))
        #expect(problems[0].utf8.count < 300)
    }

    @Test("32 clauses deep is enough, 33 is too deep")
    func depth() {
        func nested(_ depth: Int, _ open: String, _ close: String) -> String {
            let wraps = depth - 1
            return "id: a\nusers: "
                + String(repeating: open, count: wraps)
                + "{performed: {event: x, count: {between: [1, 2]}}}"
                + String(repeating: close, count: wraps) + "\n"
        }
        #expect(check(("a", nested(32, "{not: ", "}"))) == [])
        #expect(check(("a", nested(32, "{all: [", "]}"))) == [])
        let column = 8 + 32 * 6
        #expect(
            check(("a", nested(33, "{not: ", "}"))) == [
                "a:2:\(column): error[clauses_too_deep]: clauses nest more than 32 deep: use `member_of` for a part"
            ]
        )
    }

    @Test("1,000 clauses are allowed, one more is said once")
    func clauseCount() {
        func wide(_ count: Int) -> String {
            let clauses = Array(repeating: "{active: {}}", count: count - 1).joined(
                separator: ",\n"
            )
            return "id: a\nusers: {all: [\n\(clauses)]}\n"
        }
        #expect(check(("a", wide(1000))) == [])
        #expect(
            check(("a", wide(1100))) == [
                "a:1002:1: error[too_many_clauses]: more than 1000 clauses: split the cohort"
            ]
        )
    }

    @Test("docs/errors.md lists the code of every problem, and no other")
    func codesAreDocumented() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../docs/errors.md")
        let section = try String(contentsOf: page, encoding: .utf8)
            .components(separatedBy: "\n## ").first { $0.hasPrefix("Definitions\n") }
        let rows = try #require(section).components(separatedBy: "\n| `")
        let words = rows.dropFirst().map { $0.prefix { $0 != "`" } }
        #expect(words.map(String.init) == ProblemCode.allCases.map(\.rawValue))
        let grammar = try Regex("[a-z][a-z0-9]*(_[a-z0-9]+)*")
        #expect(words.allSatisfy { $0.wholeMatch(of: grammar) != nil })
    }
}
