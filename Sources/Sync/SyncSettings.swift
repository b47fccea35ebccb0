/// How a destination is reached.
package enum DestinationKind: String, Sendable {
    /// Requests over HTTP.
    case webhook
    /// Lines appended to a file.
    case file
}

/// What the configuration says about one sync.
package struct SyncSettings: Sendable, Equatable {
    /// The sync's id; its journal state is kept under it.
    package var id: String
    /// The cohort whose members are sent.
    package var cohortID: String
    /// The cohort's name as bodies carry it.
    package var cohortName: String
    /// Where to.
    package var destinationID: String
    /// How that destination is reached.
    package var destinationKind: DestinationKind
    /// How long one request may take, in milliseconds; also the base of the settle rule.
    package var requestTimeoutMilliseconds: Int64
    /// Whether the configuration holds the sync still.
    package var isPaused: Bool

    /// Settings from their parts.
    package init(
        id: String,
        cohortID: String,
        cohortName: String,
        destinationID: String,
        destinationKind: DestinationKind,
        requestTimeoutMilliseconds: Int64 = 30_000,
        isPaused: Bool = false
    ) {
        self.id = id
        self.cohortID = cohortID
        self.cohortName = cohortName
        self.destinationID = destinationID
        self.destinationKind = destinationKind
        self.requestTimeoutMilliseconds = requestTimeoutMilliseconds
        self.isPaused = isPaused
    }

    /// How long the opposite of an operation of unknown outcome waits, in milliseconds.
    var settleMilliseconds: Int64 { 2 * requestTimeoutMilliseconds }
}
