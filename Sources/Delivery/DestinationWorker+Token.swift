import Basics
import Templates

// The token that proves who sends requests.

extension DestinationWorker {
    /// The request that fetches a token, where one is needed and none is on its way.
    ///
    /// Limits do not count it, for they are of the partner's interface; concurrency and the breaker do.
    mutating func tokenRequest(_ sync: SyncBinding, _ now: Int64) -> OutgoingRequest? {
        guard !token.isFetching, let request = sync.binding.tokenRequest() else { return nil }
        let outgoing = outgoing(request, now)
        token.begin(outgoing.token)
        sent[outgoing.token] = Sent(
            syncID: sync.id,
            messageID: "",
            purpose: .token(sync.binding),
            request: request.withoutBody,
            sentAt: now,
            reservation: nil
        )
        breaker.begin(outgoing.token)
        concurrency.begin(inFlight: sent.count)
        return outgoing
    }

    /// Takes in how a request for a token ended.
    mutating func takeToken(
        _ outcome: HTTPOutcome,
        _ sent: Sent,
        _ binding: TemplateBinding,
        number: UInt64,
        now: Int64
    ) -> Sign {
        let isAwaited = token.end(number)
        switch outcome {
        case .notSent(let text), .unknown(let text):
            if isAwaited { giveUpAll(text, retryAfter: nil) }
            return .fails(text)
        case .answered(let answer):
            let verdict = binding.judgeToken(TemplateAnswer(answer))
            let detail = AnswerText.token(settings.id, answer, verdict)
            switch verdict {
            case .granted(let granted):
                if isAwaited { token.take(granted, askedAt: sent.sentAt) }
                return .works
            case .refused:
                if isAwaited { refuse(detail) }
                return .works
            case .failed(let isTooFast):
                let retryAfter = answer.retryAfterMilliseconds
                if isAwaited { giveUpAll(detail, retryAfter: retryAfter) }
                guard isTooFast || answer.status >= 500 || answer.status == 408 else {
                    return .fails(detail)
                }
                return sign(
                    answer.status,
                    isThrottled: isTooFast,
                    retryAfter: retryAfter,
                    detail,
                    sent,
                    now
                )
            }
        }
    }

    /// Whether to send a request again with another token, because the partner refuses that of this one.
    ///
    /// Once for each batch: what a new token does not mend, a person has to.
    mutating func renewToken(for sent: Sent, _ hand: inout BatchInHand) -> Bool {
        guard let number = sent.tokenNumber, hand.mayRenew(token: number) else { return false }
        token.drop(number: number)
        return true
    }

    /// Gives all batches back to the planner, which tries them again.
    private mutating func giveUpAll(_ detail: String, retryAfter: Int64?) {
        for sync in order { hands[sync]?.giveUp(detail, retryAfter: retryAfter) }
    }
}

extension TemplateAnswer {
    init(_ answer: HTTPAnswer) {
        self.init(
            status: answer.status,
            headers: answer.headers,
            body: answer.bodyPrefix,
            isBodyCut: answer.isBodyCut
        )
    }
}

extension TemplateRequest {
    var withoutBody: TemplateRequest {
        var request = self
        request.body = []
        return request
    }
}
