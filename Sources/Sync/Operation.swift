/// What a destination is told about a user.
package enum Operation: UInt8, Sendable {
    // stored: do not renumber
    /// The user left the cohort.
    case exit = 0
    /// The user came into the cohort.
    case enter = 1

    /// The word of message ids and delta records.
    package var name: String {
        switch self {
        case .exit: "exit"
        case .enter: "enter"
        }
    }
}
