/// Something about a sync that an operator wants to read in the log.
package enum SyncNote: Sendable, Equatable, CustomStringConvertible {
    /// A sync is no longer configured; what its destination holds is forgotten.
    case forgotten(sync: String, users: Int)
    /// A sync is no longer configured and takes its users out at the destination.
    case leaving(sync: String, destination: String, users: Int)
    /// A sync that is no longer configured has taken its users out; so many were not let go.
    case tookOut(sync: String, refused: Int)
    /// A sync has another destination now and begins anew.
    case destinationChanged(sync: String, from: String, to: String)
    /// A destination does not take what is sent; it is tried again.
    case failing(sync: String, reason: String)
    /// A destination has failed for long; it is tried again all the same.
    case degraded(sync: String, reason: String)
    /// A destination that failed delivers again.
    case recovered(sync: String)
    /// The sync sends nothing until somebody does something.
    case held(sync: String, reason: String)
    /// A sync that was held goes on.
    case resumed(sync: String)
    /// The list at the partner is gone; it is made again, and everybody is sent.
    case relisted(sync: String, reason: String)

    /// One sentence for the log.
    package var description: String {
        switch self {
        case .forgotten(let sync, let users):
            "sync \(sync) is no longer configured: that \(users) users were delivered is forgotten, "
                + "and should the sync come back it begins anew"
        case .leaving(let sync, let destination, let users):
            "sync \(sync) is no longer configured: its \(users) users are taken out at \(destination),"
                + " as its on_delete says; to stop that, pause it, or put its file back and reload"
        case .tookOut(let sync, let refused):
            "sync \(sync) is no longer configured, and its users were taken out"
                + (refused > 0 ? "; \(refused) were not, as the destination refused them" : "")
        case .destinationChanged(let sync, let from, let to):
            "sync \(sync) goes to \(to) instead of \(from): it begins anew"
        case .failing(let sync, let reason):
            "sync \(sync) does not get through and is tried again: \(reason)"
        case .degraded(let sync, let reason):
            "sync \(sync) is degraded, it has not got through for long and is tried again: \(reason)"
        case .recovered(let sync):
            "sync \(sync) gets through again"
        case .held(let sync, let reason):
            "sync \(sync) is paused, nothing is lost: \(reason)"
        case .resumed(let sync):
            "sync \(sync) goes on after it was paused"
        case .relisted(let sync, let reason):
            "sync \(sync): the list at the partner is gone, it is made again and everybody is sent: "
                + reason
        }
    }
}
