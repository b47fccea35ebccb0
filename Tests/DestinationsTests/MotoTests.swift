import Delivery
import Destinations
import Foundation
import Sync
import Testing

/// The program `moto_server`, which stands in for Amazon S3; nil skips those tests.
let motoServer = ProcessInfo.processInfo.environment["COHORTD_TEST_MOTO"].flatMap {
    $0.isEmpty ? nil : $0
}

@Suite(
    "Objects on moto",
    .serialized,
    .enabled(if: motoServer != nil, "COHORTD_TEST_MOTO is not set")
)
struct MotoTests {
    /// moto looks at who asks, not at the signature.
    private let reader = (
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=reader/20260102/us-east-1/s3/aws4_request, "
            + "SignedHeaders=host, Signature=none"
    )

    private func withMoto(_ body: (_ port: Int) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let log = "\(directory)/log"
            _ = FileManager.default.createFile(atPath: log, contents: nil)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: try #require(motoServer))
            process.arguments = ["-H", "127.0.0.1", "-p", "0"]
            let output = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
            process.standardOutput = output
            process.standardError = output
            try process.run()
            defer {
                // A child of such a thread may have SIGTERM blocked; moto keeps nothing.
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
            }
            try body(try port(log))
        }
    }

    /// The port the server says it listens at; only one that does not start takes a minute.
    private func port(_ log: String) throws -> Int {
        let start = "Running on http://127.0.0.1:"
        for _ in 0..<600 {
            let text = try String(contentsOfFile: log, encoding: .utf8)
            if let place = text.range(of: start),
                let end = text[place.upperBound...].firstIndex(where: { $0.isNewline })
            {
                return try #require(Int(text[place.upperBound..<end]))
            }
            Thread.sleep(forTimeInterval: 0.1)
        }
        throw CocoaError(.fileReadUnknown)
    }

    private func makeBucket(_ port: Int) throws {
        try withSender { sender, _ in
            let policy = try loopbackPolicy()
            let outcome = sender.exchange(
                HTTPRequest(
                    destination: "moto",
                    method: "PUT",
                    url: try DestinationURL("http://127.0.0.1:\(port)/exports", policy: policy),
                    headers: [reader],
                    body: [],
                    policy: policy,
                    token: 0
                )
            )
            #expect(outcome.answer?.status == 200)
        }
    }

    private func content(_ port: Int, _ key: String) throws -> String {
        let url = "http://127.0.0.1:\(port)/exports/\(key)"
        let answer = try HTTPClient.send(.get, url, headers: [reader])
        #expect(answer.status == 200)
        return String(decoding: answer.body, as: UTF8.self)
    }

    @Test("small objects in one piece and one of more than 16 MiB in parts arrive whole")
    func put() throws {
        try withMoto { port in
            try makeBucket(port)
            let run = largeRun
            let outcome = try withStore(port: port, prefix: "a b/") {
                $0.submit(run, columns: [], token: 1)
            }
            #expect(outcome == .delivered)
            let start = "a%20b/vip_2026-01-02T03-04-00Z_"
            let large = try content(port, start + "entering.csv")
            let expected = run.entering.users.texts.reduce(into: "user_id\n") {
                $0 += $1 + "\n"
            }
            #expect(large.utf8.count > 16 << 20)
            #expect(large == expected)
            #expect(try content(port, start + "existing.csv") == "user_id\n")
        }
    }

    @Test("a bucket that is not there waits for a person")
    func missing() throws {
        try withMoto { port in
            let outcome = try withStore(port: port) {
                $0.submit(run(entering: [], exiting: [], existing: []), columns: [], token: 1)
            }
            guard case .failed(let detail) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(detail.contains("404 NoSuchBucket"))
        }
    }
}
