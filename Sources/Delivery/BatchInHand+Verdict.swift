import Sync
import Templates

// What an answer of a partner means for the users of a batch.

extension BatchInHand {
    /// Takes in the end of a request that has no answer; `offset` as in ``take(_:of:offset:status:detail:retryAfter:)``.
    mutating func fail(
        _ request: TemplateRequest,
        offset: Int,
        _ outcome: UserOutcomes.Outcome,
        _ detail: String
    ) {
        note(detail, retryAfter: nil)
        mark(request.changes.lazy.map { $0 + offset }, outcome)
    }

    /// Takes in a verdict.
    ///
    /// - Parameters:
    ///   - verdict: Of the template.
    ///   - request: Whose answer it is of.
    ///   - offset: What to add to the request's and the verdict's places to have those of the batch.
    ///   - status: Of the answer.
    ///   - detail: Why users are sent again, or nothing is any more.
    ///   - retryAfter: What the partner asked for, in milliseconds.
    mutating func take(
        _ verdict: TemplateVerdict,
        of request: TemplateRequest,
        offset: Int,
        status: Int,
        detail: String,
        retryAfter: Int64?
    ) {
        let users = request.changes.lazy.map { $0 + offset }
        if verdict.isSplit, let first = users.first, let last = users.last {
            // Halves of the users, not of the range: who was left out in between is not sent again.
            let middle = users[users.count / 2]
            push(middle..<last + 1)
            push(first..<middle)
            return
        }
        switch verdict.outcome {
        case .delivered, .accepted:
            takeSuccess(verdict, users)
        case .skip:
            let word = verdict.reason ?? Self.rejected
            mark(users, .skipped, reason: Self.reason(word, verdict.code))
        case .retry:
            // Of an error, nobody knows how far the partner had come.
            mark(users, WebhookAnswers.isUntouched(status) ? .notApplied : .unknown)
            note(detail, retryAfter: retryAfter)
            if retryAfter != nil || status == 429 { giveUp(detail, retryAfter: retryAfter) }
        case .throttle:
            mark(users, .notApplied)
            note(detail, retryAfter: retryAfter)
            giveUp(detail, retryAfter: retryAfter)
        case .auth: refuse(.authentication(detail: detail))
        case .gone: refuse(.gone(detail: detail))
        case .fatal: refuse(.failed(detail: detail))
        }
        for user in verdict.users {
            takeOne(user, at: user.change + offset, detail)
        }
    }

    private mutating func takeSuccess(
        _ verdict: TemplateVerdict,
        _ users: some Sequence<Int>
    ) {
        // Who of them was left out is not told, so that nobody of them counts as confirmed.
        let isWhole = verdict.outcome == .delivered && verdict.skippedCount == 0
        mark(users, isWhole ? .delivered : .accepted)
        if verdict.skippedCount > 0 {
            let word = verdict.reason ?? Self.rejected
            outcomes.unnamedSkips[word, default: 0] += verdict.skippedCount
        }
        let unreadable = TemplateVerdict.Reason.unreadableAnswer.rawValue
        if verdict.reason == unreadable { outcomes.doubt = unreadable }
    }

    private mutating func takeOne(_ user: TemplateVerdict.User, at place: Int, _ detail: String) {
        switch user.outcome {
        case .delivered: outcomes.set(place, .delivered)
        case .accepted: outcomes.set(place, .accepted)
        case .skip:
            let word = user.reason ?? Self.rejected
            outcomes.set(place, .skipped, reason: Self.reason(word, user.code))
        default:
            // The answer names the user as one it did not take.
            outcomes.set(place, .notApplied)
            note(detail, retryAfter: nil)
        }
    }

    /// The word where a template gives none.
    private static let rejected = "rejected_by_partner"

    private static func reason(_ word: String, _ code: String?) -> String {
        code.map { "\(word):\($0)" } ?? word
    }
}
