/// What the journal keeps of a sync's configuration, for when the sync is not configured any more.
package struct SyncTerms: Sendable, Equatable {
    /// The cohort whose members are sent.
    package var cohortID: String
    /// The cohort's name as bodies carry it.
    package var cohortName: String
    /// Whether its users are taken out at the destination once the sync is gone: `on_delete: remove_all`.
    package var removesUsers: Bool
    /// When that waits for a person.
    package var massExits: MassExitGuard
    /// Whether the sync is gone, and its users are being taken out.
    package var isLeaving: Bool
}

/// A sync that is not configured any more and still has users at its destination, whom it is to take out there.
package struct LeavingSync: Sendable, Equatable {
    /// The sync's id.
    package var sync: String
    /// Its destination as the journal names it: ``SyncSettings/destinationKey``.
    package var destinationKey: String
    /// What was configured last.
    package var terms: SyncTerms
    /// How many users the destination holds, or may hold.
    package var users: Int
}
