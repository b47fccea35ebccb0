import Templates
import Testing

@Suite("Ids of the partner's own")
struct LookupTests {
    private func template(_ lookup: String) -> TestTemplate {
        TestTemplate(
            members:
                "{change: {method: PUT, path: /m, body: {add: {$each: adds, item: '${u.partner_id}'}, remove: {$each: removes, item: '${u.partner_id}'}}}}",
            rest: "lookup: \(lookup)"
        )
    }

    private let batchRead = """
        {request: {method: POST, path: /contacts/batch/read, body: {idProperty: email, inputs: {$each: batch, item: {id: '${u.id}'}}}}, key: '/results/*/properties/email', id: '/results/*/id', batch: 2, ttl: 10m, missing: skip}
        """
    private let filter = """
        {request: {method: GET, path: /api/profiles, query: {filter: 'any(external_id,${lookup.keys|json})'}}, key: '/data/*/attributes/external_id', id: '/data/*/id'}
        """
    private let single = """
        {request: {method: GET, path: '/users/${u.id}'}, key: '/users/*/ref', id: '/users/*/id', batch: 1}
        """

    @Test("asked for in a body, in a query, and one by one")
    func requests() throws {
        var goldens: [String] = []
        for lookup in [batchRead, filter, single] {
            let template = try TemplatesTests.template(template(lookup).text)
            let users = try changes([TestUser("a\"b"), TestUser("c/d", false)], template).list
            let request = try #require(try bound(template).lookup(users, batch))
            #expect(request.name == "lookup.request")
            goldens.append(request.golden)
        }
        #expect(
            goldens == [
                """
                POST https://api.example.com/contacts/batch/read
                Content-Type: application/json

                {"idProperty":"email","inputs":[{"id":"a\\"b"},{"id":"c/d"}]}

                """,
                """
                GET https://api.example.com/api/profiles?filter=any%28external_id%2C%5B%22a%5C%22b%22%2C%22c%2Fd%22%5D%29



                """,
                """
                GET https://api.example.com/users/a%22b



                """,
            ]
        )
    }

    @Test("member requests name users by what was found")
    func members() throws {
        let template = try TemplatesTests.template(template(batchRead).text)
        let users = try changes([TestUser("a"), TestUser("b", false)], template).list
        let binding = try bound(template)
        let named = users.naming([0: "11", 1: "2\"2"])
        var plan = binding.plan(named, batch)
        let requests = plan.all()
        #expect(requests.map(\.bodyText) == [#"{"add":["11"],"remove":["2\"2"]}"#])
    }

    @Test("answers")
    func answers() throws {
        let binding = try bound(TemplatesTests.template(template(batchRead).text))
        let users = try changes([TestUser("a"), TestUser("b")], binding.template).list
        let request = try #require(binding.lookup(users, batch))
        func judge(_ body: String, isCut: Bool = false) -> String {
            let answer = TemplateAnswer(status: 207, body: Array(body.utf8), isBodyCut: isCut)
            switch binding.judgeLookup(answer, of: request, users: users, now: batch.tick) {
            case .found(let found): return "\(found.sorted { $0.key < $1.key })"
            case .refused(let verdict):
                return "\(verdict.outcome) \(verdict.reason ?? "") \(verdict.isSplit)"
            }
        }
        #expect(
            judge(
                #"{"results":[{"id":"11","properties":{"email":"a"}},{"id":22,"properties":{"email":"b"}},{"id":"3"},7]}"#
            ) == #"[(key: "a", value: "11"), (key: "b", value: "22")]"#
        )
        #expect(judge("{}") == "[]")
        #expect(judge(#"{"results":["#, isCut: true) == "fatal answer_unreadable true")
        #expect(judge("<html>") == "fatal answer_unreadable true")
    }

    @Test(
        "mistakes are told with place and remedy",
        arguments: [
            (
                "{}",
                [
                    "9:9: error[missing_key]: lookup.key is missing (expected JSON pointer)",
                    "9:9: error[missing_key]: lookup.id is missing (expected JSON pointer)",
                    "9:9: error[missing_key]: lookup.request is missing (expected {method, path, body})",
                ]
            ),
            (
                "{request: {method: GET, path: /p}, key: '/a/*/k', id: '/a/*/i'}",
                [
                    "9:19: error[conflict]: lookup.request: names no users: add a $each, ${lookup.keys}, or lookup.batch: 1"
                ]
            ),
            (
                "{request: {method: GET, path: '/p/${u.id}'}, key: '/a/*/k', id: '/b/*/i', batch: 1}",
                [
                    "9:9: error[conflict]: lookup.key: expected key and id in the same elements, such as /results/*/email and /results/*/id"
                ]
            ),
            (
                "{request: {method: GET, path: '/p/${u.partner_id}'}, key: '/a/*/k', id: '/a/*/i', batch: 1}",
                [
                    "9:39: error[bad_value]: lookup.request.path: there is no placeholder \"${u.partner_id}\" (expected one of cohort.id, cohort.name, cohort.created_at, audience.id, u.row, u.entering, batch.id, batch.tick, lookup.keys, u.id)"
                ]
            ),
            (
                "{request: {method: POST, path: /p, body: {a: {$each: adds, item: '${u.id}'}}}, key: '/a/*/k', id: '/a/*/i'}",
                [
                    "9:19: error[conflict]: lookup.request: asks for users of both directions: write $each: batch"
                ]
            ),
            (
                "{request: {method: GET, path: /p, query: {f: '${lookup.keys}'}}, key: '/a/*/k', id: '/a/*/i', missing: add}",
                [
                    "9:112: error[bad_value]: lookup.missing: \"add\" is not known (expected one of skip)"
                ]
            ),
        ]
    )
    func mistakes(_ lookup: String, _ expected: [String]) {
        #expect(problems(template(lookup).text) == expected.map { "t.yaml:" + $0 })
    }

    @Test("one key names users, and its name is not that of what is found")
    func keys() {
        var written = template(batchRead)
        written.identity =
            "{keys: [{name: id, from: user_id}, {name: partner_id, from: device_id}]}"
        #expect(
            problems(written.text) == [
                "t.yaml:9:9: error[conflict]: lookup: users are looked up by one key: leave one of identity.keys",
                "t.yaml:9:9: error[conflict]: lookup: ${u.partner_id} is what is found: name the key of identity otherwise",
            ]
        )
    }
}
