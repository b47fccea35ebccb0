import Templates

/// The access token of one destination: fetched before the first request that needs one, by one request at a time.
///
/// Kept until a minute before it expires, and of one that lives less than two minutes half that time, by monotonic
/// time. Lives in memory only: after a start another one is fetched.
struct TokenKeeper: Sendable {
    private static let margin: Int64 = 60_000

    private var token: AccessToken?
    private var renewAt = Int64.min
    /// Counts tokens; 0 before the first.
    private(set) var number = 0
    /// The request that is to bring one.
    private var fetch: UInt64?

    /// Whether a request for one is on its way.
    var isFetching: Bool { fetch != nil }

    /// The token, while it may be used.
    func usable(now: Int64) -> AccessToken? { now < renewAt ? token : nil }

    /// Notes that a request for one leaves.
    mutating func begin(_ request: UInt64) {
        fetch = request
    }

    /// Notes that a request for one ended; false where nobody waits for it any more.
    mutating func end(_ request: UInt64) -> Bool {
        guard fetch == request else { return false }
        fetch = nil
        return true
    }

    /// Takes a token that was asked for at that time.
    mutating func take(_ token: AccessToken, askedAt: Int64) {
        let lifetime = token.lifetimeMilliseconds
        self.token = token
        number += 1
        renewAt = askedAt + lifetime - min(Self.margin, lifetime / 2)
    }

    /// The partner refuses the token of that number: a newer one stays.
    mutating func drop(number: Int) {
        if number == self.number { token = nil }
    }

    /// Forgets everything: what is on its way is of other secrets.
    mutating func reset() {
        token = nil
        fetch = nil
    }
}
