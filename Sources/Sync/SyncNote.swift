/// Something about a sync that an operator wants to read in the log.
package enum SyncNote: Sendable, Equatable, CustomStringConvertible {
    /// A sync is no longer configured; what its destination holds is forgotten.
    case forgotten(sync: String, users: Int)
    /// A sync has another destination now and begins anew.
    case destinationChanged(sync: String, from: String, to: String)
    /// A destination fails; it is tried again.
    case degraded(sync: String, reason: String)
    /// A destination that failed delivers again.
    case recovered(sync: String)
    /// A destination refuses us; the sync waits for a person and the next start.
    case paused(sync: String, reason: String)
    /// A sync that was paused delivers again.
    case resumed(sync: String)

    /// One sentence for the log.
    package var description: String {
        switch self {
        case .forgotten(let sync, let users):
            "sync \(sync) is no longer configured: that \(users) users were delivered is forgotten, "
                + "and should the sync come back it begins anew"
        case .destinationChanged(let sync, let from, let to):
            "sync \(sync) goes to \(to) instead of \(from): it begins anew"
        case .degraded(let sync, let reason):
            "sync \(sync) does not get through and is tried again: \(reason)"
        case .recovered(let sync):
            "sync \(sync) gets through again"
        case .paused(let sync, let reason):
            "sync \(sync) is paused, nothing is lost: \(reason)"
        case .resumed(let sync):
            "sync \(sync) delivers again after it was paused"
        }
    }
}
