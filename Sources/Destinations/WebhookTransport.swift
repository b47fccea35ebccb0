package import Basics
package import Delivery
package import Sync

/// Turns a batch into a signed webhook request, and its outcome into the sync's words.
///
/// Holds no connection and no state: `HTTPSender` sends. Source: docs/destinations/webhook.md.
package struct WebhookTransport: Sendable {
    /// The shortest and longest `timeout` a destination may set.
    package static let timeoutMilliseconds: ClosedRange<Int64> = 1000...120_000
    /// The `timeout` of a destination that sets none.
    package static let defaultTimeoutMilliseconds = 30_000

    /// The destination's id.
    package let destination: String
    /// Where to.
    package let url: DestinationURL
    /// Which addresses may be dialled.
    package let policy: AddressPolicy
    /// The time for one request.
    package let timeoutMilliseconds: Int

    private let secret: WebhookSecret
    private let userAgent: String

    /// A transport of one configured destination; `version` is this program's, for `User-Agent`.
    package init(
        destination: String,
        url: DestinationURL,
        secret: WebhookSecret,
        policy: AddressPolicy,
        timeoutMilliseconds: Int = defaultTimeoutMilliseconds,
        version: String
    ) {
        self.destination = destination
        self.url = url
        self.secret = secret
        self.policy = policy
        self.timeoutMilliseconds = timeoutMilliseconds
        userAgent = "cohortd/\(version)"
    }

    /// The request that carries a batch.
    ///
    /// - Parameters:
    ///   - body: Sent byte for byte; the same `messageID` always has the same body.
    ///   - messageID: Printable ASCII; the receiver's key to recognise a repetition.
    ///   - now: The time of this attempt, part of what is signed.
    ///   - token: Comes back with the outcome.
    /// - Returns: The request for `HTTPSender.submit`.
    package func request(
        body: [UInt8],
        messageID: String,
        now: EventTime,
        token: UInt64
    ) -> HTTPRequest {
        let timestamp = now.roundedDown(toMultipleOf: 1000).milliseconds / 1000
        let signature = secret.signature(id: messageID, timestamp: timestamp, body: body)
        return HTTPRequest(
            destination: destination,
            url: url,
            headers: [
                ("Content-Type", "application/json"),
                ("webhook-id", messageID),
                ("webhook-timestamp", String(timestamp)),
                ("webhook-signature", signature),
                ("User-Agent", userAgent),
            ],
            body: body,
            timeoutMilliseconds: timeoutMilliseconds,
            policy: policy,
            token: token
        )
    }

    /// What an outcome of such a request means: 2xx is delivered whatever the body says; 401, 403
    /// and 410 need a person; everything else is tried again.
    package func classify(_ outcome: HTTPOutcome) -> DeliveryOutcome {
        switch outcome {
        case .notSent(let text):
            .retriable(detail: text, knownNotApplied: true)
        case .unknown(let text):
            .retriable(detail: text)
        case .answered(let answer):
            classify(answer)
        }
    }

    private func classify(_ answer: HTTPAnswer) -> DeliveryOutcome {
        switch answer.status {
        case 200...299:
            .delivered
        case 401, 403:
            .authenticationRefused(
                detail: "\(url.target) answers \(answer.status): it does not accept the signature; "
                    + "check that secret is the one the receiver has, then restart"
            )
        case 410:
            .gone(
                detail:
                    "\(url.target) answers 410: the receiver wants no more; correct url or remove the "
                    + "sync, then restart"
            )
        default:
            .retriable(
                detail: retryText(answer),
                retryAfterMilliseconds: answer.retryAfterMilliseconds,
                knownNotApplied: Self.isUntouched(answer.status)
            )
        }
    }

    private func retryText(_ answer: HTTPAnswer) -> String {
        switch answer.status {
        case 300...399:
            let place = answer.redirectHost.map { " to \($0)" } ?? ""
            return "\(url.target) answers \(answer.status): it redirects\(place), which is not "
                + "followed; set url to the final address"
        case 429:
            return "\(url.target) answers 429: too many requests; sent again later"
        case 500...599:
            return "\(url.target) answers \(answer.status): the receiver failed; look at its log, "
                + "the batch is sent again until it answers 2xx"
        default:
            return "\(url.target) answers \(answer.status): the receiver does not take the batch; "
                + "look at its log, the batch is sent again until it answers 2xx"
        }
    }

    /// Whether a status says that nobody looked at the users.
    ///
    /// Other errors may come after part of the work: a gateway's 504, a 500 in the middle, a 400 or
    /// 422 because of one user after the others were taken, a 409 for a batch that arrived before.
    private static func isUntouched(_ status: Int) -> Bool {
        switch status {
        case 300...399, 404, 405, 413, 429: true
        default: false
        }
    }
}
