/// One HTTP request to a destination; added to it are only `Host`, `Accept: */*` and
/// `Content-Length`.
package struct HTTPRequest: Sendable {
    /// The destination's id; requests of one destination share connections, with no other's.
    package var destination: String
    /// The method: `POST`, `PUT`, `GET` and the like.
    package var method: String
    /// Where to.
    package var url: DestinationURL
    /// Names and values in the order sent; neither may hold a control character.
    package var headers: [(name: String, value: String)]
    /// The body; empty for none.
    package var body: [UInt8]
    /// The time for the whole exchange, name look-up to last byte.
    package var timeoutMilliseconds: Int
    /// Which addresses may be dialled.
    package var policy: AddressPolicy
    /// Comes back with the outcome.
    package var token: UInt64

    /// A request from its parts.
    package init(
        destination: String,
        method: String = "POST",
        url: DestinationURL,
        headers: [(name: String, value: String)],
        body: [UInt8],
        timeoutMilliseconds: Int = 30_000,
        policy: AddressPolicy,
        token: UInt64
    ) {
        self.destination = destination
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeoutMilliseconds = timeoutMilliseconds
        self.policy = policy
        self.token = token
    }
}

/// How an HTTP request ended, in three values: whether the receiver acted is known, or known not,
/// or not.
package enum HTTPOutcome: Sendable, Equatable {
    /// The receiver answered.
    case answered(HTTPAnswer)
    /// No byte of the request left: the receiver has certainly not acted on it. The text names the
    /// reason.
    case notSent(String)
    /// Bytes left and no whole answer came: the receiver may have acted. The text names the reason.
    case unknown(String)
}

/// What an answer says that decisions are made on.
package struct HTTPAnswer: Sendable, Equatable {
    /// The status code.
    package var status: Int
    /// `Retry-After` as milliseconds from now, for the caller to clamp; nil if absent or garbage.
    package var retryAfterMilliseconds: Int64?
    /// The first `HTTPSender.bodyBytesMax` bytes of the body; untrusted, not for logs.
    package var bodyPrefix: [UInt8]
    /// The host a redirect points to, never followed.
    package var redirectHost: String?

    /// An answer from its parts.
    package init(
        status: Int,
        retryAfterMilliseconds: Int64? = nil,
        bodyPrefix: [UInt8] = [],
        redirectHost: String? = nil
    ) {
        self.status = status
        self.retryAfterMilliseconds = retryAfterMilliseconds
        self.bodyPrefix = bodyPrefix
        self.redirectHost = redirectHost
    }
}
