import Basics
import Delivery
import Destinations
import PartnerKit
import Sync
import Testing

@Suite("Webhooks")
struct WebhookTransportTests {
    private func transport(port: Int = 9) throws -> WebhookTransport {
        let policy = try loopbackPolicy()
        return WebhookTransport(
            destination: "crm",
            url: try DestinationURL("http://127.0.0.1:\(port)/hook?CANARY=1", policy: policy),
            secret: try WebhookSecret(SecretText(WebhookSecretTests.second)),
            policy: policy,
            timeoutMilliseconds: 20_000,
            version: "0.1.0"
        )
    }

    @Test("what arrives has the five headers, the body as it was, and the signature of both")
    func wire() throws {
        let server = try LoopbackServer(answering: Answer.ok)
        let transport = try transport(port: server.port)
        let body = Array(
            (#"{"type":"cohort.entered","timestamp":"2026-01-02T03:04:00Z","data":"#
                + #"{"cohort_id":"7khm89cz","in_cohort":true,"users":[{"user_id":"u1"}]}}"#).utf8
        )
        let request = transport.request(
            body: body,
            messageID: "7khm89cz-enter-29455384-0",
            now: EventTime(milliseconds: 1_767_323_040_999),
            token: 9
        )
        #expect(request.token == 9 && request.timeoutMilliseconds == 20_000)
        #expect(transport.classify(try outcome(of: request)) == .delivered)
        let received = try #require(server.requests.first)
        #expect(received.line == "POST /hook?CANARY=1 HTTP/1.1")
        #expect(
            received.headers == [
                "Host: 127.0.0.1:\(server.port)", "Accept: */*", "Content-Type: application/json",
                "webhook-id: 7khm89cz-enter-29455384-0", "webhook-timestamp: 1767323040",
                "webhook-signature: v1,l7dVwHxUOVHU2yTKdJ7L74sfEQEVTHAUCixil0kR/Yc=",
                "User-Agent: cohortd/0.1.0", "Content-Length: \(body.count)",
            ]
        )
        #expect(received.body == body)
    }

    @Test("2xx is delivered", arguments: [200, 201, 202, 204, 299])
    func delivered(_ status: Int) throws {
        let outcome = HTTPOutcome.answered(
            HTTPAnswer(status: status, retryAfterMilliseconds: 5, bodyPrefix: [0x7b])
        )
        #expect(try transport().classify(outcome) == .delivered)
    }

    @Test("401 and 403 say that our credentials are refused, 410 that the receiver is gone")
    func paused() throws {
        for status in [401, 403] {
            let outcome = try transport().classify(.answered(HTTPAnswer(status: status)))
            guard case .authenticationRefused(let text) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            #expect(
                text.contains("http://127.0.0.1:9 answers \(status)") && text.contains("secret")
                    && text.contains("correct the secret")
            )
        }
        let outcome = try transport().classify(.answered(HTTPAnswer(status: 410)))
        guard case .gone(let text) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(text.contains("410") && text.contains("resume the sync"))
    }

    @Test(
        "everything else is tried again, and says whether the receiver may have acted",
        arguments: [
            (100, false), (301, true), (302, true), (307, true), (308, true), (400, false),
            (404, true), (408, false), (409, false), (413, true), (422, false), (429, true),
            (500, false), (502, false), (503, false), (504, false), (599, false), (700, false),
        ]
    )
    func retried(_ status: Int, _ isKnownNotApplied: Bool) throws {
        let answer = HTTPAnswer(
            status: status,
            retryAfterMilliseconds: 7000,
            bodyPrefix: Array("CANARY".utf8),
            redirectHost: "elsewhere.example"
        )
        let outcome = try transport().classify(.answered(answer))
        guard case .retriable(let detail, let retryAfter, let knownNotApplied) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(knownNotApplied == isKnownNotApplied)
        #expect(retryAfter == 7000)
        #expect(detail.contains("answers \(status)"))
        #expect(detail.contains("elsewhere.example") == (300...399).contains(status))
        #expect(!detail.contains("CANARY"))
    }

    @Test("not sent is known not applied, unknown is not")
    func transportFailures() throws {
        let notSent = try transport().classify(.notSent("a"))
        #expect(notSent == .retriable(detail: "a", knownNotApplied: true))
        let unknown = try transport().classify(.unknown("b"))
        #expect(unknown == .retriable(detail: "b", knownNotApplied: false))
    }

    @Test("no error text holds the secret, the query, the body or an id")
    func silence() throws {
        let canary = "CANARY"
        let redirecting = try LoopbackServer(
            answering: Answer.status(307, ["Location: https://user:CANARY@other.example/CANARY"])
        )
        let breaking = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 CANARY\r\nCANARY")
        }
        let refusing = try LoopbackServer(
            answering: "HTTP/1.1 401 CANARY\r\nContent-Length: 6\r\n\r\nCANARY"
        )
        let closed = try LoopbackServer(answering: "")
        closed.stopListening()
        var texts: [String] = []
        for server in [redirecting, breaking, closed, refusing] {
            let transport = try transport(port: server.port)
            let request = transport.request(
                body: Array(canary.utf8),
                messageID: "CANARY::enter::0",
                now: FixedClock.standard.now,
                token: 1
            )
            texts.append(try #require(transport.classify(try outcome(of: request)).detail))
            #expect("\(transport)".contains("***"))
            #expect(!"\(transport)".contains("Y29ob3J0"))
        }
        #expect(texts.count == 4)
        for text in texts { #expect(!text.contains(canary) && !text.contains("whsec"), "\(text)") }
    }
}
