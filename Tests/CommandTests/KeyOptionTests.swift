import Basics
import Foundation
import HTTPAPI
import Synchronization
import TestKit
import Testing

@Suite("The key of cohortctl")
struct KeyOptionTests {
    private static let statusBody =
        #"{"version":"0.1.0","started_at":"2026-01-05T00:00:00Z","tick":null,"users":0,"#
        + #""partitions":[],"syncs":[]}"#

    /// A daemon that remembers what came in `Authorization`.
    private final class Guard: Sendable {
        let seen = Mutex<[String?]>([])

        func start() throws -> HTTPServer {
            try HTTPServer(listen: ListenAddress(port: 0)) { request in
                self.seen.withLock { $0.append(request.headers["authorization"]) }
                return request.path == ["readyz"]
                    ? json(#"{"ready":true,"reasons":[]}"#) : json(KeyOptionTests.statusBody)
            }
        }
    }

    @Test("comes from --key, else from COHORTD_KEY, else there is none; top sends it too")
    func sources() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("key", "from-file\n")
        for (arguments, environment, expected) in [
            (["--key", "file:\(file.path)"], ["COHORTD_KEY": "from-variable"], "Bearer from-file"),
            (["--key", "env:MINE"], ["MINE": "from-mine"], "Bearer from-mine"),
            ([], ["COHORTD_KEY": "from-variable"], "Bearer from-variable"),
            ([], ["COHORTD_KEY": ""], nil), ([], [:], nil),
        ] as [([String], [String: String], String?)] {
            let gate = Guard()
            let server = try gate.start()
            defer { server.stop() }
            let all = environment.merging(["COHORTD_ADDRESS": "http://\(server.address)"]) { $1 }
            let ended = try Cohortctl.run(["status"] + arguments, environment: all)
            #expect(ended.status == 0, "\(ended.errors)")
            #expect(gate.seen.withLock { $0 } == [expected, expected])
            _ = try Cohortctl.run(
                ["top", "--once", "--interval", "100ms"] + arguments,
                environment: all
            )
            let seen = gate.seen.withLock { $0 }
            #expect(seen.count > 2 && seen.allSatisfy { $0 == expected })
        }
    }

    @Test(
        "the key itself, and a place that is none, are refused with 64 and not repeated",
        arguments: ["hush-hush-hush", "credential:cohortd", "file:key", "env:", ""]
    )
    func malformed(option: String) throws {
        let ended = try Cohortctl.run(["status", "--key", option], environment: [:])
        #expect(ended.status == 64)
        #expect(ended.errors.contains("--key takes env:NAME or file:/PATH"))
        #expect(!ended.errors.contains("hush"))
    }

    @Test("a place that holds nothing is 66", arguments: ["file:/nowhere/key", "env:NOT_THERE"])
    func missing(option: String) throws {
        let ended = try Cohortctl.run(["status", "--key", option], environment: [:])
        #expect(ended.status == 66)
        #expect(ended.errors.hasPrefix("cohortctl: --key: the secret \(option) cannot be read"))
    }

    @Test(
        "goes by plain http to this machine only, unless --insecure",
        arguments: [
            ("http://192.0.2.1:1", false), ("http://cohortd.example.com", false),
            ("HTTP://10.0.0.1:8080", false), ("http://[2001:db8::1]:80", false),
            ("http://127.0.0.1.example.com:1", false), ("http://localhost.example.com", false),
            ("http://127.0.0.1:1", true), ("http://localhost:1", true),
            ("http://LOCALHOST:1", true),
            ("http://[::1]:1", true), ("http://127.9.9.9:1", true), ("https://127.0.0.1:1", true),
        ]
    )
    func plain(address: String, isSent: Bool) throws {
        let key = ["COHORTD_KEY": "hush-hush"]
        let ended = try Cohortctl.run(["status", "--address", address], environment: key)
        // Where it may be sent nobody listens.
        #expect(ended.status == (isSent ? 69 : 64), "\(ended.errors)")
        #expect(ended.errors.contains("--insecure") == !isSent)
        #expect(!ended.errors.contains("hush"))
        if !isSent {
            let without = try Cohortctl.run(
                ["status", "--address", "http://127.0.0.1:1", "--insecure"],
                environment: key
            )
            #expect(without.status == 69)
        }
    }

    @Test("401, 403 and 429 say what to do")
    func refused() throws {
        for (status, key, exit, text) in [
            (401, nil, 77, "give a key with --key or COHORTD_KEY"),
            (401, "wrong", 77, "the key that was sent is none of them"),
            (403, nil, 77, "ask on the daemon's own machine"), (403, "weak", 77, "because"),
            (429, "busy", 69, "is asked too often: because"),
        ] as [(Int, String?, Int32, String)] {
            let server = try CannedDaemon().start { _ in
                .error(status: status, code: "some_code", "because")
            }
            defer { server.stop() }
            var environment = ["COHORTD_ADDRESS": "http://\(server.address)"]
            environment["COHORTD_KEY"] = key
            let ended = try Cohortctl.run(["cohorts", "list"], environment: environment)
            #expect(ended.status == exit)
            #expect(ended.errors.contains(text), "\(ended.errors)")
        }
    }
}
