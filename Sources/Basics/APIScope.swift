/// What a caller of the API may do; none includes another.
///
/// The raw values are the words of `http.keys` and of answers with 403. docs/api.md says which route needs which.
package enum APIScope: String, CaseIterable, Sendable {
    /// See how the daemon, its cohorts and its syncs are, without who is in them.
    case read
    /// Take out who is in a cohort.
    case export
    /// Steer syncs.
    case write
    /// Steer the daemon itself.
    case admin
    /// Ask for single users; no route of this version needs it.
    case profile
    /// Send events; no route of this version needs it.
    case ingest
}
