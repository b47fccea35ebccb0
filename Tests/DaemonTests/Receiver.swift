import Basics
import Destinations
import Foundation
import HTTPAPI
import Testing

/// A webhook receiver as one would write it: it verifies signatures, keeps every request in the order of
/// arrival, and answers what the test says.
final class Receiver: Sendable {
    /// What is done with a request.
    enum Answer: Sendable {
        case status(Int, headers: [(name: String, value: String)] = [])
        /// No answer until this long has passed, or `stop`.
        case silence(seconds: Double)

        static var ok: Answer { .status(200) }
    }

    /// The body of a request.
    struct Body: Decodable {
        struct User: Decodable {
            var user_id: String
        }
        var cohort_name: String
        var cohort_id: String
        var in_cohort: Bool
        var computed_time: String
        var message_id: String
        var users: [User]
    }

    /// One request as it came.
    struct Delivery: Sendable {
        var path: String
        /// Which of the receiver's secrets signed it.
        var signer: Int
        var messageID: String
        var cohort: String
        var isEnter: Bool
        /// The tick, in seconds since 1970.
        var tick: Int64
        var users: [String]
        var bytes: [UInt8]
        /// What it was answered; nil for silence.
        var status: Int?
        /// When it came, in milliseconds since 1970.
        var at: Int64

        var isTaken: Bool { status.map { (200...299).contains($0) } ?? false }
    }

    private struct State {
        var deliveries: [Delivery] = []
        var problems: [String] = []
        var answer: @Sendable (Delivery) -> Answer = { _ in .ok }
        var isStopped = false
    }

    /// The secret it verifies with.
    static let secret = "whsec_" + Data((0..<32).map { UInt8($0 * 7) }).base64EncodedString()

    private let server: HTTPServer
    private let state: Locked<State>

    /// Where it listens.
    var url: String { "http://\(server.address)/hook" }

    /// A receiver that takes what one of the secrets signed.
    init(secrets: [String] = [secret]) throws {
        let state = Locked(State())
        let keys = try secrets.map { try WebhookSecret(SecretText($0)) }
        self.state = state
        var limits = HTTPLimits()
        // A silent answer holds its thread.
        limits.threads = 8
        server = try HTTPServer(listen: ListenAddress(port: 0), limits: limits) {
            request in
            Self.take(request, keys, state)
        }
    }

    deinit {
        stop()
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        server.stop()
    }

    /// Says what later requests are answered.
    func answer(_ answer: @escaping @Sendable (Delivery) -> Answer) {
        state.withLock { $0.answer = answer }
    }

    /// Everything that came, in order of arrival.
    var deliveries: [Delivery] { state.withLock { $0.deliveries } }

    /// Requests that no receiver should have got: of a wrong form, or with a wrong signature.
    var problems: [String] { state.withLock { $0.problems } }

    private static func take(
        _ request: HTTPAPI.HTTPRequest,
        _ keys: [WebhookSecret],
        _ state: Locked<State>
    ) -> HTTPResponse {
        var delivery: Delivery
        do {
            delivery = try read(request, keys)
        } catch {
            state.withLock { $0.problems.append("\(error)") }
            return .text(status: 400, "\(error)\n")
        }
        let taken = delivery
        let answer = state.withLock { state in state.answer(taken) }
        if case .status(let status, _) = answer { delivery.status = status }
        let kept = delivery
        state.withLock { $0.deliveries.append(kept) }
        switch answer {
        case .status(let status, let headers):
            return HTTPResponse(status: status, headers: headers, body: [])
        case .silence(let seconds):
            let end = ProcessInfo.processInfo.systemUptime + seconds
            while ProcessInfo.processInfo.systemUptime < end, !state.withLock({ $0.isStopped }) {
                Thread.sleep(forTimeInterval: 0.02)
            }
            return .text(status: 503, "late\n")
        }
    }

    private struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    private static func read(
        _ request: HTTPAPI.HTTPRequest,
        _ keys: [WebhookSecret]
    ) throws -> Delivery {
        func header(_ name: String) throws -> String {
            guard let value = request.headers[name] else {
                throw Refused(description: "no \(name)")
            }
            return value
        }
        let id = try header("webhook-id")
        guard request.method == "POST", try header("content-type") == "application/json",
            try header("user-agent").hasPrefix("cohortd/")
        else { throw Refused(description: "\(request.method), \(request.headers.fields)") }
        let timestamp = try header("webhook-timestamp")
        let signature = try header("webhook-signature")
        guard
            let signer = keys.firstIndex(where: {
                $0.verify(id: id, timestamp: timestamp, body: request.body, signature: signature)
            })
        else { throw Refused(description: "the signature of \(id) does not fit") }
        guard let seconds = Int64(timestamp),
            abs(seconds - wallClock() / 1000) < 300
        else { throw Refused(description: "the timestamp of \(id) is not now") }
        let body = try JSONDecoder().decode(Body.self, from: Data(request.body))
        let users = body.users.map(\.user_id)
        guard body.message_id == id, let tick = Int64(body.computed_time),
            (1...1000).contains(users.count)
        else { throw Refused(description: "the body of \(id) does not fit its headers") }
        guard
            zip(users, users.dropFirst()).allSatisfy({
                Array($0.utf8).lexicographicallyPrecedes($1.utf8)
            })
        else { throw Refused(description: "the users of \(id) are not sorted") }
        guard id.contains(body.in_cohort ? "::enter::" : "::exit::") else {
            throw Refused(description: "\(id) is not of its direction")
        }
        return Delivery(
            path: request.target,
            signer: signer,
            messageID: id,
            cohort: body.cohort_id,
            isEnter: body.in_cohort,
            tick: tick,
            users: users,
            bytes: request.body,
            status: nil,
            at: wallClock()
        )
    }
}

extension [Receiver.Delivery] {
    /// What a receiver knows that applies every message it took once, in order of arrival.
    ///
    /// - Parameter tick: Later ones, in milliseconds since 1970, are left out.
    /// - Returns: The users by cohort.
    func members(until tick: Int64 = .max) -> [String: Set<String>] {
        var seen: Set<String> = []
        var members: [String: Set<String>] = [:]
        for delivery in self where delivery.isTaken && delivery.tick * 1000 <= tick {
            guard seen.insert(delivery.messageID).inserted else { continue }
            if delivery.isEnter {
                members[delivery.cohort, default: []].formUnion(delivery.users)
            } else {
                members[delivery.cohort, default: []].subtract(delivery.users)
            }
        }
        return members
    }

    /// What may never be seen: one message id with two bodies, or a user for whom time went back.
    var contradictions: [String] {
        var found: [String] = []
        var bodies: [String: [UInt8]] = [:]
        var ticks: [String: Int64] = [:]
        for delivery in self {
            let body = bodies[delivery.messageID] ?? delivery.bytes
            bodies[delivery.messageID] = body
            if body != delivery.bytes { found.append("\(delivery.messageID) has two bodies") }
            for user in delivery.users {
                let key = "\(delivery.path) \(delivery.cohort) \(user)"
                if delivery.tick < ticks[key] ?? .min {
                    found.append("\(key) goes back from \(ticks[key] ?? 0) to \(delivery.tick)")
                }
                ticks[key] = delivery.tick
            }
        }
        return found
    }
}
