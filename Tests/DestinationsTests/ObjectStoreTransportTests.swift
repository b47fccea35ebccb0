import PartnerKit
import Delivery
import Foundation
import Sync
import Testing

@testable import Destinations

@Suite("Runs as objects of a bucket")
struct ObjectStoreTransportTests {
    static let name = "vip_2026-01-02T03-04-00Z"

    /// A store that checks every signature against what arrived, and says 200 to what is right.
    private func verifyingServer() throws -> LoopbackServer {
        try LoopbackServer { connection in
            while let request = connection.readRequest() {
                let isRight = Self.authorization(of: request) == request.header("Authorization")
                connection.send(
                    isRight ? Answer.status(200) : Self.error(403, "SignatureDoesNotMatch")
                )
            }
        }
    }

    /// The signature by the secret `secret`, made anew from what arrived.
    private static func authorization(of request: ReceivedRequest) -> String? {
        let line = request.line.split(separator: " ")
        guard let signature = SignatureV4(), line.count == 3, let host = request.header("Host"),
            let instant = request.header("x-amz-date")
        else { return nil }
        let hash = signature.hash(request.body)
        return signature.authorization(
            SignatureV4.Request(
                method: String(line[0]),
                path: String(line[1]),
                headers: [
                    ("host", host), ("x-amz-content-sha256", hash), ("x-amz-date", instant),
                ],
                bodyHash: hash,
                instant: instant
            ),
            by: SignatureV4.Key(
                accessKey: SecretText("access"),
                secretKey: SecretText("secret"),
                region: "eu-central-1",
                service: "s3"
            )
        )
    }

    private static func error(
        _ status: Int,
        _ code: String,
        _ headers: [String] = []
    ) -> String {
        let body = "<?xml version=\"1.0\"?><Error><Code>\(code)</Code></Error>"
        return
            (["HTTP/1.1 \(status) Text", "Content-Length: \(body.utf8.count)"] + headers).joined(
                separator: "\r\n"
            ) + "\r\n\r\n" + body
    }

    private func outcome(answering text: String) throws -> DeliveryOutcome {
        let server = try LoopbackServer(answering: text)
        return try withStore(port: server.port) { $0.submit(emptyRun, columns: [], token: 1) }
    }

    private var emptyRun: RunRequest { run(entering: [], exiting: [], existing: []) }

    @Test("three objects are put, signed so that the store recomputes the same, existing last")
    func put() throws {
        let server = try verifyingServer()
        let run = run(entering: ["u1"], exiting: ["ü"], existing: [])
        let outcome = try withStore(port: server.port, prefix: "a b/") {
            $0.submit(run, columns: [], token: 1)
        }
        #expect(outcome == .delivered)
        #expect(
            server.requests.map(\.line)
                == ["entering", "exiting", "existing"].map {
                    "PUT /exports/a%20b/\(Self.name)_\($0).csv HTTP/1.1"
                }
        )
        #expect(
            server.requests.map { String(decoding: $0.body, as: UTF8.self) }
                == ["user_id\nu1\n", "user_id\nü\n", "user_id\n"]
        )
        let first = try #require(server.requests.first)
        #expect(first.header("Content-Type") == "text/csv; charset=utf-8")
        #expect(first.header("x-amz-date") == "20260102T030400Z")
    }

    @Test("a wrong secret is refused, and the right one taken with the next run")
    func credentials() throws {
        let server = try verifyingServer()
        let refused = try withStore(port: server.port, secret: "wrong") {
            $0.submit(emptyRun, columns: [], token: 1)
        }
        guard case .authenticationRefused(let detail) = refused else {
            Issue.record("\(refused)")
            return
        }
        #expect(detail.contains("403 SignatureDoesNotMatch") && detail.contains("secret_key"))
        #expect(!detail.contains("wrong"))
        let taken = try withStore(port: server.port, secret: "wrong") { store in
            store.update(.init(accessKey: SecretText("access"), secretKey: SecretText("secret")))
            store.submit(emptyRun, columns: [], token: 1)
        }
        #expect(taken == .delivered)
    }

    @Test("a missing bucket and a wrong region wait for a person")
    func failed() throws {
        guard case .failed(let missing) = try outcome(answering: Self.error(404, "NoSuchBucket"))
        else { throw CocoaError(.featureUnsupported) }
        #expect(missing.contains("exports") && missing.contains("create the bucket"))
        let elsewhere = Self.error(301, "PermanentRedirect", ["x-amz-bucket-region: eu-west-1"])
        guard case .failed(let moved) = try outcome(answering: elsewhere) else {
            throw CocoaError(.featureUnsupported)
        }
        #expect(moved.contains("correct region to eu-west-1"))
    }

    @Test("a busy store, a broken one and a wrong clock are tried again")
    func retried() throws {
        let busy = Self.error(503, "SlowDown", ["Retry-After: 7"])
        guard case .retriable(let text, 7000, false) = try outcome(answering: busy) else {
            throw CocoaError(.featureUnsupported)
        }
        #expect(text.contains("503 SlowDown"))
        for answer in [Answer.status(429), Answer.status(500)] {
            guard case .retriable(_, nil, false) = try outcome(answering: answer) else {
                throw CocoaError(.featureUnsupported)
            }
        }
        let skewed = Self.error(403, "RequestTimeTooSkewed")
        guard case .retriable(let clock, nil, false) = try outcome(answering: skewed) else {
            throw CocoaError(.featureUnsupported)
        }
        #expect(clock.contains("clock"))
    }

    @Test("nothing is known to be applied where no connection came about")
    func unreachable() throws {
        let server = try LoopbackServer(answering: Answer.ok)
        server.stopListening()
        let outcome = try withStore(port: server.port) {
            $0.submit(emptyRun, columns: [], token: 1)
        }
        guard case .retriable(_, nil, true) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test("an upload in parts that does not come to its end is aborted")
    func aborted() throws {
        let server = try LoopbackServer { connection in
            while let request = connection.readRequest() {
                if request.line.hasPrefix("POST"), request.line.contains("?uploads=") {
                    let body = "<UploadId>id/1</UploadId>"
                    connection.send(
                        "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                    )
                } else if request.line.hasPrefix("POST") {
                    connection.send(Self.error(200, "InternalError"))
                } else {
                    connection.send(Answer.status(200, ["ETag: \"tag\""]))
                }
            }
        }
        let outcome = try withStore(port: server.port) {
            $0.submit(largeRun, columns: [], token: 1)
        }
        guard case .retriable(let text, nil, false) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(text.contains("InternalError") && text.contains("not completed"))
        let lines = server.requests.map { $0.line.replacing(" HTTP/1.1", with: "") }
        let path = "/exports/\(Self.name)_entering.csv"
        #expect(
            lines == [
                "POST \(path)?uploads=", "PUT \(path)?partNumber=1&uploadId=id%2F1",
                "PUT \(path)?partNumber=2&uploadId=id%2F1",
                "PUT \(path)?partNumber=3&uploadId=id%2F1", "POST \(path)?uploadId=id%2F1",
                "DELETE \(path)?uploadId=id%2F1",
            ]
        )
    }

    @Test("Amazon's buckets are hosts, those of others and those with a dot are paths")
    func places() throws {
        func url(_ endpoint: String?, _ bucket: String) throws -> String {
            try ObjectStoreSettings(
                destination: "d",
                endpoint: endpoint,
                region: "eu-central-1",
                bucket: bucket,
                prefix: "",
                policy: AddressPolicy(allowPrivate: [String]())
            ).bucketURL.text
        }
        #expect(try url(nil, "exports") == "https://exports.s3.eu-central-1.amazonaws.com")
        #expect(try url(nil, "a.b.c") == "https://s3.eu-central-1.amazonaws.com/a.b.c")
        #expect(
            try url("https://minio.example.com:9000/", "exports")
                == "https://minio.example.com:9000/exports"
        )
    }

    @Test(
        "settings that cannot work are refused with the key",
        arguments: [
            ("https://s3.example.com/x", "eu", "exports", "", "endpoint"),
            ("http://s3.example.com", "eu", "exports", "", "endpoint"),
            ("https://s3.example.com", "", "exports", "", "region"),
            ("https://s3.example.com", "eu", "a/b", "", "bucket"),
            ("https://s3.example.com", "eu", "..", "", "bucket"),
            ("https://s3.example.com", "eu", "exports", "/a", "prefix"),
            ("https://s3.example.com", "eu", "exports", "a/../b", "prefix"),
        ]
    )
    func refused(_ row: (String, String, String, String, String)) throws {
        let policy = try AddressPolicy(allowPrivate: [String]())
        let error = #expect(throws: ObjectStoreSettingsError.self) {
            try ObjectStoreSettings(
                destination: "d",
                endpoint: row.0,
                region: row.1,
                bucket: row.2,
                prefix: row.3,
                policy: policy
            )
        }
        #expect(error?.text.hasPrefix("\(row.4): ") == true)
    }
}

/// More than 16 MiB of users who came in.
var largeRun: RunRequest {
    let tail = String(repeating: "x", count: 1000)
    return run(entering: (0..<17_500).map { "\($0)-\(tail)" }, exiting: [], existing: [])
}

/// Hands work to a store on loopback and returns the outcome of token 1.
func withStore(
    port: Int,
    prefix: String = "",
    secret: String = "secret",
    bucket: String = "exports",
    _ body: (ObjectStoreTransport) -> Void
) throws -> DeliveryOutcome {
    let outcomes = Outcomes<DeliveryOutcome>()
    return try withSender { sender, _ in
        let transport = ObjectStoreTransport(
            try ObjectStoreSettings(
                destination: "exports",
                endpoint: "http://127.0.0.1:\(port)",
                region: "eu-central-1",
                bucket: bucket,
                prefix: prefix,
                policy: try loopbackPolicy()
            ),
            credentials: .init(
                accessKey: SecretText("access"),
                secretKey: SecretText(secret)
            ),
            version: "0",
            clock: FixedClock.standard,
            exchange: { sender.exchange($0) },
            complete: { outcomes.add($0, $1) }
        )
        defer { transport.stop() }
        body(transport)
        return try outcomes.wait(for: 1)
    }
}
