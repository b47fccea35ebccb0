import Basics
import Glibc
import HTTPAPI
import Synchronization
import TestKit
import Testing

/// A server that answers every request with what it saw of it.
func echoServer(_ change: (inout HTTPLimits) -> Void = { _ in }) throws -> HTTPServer {
    var limits = HTTPLimits()
    change(&limits)
    return try HTTPServer(listen: ListenAddress(port: 0), limits: limits) { request in
        let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: ";")
        return .text(
            "\(request.method) \(request.path) [\(query)] \(request.body.count) "
                + String(decoding: request.body.prefix(20), as: UTF8.self)
        )
    }
}

@Suite("The HTTP server")
struct HTTPServerTests {
    @Test("answers a request and adds its own header fields")
    func answers() throws {
        let server = try echoServer()
        defer { server.stop() }
        let response = try #require(try fetch(server.port, "/a%20b/c?x=1+2&y=%26&z"))
        #expect(response.status == 200)
        #expect(response.body == #"GET ["a b", "c"] [x=1 2;y=&;z=] 0 "#)
        #expect(response["content-length"] == "\(response.body.utf8.count)")
        #expect(response["content-type"] == "text/plain; charset=utf-8")
        #expect(response["cache-control"] == "no-store")
        #expect(response["x-content-type-options"] == "nosniff")
    }

    @Test("reports the port that the kernel chose, and the address in full")
    func port() throws {
        let server = try echoServer()
        defer { server.stop() }
        #expect(server.port != 0)
        #expect("\(server.address)" == "127.0.0.1:\(server.port)")
    }

    @Test("says why it cannot listen on an address that is taken")
    func taken() throws {
        let server = try echoServer()
        defer { server.stop() }
        let address = try #require(ListenAddress("127.0.0.1:\(server.port)"))
        let error = #expect(throws: HTTPServerError.self) {
            _ = try HTTPServer(listen: address) { _ in .text("") }
        }
        let text = try #require(error?.description)
        #expect(text.contains("127.0.0.1:\(server.port): bind: Address already in use"))
    }

    @Test("answers many requests on one connection")
    func keepAlive() throws {
        let server = try echoServer()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        for number in 0..<200 {
            let response = try client.get("/\(number)")
            #expect(response?.body == "GET [\"\(number)\"] [] 0 ")
        }
        #expect(server.connectionCount == 1)
    }

    @Test("answers requests that were sent at once, in their order")
    func pipelining() throws {
        let server = try echoServer()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        let post = "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n\(post)GET /c HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(try client.response()?.body == #"GET ["a"] [] 0 "#)
        #expect(try client.response()?.body == #"POST ["b"] [] 3 abc"#)
        #expect(try client.response()?.body == #"GET ["c"] [] 0 "#)
    }

    @Test("answers HEAD with the header of GET and no body")
    func head() throws {
        let server = try echoServer()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        let response = try #require(try client.get("/x", method: "HEAD"))
        #expect(response.status == 200)
        #expect(response["content-length"] == "\(#"HEAD ["x"] [] 0 "#.utf8.count)")
        // Had a body come, it would stand before the next answer.
        #expect(try client.get("/y")?.body == #"GET ["y"] [] 0 "#)
    }

    @Test("hands a body over whole", arguments: [1, 3, 100_000, 1_000_000])
    func body(count: Int) throws {
        let server = try echoServer()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        for _ in 0..<2 {
            client.send("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: \(count)\r\n\r\n")
            client.send([UInt8](repeating: UInt8(ascii: "z"), count: count))
            let response = try client.response()
            #expect(response?.body.hasPrefix("POST [\"up\"] [] \(count) z") == true)
        }
    }

    @Test("puts a body in chunks of one byte together")
    func chunks() throws {
        let server = try echoServer()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("PUT /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<300 { client.send("1\r\nq\r\n") }
        client.send("0\r\n\r\n")
        #expect(
            try client.response()?.body == "PUT [\"up\"] [] 300 "
                + String(repeating: "q", count: 20)
        )
    }

    @Test("invites a body with 100 Continue")
    func expectContinue() throws {
        let server = try echoServer()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send(
            "POST /up HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        client.send("ab")
        #expect(try client.response()?.body == #"POST ["up"] [] 2 ab"#)
    }

    @Test("refuses a body whose announced length is over the limit, before it comes")
    func announcedTooLarge() throws {
        let server = try echoServer { $0.bodyBytesMax = 1000 }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n")
        let response = try #require(try client.response())
        #expect(response.status == 413)
        #expect(
            response.body
                == #"{"error":{"code":"too_large","text":"the body is larger than 1000 bytes"}}"#
        )
        #expect(try client.isClosed())
    }

    @Test("takes a body of exactly the limit")
    func exactlyTheLimit() throws {
        let server = try echoServer { $0.bodyBytesMax = 1000 }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        client.send([UInt8](repeating: 0x61, count: 1000))
        #expect(try client.response()?.status == 200)
    }

    @Test("refuses a chunked body over the limit once it has come")
    func chunkedTooLarge() throws {
        let server = try echoServer { $0.bodyBytesMax = 1000 }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<20 { client.send("64\r\n" + String(repeating: "c", count: 100) + "\r\n") }
        client.send("0\r\n\r\n")
        #expect(try client.response()?.status == 413)
    }

    @Test("cuts a chunked body without end")
    func endlessBody() throws {
        let server = try echoServer { $0.bodyBytesMax = 1000 }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        let chunk = "10000\r\n" + String(repeating: "c", count: 65_536) + "\r\n"
        var sentChunks = 0
        while sentChunks < 2000, client.send(chunk) { sentChunks += 1 }
        #expect(sentChunks < 2000)
    }

    @Test("asks whether a body is welcome before it reads it")
    func refusal() throws {
        let server = try HTTPServer(
            listen: ListenAddress(port: 0),
            refusal: { $0.path == ["no"] ? .text(status: 403, "no") : nil },
            handler: { .text("\($0.body.count)") }
        )
        defer { server.stop() }
        let refused = try RawClient(port: server.port)
        refused.send("POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        #expect(try refused.response()?.status == 403)
        #expect(try refused.isClosed())
        let taken = try RawClient(port: server.port)
        taken.send("POST /yes HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd")
        #expect(try taken.response()?.body == "4")
    }

    @Test("refuses a header over 16 KiB and takes one just below")
    func largeHeader() throws {
        let server = try echoServer()
        defer { server.stop() }
        let small = String(repeating: "h", count: 15_000)
        #expect(try fetch(server.port, "/x", headers: ["X-Filler: \(small)"])?.status == 200)
        let large = String(repeating: "h", count: 16_500)
        let response = try #require(
            try fetch(server.port, "/x", headers: ["X-Filler: \(large)"])
        )
        #expect(response.status == 431)
        #expect(response.body.contains(#""code":"header_too_large""#))
    }

    @Test("refuses a header of megabytes without keeping it", arguments: ["GET /x", "GET /"])
    func hugeHeader(start: String) throws {
        let server = try echoServer()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send(start + (start == "GET /" ? "" : " HTTP/1.1\r\nHost: x\r\nX-Filler: "))
        let piece = [UInt8](repeating: UInt8(ascii: "h"), count: 65_536)
        var pieces = 0
        while pieces < 1000, client.send(piece) { pieces += 1 }
        #expect(pieces < 1000)
        #expect(try fetch(server.port, "/still-there")?.status == 200)
    }

    @Test(
        "refuses what two readers could frame differently",
        arguments: [
            "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
            "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "Content-Length: +3\r\n\r\nabc",
            "Content-Length: 3, 3\r\n\r\nabc",
            "Content-Length: 0x3\r\n\r\nabc",
            "Content-Length: -3\r\n\r\nabc",
            "Content-Length: 99999999999999999999999\r\n\r\nabc",
            "Content-Length : 3\r\n\r\nabc",
            "Host: y\r\n\r\n",
            "X(: 1\r\n\r\n",
            "X-Y: a\u{1}b\r\n\r\n",
        ]
    )
    func smuggling(rest: String) throws {
        let calls = Atomic<Int>(0)
        let server = try HTTPServer(listen: ListenAddress(port: 0)) { _ in
            calls.add(1, ordering: .relaxed)
            return .text("")
        }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send(
            "POST /a HTTP/1.1\r\nHost: x\r\n\(rest)GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
        )
        let answer = try client.untilClosed()
        // The library itself answers some of them, by 400 or 413 or by closing.
        #expect(
            answer.isEmpty || answer.hasPrefix("HTTP/1.1 400 ")
                || answer.hasPrefix("HTTP/1.1 413 "),
            "\(answer)"
        )
        #expect(calls.load(ordering: .relaxed) == 0)
    }

    @Test("refuses a request of HTTP/1.1 without Host")
    func noHost() throws {
        let server = try echoServer()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("GET /a HTTP/1.1\r\n\r\n")
        #expect(try client.response()?.status == 400)
    }

    @Test(
        "survives bytes that are no HTTP",
        arguments: [
            "\u{16}\u{3}\u{1}", "\r\n\r\n\r\n", "GET\r\n\r\n",
            "GET /\0x HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET / HTTP/9.9\r\nHost: x\r\n\r\n", "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", " : \r\n\r\n", "\0\0\0\0\r\n\r\n",
            "GET / HTTP/1.1\r\n folded\r\nHost: x\r\n\r\n",
        ]
    )
    func garbage(text: String) throws {
        let server = try echoServer { $0.idleMilliseconds = 200 }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send(text)
        client.finishSending()
        _ = try client.untilClosed()
        #expect(try fetch(server.port, "/after")?.status == 200)
    }

    @Test(
        "refuses a target with bytes that are no UTF-8 or with a zero byte",
        arguments: [[0xff, 0xfe], [0xc0, 0x80], [0], [0x61, 0, 0x62]] as [[UInt8]]
    )
    func badBytes(bytes: [UInt8]) throws {
        let server = try echoServer()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send(Array("GET /".utf8) + bytes + Array(" HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
        let response = try #require(try client.response())
        #expect(response.status == 400)
        #expect(response.body.contains("not UTF-8 or holds a zero byte"))
    }

    @Test("leaves no request behind, whatever became of it")
    func nothingLeft() throws {
        let server = try echoServer {
            $0.idleMilliseconds = 200
            $0.headerMilliseconds = 200
        }
        defer { server.stop() }
        do {
            let parts = [
                "GET /a HTTP/1.1\r\n", "GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
                "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", "GE",
            ]
            for part in parts {
                let client = try RawClient(port: server.port)
                client.send(part)
                client.finishSending()
                _ = try client.untilClosed()
            }
        }
        #expect(waitUntil { server.requestCount == 0 && server.connectionCount == 0 })
    }

    @Test("answers 405 and others with the status a handler chose")
    func status() throws {
        let server = try HTTPServer(listen: ListenAddress(port: 0)) { request in
            var response = HTTPResponse.error(status: 418, code: "teapot", "\"short\"\n")
            response.headers.append(("X-Remote", request.remoteAddress))
            return response
        }
        defer { server.stop() }
        let response = try #require(try fetch(server.port, "/", method: "BREW"))
        #expect(response.status == 418)
        #expect(response.body == #"{"error":{"code":"teapot","text":"\"short\"\n"}}"#)
        #expect(response["x-remote"]?.hasPrefix("127.0.0.1:") == true)
    }

    @Test("listens on version 6 too, where the machine has it")
    func version6() throws {
        do {
            let server = try HTTPServer(listen: #require(ListenAddress("[::1]:0"))) { _ in
                .text("six")
            }
            #expect("\(server.address)" == "[::1]:\(server.port)")
            #expect(server.port != 0)
            server.stop()
        } catch {
            #expect("\(error)".contains("[::1]:0"))
        }
    }
}

/// Looks again and again, for at most 20 s, until `condition` holds.
func waitUntil(_ condition: () -> Bool) -> Bool {
    for _ in 0..<4000 {
        if condition() { return true }
        usleep(5000)
    }
    return condition()
}
