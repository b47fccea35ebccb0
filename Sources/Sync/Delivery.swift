package import Basics

/// Where a record comes from, so that who reads a topic can put its records in order and drop repetitions.
package struct RecordOrigin: Sendable, Hashable {
    /// The partition of the user's events.
    package var partition: PartitionID
    /// Counts the records of one sync and partition, from 1.
    package var sequence: UInt64

    /// An origin from its parts.
    package init(partition: PartitionID, sequence: UInt64) {
        self.partition = partition
        self.sequence = sequence
    }
}

/// One batch for a destination: users of one tick.
///
/// Made from a durable intent only; sent again it is the same in every field, so its body is the same
/// byte for byte.
package struct DeliveryRequest: Sendable, Equatable {
    /// Whose request; results come back under it.
    package var syncID: String
    /// Where to.
    package var destinationID: String
    /// `<uuid>::enter|exit::<n>`; the same for ever for the same body.
    package var messageID: String
    /// The cohort's id as of the intent.
    package var cohortID: String
    /// The cohort's name as of the intent.
    package var cohortName: String
    /// The tick of the cut the intent was planned from.
    package var tick: EventTime
    /// What the destination knows the users by: ids, or rows of a template's identity.
    ///
    /// First those who leave, then those who enter, each sorted by bytes.
    package var users: UserList
    /// How many of the users leave: the first ones.
    package var exitCount: Int
    /// By user, where the destination's records are numbered; otherwise empty.
    package var origins: [RecordOrigin] = []
    /// By user, the properties sent along, as the text of a JSON object; empty where none are.
    package var properties = UserList()
    /// How long this request may take, in milliseconds.
    package var timeoutMilliseconds: Int64

    /// A request from its parts.
    package init(
        syncID: String,
        destinationID: String,
        messageID: String,
        cohortID: String,
        cohortName: String,
        tick: EventTime,
        users: UserList,
        exitCount: Int,
        origins: [RecordOrigin] = [],
        properties: UserList = UserList(),
        timeoutMilliseconds: Int64
    ) {
        self.syncID = syncID
        self.destinationID = destinationID
        self.messageID = messageID
        self.cohortID = cohortID
        self.cohortName = cohortName
        self.tick = tick
        self.users = users
        self.exitCount = exitCount
        self.origins = origins
        self.properties = properties
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    /// What happened to the users of a batch that is not mixed.
    package var operation: Operation { exitCount > 0 ? .exit : .enter }
}

/// One run of a sync whose destination takes whole files.
///
/// Its users' intents are durable; made again after a failure it has the same tick, so the same files.
package struct RunRequest: Sendable, Equatable {
    /// Users and, by user, the properties sent along as the text of a JSON object; empty where none are.
    package struct Members: Sendable, Equatable {
        /// Sorted by bytes.
        package var users = UserList()
        /// By user, or empty.
        package var properties = UserList()

        /// Nobody.
        package init() {}
    }

    /// Whose run; its outcome comes back under it.
    package var syncID: String
    /// Where to.
    package var destinationID: String
    /// The cohort's id.
    package var cohortID: String
    /// The run's instant, which names its files.
    package var tick: EventTime
    /// Who came in since the last run.
    package var entering: Members
    /// Who left since the last run.
    package var exiting: Members
    /// Who was in at the last run and is now.
    package var existing: Members

    /// A run from its parts.
    package init(
        syncID: String,
        destinationID: String,
        cohortID: String,
        tick: EventTime,
        entering: Members,
        exiting: Members,
        existing: Members
    ) {
        self.syncID = syncID
        self.destinationID = destinationID
        self.cohortID = cohortID
        self.tick = tick
        self.entering = entering
        self.exiting = exiting
        self.existing = existing
    }
}

/// Why a destination takes nothing more of a sync before somebody or something changes.
///
/// The details are those of the outcomes of the same names.
package enum DeliveryRefusal: Sendable, Equatable {
    /// 401 or 403: the credential has to change.
    case authentication(detail: String)
    /// The destination's list is not there any more.
    case gone(detail: String)
    /// Something that repeating does not mend.
    case failed(detail: String)

    /// What happened and what to do.
    package var detail: String {
        switch self {
        case .authentication(let detail), .gone(let detail), .failed(let detail): detail
        }
    }
}

/// How a request ended, as far as the sender can know.
///
/// A detail says what happened, where, and what to do, without secrets, ids or bodies: it is shown to
/// the operator.
package enum DeliveryOutcome: Sendable, Equatable {
    /// The destination took it.
    case delivered
    /// The destination said it user by user, or different requests of the batch ended differently.
    ///
    /// `detail` says why some are sent again, nil where nobody is. `refusal` is there where a part of the batch
    /// went through, or may have, before the destination refused the rest: the users count, and the sync pauses.
    case settled(
        UserOutcomes,
        detail: String? = nil,
        retryAfterMilliseconds: Int64? = nil,
        refusal: DeliveryRefusal? = nil
    )
    /// 401 or 403: nothing was applied, and nothing will be until somebody changes the credential.
    case authenticationRefused(detail: String)
    /// The destination's list is not there any more, or (410) it does not want us any more. Nothing was applied.
    case gone(detail: String)
    /// Something that repeating does not mend; the sync waits for a person. Nothing was applied.
    case failed(detail: String)
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
        case .settled(_, let detail, _, let refusal): refusal?.detail ?? detail
        case .authenticationRefused(let detail), .gone(let detail), .failed(let detail): detail
        case .retriable(let detail, _, _): detail
        }
    }
}
