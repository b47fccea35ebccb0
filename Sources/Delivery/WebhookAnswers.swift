package import Sync

/// What the answers to webhook requests mean.
///
/// Source: docs/destinations/webhook.md.
package enum WebhookAnswers {
    /// What an outcome means: 2xx is delivered whatever the body says; 401, 403 and 410 need a person; everything
    /// else is tried again.
    ///
    /// `target` is what messages call the receiver: scheme, host and port.
    package static func classify(_ outcome: HTTPOutcome, target: String) -> DeliveryOutcome {
        switch outcome {
        case .notSent(let text):
            .retriable(detail: text, knownNotApplied: true)
        case .unknown(let text):
            .retriable(detail: text)
        case .answered(let answer):
            classify(answer, target)
        }
    }

    private static func classify(_ answer: HTTPAnswer, _ target: String) -> DeliveryOutcome {
        switch answer.status {
        case 200...299:
            .delivered
        case 401, 403:
            .authenticationRefused(
                detail: "\(target) answers \(answer.status): it does not accept the signature; "
                    + "correct the secret, which is then taken up by itself"
            )
        case 410:
            .gone(
                detail:
                    "\(target) answers 410: the receiver wants no more; remove the sync, or make the "
                    + "receiver take it and resume the sync"
            )
        default:
            .retriable(
                detail: retryText(answer, target),
                retryAfterMilliseconds: answer.retryAfterMilliseconds,
                knownNotApplied: isUntouched(answer.status)
            )
        }
    }

    private static func retryText(_ answer: HTTPAnswer, _ target: String) -> String {
        switch answer.status {
        case 300...399:
            let place = answer.redirectHost.map { " to \($0)" } ?? ""
            return "\(target) answers \(answer.status): it redirects\(place), which is not "
                + "followed; set url to the final address"
        case 429:
            return "\(target) answers 429: too many requests; sent again later"
        case 500...599:
            return "\(target) answers \(answer.status): the receiver failed; look at its log, "
                + "the batch is sent again until it answers 2xx"
        default:
            return "\(target) answers \(answer.status): the receiver does not take the batch; "
                + "look at its log, the batch is sent again until it answers 2xx"
        }
    }

    /// Whether a status says that nobody looked at the users.
    ///
    /// Other errors may come after part of the work: a gateway's 504, a 500 in the middle, a 400 or
    /// 422 because of one user after the others were taken, a 409 for a batch that arrived before.
    static func isUntouched(_ status: Int) -> Bool {
        switch status {
        case 300...399, 404, 405, 413, 423, 429: true
        default: false
        }
    }
}
