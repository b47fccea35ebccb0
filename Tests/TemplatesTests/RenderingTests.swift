import Basics
import Foundation
import Templates
import Testing

@Suite("Rendering")
struct RenderingTests {
    /// The requests of a small template.
    private func requests(
        _ users: [TestUser],
        settings: [String: String] = [:],
        listID: String? = nil,
        cohort: TemplateCohort = cohort,
        _ change: (inout TestTemplate) -> Void
    ) throws -> [TemplateRequest] {
        var text = TestTemplate()
        change(&text)
        let template = try template(text.text)
        let binding = try bound(template, settings, listID: listID, cohort: cohort)
        var plan = binding.plan(try changes(users, template).list, batch)
        let requests = plan.all()
        #expect(plan.leftOut == [])
        return requests
    }

    private func body(_ body: String, _ users: [TestUser]) throws -> String {
        try requests(users) { $0.members = "{change: {method: POST, path: /u, body: \(body)}}" }
            .map(\.bodyText).joined(separator: "\n")
    }

    @Test(
        "directives",
        arguments: [
            (
                "{u: {$each: adds, item: '${u.id}'}, l: {$each: removes, item: '${u.id}'}}",
                #"{"u":["a"],"l":["b"]}"#
            ),
            (
                "[{$each: batch, item: {$if: u.entering, then: '+${u.id}', else: '-${u.id}'}}]",
                #"[["+a","-b"]]"#
            ),
            (
                "{u: {$each: changes, item: {id: '${u.id}', in: '${u.entering}', of: '${cohort.id}'}}}",
                #"{"u":[{"id":"a","in":true,"of":"7khm89cz"},{"id":"b","in":false,"of":"7khm89cz"}]}"#
            ),
            (
                "{u: {$each: changes, item: ['${u.row}', 1, 1.5, null, true]}}",
                #"{"u":[[["a"],1,1.5,null,true],[["b"],1,1.5,null,true]]}"#
            ),
            (
                "{names: '${identity.names}', u: {$each: changes, item: {$key: {name: 'x_${cohort.id}', value: '${u.id}'}}}}",
                #"{"names":["id"],"u":[{"x_7khm89cz":"a"},{"x_7khm89cz":"b"}]}"#
            ),
            (
                "{id: '${batch.id}', at: '${batch.tick|iso8601}', s: '${batch.tick|epoch}', ms: 't${batch.tick|epoch_ms}', u: {$each: changes, item: '${batch.id}/${u.id}'}}",
                #"{"id":"7khm89cz::enter::0","at":"2026-01-02T03:04:00Z","s":1767323040,"ms":"t1767323040000","u":["7khm89cz::enter::0/a","7khm89cz::enter::0/b"]}"#
            ),
            (
                "{$omit_empty: {a: '', b: [], c: {}, d: null, e: {$each: adds, item: '${u.id}'}, f: [{g: ''}], h: 0, u: {$each: changes, item: 1}}}",
                #"{"e":["a"],"h":0,"u":[1,1]}"#
            ),
            (
                "{a: {$if: cohort.name, then: yes, else: no}, b: {$if: batch.id, then: 1}, u: {$each: changes, item: '${u.id|slug}'}}",
                #"{"a":"yes","b":1,"u":["a","b"]}"#
            ),
            (
                "{u: {$each: changes, item: {$omit_empty: {i: '${u.id}', x: {$if: u.id, then: '', else: 1}}}}}",
                #"{"u":[{"i":"a"},{"i":"b"}]}"#
            ),
            (
                "{j: '${cohort.name|json}', u: {$each: changes, item: '${u.id|json}'}}",
                #"{"j":"\"Big spenders\"","u":["\"a\"","\"b\""]}"#
            ),
        ]
    )
    func directives(template: String, expected: String) throws {
        #expect(try body(template, [TestUser("a"), TestUser("b", false)]) == expected)
    }

    @Test("an element goes with its users, and a user with a cell that is empty leaves no item")
    func omission() throws {
        let template = try shipped("braze-cohorts")
        let binding = try bound(
            template,
            [
                "partner_name": "p", "partner_api_key": "k", "client_secret": "c",
                "host": "rest.fra-01.braze.eu",
            ]
        )
        let users = [
            TestUser("u1"), TestUser("", true, ["device_id": "d1"]),
            TestUser("", false, ["device_id": "d2"]),
        ]
        var plan = binding.plan(try changes(users, template).list, batch)
        let request = plan.next()
        #expect(
            request?.bodyText
                == #"{"cohort_id":"7khm89cz","cohort_changes":[{"user_ids":["u1"],"device_ids":["d1"]},{"device_ids":["d2"],"should_remove":true}],"partner_api_key":"k","client_secret":"c"}"#
        )
        #expect(request?.changes == [0, 1, 2])
    }

    @Test("whatever an id or a name holds, the body is JSON with exactly that in it")
    func escaping() throws {
        let ids = [
            "\"", "\\", "a\"b\\c", "\u{0}\u{1f}\n\t\r", "é\u{1F600}", "${u.id}", "</script>",
            "\u{7f}",
        ]
        var odd = cohort
        odd.name = "a\"b\\${u.id}\n"
        let requests = try requests(ids.map { TestUser($0) }, cohort: odd) {
            $0.members =
                "{change: {method: POST, path: /u, body: {n: '${cohort.name}', m: 'x ${cohort.name}', u: {$each: changes, item: ['${u.id}', 'x${u.id}', '${u.row}']}}}}"
        }
        let data = Data(try #require(requests.first).body)
        let tree = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(tree["n"] as? String == odd.name)
        #expect(tree["m"] as? String == "x " + odd.name)
        let users = try #require(tree["u"] as? [[Any]])
        #expect(users.map { $0[0] as? String } == ids)
        #expect(users.map { $0[1] as? String } == ids.map { "x" + $0 })
        #expect(users.map { $0[2] as? [String] } == ids.map { [$0] })
    }

    @Test("values in a URL are percent-encoded, once")
    func urls() throws {
        let requests = try requests([TestUser("a/b?c#d é")], settings: ["s": "x y/z", "t": "../q"])
        {
            $0.settings = "settings: {s: {type: string}, t: {type: string}}"
            $0.baseURL = "https://h.example.com/${settings.s}"
            $0.batch = "{max_items: 1}"
            $0.members =
                "{change: {method: PATCH, path: '/v1/${u.id|path}/${u.id}/${settings.t}', query: {a b: '${u.id}&=', $omit_empty: {c: '', d: '${cohort.name}'}}, body: {i: '${u.id}', in: '${u.entering}'}}}"
        }
        #expect(
            requests.map(\.url) == [
                "https://h.example.com/x%20y%2Fz/v1/a%2Fb%3Fc%23d%20%C3%A9/a%2Fb%3Fc%23d%20%C3%A9/..%2Fq?a+b=a%2Fb%3Fc%23d+%C3%A9%26%3D&d=Big+spenders"
            ]
        )
        #expect(requests.map(\.bodyText) == [#"{"i":"a/b?c#d é","in":true}"#])
    }

    @Test("a form is percent-encoded, and auth adds its fields")
    func forms() throws {
        let requests = try requests([TestUser("a&b=c")], settings: ["k": "s3cret&"]) {
            $0.settings = "settings: {k: {type: secret}}"
            $0.batch = "{max_items: 1}"
            $0.members =
                "{change: {method: POST, path: /u, encoding: form, body: {$omit_empty: {id: '${u.id}', in: '${u.entering}', e: '', n: 5}}}}"
            $0.rest = "auth: {kind: body, fields: {key: '${settings.k}'}}"
        }
        #expect(requests.map(\.bodyText) == ["id=a%26b%3Dc&in=true&n=5&key=s3cret%26"])
        #expect(
            requests.first?.headers.map(\.value) == ["application/x-www-form-urlencoded"]
        )
    }

    @Test("headers of a request go over those of the template; empty ones are left out")
    func headers() throws {
        let requests = try requests([TestUser("a")], settings: ["k": "s3cret"]) {
            $0.settings = "settings: {k: {type: secret}, o: {type: string}}"
            $0.members =
                "{change: {method: POST, path: /u, headers: {x-a: two, content-type: text/x}, auth: {kind: bearer, token: '${settings.k}'}, body: {users: {$each: changes, item: '${u.id}'}}}}"
            $0.rest = "headers: {X-A: one, X-O: '${settings.o}', X-C: '${cohort.id}'}"
        }
        let headers = try #require(requests.first).headers.map { "\($0.name): \($0.value)" }
        #expect(
            headers == [
                "X-C: 7khm89cz", "x-a: two", "content-type: text/x", "Authorization: Bearer s3cret",
            ]
        )
    }

    @Test("a cohort's name with a line break does not get into a header")
    func headerInjection() throws {
        var text = TestTemplate()
        text.rest = "headers: {X-N: '${cohort.name}'}"
        let template = try template(text.text)
        var odd = cohort
        odd.name = "a\r\nX-Evil: 1"
        #expect(
            throws: TemplateBindingError(problems: [
                "the header X-N of members.change would hold a line break or another control character: remove it from the cohort's name"
            ])
        ) { try bound(template, cohort: odd) }
    }

    @Test("requests are cut by users, by ids, by bytes and by direction")
    func batching() throws {
        let users = (0..<7).map { TestUser("user\($0)", $0 < 4) }
        func counts(_ batch: String, _ members: String? = nil) throws -> [[Int]] {
            try requests(users) {
                $0.batch = batch
                if let members { $0.members = members }
            }.map(\.changes)
        }
        #expect(try counts("{max_items: 3, mix: true}") == [[0, 1, 2], [3, 4, 5], [6]])
        #expect(try counts("{max_items: 3}") == [[0, 1, 2], [3], [4, 5, 6]])
        let twice =
            "{change: {method: POST, path: /u, body: {a: {$each: changes, item: '${u.id}'}, b: {$each: adds, item: '${u.id}'}}}}"
        #expect(
            try counts("{max_items: 4, mix: true, count: ids}", twice) == [
                [0, 1], [2, 3], [4, 5, 6],
            ]
        )
    }

    @Test(
        "seeded batches: each change in one request, in order, within all bounds",
        arguments: 0..<50
    )
    func property(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let itemsMax = generator.number(in: 1...20)
        let bytesMax = generator.number(in: 256...700)
        let mixes = generator.number(in: 0...1) == 1
        let users = (0..<generator.number(in: 0...120)).map { index in
            let length = generator.number(in: 1...60)
            let id = "\(index)" + String(repeating: "\"é", count: length)
            return TestUser(id, generator.number(in: 0...3) > 0)
        }
        var text = TestTemplate()
        text.batch = "{max_items: \(itemsMax), max_bytes: \(bytesMax)B, mix: \(mixes)}"
        text.members =
            "{change: {method: POST, path: /u, body: {$omit_empty: {l: [{a: {$each: adds, item: '${u.id}'}}, {r: {$each: removes, item: '${u.id}'}, x: true}]}}}}"
        let template = try template(text.text)
        let mapped = try changes(users, template)
        var plan = try bound(template).plan(mapped.list, batch)
        let requests = plan.all()
        #expect(
            (requests.flatMap(\.changes) + plan.leftOut.map(\.change)).sorted()
                == Array(0..<users.count),
            "seed \(seed)"
        )
        for request in requests {
            #expect(request.changes == request.changes.sorted(), "seed \(seed)")
            #expect(request.changes.count <= itemsMax, "seed \(seed)")
            #expect(request.body.count <= bytesMax, "seed \(seed)")
            if !mixes {
                #expect(
                    Set(request.changes.map { users[$0].isEntering }).count == 1,
                    "seed \(seed)"
                )
            }
            let tree = try JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]
            let lists = tree?["l"] as? [[String: Any]] ?? []
            let sent = lists.flatMap { ($0["a"] ?? $0["r"]) as? [String] ?? [] }
            #expect(Set(sent) == Set(request.changes.map { users[$0].values["user_id"] ?? "" }))
        }
        for leftOut in plan.leftOut {
            #expect(leftOut.reason == .tooLong, "seed \(seed)")
        }
        // The same again: a repetition is byte for byte the same.
        var again = try bound(template).plan(mapped.list, batch)
        #expect(again.all().map(\.body) == requests.map(\.body), "seed \(seed)")
    }

    @Test("a refused batch is planned again in halves")
    func halves() throws {
        let template = try template(TestTemplate().text)
        let list = try changes((0..<4).map { TestUser("u\($0)") }, template).list
        let binding = try bound(template)
        var plan = binding.plan(list, range: 2..<4, batch)
        #expect(plan.all().map(\.changes) == [[2, 3]])
    }

    @Test("pages of a full sync are numbered, and the last says so")
    func pages() throws {
        var text = TestTemplate()
        text.members = """
            {change: {method: POST, path: /u, body: {u: {$each: changes, item: '${u.id}'}}}, \
            begin: {method: POST, path: /begin, body: {s: '${sync.session_u64}'}}, \
            replace: {method: POST, path: /page, body: {n: '${page.index}', last: '${page.last}', \
            more: {$if: page.last, then: 0, else: 1}, u: {$each: adds, item: '${u.id}'}}}, \
            end: {method: POST, path: /end, body: {total: '${sync.total}'}}}
            """
        text.batch = "{max_items: 2, mix: true}"
        let template = try template(text.text)
        #expect(template.canReplace)
        let binding = try bound(template)
        let list = try changes((0..<5).map { TestUser("u\($0)") }, template).list
        let replace = ReplaceContext(session: 9, total: 7, firstPage: 2, isFinal: true)
        var plan = try #require(binding.planReplace(list, replace, batch))
        #expect(
            plan.all().map(\.bodyText) == [
                #"{"n":2,"last":false,"more":1,"u":["u0","u1"]}"#,
                #"{"n":3,"last":false,"more":1,"u":["u2","u3"]}"#,
                #"{"n":4,"last":true,"more":0,"u":["u4"]}"#,
            ]
        )
        #expect(binding.beginReplace(replace, batch)?.bodyText == #"{"s":9}"#)
        #expect(binding.endReplace(replace, batch)?.bodyText == #"{"total":7}"#)
    }
}

@Suite("Settings of a destination")
struct BindingTests {
    @Test("every problem at once, and no secret in any")
    func problems() throws {
        let template = try shipped("braze-attributes")
        #expect(
            throws: TemplateBindingError(problems: [
                "settings.rest_key: it holds a control character such as a line break",
                "settings.host: \"evil.example.com\" is none of rest.iad-01.braze.com, rest.iad-02.braze.com, rest.iad-03.braze.com, rest.iad-04.braze.com, rest.iad-05.braze.com, rest.iad-06.braze.com, rest.iad-07.braze.com, rest.iad-08.braze.com, rest.fra-01.braze.eu, rest.fra-02.braze.eu, rest.au-01.braze.com",
                "settings.attribute: \"a-b\" does not match the pattern ^\\w{1,255}$",
                "settings.atribute: the template has no such setting (did you mean \"attribute\"?)",
            ])
        ) {
            try bound(
                template,
                [
                    "rest_key": "s3cret\n", "host": "evil.example.com", "attribute": "a-b",
                    "atribute": "x",
                ]
            )
        }
        #expect(
            throws: TemplateBindingError(problems: [
                "settings.rest_key: is missing: the template needs it",
                "settings.host: is missing: the template needs it",
            ])
        ) { try bound(template) }
    }

    @Test("a setting may name the cohort; the default fits every cohort's id")
    func cohortNames() throws {
        let template = try shipped("braze-attributes")
        var settings = ["rest_key": "k", "host": "rest.fra-01.braze.eu"]
        let list = try changes([TestUser("u")], template).list
        func body(_ cohortID: String) throws -> String? {
            var other = cohort
            other.id = cohortID
            var plan = try bound(template, settings, cohort: other).plan(list, batch)
            return plan.next()?.bodyText
        }
        #expect(try body("big-spenders")?.contains(#""cohort_big_spenders":true"#) == true)
        settings["attribute"] = "vip_${cohort.id|word}"
        #expect(try body("a-b")?.contains(#""vip_a_b":true"#) == true)
    }

    @Test("a value describes itself without itself")
    func description() {
        let value = SettingValue("s3cret")
        var dumped = ""
        dump(value, to: &dumped)
        #expect(!"\(value) \(String(reflecting: value)) \(dumped)".contains("s3cret"))
    }
}

@Suite("Making a list")
struct EnsureTests {
    private let now = EventTime(milliseconds: 0)

    @Test("an id of ours: made, or there already")
    func given() throws {
        let template = try shipped("talon-one")
        let binding = try bound(template, ["api_key": "k", "deployment": "a.talon.one"])
        #expect(!binding.lacksListID)
        let request = try #require(binding.ensure(batch))
        for status in [201, 409] {
            guard
                case .ready(let id, _) = binding.judgeEnsure(
                    TemplateAnswer(status: status),
                    of: request,
                    now: now
                )
            else {
                Issue.record("\(status) is not taken")
                continue
            }
            #expect(id == "7khm89cz")
        }
        guard
            case .refused(let verdict) = binding.judgeEnsure(
                TemplateAnswer(status: 422),
                of: request,
                now: now
            )
        else {
            Issue.record("422 is taken")
            return
        }
        #expect(verdict.outcome == .fatal)
        #expect(verdict.reason == "rejected_by_partner")
    }

    @Test("an id of the partner's is read from the answer, and used from then on")
    func answered() throws {
        let template = try shipped("meta-custom-audiences")
        let binding = try bound(template, ["access_token": "t", "ad_account": "17"])
        #expect(binding.lacksListID)
        let request = try #require(binding.ensure(batch))
        #expect(request.url == "https://graph.facebook.com/v25.0/act_17/customaudiences")
        let answer = TemplateAnswer(status: 200, body: Array(#"{"id":"238/x"}"#.utf8))
        guard case .ready(let id, _) = binding.judgeEnsure(answer, of: request, now: now) else {
            Issue.record("not taken")
            return
        }
        var plan = try binding.with(listID: id).plan(
            try changes([TestUser("u")], template).list,
            batch
        )
        #expect(plan.next()?.url == "https://graph.facebook.com/v25.0/238%2Fx/users")
        let empty = binding.judgeEnsure(
            TemplateAnswer(status: 200, body: Array("{}".utf8)),
            of: request,
            now: now
        )
        #expect(
            empty == .refused(TemplateVerdict(outcome: .fatal, reason: "list_id_missing"))
        )
    }

    @Test("a list that cannot be empty takes the first users with it")
    func firstBatch() throws {
        let template = try shipped("amplitude-cohorts")
        let golden = try #require(GoldenCase.all.first { $0.template == "amplitude-cohorts" })
        let binding = try bound(template, golden.settings)
        #expect(binding.ensure(batch)?.name == nil)
        let list = try changes((0..<2001).map { TestUser("u\($0)") }, template).list
        let request = try #require(binding.ensure(batch, changes: list))
        #expect(request.changes == Array(0..<2000))
        let answer = TemplateAnswer(status: 200, body: Array(#"{"cohortId":"x1"}"#.utf8))
        guard
            case .ready("x1", let verdict) = binding.judgeEnsure(
                answer,
                of: request,
                changes: list,
                now: now
            )
        else {
            Issue.record("not taken")
            return
        }
        #expect(verdict.outcome == .accepted)
    }
}
