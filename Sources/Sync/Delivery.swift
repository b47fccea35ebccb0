package import Basics

/// One request to a destination: users of one tick, all going the same way.
///
/// Made from a durable intent only; sent again it is the same in every field, so its body is the same
/// byte for byte.
package struct DeliveryRequest: Sendable, Equatable {
    /// Whose request; results come back under it.
    package var syncID: String
    /// Where to.
    package var destinationID: String
    /// How that destination is reached.
    package var destinationKind: DestinationKind
    /// `<uuid>::enter|exit::<n>`; the same for ever for the same body.
    package var messageID: String
    /// The cohort's id as of the intent.
    package var cohortID: String
    /// The cohort's name as of the intent.
    package var cohortName: String
    /// What happened to the users.
    package var operation: Operation
    /// The tick of the cut the intent was planned from.
    package var tick: EventTime
    /// At most 1000 ids, sorted by bytes.
    package var users: UserList
    /// How long this request may take, in milliseconds.
    package var timeoutMilliseconds: Int64
}

/// How a request ended, as far as the sender can know.
///
/// A detail says what happened, where, and what to do, without secrets, ids or bodies: it is shown to
/// the operator.
package enum DeliveryOutcome: Sendable, Equatable {
    /// The destination took it.
    case delivered
    /// 401 or 403: nothing was applied, and nothing will be until somebody changes the credential.
    case authenticationRefused(detail: String)
    /// 410: the destination does not want us any more.
    case gone(detail: String)
    /// Anything else; tried again without end.
    ///
    /// `knownNotApplied` only where this attempt, whatever earlier ones did, certainly had no effect, such as
    /// a refused connection: timeouts, resets and 5xx are unknown. `retryAfterMilliseconds` is what the
    /// destination asked for, as received: the planner clamps it.
    case retriable(
        detail: String,
        retryAfterMilliseconds: Int64? = nil,
        knownNotApplied: Bool = false
    )

    /// Nothing but the detail, for logs; nil when delivered.
    package var detail: String? {
        switch self {
        case .delivered: nil
        case .authenticationRefused(let detail), .gone(let detail): detail
        case .retriable(let detail, _, _): detail
        }
    }
}
