import Basics
import Sync
import Templates

// Jobs at the partner, of which it is asked what became of them.

/// A request that the partner accepted and works at.
struct PartnerJob: Sendable {
    /// What the partner calls it.
    var id: String
    /// The request that began it, without its body.
    var request: TemplateRequest
    /// When to ask next.
    var dueAt: Int64
    /// When nobody asks any more.
    var endAt: Int64
}

extension DestinationWorker {
    /// What the request that asks about a job is called.
    static let jobRoute = "confirm"

    /// Notes the job that an answer names; false where it names none.
    mutating func beginJob(
        _ answer: TemplateAnswer,
        _ verdict: TemplateVerdict,
        _ request: TemplateRequest,
        _ hand: inout BatchInHand,
        _ binding: TemplateBinding,
        _ now: Int64
    ) -> Bool {
        guard let rule = binding.template.confirm, verdict.outcome == .accepted,
            verdict.users.isEmpty, verdict.skippedCount == 0, let id = binding.jobID(answer)
        else { return false }
        let job = PartnerJob(
            id: id,
            request: request,
            dueAt: now + rule.everyMilliseconds,
            endAt: now + rule.giveUpMilliseconds
        )
        if hand.isClosed {
            hand.abandon(job, "nobody asked what became of a job")
        } else {
            hand.follow(job)
        }
        return true
    }

    /// The next request about a job of a batch; nil where none is due or may leave.
    mutating func jobRequest(
        of hand: inout BatchInHand,
        _ sync: SyncBinding,
        _ now: Int64,
        _ wakeAt: inout Int64?
    ) -> OutgoingRequest? {
        guard let dueAt = hand.jobs.map(\.dueAt).min() else { return nil }
        guard dueAt <= now else {
            wakeAt = min(wakeAt ?? dueAt, dueAt)
            return nil
        }
        let place = LimitSet.Place(sync: hand.syncID, route: Self.jobRoute)
        guard isFree(place, items: 0, now, &wakeAt), let job = hand.takeJob(dueAt: dueAt) else {
            return nil
        }
        guard let request = sync.binding.jobRequest(job.id, hand.context) else {
            hand.abandon(job, "\(settings.id): nobody can be asked about a job any more")
            return nil
        }
        return send(
            &hand,
            .job(job),
            request,
            outgoing(request, now),
            LimitSet.Reservation(sync: hand.syncID, route: Self.jobRoute, items: 0),
            now
        )
    }

    /// Takes in how a request about a job ended.
    mutating func takeJob(
        _ outcome: HTTPOutcome,
        _ job: PartnerJob,
        _ sent: Sent,
        _ hand: inout BatchInHand?,
        wallClock: EventTime,
        now: Int64
    ) -> Sign {
        guard let request = sent.request, let sync = syncs[sent.syncID], var batch = hand else {
            return sign(ofNobodys: outcome, sent, now)
        }
        hand = nil
        defer { hand = batch }
        guard case .answered(let answer) = outcome else {
            let text = outcome.failureText ?? ""
            askAgain(job, sync, &batch, text, now)
            return .fails(text)
        }
        let verdict: TemplateVerdict
        let given = TemplateAnswer(answer)
        switch sync.binding.judgeJob(
            given,
            of: job.request,
            changes: batch.changes,
            now: wallClock
        ) {
        case .running(let running):
            verdict = running
            let detail = "\(settings.id) did not say in time what became of a job"
            askAgain(job, sync, &batch, detail, now)
        case .ended(let ended):
            verdict = ended
            if ended.outcome == .auth, renewToken(for: sent, &batch) {
                askAgain(job, sync, &batch, "", now)
                return .works
            }
            let detail = AnswerText.detail(settings.id, answer, request.name, ended)
            switch ended.outcome {
            case .auth, .fatal, .gone:
                // What the job did is not known, whatever stands in the way of asking.
                batch.abandon(job, detail)
                if ended.outcome == .auth {
                    batch.refuse(.authentication(detail: detail))
                    refuse(detail)
                } else if ended.outcome == .fatal {
                    batch.refuse(.failed(detail: detail))
                }
            default:
                batch.take(
                    ended,
                    of: job.request,
                    offset: 0,
                    status: answer.status,
                    detail: detail,
                    retryAfter: nil
                )
            }
        }
        let retryAfter = verdict.retryAfterMilliseconds ?? answer.retryAfterMilliseconds
        let isThrottled = verdict.outcome == .throttle || answer.status == 429
        let detail = AnswerText.detail(settings.id, answer, request.name, verdict)
        return sign(
            answer.status,
            isThrottled: isThrottled,
            retryAfter: retryAfter,
            detail,
            sent,
            now
        )
    }

    private func askAgain(
        _ job: PartnerJob,
        _ sync: SyncBinding,
        _ hand: inout BatchInHand,
        _ detail: String,
        _ now: Int64
    ) {
        var job = job
        job.dueAt = now + (sync.binding.template.confirm?.everyMilliseconds ?? 0)
        if hand.isClosed || job.dueAt > job.endAt {
            hand.abandon(job, detail)
        } else {
            hand.follow(job)
        }
    }
}

extension HTTPOutcome {
    /// Why there is no answer.
    var failureText: String? {
        switch self {
        case .answered: nil
        case .notSent(let text), .unknown(let text): text
        }
    }
}
