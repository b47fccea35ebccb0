/// A sync that is not configured any more and still has users at its destination, whom it is to take out there.
package struct LeavingSync: Sendable, Equatable {
    /// The sync's id.
    package var sync: String
    /// Its destination as the journal names it: ``SyncSettings/destinationKey``.
    package var destinationKey: String
    /// What was configured last.
    package var terms: SyncTerms
    /// How many users the destination holds, or may hold: one at least.
    package var users: Int
}
