import Basics
import Dispatch
import Glibc
import HTTPAPI
import Synchronization
import TestKit
import Testing
import Threads

/// A gate that a handler waits at until the test opens it.
final class Gate: Sendable {
    private let arrivals = DispatchSemaphore(value: 0)
    private let opening = DispatchSemaphore(value: 0)

    /// Called by the handler; gives up after 20 s.
    func pass() {
        arrivals.signal()
        _ = opening.wait(timeout: .now() + .seconds(20))
    }

    /// Waits until a handler stands at the gate; false after 20 s.
    func waitForArrival() -> Bool { arrivals.wait(timeout: .now() + .seconds(20)) == .success }

    /// Lets one handler through.
    func open() { opening.signal() }
}

@Suite("The HTTP server over time")
struct HTTPServerLifeTests {
    @Test("cuts a connection that begins no request within the idle time")
    func idle() throws {
        let server = try echoServer { $0.idleMilliseconds = 200 }
        defer { server.stop() }
        #expect(try RawClient(port: server.port).isClosed())
        let client = try RawClient(port: server.port)
        #expect(try client.get("/a")?.status == 200)
        #expect(try client.isClosed())
    }

    @Test("cuts a client that drips its header, though every byte is in time")
    func drippingHeader() throws {
        let server = try echoServer {
            $0.idleMilliseconds = 60_000
            $0.headerMilliseconds = 300
        }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("GET /a HTTP/1.1\r\nHost: x\r\nX-Drip: ")
        var drops = 0
        while drops < 2000, client.send("x") {
            drops += 1
            usleep(10_000)
        }
        #expect(drops < 2000)
    }

    @Test("cuts a client that sends its body slower than the pace")
    func drippingBody() throws {
        let server = try echoServer {
            $0.headerMilliseconds = 300
            $0.transferBytesPerSecond = 1_000_000
        }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
        var drops = 0
        while drops < 2000, client.send("x") {
            drops += 1
            usleep(10_000)
        }
        #expect(drops < 2000)
    }

    @Test("lets a body take its time as long as it keeps the pace")
    func steadyBody() throws {
        let server = try echoServer {
            $0.headerMilliseconds = 300
            $0.transferBytesPerSecond = 100
        }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n")
        // Twice the header time in all; the first piece alone earns 10 s.
        for _ in 0..<20 {
            client.send([UInt8](repeating: 0x61, count: 1000))
            usleep(30_000)
        }
        #expect(try client.response()?.status == 200)
    }

    @Test("cuts a client that does not read its answer")
    func slowReader() throws {
        var limits = HTTPLimits()
        limits.headerMilliseconds = 300
        limits.transferBytesPerSecond = 1 << 30
        let server = try HTTPServer(listen: ListenAddress(port: 0), limits: limits) { _ in
            // More than the kernel's buffers on both sides hold.
            HTTPResponse(contentType: "text/plain", body: [UInt8](repeating: 0x61, count: 16 << 20))
        }
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(waitUntil { server.requestCount == 1 })
        #expect(waitUntil { server.requestCount == 0 && server.connectionCount == 0 })
    }

    @Test("does not cut a request whose handler takes longer than the idle time")
    func slowHandler() throws {
        var limits = HTTPLimits()
        limits.idleMilliseconds = 100
        limits.headerMilliseconds = 100
        let server = try HTTPServer(listen: ListenAddress(port: 0), limits: limits) { _ in
            usleep(500_000)
            return .text("late")
        }
        defer { server.stop() }
        #expect(try fetch(server.port, "/a")?.body == "late")
    }

    @Test("serves 200 connections at once, each with several requests")
    func manyConnections() throws {
        let server = try echoServer { $0.perAddressMax = 200 }
        defer { server.stop() }
        let clients = try (0..<200).map { _ in try RawClient(port: server.port) }
        for round in 0..<3 {
            for client in clients { client.send("GET /\(round) HTTP/1.1\r\nHost: x\r\n\r\n") }
            for client in clients {
                #expect(try client.response()?.body == "GET [\"\(round)\"] [] 0 ")
            }
        }
        #expect(server.connectionCount == 200)
    }

    @Test("closes connections beyond those of one address, and takes new ones when some have gone")
    func perAddress() throws {
        let server = try echoServer { $0.perAddressMax = 8 }
        defer { server.stop() }
        var clients: [RawClient] = []
        for _ in 0..<8 {
            let client = try RawClient(port: server.port)
            #expect(try client.get("/a")?.status == 200)
            clients.append(client)
        }
        #expect(try RawClient(port: server.port).isClosed())
        clients.removeAll()
        #expect(waitUntil { server.connectionCount == 0 })
        #expect(try fetch(server.port, "/a")?.status == 200)
    }

    @Test("lets connections beyond the limit wait until others have gone")
    func connectionLimit() throws {
        let server = try echoServer {
            $0.connectionsMax = 4
            $0.threads = 1
        }
        defer { server.stop() }
        var clients: [RawClient] = []
        for _ in 0..<4 {
            let client = try RawClient(port: server.port)
            #expect(try client.get("/a")?.status == 200)
            clients.append(client)
        }
        let late = try RawClient(port: server.port)
        late.send("GET /late HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(server.connectionCount == 4)
        clients.removeAll()
        #expect(try late.response()?.status == 200)
    }

    @Test("lets a running request end when it is stopped, and takes no new connection")
    func stopWhileRunning() throws {
        let gate = Gate()
        let address = try #require(ListenAddress("127.0.0.77:0"))
        let server = try HTTPServer(listen: address) { _ in
            gate.pass()
            return .text("done")
        }
        let client = try RawClient(port: server.port, lastByte: 77)
        client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(gate.waitForArrival())
        let stopped = DispatchSemaphore(value: 0)
        let port = server.port
        DispatchQueue.global().async {
            server.stop()
            stopped.signal()
        }
        // It must not have ended while the handler stands at the gate.
        #expect(stopped.wait(timeout: .now() + .milliseconds(200)) == .timedOut)
        gate.open()
        let response = try #require(try client.response())
        #expect(response.body == "done")
        #expect(stopped.wait(timeout: .now() + .seconds(20)) == .success)
        #expect(try client.isClosed())
        #expect(throws: RawClient.ClientError.self) { _ = try RawClient(port: port, lastByte: 77) }
    }

    @Test("waits no longer for a slow client than the drain time when it is stopped")
    func stopWithSlowClient() throws {
        let server = try echoServer { $0.drainMilliseconds = 100 }
        let client = try RawClient(port: server.port)
        client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        #expect(waitUntil { server.requestCount == 1 })
        server.stop()
        #expect(try client.isClosed())
        #expect(server.requestCount == 0)
        #expect(server.connectionCount == 0)
    }

    @Test("stops at once when connections are idle, and does nothing the second time")
    func stopIdle() throws {
        let server = try echoServer { $0.drainMilliseconds = 60_000 }
        let client = try RawClient(port: server.port)
        #expect(try client.get("/a")?.status == 200)
        server.stop()
        server.stop()
        #expect(try client.isClosed())
    }

    @Test("starts and stops again and again on the same port")
    func restart() throws {
        let first = try HTTPServer(listen: #require(ListenAddress("127.0.0.78:0"))) { _ in
            .text("first")
        }
        let address = first.address
        first.stop()
        for _ in 0..<20 {
            let server = try HTTPServer(listen: address) { _ in .text("again") }
            let client = try RawClient(port: server.port, lastByte: 78)
            #expect(try client.get("/")?.body == "again")
            server.stop()
        }
    }

    @Test("closes its socket when it is dropped without a stop")
    func dropped() throws {
        let address = try #require(ListenAddress("127.0.0.79:0"))
        let port = try HTTPServer(listen: address) { _ in .text("") }.port
        #expect(throws: RawClient.ClientError.self) {
            _ = try RawClient(port: port, lastByte: 79)
        }
    }

    @Test(
        "a server that takes over answers from then on, and nobody who connects meanwhile is lost"
    )
    func takeOver() throws {
        let gate = Gate()
        let first = try HTTPServer(listen: ListenAddress(port: 0)) { request in
            if request.path == ["slow"] { gate.pass() }
            return .text("first")
        }
        defer { first.stop() }
        let slow = try RawClient(port: first.port)
        slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(gate.waitForArrival())
        let idle = try RawClient(port: first.port)
        #expect(try idle.get("/")?.body == "first")

        let second = try HTTPServer(listen: ListenAddress(port: 0), takingOver: first) { _ in
            .text("second")
        }
        defer { second.stop() }
        #expect(second.address == first.address)
        // One that has connected and is still to ask, and one whose request is in hand.
        let early = try RawClient(port: first.port)
        #expect(waitUntil { first.connectionCount + second.connectionCount == 3 })
        let stopper = SystemThread { first.stop(patienceMilliseconds: 20_000) }
        var last = ""
        while last != "second" { last = try #require(try fetch(second.port, "/")).body }
        #expect(try early.get("/")?.status == 200)
        gate.open()
        #expect(try slow.response()?.body == "first")
        stopper.join()
        #expect(try idle.isClosed())
        for _ in 0..<50 { #expect(try fetch(second.port, "/")?.body == "second") }
    }
}
