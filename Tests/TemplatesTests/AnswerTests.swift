import Basics
import Templates
import Testing

@Suite("What answers mean")
struct AnswerTests {
    private let now = EventTime(milliseconds: 1_767_323_040_000)

    private func verdict(
        _ rules: String,
        _ answer: TemplateAnswer,
        users: Int = 3,
        body: String = "{users: {$each: changes, item: '${u.id}'}}"
    ) throws -> TemplateVerdict {
        var text = TestTemplate()
        text.responses = "[\(rules), {when: {status: [200-599]}, then: retry}]"
        text.members = "{change: {method: POST, path: /u, body: \(body)}}"
        let template = try template(text.text)
        let list = try changes((0..<users).map { TestUser("u\($0)") }, template).list
        let binding = try bound(template)
        var plan = binding.plan(list, batch)
        let request = plan.next()
        return binding.judge(answer, of: try #require(request), changes: list, now: now)
    }

    private func json(_ status: Int, _ body: String) -> TemplateAnswer {
        TemplateAnswer(status: status, body: Array(body.utf8))
    }

    @Test("users are named by a pointer into what was sent")
    func pointers() throws {
        let rule =
            "{when: {status: [400]}, then: accepted, scope: items, items: {at: /errors, key: {pointer: /source/pointer}, reason: /title}}"
        let verdict = try verdict(
            rule,
            json(
                400,
                #"{"errors":[{"title":"TOO_LONG","source":{"pointer":"/users/1/id"}},{"title":"user u2 is bad","source":{"pointer":"/users/2"}}]}"#
            )
        )
        #expect(
            verdict.users == [
                TemplateVerdict.User(
                    change: 1,
                    outcome: .skip,
                    reason: "rejected_by_partner",
                    code: "TOO_LONG"
                ),
                TemplateVerdict.User(change: 2, outcome: .skip, reason: "rejected_by_partner"),
            ]
        )
        #expect(!verdict.isComplete)
    }

    @Test("users with the same identifier are all named by it")
    func sharedIDs() throws {
        var text = TestTemplate()
        text.responses =
            "[{when: {status: [200-599]}, then: delivered, scope: items, items: {at: /bad, key: {id: /mail}}}]"
        let template = try template(text.text)
        let list = try changes(["a", "b", "a"].map { TestUser($0) }, template).list
        let binding = try bound(template)
        var plan = binding.plan(list, batch)
        let next = plan.next()
        let verdict = binding.judge(
            json(200, #"{"bad":[{"mail":"a"}]}"#),
            of: try #require(next),
            changes: list,
            now: now
        )
        #expect(verdict.users.map(\.change) == [0, 2])
    }

    @Test(
        "waiting times in every unit",
        arguments: [
            ("s", "7", 7000), ("s", "x", nil), ("ms", "1500", 1500),
            ("epoch_s", "1767323050", 10_000), ("epoch_s", "1", 0),
            ("epoch_ms", "1767323040001", 1),
            ("http_date", "Fri, 02 Jan 2026 03:04:10 GMT", 10_000),
            ("http_date", "7", nil), ("epoch_s", "99999999999999999999", nil),
            ("meta_buc", #"{"1":[{"estimated_time_to_regain_access":2}]}"#, 120_000),
            ("meta_buc", "[]", nil), ("ms", "-5", nil),
        ] as [(String, String, Int64?)]
    )
    func waiting(unit: String, header: String, expected: Int64?) throws {
        let rule = "{when: {status: [429]}, then: throttle, after: {header: X-Wait, unit: \(unit)}}"
        let answer = TemplateAnswer(status: 429, headers: [("x-wait", header)])
        #expect(try verdict(rule, answer).retryAfterMilliseconds == expected)
    }

    @Test("rules by header")
    func headers() throws {
        let rule = "{when: {header: {name: X-Why, equals: locked}}, then: retry, reason: locked}"
        let locked = TemplateAnswer(status: 409, headers: [("x-why", "locked")])
        #expect(try verdict(rule, locked).reason == "locked")
        #expect(try verdict(rule, TemplateAnswer(status: 409)).reason == nil)
    }

    @Test("a refused batch is split, a refused user is not")
    func split() throws {
        let rule = "{when: {status: [400]}, then: skip, split: true, reason: bad}"
        #expect(try verdict(rule, json(400, "{}")).isSplit)
        let single = try verdict(rule, json(400, "{}"), users: 1)
        #expect(!single.isSplit)
        #expect(single.outcome == .skip)
    }

    @Test("an answer that is cut off may have named users, so it is no success")
    func cut() throws {
        let rule =
            "{when: {status: [200], body: {pointer: /bad, exists: true}}, then: delivered, scope: items, items: {at: /bad, key: id}}, {when: {status: [200]}, then: delivered}"
        var answer = json(200, #"{"bad":["u1"]}"#)
        #expect(try verdict(rule, answer).users.map(\.change) == [1])
        answer.isBodyCut = true
        let verdict = try verdict(rule, answer)
        #expect(verdict.outcome == .accepted)
        #expect(verdict.reason == "answer_unreadable")
        #expect(!verdict.isComplete)
    }

    @Test("an answer of any bytes traps nothing", arguments: 0..<40)
    func anyBytes(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let pieces = [
            "{", "}", "[", "]", "\"", ":", ",", "\"errors\"", "\"index\"", "-1", "1e999",
            "9223372036854775807",
            "null", "\\u0000", "\u{fe}", "99999999999999999999",
        ]
        var text = #"{"errors":["#
        for _ in 0..<generator.number(in: 0...30) {
            text += pieces[generator.number(in: 0...(pieces.count - 1))]
        }
        let endings = ["", "]}", "}]}"]
        text += endings[seed % 3]
        let rule =
            "{when: {status: [200], body: {pointer: /errors, exists: true}}, then: delivered, scope: items, items: {at: /errors, key: index}}"
        let verdict = try verdict(rule, json(200, text))
        #expect(verdict.users.allSatisfy { (0..<3).contains($0.change) })
    }
}
