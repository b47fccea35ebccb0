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

    /// What an outcome of such a request means.
    package func classify(_ outcome: HTTPOutcome) -> DeliveryOutcome {
        WebhookAnswers.classify(outcome, target: url.target)
    }
}
