import Basics
import Synchronization
import Testing

@testable import HTTPAPI

/// Time that a test sets, in milliseconds.
private final class ManualClock: Clock {
    private let milliseconds = Mutex<Int64>(1_000_000)

    var now: EventTime { EventTime(milliseconds: monotonicMilliseconds) }
    var monotonicMilliseconds: Int64 { milliseconds.withLock { $0 } }

    func advance(_ step: Int64) { milliseconds.withLock { $0 += step } }
}

/// The daemon's routes behind a gate with keys, asked without a socket.
private final class GatedAPI {
    static let keys: [(name: String, key: String, scopes: Set<APIScope>)] = [
        ("viewer", key("v"), [.read]), ("reporter", key("e"), [.export]),
        ("steerer", key("w"), [.write]), ("root", key("r"), [.admin]),
        ("other", key("o"), [.profile, .ingest]),
    ]

    let clock = ManualClock()
    let commands = Commands()
    private let told = TestLog()
    private let api: APIHandler<FakeQueries>

    init(requestsPerSecond: Int = 1000, listen: String = "0.0.0.0:8080") throws {
        var ring = APIKeyRing()
        for key in Self.keys { try ring.add(key.name, key: key.key, scopes: key.scopes) }
        let told = told
        api = APIHandler(
            queries: FakeQueries(commands: commands),
            gate: APIGate(
                listen: try #require(ListenAddress(listen)),
                keys: ring,
                requestsPerSecond: requestsPerSecond,
                clock: clock,
                tell: { occurrence in told.list.withLock { $0.append(occurrence) } }
            )
        )
    }

    private final class TestLog: Sendable {
        let list = Mutex<[APIOccurrence]>([])
    }

    /// What the log was told so far.
    var occurrences: [APIOccurrence] { told.list.withLock { $0 } }

    /// A key of 40 characters.
    static func key(_ character: Character) -> String { String(repeating: character, count: 40) }

    /// Asks; `key` goes into the header `Authorization` behind `Bearer`.
    func ask(
        _ target: String,
        method: String = "GET",
        key: String? = nil,
        headers: [(String, String)] = [],
        from address: String = "192.0.2.7:5000",
        withBody: Bool = false
    ) throws -> HTTPResponse {
        var fields = HTTPHeaders()
        fields.append("Host", "cohortd.example.com")
        if let key { fields.append("Authorization", "Bearer \(key)") }
        for (name, value) in headers { fields.append(name, value) }
        let request = HTTPRequest(
            method: method,
            target: try RequestTarget(target),
            headers: fields,
            remoteAddress: address
        )
        return withBody
            ? try #require(api.refuseBody(of: request)) : api.respond(to: request)
    }
}

extension HTTPResponse {
    fileprivate var text: String { String(decoding: body, as: UTF8.self) }

    fileprivate subscript(name: String) -> String? { headers.first { $0.name == name }?.value }
}

@Suite("The API with keys")
struct APIGateTests {
    @Test(
        "health, readiness and metrics ask for none",
        arguments: ["healthz", "readyz", "metrics"]
    )
    func open(path: String) throws {
        #expect(try GatedAPI().ask("/\(path)").status == 200)
        #expect(try GatedAPI().ask("/\(path)", key: GatedAPI.key("x")).status == 200)
    }

    @Test(
        "each route takes the key with its scope and no other",
        arguments: [
            ("GET", "/v1/status", APIScope.read), ("GET", "/v1/cohorts", .read),
            ("GET", "/v1/syncs", .read), ("HEAD", "/v1/syncs/b", .read),
            ("GET", "/v1/cohorts/ten/members", .export), ("POST", "/v1/syncs/b/run", .write),
            ("POST", "/v1/syncs/b/pause", .write), ("POST", "/v1/syncs/b/resume", .write),
            ("POST", "/v1/syncs/b/approve", .write), ("POST", "/v1/time/accept", .admin),
        ]
    )
    func scopes(method: String, target: String, scope: APIScope) throws {
        for key in GatedAPI.keys {
            let api = try GatedAPI()
            let response = try api.ask(target, method: method, key: key.key)
            if key.scopes.contains(scope) {
                // Time is held by nobody.
                #expect(response.status == (scope == .admin ? 409 : 200), "\(key.name)")
            } else {
                #expect(response.status == 403, "\(key.name)")
                #expect(
                    response.text
                        == #"{"error":{"code":"forbidden","text":"this takes a key with the scope \""#
                        + #"\#(scope.rawValue)\", which \"\#(key.name)\" does not have"}}"#
                )
                #expect(api.commands.log.withLock { $0 } == [])
            }
        }
    }

    @Test("no key, an unknown one, a nearly right one and a malformed one are answered alike")
    func unknown() throws {
        let right = GatedAPI.key("v")
        var answers: [HTTPResponse] = []
        for header in [
            nil, "Bearer \(GatedAPI.key("x"))", "Bearer \(right.dropLast())w",
            "Bearer \(right)v", "Bearer \(right.dropLast())", "Bearer ", "Bearer", right,
            "Basic \(right)", "Bearer \(right) \(right)", "",
        ] {
            for withBody in [false, true] {
                answers.append(
                    try GatedAPI().ask(
                        "/v1/status",
                        headers: header.map { [("Authorization", $0)] } ?? [],
                        withBody: withBody
                    )
                )
            }
        }
        for answer in answers {
            #expect(answer.status == 401)
            #expect(answer["WWW-Authenticate"] == "Bearer")
            #expect(answer.text == answers[0].text)
        }
        // Paths are told to nobody without a key.
        for target in ["/", "/v1/nothing", "/v1/syncs/b/run"] {
            #expect(try GatedAPI().ask(target).status == 401)
        }
        let twice = [("Authorization", "Bearer \(right)"), ("Authorization", "Bearer \(right)")]
        #expect(try GatedAPI().ask("/v1/status", headers: twice).status == 401)
        for scheme in ["bearer", "BEARER", "Bearer "] {
            let headers = [("Authorization", "\(scheme) \(right)")]
            #expect(try GatedAPI().ask("/v1/status", headers: headers).status == 200)
        }
    }

    @Test("with a key any Host may be asked, but no page of another site may ask")
    func origin() throws {
        let api = try GatedAPI()
        let key = GatedAPI.key("v")
        let own = [("Origin", "https://cohortd.example.com")]
        #expect(try api.ask("/v1/status", key: key, headers: own).status == 200)
        for target in ["/v1/status", "/metrics"] {
            let foreign = [("Origin", "https://example.com")]
            #expect(try api.ask(target, key: key, headers: foreign).status == 403)
        }
    }

    @Test(
        "ten wrong keys of an address in a minute, then 429 whatever key comes, and never a comparison"
    )
    func bruteForce() throws {
        let api = try GatedAPI()
        for number in 0..<10 {
            // Those without a key guess nothing.
            #expect(try api.ask("/v1/status").status == 401)
            #expect(try api.ask("/v1/status", key: "wrong-\(number)").status == 401)
        }
        for key in [GatedAPI.key("v"), "wrong", nil] {
            let refused = try api.ask("/v1/status", key: key)
            #expect(refused.status == 429)
            #expect(refused["Retry-After"] == "6")
            #expect(
                refused.text
                    == #"{"error":{"code":"too_many_requests","text":"too many wrong keys came from this "#
                    + #"address; try again in 6 s"}}"#
            )
        }
        #expect(try api.ask("/healthz").status == 200)
        // Another port is the same address, another address is not.
        #expect(
            try api.ask("/v1/status", key: GatedAPI.key("v"), from: "192.0.2.7:5001").status == 429
        )
        #expect(
            try api.ask("/v1/status", key: GatedAPI.key("v"), from: "192.0.2.8:5000").status == 200
        )
        api.clock.advance(5999)
        #expect(try api.ask("/v1/status", key: GatedAPI.key("v")).status == 429)
        api.clock.advance(1)
        #expect(try api.ask("/v1/status", key: GatedAPI.key("v")).status == 200)
        #expect(try api.ask("/v1/status", key: "wrong").status == 401)
        #expect(try api.ask("/v1/status", key: GatedAPI.key("v")).status == 429)
        #expect(api.occurrences == Array(repeating: .wrongKey(address: "192.0.2.7"), count: 11))
    }

    @Test("a key has so many requests a second, and its neighbour as many")
    func rate() throws {
        let api = try GatedAPI(requestsPerSecond: 5)
        for _ in 0..<5 { #expect(try api.ask("/v1/status", key: GatedAPI.key("v")).status == 200) }
        let refused = try api.ask("/v1/status", key: GatedAPI.key("v"))
        #expect(refused.status == 429)
        #expect(refused["Retry-After"] == "1")
        #expect(
            refused.text
                == #"{"error":{"code":"too_many_requests","text":"the key \"viewer\" has 5 requests a "#
                + #"second; try again in 1 s"}}"#
        )
        #expect(try api.ask("/v1/status", key: GatedAPI.key("v"), withBody: true).status == 429)
        #expect(
            try api.ask("/v1/syncs/b/run", method: "POST", key: GatedAPI.key("w")).status == 200
        )
        #expect(try api.ask("/metrics", key: GatedAPI.key("v")).status == 200)
        api.clock.advance(200)
        // What has no such path counts as well.
        #expect(try api.ask("/v1/nothing", key: GatedAPI.key("v")).status == 404)
        #expect(try api.ask("/v1/status", key: GatedAPI.key("v")).status == 429)
    }

    @Test(
        "the log has who took members out or changed something, with what came of it, and no query"
    )
    func audit() throws {
        let api = try GatedAPI()
        _ = try api.ask("/v1/status", key: GatedAPI.key("v"))
        _ = try api.ask("/v1/cohorts/ten/members?after=secret-user", key: GatedAPI.key("e"))
        _ = try api.ask("/v1/cohorts/none/members", key: GatedAPI.key("e"))
        _ = try api.ask("/v1/syncs/b/run", method: "POST", key: GatedAPI.key("w"))
        _ = try api.ask("/v1/syncs/a/approve", method: "POST", key: GatedAPI.key("w"))
        _ = try api.ask("/v1/syncs/b/run", method: "POST", key: GatedAPI.key("v"))
        _ = try api.ask("/v1/syncs/b/run", method: "GET", key: GatedAPI.key("w"))
        _ = try api.ask("/v1/time/accept", method: "POST", key: GatedAPI.key("r"), from: "[::1]:9")
        let long = String(repeating: "x", count: 5000)
        _ = try api.ask("/v1/cohorts/\(long)/members", key: GatedAPI.key("e"))
        func call(
            _ key: String,
            _ method: String,
            _ path: String,
            _ status: Int,
            from address: String = "192.0.2.7"
        ) -> APIOccurrence {
            .call(
                APICall(key: key, address: address, method: method, path: path, status: status)
            )
        }
        #expect(
            api.occurrences == [
                call("reporter", "GET", "/v1/cohorts/ten/members", 200),
                call("reporter", "GET", "/v1/cohorts/none/members", 404),
                call("steerer", "POST", "/v1/syncs/b/run", 200),
                call("steerer", "POST", "/v1/syncs/a/approve", 409),
                call("viewer", "POST", "/v1/syncs/b/run", 403),
                call("root", "POST", "/v1/time/accept", 409, from: "::1"),
                call("reporter", "GET", String("/v1/cohorts/\(long)/members".prefix(200)), 404),
            ]
        )
    }
}

@Suite("Keys of the API")
struct APIKeyRingTests {
    @Test(
        "a key that is short, long or no header's text is refused without being shown",
        arguments: [
            String(repeating: "k", count: 31), String(repeating: "k", count: 1025),
            String(repeating: "k", count: 40) + " ", String(repeating: "k", count: 40) + "ü",
            String(repeating: "k", count: 40) + "\u{7f}", "",
        ]
    )
    func unusable(key: String) throws {
        var ring = APIKeyRing()
        do throws(APIKeyRing.Problem) {
            try ring.add("ci", key: key, scopes: [.read])
            Issue.record("\(key.count) characters were taken")
        } catch {
            #expect(error.description.contains("\"ci\""))
            #expect(error.description.contains("openssl rand"))
            #expect(!error.description.contains("kkkk"))
        }
        #expect(ring.isEmpty)
    }

    @Test("two names cannot have one key; rings are equal when names, keys and scopes are")
    func same() throws {
        let key = String(repeating: "k", count: 32)
        var ring = APIKeyRing()
        try ring.add("a", key: key, scopes: [.read])
        #expect(throws: APIKeyRing.Problem.same(name: "b", as: "a")) {
            try ring.add("b", key: key, scopes: [.read])
        }
        var other = APIKeyRing()
        try other.add("a", key: key, scopes: [.read])
        #expect(ring == other)
        var changed = APIKeyRing()
        try changed.add("a", key: key + "k", scopes: [.read])
        #expect(ring != changed)
        #expect(!"\(ring)".contains(key))
    }
}

@Suite("Wrong keys by address")
struct FailedAttemptsTests {
    private func address(_ text: String) throws -> NetworkAddress {
        try #require(NetworkAddress(text))
    }

    @Test("of IPv6 the first 64 bits are the address, and IPv4 within IPv6 is IPv4")
    func prefixes() throws {
        var attempts = FailedAttempts()
        for host in 0..<10 { attempts.note(try address("2001:db8:0:1::\(host)"), now: 0) }
        #expect(attempts.wait(of: try address("2001:db8:0:1:ffff::1"), now: 0) == 6000)
        #expect(attempts.wait(of: try address("2001:db8:0:2::1"), now: 0) == 0)
        for _ in 0..<10 { attempts.note(try address("::ffff:192.0.2.1"), now: 0) }
        #expect(attempts.wait(of: try address("192.0.2.1"), now: 0) == 6000)
        #expect(attempts.wait(of: try address("192.0.2.2"), now: 0) == 0)
        // One whose address is not known has one place for all of them.
        for _ in 0..<10 { attempts.note(nil, now: 0) }
        #expect(attempts.wait(of: nil, now: 0) == 6000)
    }

    @Test("a minute later all ten are there again")
    func refill() throws {
        var attempts = FailedAttempts()
        let host = try address("192.0.2.1")
        for _ in 0..<20 { attempts.note(host, now: 0) }
        #expect(attempts.wait(of: host, now: 5999) == 1)
        #expect(attempts.wait(of: host, now: 60_000) == 0)
        for _ in 0..<9 { attempts.note(host, now: 60_000) }
        #expect(attempts.wait(of: host, now: 60_000) == 0)
        attempts.note(host, now: 60_000)
        #expect(attempts.wait(of: host, now: 60_000) == 6000)
    }

    @Test("many addresses take bounded memory, and who tried most is remembered longest")
    func bounded() throws {
        var attempts = FailedAttempts()
        let worst = try address("192.0.2.1")
        for _ in 0..<10 { attempts.note(worst, now: 0) }
        for number in 0..<(FailedAttempts.addressesMax + 500) {
            attempts.note(
                try address("10.\(number >> 16).\(number >> 8 & 255).\(number & 255)"),
                now: 0
            )
        }
        #expect(attempts.count == FailedAttempts.addressesMax)
        #expect(attempts.wait(of: worst, now: 0) == 6000)
        // What is over is forgotten together.
        attempts.note(try address("198.51.100.1"), now: 120_000)
        #expect(attempts.count == 1)
    }
}
