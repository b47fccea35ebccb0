import Templates
import Testing

@Suite("Templates that are refused")
struct TemplateReadingTests {
    @Test("the template that tests change is right")
    func base() throws {
        let template = try template(TestTemplate().text)
        #expect(template.name == "t")
        #expect(template.identity.names == ["id"])
        #expect(template.batch.itemsMax == 10)
        #expect(!template.needsList)
    }

    private func problem(_ change: (inout TestTemplate) -> Void) -> [String] {
        var text = TestTemplate()
        change(&text)
        return problems(text.text)
    }

    @Test(
        "placeholders and filters, each with the nearest that there is",
        arguments: [
            (
                "${u.di}",
                "there is no placeholder \"${u.di}\" (did you mean \"${u.id}\"?)"
            ),
            (
                "${cohort.nam}",
                "there is no placeholder \"${cohort.nam}\" (did you mean \"${cohort.name}\"?)"
            ),
            ("${u.id|slugg}", "there is no filter \"slugg\" (did you mean \"slug\"?)"),
            (
                "${u.id|strip_prefix}",
                "the filter \"strip_prefix\" takes an argument: write strip_prefix(…)"
            ),
            ("${u.id|path(x)}", "the filter \"path\" takes no argument: write |path"),
            ("${u.id|epoch}", "the filter \"epoch\" does not take \"${u.id}\""),
            (
                "${u.id|hmac_sha256_hex(key)}",
                "hmac_sha256_hex takes a secret setting such as hmac_sha256_hex(settings.key), not \"key\""
            ),
            ("${u.id", "\"${\" without its \"}\": close it"),
            (
                "${page.last}",
                "\"${page.last}\" is not known here (expected one of cohort.id, cohort.name, cohort.created_at, audience.id, u.row, u.entering, identity.names, batch.id, batch.tick, u.id)"
            ),
        ]
    )
    func placeholders(written: String, expected: String) {
        let problems = problem {
            $0.members =
                "{change: {method: POST, path: /u, body: {users: {$each: changes, item: '\(written)'}}}}"
        }
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("t.yaml:6:") == true, "\(problems)")
        #expect(
            problems.first?.hasSuffix("members.change.body.users.item: \(expected)") == true,
            "\(problems)"
        )
    }

    @Test(
        "what stands where it must not",
        arguments: [
            (
                "{change: {method: POST, path: /u, body: {x: '${u.id}', users: {$each: changes, item: '${u.id}'}}}}",
                "6:54: error[bad_value]: members.change.body.x: \"${u.id}\" stands only in the `item` of a $each, or anywhere in a request for one user (batch.max_items: 1)"
            ),
            (
                "{change: {method: POST, path: u, body: {users: {$each: changes, item: '${u.id}'}}}}",
                "6:40: error[bad_value]: members.change.path: a path begins with \"/\""
            ),
            (
                "{change: {method: POST, path: '/u?x=1', body: {users: {$each: changes, item: '${u.id}'}}}}",
                "6:40: error[bad_value]: members.change.path: \"/u?x=1\" does not stand in a path (a query goes under `query`)"
            ),
            (
                "{change: {method: POST, path: /u, body: {users: {$each: all, item: '${u.id}'}}}}",
                "6:66: error[bad_value]: members.change.body.users.$each: \"all\" is not known (expected one of adds, removes, changes, batch)"
            ),
            (
                "{change: {method: POST, path: /u, body: {users: {$eahc: adds, item: '${u.id}'}}}}",
                "6:59: error[unknown_key]: members.change.body.users: there is no directive \"$eahc\" (did you mean \"$each\"?)"
            ),
            (
                "{change: {method: POST, path: /u, body: {users: {$each: changes, itme: 1, item: '${u.id}'}}}}",
                "6:75: error[unknown_key]: members.change.body.users: unknown key \"itme\" beside $each (did you mean \"item\"?)"
            ),
            (
                "{change: {method: POST, path: /u, body: {users: {$each: adds, item: '${u.id}'}}}}",
                "6:19: error[conflict]: members.change: carries no users who leave: add $each: removes, changes or batch"
            ),
            (
                "{change: {method: POST, path: /u, body: {a: 1}}}",
                "6:19: error[conflict]: members.change: carries no users: add a $each, or batch.max_items: 1"
            ),
            (
                "{change: {method: PSOT, path: /u, body: {users: {$each: changes, item: '${u.id}'}}}}",
                "6:28: error[bad_value]: members.change.method: \"PSOT\" is not known (expected one of GET, POST, PUT, PATCH, DELETE; did you mean \"POST\"?)"
            ),
            (
                "{change: {method: POST, path: /u, bodi: 1, body: {users: {$each: changes, item: '${u.id}'}}}}",
                "6:44: error[unknown_key]: unknown key \"bodi\" in members.change (did you mean \"body\"?)"
            ),
            (
                "{change: {method: POST, path: /u, headers: {Host: x}, body: {users: {$each: changes, item: '${u.id}'}}}}",
                "6:53: error[refused]: members.change.headers: the transport sets \"Host\": remove it"
            ),
            (
                "{change: {method: POST, path: /u, encoding: form, body: {users: {$each: changes, item: '${u.id}'}}}}",
                "6:66: error[bad_value]: members.change.body: with encoding: form the body is a map of names and texts, with no map or list in it"
            ),
        ]
    )
    func requests(members: String, expected: String) {
        #expect(problem { $0.members = members } == ["t.yaml:" + expected])
    }

    @Test("a direction that nobody carries, a way too many, a mix without a carrier")
    func members() {
        let add = "add: {method: POST, path: /u, body: {u: {$each: batch, item: '${u.id}'}}}"
        #expect(
            problem { $0.members = "{\(add)}" } == [
                "t.yaml:6:10: error[missing_key]: members: expected change, or both add and remove",
                "t.yaml:6:10: error[conflict]: members: batch.mix: true needs change, which carries both directions",
            ]
        )
        #expect(
            problem {
                $0.members = "{\(add), remove: {like: ad, method: DELETE}}"
                $0.batch = "{max_items: 10}"
            } == [
                "t.yaml:6:101: error[bad_value]: members.remove.like: \"ad\" is no request to copy (expected one of add)"
            ]
        )
    }

    @Test("no setting leads a request to another host, and no secret into a URL")
    func hosts() {
        let settings =
            "settings: {s: {type: string}, h: {type: host}, k: {type: secret}, u: {type: url}}"
        func problems(_ url: String) -> [String] {
            problem {
                $0.settings = settings
                $0.baseURL = url
            }
        }
        #expect(problems("https://${settings.h}/x/${settings.s}") == [])
        #expect(problems("${settings.u}") == [])
        #expect(
            problems("https://${settings.s}.example.com") == [
                "t.yaml:4:11: error[refused]: base_url: in the host only a setting of type host or enum may stand: any other could send the secrets elsewhere"
            ]
        )
        #expect(
            problems("https://h/${settings.k}") == [
                "t.yaml:4:11: error[plain_secret]: base_url: the secret \"settings.k\" does not stand in a URL, which logs show: send it in a header"
            ]
        )
        #expect(
            problems("http://example.com") == [
                "t.yaml:4:11: error[bad_value]: base_url: expected https://HOST, or one setting of type url"
            ]
        )
        #expect(
            problems("https://user@example.com") == [
                "t.yaml:4:11: error[bad_value]: base_url: \"https://user@example.com\" does not stand in a URL (expected https://HOST/PATH)"
            ]
        )
    }

    @Test(
        "identities",
        arguments: [
            (
                "{keys: [{name: id, from: user_id, normalise: [trin]}]}",
                "5:57: error[bad_value]: identity.keys[0].normalise[0]: \"trin\" is not known (expected one of trim, lower, upper, nfkd, strip_spaces, digits, strip_leading_zeros, strip_punct, letters_only, first_char, pad2, us_state, zip5, slug100; did you mean \"trim\"?)"
            ),
            (
                "{keys: [{name: id, from: user_id, hash: sha256}]}",
                "5:51: error[bad_value]: identity.keys[0].hash: \"sha256\" is not known (expected one of sha256_hex, sha256_b64, md5_hex)"
            ),
            (
                "{keys: [{name: id, from: email}]}",
                "5:36: error[bad_value]: identity.keys[0].from: \"email\" is no source (expected user_id, device_id or props.NAME)"
            ),
            (
                "{keys: [{name: id, from: user_id, match: '(?i)x'}]}",
                "5:52: error[bad_value]: identity.keys[0].match: \"(?i)x\" is no pattern (\"(?\" is not known; parentheses only group)"
            ),
            (
                "{keys: [{name: id, from: user_id}], require: [ib]}",
                "5:57: error[bad_value]: identity.require[0]: there is no \"ib\" (did you mean \"id\"?)"
            ),
        ]
    )
    func identities(identity: String, expected: String) {
        #expect(problem { $0.identity = identity } == ["t.yaml:" + expected])
    }

    @Test(
        "answers",
        arguments: [
            (
                "[{when: {status: [200-299]}, then: delivered}]",
                [
                    "8:12: error[missing_key]: responses: no rule takes a 429 answer: add {when: {status: [429]}, then: …}",
                    "8:12: error[missing_key]: responses: no rule takes a 4xx answer: add {when: {status: [400]}, then: …}",
                    "8:12: error[missing_key]: responses: no rule takes a 5xx answer: add {when: {status: [500]}, then: …}",
                ]
            ),
            (
                "[{when: {status: [200-599]}, then: delivered}, {when: {status: [429]}, then: throttle}]",
                [
                    "8:59: error[conflict]: responses[1]: never reached: the rules before it take every 429 answer; move it up"
                ]
            ),
            (
                "[{when: {status: [200-599]}, then: skip}]",
                [
                    "8:13: error[conflict]: responses[0].split: a refused batch is split, or one user would cost all others: add split: true"
                ]
            ),
            (
                "[{when: {status: [200-599]}, then: deliverd}]",
                [
                    "8:47: error[bad_value]: responses[0].then: \"deliverd\" is not known (expected one of delivered, accepted, skip, retry, throttle, auth, gone, fatal; did you mean \"delivered\"?)"
                ]
            ),
            (
                "[{when: {status: [200-599], body: {pointer: errors, exists: true}}, then: retry}]",
                [
                    "8:56: error[bad_value]: responses[0].when.body.pointer: \"errors\" is no JSON pointer (expected such as /error/code)"
                ]
            ),
            (
                "[{when: {status: [600]}, then: retry}]",
                [
                    "8:29: error[bad_value]: responses[0].when.status: the number 600 is no status (expected such as 429 or 500-599)"
                ]
            ),
            (
                "[{when: {status: [200-599]}, then: delivered, scope: items, items: {at: /e, key: indx}}]",
                [
                    "8:93: error[bad_value]: responses[0].items.key: \"indx\" is not known (expected id, index, pointer or {id: /PLACE}, {index: /PLACE}, {pointer: /PLACE})",
                    "8:13: error[conflict]: responses[0].items: goes with scope: items, and only with it",
                ].sorted { $0.contains("8:13") && !$1.contains("8:13") }
            ),
            (
                "[{when: {status: [200-599]}, then: retry, reason: 'said ${u.id}'}]",
                [
                    "8:62: error[bad_value]: responses[0].reason: \"said ${u.id}\" is no word of up to 64 of a-z 0-9 _"
                ]
            ),
        ]
    )
    func responses(written: String, expected: [String]) {
        #expect(problem { $0.responses = written } == expected.map { "t.yaml:" + $0 })
    }

    @Test("settings")
    func settings() {
        #expect(
            problem {
                $0.settings =
                    "settings: {a: {type: enum}, b: {type: secret, default: x}, c: {type: int, default: y}, D: {type: int}}"
            } == [
                "t.yaml:3:15: error[missing_key]: settings.a.choices is missing (expected a list of texts)",
                "t.yaml:3:56: error[plain_secret]: settings.b.default: a secret has no default",
                "t.yaml:3:84: error[bad_value]: settings.c.default: \"y\" is no integer",
                "t.yaml:3:88: error[bad_value]: settings.D: \"D\" is no name of a setting (expected up to 64 of a-z 0-9 _)",
            ]
        )
    }

    @Test("what comes later, and what is built in")
    func later() {
        #expect(
            problem { $0.rest = "auth: {kind: aws_sigv4, x: 1}" } == [
                "t.yaml:9:7: error[not_yet]: auth.kind: not yet: expected none, header, basic, bearer, query, body or oauth2"
            ]
        )
        #expect(
            problem { $0.rest = "transport: kafka" } == [
                "t.yaml:9:12: error[refused]: transport: templates speak http; for kafka take a destination that is built in"
            ]
        )
    }

    @Test("a list needs to say how it is made, and where its id comes from")
    func lists() {
        #expect(
            problem { $0.top = "model: list" } == [
                "t.yaml:1:1: error[missing_key]: audience is missing: with model: list it says how a list is made (expected {id, ensure})"
            ]
        )
        #expect(
            problem { $0.rest = "audience: {rename: ensure}" } == [
                "t.yaml:9:11: error[missing_key]: audience: expected the list's id, as audience.id or in the answer, as audience.ensure.id",
                "t.yaml:9:20: error[conflict]: audience.rename: there is no ensure to repeat",
            ]
        )
    }

    @Test("all problems at once, in the order of the file")
    func all() {
        let problems = problem {
            $0.top = "model: lst"
            $0.identity = "{keys: []}"
            $0.responses = "[]"
            $0.rest = "extra: 1"
        }
        #expect(problems.count >= 4, "\(problems)")
        let lines = problems.compactMap {
            $0.split(separator: ":").dropFirst().first.map { Int($0) }
        }
        #expect(lines.compactMap { $0 } == lines.compactMap { $0 }.sorted())
    }

    @Test("a name given twice")
    func twice() {
        let text = TestTemplate().text
        #expect(
            problems(text + "\n---\n" + text).map {
                $0.split(separator: " ").dropFirst().joined(separator: " ")
            }
                == ["error[duplicate_id]: template: template \"t\" is defined at t.yaml:1 already"]
        )
    }
}
