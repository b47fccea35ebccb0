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
