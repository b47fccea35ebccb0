package import Basics
import Synchronization

/// Who may ask the API, and how often.
///
/// - Without keys whoever reaches the address may do everything; then that is a loopback address, and requests that a
///   browser may have been tricked into sending are refused (``HostRule``).
/// - With keys each request carries one in `Authorization: Bearer KEY`, has as many requests a second as configured, and
///   may do what its scopes say. ``FailedAttempts`` bounds how often a key can be guessed.
///
/// Any thread may call it.
package final class APIGate: Sendable {
    /// Who asks.
    enum Caller: Sendable {
        /// The API takes no keys.
        case anyone
        /// Somebody with a key.
        case owner(APIKeyRing.Owner)

        /// The name of the key.
        var name: String? {
            switch self {
            case .anyone: nil
            case .owner(let owner): owner.name
            }
        }

        func may(_ scope: APIScope) -> Bool {
            switch self {
            case .anyone: true
            case .owner(let owner): owner.scopes.contains(scope)
            }
        }
    }

    /// Why somebody is not let in.
    struct Refusal: Error {
        let response: HTTPResponse
    }

    private struct State {
        var failures = FailedAttempts()
        /// By the place of the key in the ring.
        var buckets: [TokenBucket]
    }

    private let hostRule: HostRule
    private let keys: APIKeyRing
    private let requestsPerSecond: Int
    private let clock: any Clock
    private let tell: @Sendable (APIOccurrence) -> Void
    private let state: Mutex<State>

    /// The gate of a server.
    ///
    /// - Parameters:
    ///   - listen: Where it listens; a loopback address where there are no keys.
    ///   - keys: Who may ask; none = whoever can.
    ///   - requestsPerSecond: Of each key.
    ///   - clock: Its monotonic side measures rates.
    ///   - tell: Told what the log is to have, on the thread of the request.
    package init(
        listen: ListenAddress,
        keys: APIKeyRing,
        requestsPerSecond: Int,
        clock: any Clock,
        tell: @escaping @Sendable (APIOccurrence) -> Void
    ) {
        precondition(!keys.isEmpty || listen.host.isLoopback, "no keys on \(listen)")
        hostRule = HostRule(listen: listen)
        self.keys = keys
        self.requestsPerSecond = requestsPerSecond
        self.clock = clock
        self.tell = tell
        let now = clock.monotonicMilliseconds
        let bucket = TokenBucket(capacity: requestsPerSecond, periodMilliseconds: 1000, now: now)
        state = Mutex(State(buckets: Array(repeating: bucket, count: keys.count)))
    }

    /// Refuses what a browser may have been tricked into sending: 403.
    func checkOrigin(of request: HTTPRequest) throws(Refusal) {
        do throws(HostRule.Refusal) {
            try hostRule.check(request.headers, withKey: !keys.isEmpty)
        } catch {
            throw Refusal(response: .error(status: 403, code: "forbidden", error.text))
        }
    }

    /// Finds out who asks.
    ///
    /// - Throws: 401 without a key that somebody has, 429 after too many of those.
    func identify(_ request: HTTPRequest) throws(Refusal) -> Caller {
        if keys.isEmpty { return .anyone }
        let address = ListenAddress(request.remoteAddress)?.host
        let now = clock.monotonicMilliseconds
        let wait = state.withLock { $0.failures.wait(of: address, now: now) }
        if wait > 0 {
            throw Self.tooMany("too many wrong keys came from this address", wait: wait)
        }
        let given = request.headers.all("authorization")
        if given.isEmpty { throw Self.unknown }
        if given.count == 1, let key = Self.bearerToken(given[0]), let owner = keys.owner(of: key) {
            return .owner(owner)
        }
        state.withLock { $0.failures.note(address, now: now) }
        tell(.wrongKey(address: Self.address(of: request)))
        throw Self.unknown
    }

    /// Counts a request of somebody with a key.
    ///
    /// - Throws: 429 where they had all of this second.
    func count(_ caller: Caller) throws(Refusal) {
        guard case .owner(let owner) = caller else { return }
        let now = clock.monotonicMilliseconds
        let wait = state.withLock { $0.buckets[owner.index].take(now: now) }
        if wait > 0 {
            throw Self.tooMany(
                "the key \"\(owner.name)\" has \(requestsPerSecond) requests a second",
                wait: wait
            )
        }
    }

    /// Notes a call that changes something or takes members out.
    func note(_ request: HTTPRequest, by caller: Caller, status: Int) {
        // A path that was taken is short, but for the id in it.
        let path = request.target.prefix { $0 != "?" }.prefix(200)
        tell(
            .call(
                APICall(
                    key: caller.name,
                    address: Self.address(of: request),
                    method: request.method,
                    path: String(path),
                    status: status
                )
            )
        )
    }

    /// The same for no key and for every wrong one.
    private static var unknown: Refusal {
        var response = HTTPResponse.error(
            status: 401,
            code: "unauthorized",
            "this takes a key of http.keys: send Authorization: Bearer KEY"
        )
        response.headers.append(("WWW-Authenticate", "Bearer"))
        return Refusal(response: response)
    }

    private static func tooMany(_ text: String, wait milliseconds: Int64) -> Refusal {
        let seconds = (milliseconds + 999) / 1000
        var response = HTTPResponse.error(
            status: 429,
            code: "too_many_requests",
            "\(text); try again in \(seconds) s"
        )
        response.headers.append(("Retry-After", "\(seconds)"))
        return Refusal(response: response)
    }

    /// The key in `Bearer KEY`; nil where the header is none of these.
    private static func bearerToken(_ header: String) -> String? {
        let scheme = "bearer "
        guard header.lowercasedASCII.hasPrefix(scheme) else { return nil }
        return String(header.utf8.dropFirst(scheme.utf8.count).drop { $0 == 0x20 })
    }

    private static func address(of request: HTTPRequest) -> String {
        ListenAddress(request.remoteAddress).map { "\($0.host)" } ?? request.remoteAddress
    }
}
