/// A change that would make many leave waits for a person: `guard` of a sync.
package struct MassExitGuard: Sendable, Equatable {
    /// More than this share of those the destination holds; 1 = off.
    package var share = 0.3
    /// And more than so many.
    package var users = 1000

    /// The default.
    package init() {}

    /// A guard from its parts.
    package init(share: Double, users: Int) {
        self.share = share
        self.users = users
    }
}

/// What the configuration says about one sync.
package struct SyncSettings: Sendable {
    /// The sync's id; its journal state is kept under it.
    package var id: String
    /// The cohort whose members are sent.
    package var cohortID: String
    /// The cohort's name as bodies carry it.
    package var cohortName: String
    /// Where to.
    package var destinationID: String
    /// How that destination takes users.
    package var shape: DeliveryShape
    /// What users are called there, and what is sent along.
    package var naming: UserNaming
    /// When changes leave.
    package var cadence: SyncCadence
    /// How long one request may take, in milliseconds; also the base of the settle rule.
    package var requestTimeoutMilliseconds: Int64
    /// When a change that makes many leave waits for a person.
    package var massExits = MassExitGuard()
    /// How often everyone is sent again, in milliseconds; 0 = never.
    package var reassertMilliseconds: Int64 = 86_400_000
    /// A run below this share is partially succeeded.
    package var success = 0.95
    /// For how long a destination may fail before the sync counts as degraded, in milliseconds.
    package var degradedMilliseconds: Int64 = 86_400_000
    /// Whether the configuration holds the sync still.
    package var isPaused: Bool
    /// Whether its users are taken out at the destination once the sync is not configured any more.
    package var removesUsers = true
    /// Whether that is the case: nobody is a member any more.
    package var isLeaving = false

    /// Settings from their parts; what is not named has the configuration's default.
    package init(
        id: String,
        cohortID: String,
        cohortName: String,
        destinationID: String,
        shape: DeliveryShape = DeliveryShape(),
        naming: UserNaming = UserNaming(),
        cadence: SyncCadence = .realtime,
        requestTimeoutMilliseconds: Int64 = 30_000,
        isPaused: Bool = false
    ) {
        self.id = id
        self.cohortID = cohortID
        self.cohortName = cohortName
        self.destinationID = destinationID
        self.shape = shape
        self.naming = naming
        self.cadence = cadence
        self.requestTimeoutMilliseconds = requestTimeoutMilliseconds
        self.isPaused = isPaused
    }

    /// What the journal keeps of it.
    var terms: SyncTerms {
        SyncTerms(
            cohortID: cohortID,
            cohortName: cohortName,
            removesUsers: removesUsers,
            massExits: massExits,
            isLeaving: isLeaving
        )
    }

    /// How long the opposite of an operation of unknown outcome waits, in milliseconds.
    var settleMilliseconds: Int64 { 2 * requestTimeoutMilliseconds }

    /// The destination as the journal names it.
    ///
    /// Names of users that are rows of a template mean nothing to a destination of another kind under the same
    /// id, which is another destination therefore. No id has a slash.
    package var destinationKey: String { naming.isMapped ? destinationID + "/rows" : destinationID }
}
