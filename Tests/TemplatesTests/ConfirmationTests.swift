import Templates
import Testing

@Suite("Jobs at the partner")
struct ConfirmationTests {
    private func template(_ confirm: String) -> TestTemplate {
        TestTemplate(
            responses:
                "[{when: {status: [202]}, then: accepted}, {when: {status: [200-599]}, then: retry}]",
            rest: "confirm: \(confirm)"
        )
    }

    private let confirm = """
        {request: {method: GET, path: '/jobs/${job.id}'}, id: /job/id, every: 5s, give_up: 1h, responses: [{when: {status: [200], body: {pointer: /status, equals: Complete}}, then: delivered, scope: items, items: {at: /results, key: index, rules: [{when: {pointer: /status, equals: OK}, then: delivered}, {then: skip, reason: rejected_by_partner}]}}, {when: {status: [200], body: {pointer: /status, equals: Error}}, then: retry}, {when: {status: [200]}, then: accepted}, {when: {status: [401]}, then: auth}, {when: {status: [400-599]}, then: retry}]}
        """

    @Test("the job is found in the answer, and asked about")
    func request() throws {
        let binding = try bound(TemplatesTests.template(template(confirm).text))
        func id(_ body: String) -> String? {
            binding.jobID(TemplateAnswer(status: 202, body: Array(body.utf8)))
        }
        #expect(id(#"{"job":{"id":"a/b"}}"#) == "a/b")
        #expect(id(#"{"job":{"id":17}}"#) == "17")
        #expect(id(#"{"job":{}}"#) == nil && id("") == nil && id(#"{"job":{"id":""}}"#) == nil)
        #expect(
            binding.jobRequest("a/b", batch)?.golden
                == "GET https://api.example.com/jobs/a%2Fb\n\n\n"
        )
    }

    @Test(
        "answers",
        arguments: [
            (200, #"{"status":"Pending"}"#, "running"), (503, "", "running"),
            (429, "", "running"), (302, "", "running"),
            (200, #"{"status":"Error"}"#, "ended retry"), (401, "", "ended auth"),
            (
                200,
                #"{"status":"Complete","results":[{"index":0,"status":"OK"},{"index":1,"status":"Bad"}]}"#,
                "ended delivered delivered skip"
            ),
        ]
    )
    func answers(_ status: Int, _ body: String, _ expected: String) throws {
        let template = try TemplatesTests.template(template(confirm).text)
        let binding = try bound(template)
        let users = try changes([TestUser("a"), TestUser("b")], template).list
        var plan = binding.plan(users, batch)
        let next = plan.next()
        let request = try #require(next)
        let answer = TemplateAnswer(status: status, body: Array(body.utf8))
        let text =
            switch binding.judgeJob(answer, of: request, changes: users, now: batch.tick) {
            case .running: "running"
            case .ended(let verdict):
                (["ended", verdict.outcome.rawValue] + verdict.users.map(\.outcome.rawValue))
                    .joined(separator: " ")
            }
        #expect(text == expected)
    }

    @Test("mistakes are told with place and remedy")
    func mistakes() {
        #expect(
            problems(template("{every: 1m, give_up: 2s}").text) == [
                "t.yaml:9:10: error[conflict]: confirm.give_up: is shorter than every, so nobody would ask",
                "t.yaml:9:10: error[missing_key]: confirm.id is missing (expected JSON pointer)",
                "t.yaml:9:10: error[missing_key]: confirm.request is missing (expected {method, path})",
                "t.yaml:9:10: error[missing_key]: confirm.responses is missing (expected a list of {when, then})",
            ]
        )
        var written = template(confirm)
        written.responses = "[{when: {status: [200-599]}, then: delivered}]"
        #expect(
            problems(written.text) == [
                "t.yaml:9:10: error[conflict]: confirm: no rule of responses says accepted, so there would be no job: add one"
            ]
        )
        #expect(
            problems(
                template(
                    "{request: {method: GET, path: /j}, id: /id, responses: [{when: {status: [200-499]}, then: delivered}]}"
                ).text
            ) == [
                "t.yaml:9:65: error[missing_key]: confirm.responses: no rule takes a 5xx answer: add {when: {status: [500]}, then: …}"
            ]
        )
    }
}
