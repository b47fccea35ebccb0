/// What became of one batch handed to a transport, in the words the sync decides by.
package enum DeliveryOutcome: Sendable, Equatable {
    /// The destination has it.
    case delivered
    /// The destination does not accept our credentials (401, 403): pause and tell a person.
    case authenticationRefused(String)
    /// The destination says it is gone for good (410): pause and tell a person.
    case gone(String)
    /// Try the same batch again later.
    case retry(DeliveryFailure)

    /// Nothing but the reason, for logs; nil when delivered.
    package var text: String? {
        switch self {
        case .delivered: nil
        case .authenticationRefused(let text), .gone(let text): text
        case .retry(let failure): failure.text
        }
    }
}

/// Why a batch has to be tried again.
package struct DeliveryFailure: Sendable, Equatable {
    /// What happened, where, and what to do; without secrets, ids or bodies.
    package var text: String
    /// Whether this attempt, whatever earlier ones did, certainly changed nothing at the
    /// destination.
    package var isKnownNotApplied: Bool
    /// How long the destination asks us to wait, as received: the planner clamps it.
    package var retryAfterMilliseconds: Int64?

    /// A failure from its parts.
    package init(text: String, isKnownNotApplied: Bool, retryAfterMilliseconds: Int64? = nil) {
        self.text = text
        self.isKnownNotApplied = isKnownNotApplied
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }
}
