/// A partner's answer.
package struct TemplateAnswer: Sendable {
    /// The status code.
    package var status: Int
    /// Names and values; names in any case.
    package var headers: [(name: String, value: String)]
    /// The body, or its beginning.
    package var body: [UInt8]
    /// Whether the body goes on behind what was read of it.
    package var isBodyCut: Bool

    /// An answer from its parts.
    package init(
        status: Int,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = [],
        isBodyCut: Bool = false
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.isBodyCut = isBodyCut
    }

    /// The value of a header; nil where it is not there.
    func header(_ name: String) -> String? {
        let lowercased = name.lowercased()
        return headers.first { $0.name.lowercased() == lowercased }?.value
    }
}

/// What an answer means for the users of its request.
///
/// Holds nothing of the body but codes that the template names, so it may be logged.
package struct TemplateVerdict: Sendable, Equatable {
    /// What became of one user.
    package struct User: Sendable, Equatable {
        /// The change, by its place in the list that was planned.
        package var change: Int
        /// delivered, accepted, skip or retry.
        package var outcome: Outcome
        /// A word of the template.
        package var reason: String?
        /// The partner's own code.
        package var code: String?

        /// A user's part from its parts.
        package init(change: Int, outcome: Outcome, reason: String?, code: String? = nil) {
            self.change = change
            self.outcome = outcome
            self.reason = reason
            self.code = code
        }
    }

    /// The words that the engine itself gives as reasons, besides those of templates.
    package enum Reason: String, CaseIterable, Sendable {
        /// No rule takes the answer.
        case unexpectedAnswer = "unexpected_answer"
        /// The body says who was not taken, and it cannot be read.
        case unreadableAnswer = "answer_unreadable"
        /// The body speaks of a user who is not in the batch.
        case unknownItem = "answer_names_others"
        /// The list was made, and the answer does not hold its id.
        case listIDMissing = "list_id_missing"
    }

    /// What became of the users who are not among ``users``.
    package var outcome: Outcome
    /// A word of the template or of ``Reason``.
    package var reason: String?
    /// The partner's own code, where a rule compares it with codes.
    package var code: String?
    /// What the partner asked to wait, in milliseconds, 0 at least; for the caller to clamp.
    package var retryAfterMilliseconds: Int64?
    /// Whether to send halves instead, because what is refused may be a single user.
    package var isSplit = false
    /// The users that the answer names, in the order of the changes.
    package var users: [User] = []
    /// How many more were not taken, by number only.
    package var skippedCount = 0
    /// The place of the rule among `responses`; nil where none fits.
    package var rule: Int?

    /// A verdict of a whole batch.
    package init(outcome: Outcome, reason: String? = nil, code: String? = nil) {
        self.outcome = outcome
        self.reason = reason
        self.code = code
    }

    /// Whether every user has the change at the partner, as far as the partner says anything.
    ///
    /// Never true where somebody was left out, or may have been because the answer cannot be read: partial
    /// success is no success.
    package var isComplete: Bool {
        (outcome == .delivered || outcome == .accepted) && skippedCount == 0
            && reason != Reason.unreadableAnswer.rawValue
            && users.allSatisfy { $0.outcome == .delivered || $0.outcome == .accepted }
    }
}

/// What an answer to a request that makes a list means.
package enum EnsureVerdict: Sendable, Equatable {
    /// The list is there. The verdict is of the users that the request carried.
    case ready(listID: String, users: TemplateVerdict)
    /// It is not: retry, throttle, auth or fatal.
    case refused(TemplateVerdict)
}
