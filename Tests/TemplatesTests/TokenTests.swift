import Templates
import Testing

@Suite("Tokens that requests carry")
struct TokenTests {
    private func template(_ auth: String) -> TestTemplate {
        TestTemplate(
            settings: """
                headers: {X-Template: a}
                settings:
                  id: {type: string, default: client}
                  key: {type: secret, required: true}
                  sub: {type: host, default: shop}
                  any: {type: url}
                """,
            rest: "auth: \(auth)"
        )
    }

    private func request(_ auth: String, _ values: [String: String] = [:]) throws -> String {
        let template = try TemplatesTests.template(template(auth).text)
        let binding = try bound(template, ["key": "K+/"].merging(values) { $1 })
        return try #require(binding.tokenRequest()).golden
    }

    @Test("client credentials at another host, as Marketing Cloud wants them")
    func clientCredentials() throws {
        let golden = try request(
            """
            {kind: oauth2, token: {request: {method: POST, url: 'https://${settings.sub}.auth.example.com/v2/token', body: {grant_type: client_credentials, client_id: '${settings.id}', client_secret: '${settings.key}'}}}}
            """
        )
        #expect(
            golden == """
                POST https://shop.auth.example.com/v2/token
                Content-Type: application/json

                {"grant_type":"client_credentials","client_id":"client","client_secret":"K+/"}

                """
        )
    }

    @Test("a refresh token in a form at the partner's own host, as HubSpot and Google want it")
    func refreshToken() throws {
        let golden = try request(
            """
            {kind: oauth2, token: {request: {method: POST, path: /oauth/v1/token, encoding: form, headers: {Accept: application/json}, auth: {kind: basic, user: '${settings.id}', password: x}, body: {grant_type: refresh_token, refresh_token: '${settings.key}'}}}}
            """
        )
        #expect(
            golden == """
                POST https://api.example.com/oauth/v1/token
                Accept: application/json
                Authorization: Basic Y2xpZW50Ong=
                Content-Type: application/x-www-form-urlencoded

                grant_type=refresh_token&refresh_token=K%2B%2F

                """
        )
    }

    private let simple =
        "{kind: oauth2, token: {request: {method: POST, path: /t}, access_token: /data/token, expires_in: /data/seconds}}"

    @Test("requests carry the token, but those with proof of their own")
    func carried() throws {
        var written = template(simple)
        written.members = """
            {add: {method: POST, path: /a, body: {users: {$each: adds, item: '${u.id}'}}}, remove: {like: add, method: DELETE, auth: {kind: none}, body: {users: {$each: removes, item: '${u.id}'}}}}
            """
        written.batch = "{max_items: 10}"
        let template = try TemplatesTests.template(written.text)
        let binding = try bound(template, ["key": "K"])
        let answer = TemplateAnswer(status: 200, body: Array(#"{"data":{"token":"abc"}}"#.utf8))
        guard case .granted(let token) = binding.judgeToken(answer) else {
            Issue.record("no token")
            return
        }
        #expect(token.lifetimeMilliseconds == 600_000)
        #expect("\(token)" == "***")
        let users = try changes([TestUser("a"), TestUser("b", false)], template).list
        var plan = binding.plan(users, batch)
        let requests = plan.all()
        let heads = requests.map { $0.carrying(token).headers.map { "\($0.name): \($0.value)" } }
        #expect(
            heads == [
                ["X-Template: a", "Content-Type: application/json", "Authorization: Bearer abc"],
                ["X-Template: a", "Content-Type: application/json"],
            ]
        )
        #expect(requests[0].carryingRedactedToken().headers.last?.value == "Bearer ***")
    }

    @Test(
        "what answers mean",
        arguments: [
            (200, #"{"data":{"token":"abc","seconds":60}}"#, "60000"),
            (201, #"{"data":{"token":"abc","seconds":"1800"}}"#, "1800000"),
            (200, #"{"data":{"token":"abc","seconds":99999999999999}}"#, "2592000000"),
            (200, #"{"data":{"token":"abc","seconds":-5}}"#, "0"),
            (200, #"{"data":{"token":"a\nb"}}"#, "failed"), (200, "{}", "failed"),
            (200, "<html>", "failed"), (500, "", "failed"), (408, "", "failed"),
            (429, "", "busy"), (400, "", "refused"), (401, "", "refused"), (302, "", "refused"),
        ]
    )
    func answers(_ status: Int, _ body: String, _ expected: String) throws {
        let binding = try bound(TemplatesTests.template(template(simple).text), ["key": "K"])
        let verdict = binding.judgeToken(TemplateAnswer(status: status, body: Array(body.utf8)))
        let text =
            switch verdict {
            case .granted(let token): "\(token.lifetimeMilliseconds)"
            case .refused: "refused"
            case .failed(let isTooFast): isTooFast ? "busy" : "failed"
            }
        #expect(text == expected)
    }

    @Test("a URL elsewhere is https")
    func plain() throws {
        let auth = "{kind: oauth2, token: {request: {method: POST, url: '${settings.any}'}}}"
        let template = try TemplatesTests.template(template(auth).text)
        #expect(throws: TemplateBindingError.self) {
            try bound(template, ["key": "K", "any": "http://login.example.com/t"])
        }
        #expect(
            try request(auth, ["any": "https://login.example.com/t"])
                .hasPrefix("POST https://login.example.com/t\n")
        )
    }

    @Test(
        "mistakes are told with place and remedy",
        arguments: [
            (
                "{kind: oauth2}",
                "14:7: error[missing_key]: auth.token is missing (expected {request: {method, url, body}})"
            ),
            (
                "{kind: oauth2, token: {}}",
                "14:29: error[missing_key]: auth.token.request is missing (expected {method, url, body})"
            ),
            (
                "{kind: oauth2, token: {request: {method: POST}}}",
                "14:39: error[missing_key]: auth.token.request.path is missing (expected text)"
            ),
            (
                "{kind: oauth2, token: {request: {method: POST, path: /t, url: 'https://x.example'}}}",
                "14:60: error[conflict]: auth.token.request.path: stands beside url: choose one of them"
            ),
            (
                "{kind: oauth2, token: {request: {method: POST, url: 'http://x.example'}}}",
                "14:59: error[bad_value]: auth.token.request.url: expected https://HOST, or one setting of type url"
            ),
            (
                "{kind: oauth2, token: {request: {method: POST, url: 'https://x.example/${settings.key}'}}}",
                "14:59: error[plain_secret]: auth.token.request.url: the secret \"settings.key\" does not stand in a URL, which logs show: send it in a header"
            ),
            (
                "{kind: oauth2, token: {request: {method: POST, url: 'https://${settings.id}.example'}}}",
                "14:59: error[refused]: auth.token.request.url: in the host only a setting of type host or enum may stand: any other could send the secrets elsewhere"
            ),
            (
                "{kind: oauth2, token: {request: {method: POST, path: /t, auth: {kind: oauth2}}}}",
                "14:70: error[conflict]: auth.token.request.auth.kind: oauth2 stands only in the template's own auth"
            ),
            (
                "{kind: oauth2, token: {request: {method: POST, path: /t}, access_token: token}}",
                "14:79: error[bad_value]: auth.token.access_token: \"token\" is no JSON pointer (expected such as /error/code)"
            ),
        ]
    )
    func mistakes(_ auth: String, _ expected: String) {
        #expect(problems(template(auth).text) == ["t.yaml:" + expected])
    }
}
