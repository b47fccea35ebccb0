import Destinations
import PartnerKit
import Testing

@Suite("The client of command-line programs")
struct HTTPClientTests {
    @Test("status, body and headers travel both ways, loopback included")
    func get() throws {
        let server = try LoopbackServer(
            answering: "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"
        )
        let reply = try HTTPClient.send(
            .get,
            "http://127.0.0.1:\(server.port)/v1/status?a=b",
            headers: [("Authorization", "Bearer CANARY")]
        )
        #expect(reply.status == 404)
        #expect(reply.body == Array("gone".utf8))
        let received = try #require(server.requests.first)
        #expect(received.line == "GET /v1/status?a=b HTTP/1.1")
        #expect(received.header("Authorization") == "Bearer CANARY")
    }

    @Test("a long answer is whole")
    func longAnswer() throws {
        let body = String(repeating: "0123456789", count: 300_000)
        let server = try LoopbackServer(
            answering: "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        #expect(
            try HTTPClient.send(.get, "http://127.0.0.1:\(server.port)/").body == Array(body.utf8)
        )
    }

    @Test("no whole answer is an error that tells why and holds no header")
    func failures() throws {
        let closed = try LoopbackServer(answering: "")
        closed.stopListening()
        let cut = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
        }
        let silent = try LoopbackServer { connection in connection.waitForEnd() }
        for server in [closed, cut, silent] {
            let error = #expect(throws: HTTPClientError.self) {
                try HTTPClient.send(
                    .get,
                    "http://127.0.0.1:\(server.port)/",
                    headers: [("Authorization", "CANARY")],
                    timeoutMilliseconds: 300
                )
            }
            let text = "\(try #require(error))"
            #expect(!text.isEmpty && !text.contains("CANARY"))
        }
    }

    @Test(
        "addresses that are none of ours are refused",
        arguments: [
            "", "ftp://127.0.0.1/", "file:///etc/passwd", "http://a:b@127.0.0.1/", "nonsense",
        ]
    )
    func badAddress(_ url: String) {
        #expect(throws: HTTPClientError.self) { try HTTPClient.send(.get, url) }
    }

    @Test("a control character in a header is refused, not sent")
    func headerInjection() throws {
        let server = try LoopbackServer(answering: Answer.ok)
        #expect(throws: HTTPClientError.self) {
            try HTTPClient.send(
                .get,
                "http://127.0.0.1:\(server.port)/",
                headers: [("A", "b\r\nC: d")]
            )
        }
        #expect(server.connectionCount == 0)
    }
}
