/// What one tick did to a user of a cohort.
package enum MembershipChange: UInt8, Sendable {
    /// The user left.
    case left = 0
    /// The user came in.
    case entered = 1
    /// The user stays in, and a property that a sync of the cohort sends may have changed.
    case updated = 2
}
