/// What became of each user of a request, where the destination says it user by user.
package struct UserOutcomes: Sendable, Equatable {
    /// What became of one user.
    package enum Outcome: UInt8, Sendable {
        /// The destination confirmed it.
        case delivered
        /// The destination took it and says nothing of single users.
        case accepted
        /// The destination does not take this user; not sent again before anything about the user changes.
        case skipped
        /// Certainly not applied; sent again.
        case notApplied
        /// Nobody knows; sent again.
        case unknown
    }

    /// By place in the request.
    package private(set) var outcomes: [Outcome]
    /// Why users were skipped, by place: the word of a template or of the engine, with a partner's code behind a
    /// colon.
    package private(set) var reasons: [Int: String] = [:]

    /// How many users were not taken though nobody says who, by reason: they are among the accepted ones.
    package var unnamedSkips: [String: Int] = [:]
    /// Why accepted users may not have been taken: the word for an answer that could not be read.
    package var doubt: String?

    /// The same outcome for `count` users.
    package init(count: Int, all outcome: Outcome) {
        outcomes = Array(repeating: outcome, count: count)
    }

    /// Notes the outcome of one user.
    package mutating func set(_ user: Int, _ outcome: Outcome, reason: String? = nil) {
        outcomes[user] = outcome
        if reason != nil || !reasons.isEmpty { reasons[user] = reason }
    }

    /// Whether nobody is left to be sent again.
    package var isFinal: Bool {
        !outcomes.contains { $0 == .notApplied || $0 == .unknown }
    }

    /// Whether every user has this outcome; false where there are none.
    package func areAll(_ outcome: Outcome) -> Bool {
        !outcomes.isEmpty && outcomes.allSatisfy { $0 == outcome }
    }
}
