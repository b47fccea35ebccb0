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
package struct HTTPAnswer: Sendable {
    /// What is kept of an answer's body; what comes beyond is not read.
    package static let bodyBytesMax = 64 << 10
    /// An answer with more bytes of headers than this is none.
    package static let headerBytesMax = 32 << 10

    /// The status code.
    package var status: Int
    /// `Retry-After` as milliseconds from now, for the caller to clamp; nil if absent or garbage.
    package var retryAfterMilliseconds: Int64?
    /// Names and values in the order received, ``headerBytesMax`` in all; untrusted, not for logs.
    package var headers: [(name: String, value: String)]
    /// The first ``bodyBytesMax`` bytes of the body; untrusted, not for logs.
    package var bodyPrefix: [UInt8]
    /// Whether the body goes on behind ``bodyPrefix``.
    package var isBodyCut: Bool
    /// The host a redirect points to, never followed.
    package var redirectHost: String?

    /// An answer from its parts.
    package init(
        status: Int,
        retryAfterMilliseconds: Int64? = nil,
        headers: [(name: String, value: String)] = [],
        bodyPrefix: [UInt8] = [],
        isBodyCut: Bool = false,
        redirectHost: String? = nil
    ) {
        self.status = status
        self.retryAfterMilliseconds = retryAfterMilliseconds
        self.headers = headers
        self.bodyPrefix = bodyPrefix
        self.isBodyCut = isBodyCut
        self.redirectHost = redirectHost
    }

    /// The value of the first header of that name, in any case; nil where there is none.
    package func header(_ name: String) -> String? {
        let lowercased = name.lowercased()
        return headers.first { $0.name.lowercased() == lowercased }?.value
    }
}

extension HTTPAnswer: Equatable {
    package static func == (left: HTTPAnswer, right: HTTPAnswer) -> Bool {
        left.status == right.status
            && left.retryAfterMilliseconds == right.retryAfterMilliseconds
            && left.headers.elementsEqual(right.headers, by: ==)
            && left.bodyPrefix == right.bodyPrefix
            && left.isBodyCut == right.isBodyCut
            && left.redirectHost == right.redirectHost
    }
}
