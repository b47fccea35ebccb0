/// An element of `http.keys`: somebody who may call the API.
package struct HTTPKey: Hashable, Sendable {
    /// What logs call them; an id.
    package var name: String
    /// Where the key itself is kept.
    package var secret: ReferencedText
    /// What they may do; not empty.
    package var scopes: Set<HTTPScope>
}

/// What a key of the API may do; none includes another.
///
/// The raw values are the words of `http.keys`.
package enum HTTPScope: String, CaseIterable, Sendable {
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
