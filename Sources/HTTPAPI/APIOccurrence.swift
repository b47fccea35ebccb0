/// What the API tells the log of its callers.
package enum APIOccurrence: Sendable, Equatable {
    /// A call that changes something or takes members out, whatever became of it.
    case call(APICall)
    /// A key that nobody has.
    case wrongKey(address: String)
}

/// A call as it is noted for whoever asks later who did what.
package struct APICall: Sendable, Equatable {
    /// Whose key it came with; nil where the API takes no keys.
    package var key: String?
    /// The address it came from, without the port.
    package var address: String
    /// Its method.
    package var method: String
    /// Its path; the query is left out, since that may hold ids of users.
    package var path: String
    /// The status of its answer.
    package var status: Int
}
