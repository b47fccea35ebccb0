import Basics
import Delivery
import Destinations
import Foundation
import PartnerKit
import Synchronization
import Testing

/// A wall clock that stands still.
struct FixedClock: Clock {
    let now: EventTime
    var monotonicMilliseconds: Int64 { now.milliseconds }

    /// 2026-01-02T03:04:00Z.
    static let standard = FixedClock(now: EventTime(milliseconds: 1_767_323_040_000))
}

/// Collects outcomes by token and lets a test wait for them.
final class Outcomes<Outcome: Sendable>: Sendable {
    private let content = Mutex<[UInt64: Outcome]>([:])
    private let arrived = DispatchSemaphore(value: 0)

    func add(_ token: UInt64, _ outcome: Outcome) {
        let previous = content.withLock { $0.updateValue(outcome, forKey: token) }
        #expect(previous == nil, "token \(token) ended twice")
        arrived.signal()
    }

    var all: [UInt64: Outcome] { content.withLock { $0 } }

    func wait(for token: UInt64) throws -> Outcome {
        while true {
            if let outcome = all[token] { return outcome }
            // Far beyond every timeout of the tests: only a hang gets here.
            try #require(arrived.wait(timeout: .now() + 60) == .success, "no outcome of \(token)")
        }
    }
}

/// A sender and its outcomes, stopped at the end of the body.
func withSender<Result>(
    authorities: String? = nil,
    _ body: (HTTPSender, Outcomes<HTTPOutcome>) throws -> Result
) rethrows -> Result {
    let outcomes = Outcomes<HTTPOutcome>()
    let sender = HTTPSender(clock: FixedClock.standard, authorities: authorities) {
        outcomes.add($0, $1)
    }
    defer { sender.stop(graceMilliseconds: 0) }
    return try body(sender, outcomes)
}

/// The policy under which tests reach their own servers.
func loopbackPolicy() throws -> AddressPolicy {
    try AddressPolicy(allowPrivate: ["127.0.0.0/8"])
}

func request(
    to server: LoopbackServer,
    destination: String = "crm",
    method: String = "POST",
    path: String = "/hook",
    body: String = "{}",
    timeoutMilliseconds: Int = 20_000,
    token: UInt64 = 1
) throws -> HTTPRequest {
    let policy = try loopbackPolicy()
    return HTTPRequest(
        destination: destination,
        method: method,
        url: try DestinationURL("http://127.0.0.1:\(server.port)\(path)", policy: policy),
        headers: [("Content-Type", "application/json")],
        body: Array(body.utf8),
        timeoutMilliseconds: timeoutMilliseconds,
        policy: policy,
        token: token
    )
}

/// Sends one request and returns its outcome.
func outcome(of request: HTTPRequest, authorities: String? = nil) throws -> HTTPOutcome {
    try withSender(authorities: authorities) { sender, outcomes in
        sender.submit(request)
        return try outcomes.wait(for: request.token)
    }
}

extension HTTPOutcome {
    var answer: HTTPAnswer? {
        if case .answered(let answer) = self { answer } else { nil }
    }
    var notSentText: String? {
        if case .notSent(let text) = self { text } else { nil }
    }
    var unknownText: String? {
        if case .unknown(let text) = self { text } else { nil }
    }
}

/// A directory that is gone after the body.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let directory = FileManager.default.temporaryDirectory
        .appendingPathComponent("cohortd-destinations-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: directory) } }
    return try body(directory.path)
}
