import Basics
import Delivery
import Destinations
import Glibc
import PartnerKit
import Testing

@Suite("Sending over HTTP")
struct HTTPSenderTests {
    @Test("a request arrives byte for byte with exactly its headers, and the answer comes back")
    func wire() throws {
        let server = try LoopbackServer(answering: Answer.ok)
        let outcome = try outcome(of: request(to: server, body: "{\"a\":\"\u{fc}\"}"))
        #expect(outcome.answer?.status == 200)
        #expect(outcome.answer?.bodyPrefix == Array("ok".utf8))
        #expect(outcome.answer?.isBodyCut == false)
        let received = try #require(server.requests.first)
        #expect(received.line == "POST /hook HTTP/1.1")
        #expect(
            received.headers == [
                "Host: 127.0.0.1:\(server.port)", "Accept: */*", "Content-Type: application/json",
                "Content-Length: 10",
            ]
        )
        #expect(received.body == Array("{\"a\":\"\u{fc}\"}".utf8))
    }

    @Test("a body over 1 MiB is sent at once, without asking first")
    func largeBody() throws {
        let server = try LoopbackServer(answering: Answer.ok)
        let body = String(repeating: "x", count: 3 << 20)
        #expect(try outcome(of: request(to: server, body: body)).answer?.status == 200)
        #expect(server.requests.first?.body.count == 3 << 20)
        #expect(server.requests.first?.header("Expect") == nil)
    }

    @Test("requests of one destination share a connection, those of another never do")
    func connections() throws {
        let server = try LoopbackServer(answering: Answer.ok)
        try withSender { sender, outcomes in
            for token in 1...3 {
                sender.submit(try request(to: server, token: UInt64(token)))
                _ = try outcomes.wait(for: UInt64(token))
            }
            #expect(server.connectionCount == 1)
            sender.submit(try request(to: server, destination: "mail", token: 4))
            _ = try outcomes.wait(for: 4)
            #expect(server.connectionCount == 2)
        }
    }

    @Test(
        "every status is an answer",
        arguments: [201, 204, 400, 401, 403, 404, 410, 429, 500, 503]
    )
    func statuses(_ status: Int) throws {
        let server = try LoopbackServer(answering: Answer.status(status))
        #expect(try outcome(of: request(to: server)).answer?.status == status)
    }

    @Test("Retry-After is read as seconds and as a date; garbage is not there")
    func retryAfter() throws {
        for (value, expected) in [
            ("7", 7000), ("Fri, 02 Jan 2026 03:05:00 GMT", 60_000), ("soon", nil),
        ] as [(String, Int64?)] {
            let server = try LoopbackServer(
                answering: Answer.status(429, ["retry-AFTER:  \(value)"])
            )
            let answer = try outcome(of: request(to: server)).answer
            #expect(answer?.status == 429)
            #expect(answer?.retryAfterMilliseconds == expected, "\(value)")
        }
    }

    @Test("the headers of the answer come along, without those of a preliminary one")
    func headers() throws {
        let server = try LoopbackServer(
            answering: "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
                + "HTTP/1.1 201 Created\r\nETag:\t\"a:b\" \r\nX-Empty:\r\nContent-Length: 0\r\n\r\n"
        )
        let answer = try #require(try outcome(of: request(to: server)).answer)
        #expect(
            answer.headers.map { "\($0.name)=\($0.value)" }
                == ["ETag=\"a:b\"", "X-Empty=", "Content-Length=0"]
        )
        #expect(answer.header("etag") == "\"a:b\"")
        #expect(answer.header("X-Early") == nil)
    }

    @Test("a redirect is an answer that names the host only; it is not followed")
    func redirect() throws {
        let other = try LoopbackServer(answering: Answer.ok)
        let server = try LoopbackServer(
            answering: Answer.status(302, ["Location: http://localhost:\(other.port)/?CANARY"])
        )
        let answer = try outcome(of: request(to: server)).answer
        #expect(answer?.status == 302)
        #expect(answer?.redirectHost == "localhost")
        #expect(other.connectionCount == 0)
        #expect(server.requests.count == 1)
    }

    @Test("an answer after the timeout leaves the outcome unknown")
    func timeout() throws {
        let server = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.waitForEnd()
        }
        let outcome = try outcome(of: request(to: server, timeoutMilliseconds: 300))
        #expect(outcome.unknownText?.contains("no whole answer within 300ms") == true, "\(outcome)")
        #expect(server.requests.count == 1)
    }

    @Test("an answer that never ends, byte by byte, is cut by the timeout")
    func slowAnswer() throws {
        let server = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            connection.waitForEnd()
        }
        let outcome = try outcome(of: request(to: server, timeoutMilliseconds: 300))
        #expect(outcome.unknownText != nil, "\(outcome)")
    }

    @Test("a refused connection is known not to have sent anything")
    func refusedConnection() throws {
        let server = try LoopbackServer(answering: Answer.ok)
        server.stopListening()
        let outcome = try outcome(of: request(to: server))
        #expect(outcome.notSentText?.contains("Connection refused") == true, "\(outcome)")
    }

    @Test("a name that does not exist is known not to have sent anything")
    func unknownName() throws {
        let policy = try AddressPolicy(allowPrivate: ["127.0.0.0/8"])
        let request = HTTPRequest(
            destination: "crm",
            url: try DestinationURL("https://receiver.invalid/CANARY", policy: policy),
            headers: [],
            body: [],
            timeoutMilliseconds: 3000,
            policy: policy,
            token: 1
        )
        let text = try outcome(of: request).notSentText
        #expect(text?.hasPrefix("https://receiver.invalid: ") == true)
        #expect(text?.contains("CANARY") == false)
    }

    @Test(
        "an answer that breaks off leaves the outcome unknown",
        arguments: [
            "", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "220 mail.example\r\n",
        ]
    )
    func brokenAnswer(_ text: String) throws {
        for isReset in [false, true] {
            let server = try LoopbackServer { connection in
                _ = connection.readRequest()
                connection.send(text)
                if isReset { connection.reset() } else { connection.close() }
            }
            let outcome = try outcome(of: request(to: server))
            #expect(outcome.unknownText != nil, "\(outcome)")
        }
    }

    @Test("a kept connection that dies with a request, followed by a refusal, leaves it unknown")
    func hiddenRepetition() throws {
        let server = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send(Answer.ok)
            _ = connection.readRequest()
            connection.server.stopListening()
        }
        try withSender { sender, outcomes in
            sender.submit(try request(to: server, token: 1))
            #expect(try outcomes.wait(for: 1).answer?.status == 200)
            sender.submit(try request(to: server, token: 2))
            let outcome = try outcomes.wait(for: 2)
            #expect(outcome.unknownText != nil, "\(outcome)")
        }
        #expect(server.requests.count == 2)
    }

    @Test(
        "a kept connection that dies with a request leaves it unknown, and it is not sent again unseen"
    )
    func noHiddenRepetition() throws {
        let server = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send(Answer.ok)
            _ = connection.readRequest()
        }
        try withSender { sender, outcomes in
            sender.submit(try request(to: server, token: 1))
            #expect(try outcomes.wait(for: 1).answer?.status == 200)
            sender.submit(try request(to: server, token: 2))
            let text = try #require(try outcomes.wait(for: 2).unknownText)
            #expect(text.contains("the connection broke before the answer was whole"))
            sender.submit(try request(to: server, token: 3))
            #expect(try outcomes.wait(for: 3).answer?.status == 200)
        }
        #expect(server.requests.count == 3)
    }

    @Test("an endless body is cut at 64 KiB and the status alone decides")
    func endlessBody() throws {
        let server = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            let piece = String(repeating: "x", count: 10_000)
            while connection.send(piece) {}
        }
        let answer = try outcome(of: request(to: server)).answer
        #expect(answer?.status == 200)
        #expect(answer?.bodyPrefix.count == HTTPAnswer.bodyBytesMax)
        #expect(answer?.isBodyCut == true)
    }

    @Test("endless headers are no answer")
    func endlessHeaders() throws {
        let server = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n")
            while connection.send("X-Filler: \(String(repeating: "x", count: 1000))\r\n") {}
        }
        let outcome = try outcome(of: request(to: server))
        #expect(outcome.unknownText?.contains("32 KiB") == true, "\(outcome)")
    }

    @Test("a name that resolves to a forbidden address is refused before a byte is sent")
    func blockedName() throws {
        let server = try LoopbackServer(answering: Answer.ok)
        let policy = try AddressPolicy(allowPrivate: ["10.0.0.0/8"])
        for scheme in ["http", "https"] {
            let request = HTTPRequest(
                destination: "crm",
                url: try DestinationURL(
                    "\(scheme)://localhost:\(server.port)/?CANARY",
                    policy: policy
                ),
                headers: [],
                body: Array("CANARY".utf8),
                policy: policy,
                token: 1
            )
            let text = try #require(try outcome(of: request).notSentText)
            #expect(text.contains("to allow_private"), "\(text)")
            #expect(!text.contains("CANARY"))
        }
        #expect(server.connectionCount == 0)
    }

    @Test("a proxy of the environment is not used")
    func proxy() async {
        // In a process of its own: changing the environment is not safe beside other threads.
        await #expect(processExitsWith: .success) {
            let proxy = try LoopbackServer(answering: Answer.status(502))
            let server = try LoopbackServer(answering: Answer.ok)
            for name in ["http_proxy", "all_proxy", "ALL_PROXY"] {
                setenv(name, "http://127.0.0.1:\(proxy.port)", 1)
            }
            #expect(try outcome(of: request(to: server)).answer?.status == 200)
            #expect(proxy.connectionCount == 0)
        }
    }
}
