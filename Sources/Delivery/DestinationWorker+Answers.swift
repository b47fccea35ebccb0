package import Basics
import Sync
import Templates

// What became of a request.

extension DestinationWorker {
    /// What an outcome says of the destination, apart from users.
    enum Sign {
        case works
        case tooFast
        case fails(String)
    }

    /// Takes in how a request ended; ``advance(now:wallClock:)`` tells what follows.
    ///
    /// - Parameters:
    ///   - token: Of ``OutgoingRequest/token``; one that is not on its way is ignored.
    ///   - outcome: How it ended.
    ///   - now: Monotonic milliseconds.
    ///   - wallClock: For dates in the answer.
    package mutating func answered(
        token: UInt64,
        _ outcome: HTTPOutcome,
        now: Int64,
        wallClock: EventTime
    ) {
        guard let sent = sent.removeValue(forKey: token) else { return }
        var answer: HTTPAnswer?
        if case .answered(let given) = outcome { answer = given }
        if let reservation = sent.reservation {
            if case .notSent = outcome {
                limits.release(reservation)
            } else {
                limits.settle(reservation, answer: answer, now: now, wallClock: wallClock)
            }
        }
        if answer != nil { roundTrip = now - sent.sentAt }
        if case .token(let binding) = sent.purpose {
            let sign = takeToken(outcome, sent, binding, number: token, now: now)
            note(sign, token, roundTrip: answer.map { _ in now - sent.sentAt }, now)
            return
        }
        // The batch of a sync that is no more, or began anew, is nobody's.
        var hand: BatchInHand?
        if hands[sent.syncID]?.messageID == sent.messageID {
            hand = hands.removeValue(forKey: sent.syncID)
        }
        hand?.inFlight -= 1
        let sign = apply(outcome, sent, &hand, wallClock: wallClock, now: now)
        hands[sent.syncID] = hand ?? hands[sent.syncID]
        note(sign, token, roundTrip: answer.map { _ in now - sent.sentAt }, now)
    }

    /// Keeps the machines that look at the destination as a whole.
    private mutating func note(_ sign: Sign, _ token: UInt64, roundTrip: Int64?, _ now: Int64) {
        var isBackPressure = true
        switch sign {
        case .works:
            isBackPressure = false
            throttle.succeed()
            if breaker.succeed(token, counts: true) {
                effects.notes.append(.recovered(destination: settings.id))
            }
        case .tooFast:
            if breaker.succeed(token, counts: false) {
                effects.notes.append(.recovered(destination: settings.id))
            }
        case .fails(let reason):
            let wasOpen = breaker.openSince != nil
            if breaker.fail(token, now: now, generator: &generator), !wasOpen,
                case .open(let until) = breaker.state
            {
                effects.notes.append(
                    .stopped(destination: settings.id, reason: reason, wait: until - now)
                )
            }
        }
        concurrency.end(roundTrip: roundTrip, isBackPressure: isBackPressure, now: now)
    }

    private mutating func apply(
        _ outcome: HTTPOutcome,
        _ sent: Sent,
        _ hand: inout BatchInHand?,
        wallClock: EventTime,
        now: Int64
    ) -> Sign {
        if case .job(let job) = sent.purpose {
            return takeJob(outcome, job, sent, &hand, wallClock: wallClock, now: now)
        }
        if case .webhook = sent.purpose { return applyWebhook(outcome, sent, &hand, now) }
        switch outcome {
        case .notSent(let text):
            fail(sent, &hand, .notApplied, text)
            return .fails(text)
        case .unknown(let text):
            fail(sent, &hand, .unknown, text)
            return .fails(text)
        case .answered(let answer):
            guard let request = sent.request else { return .works }
            return judge(answer, request, sent, &hand, wallClock: wallClock, now: now)
        }
    }

    private func fail(
        _ sent: Sent,
        _ hand: inout BatchInHand?,
        _ outcome: UserOutcomes.Outcome,
        _ text: String
    ) {
        guard let request = sent.request else { return }
        if case .lookup = sent.purpose {
            hand?.giveUp(text)
            return
        }
        guard case .list(_, let offset) = sent.purpose else {
            hand?.fail(request, offset: 0, outcome, text)
            return
        }
        hand?.fail(request, offset: offset, outcome, text)
        // Without a list there is nothing to send to.
        hand?.giveUp(text)
    }

    private mutating func applyWebhook(
        _ outcome: HTTPOutcome,
        _ sent: Sent,
        _ hand: inout BatchInHand?,
        _ now: Int64
    ) -> Sign {
        guard case .webhook(let target) = settings.speaker else { return .works }
        let whole = WebhookAnswers.classify(outcome, target: target)
        hand?.whole = whole
        guard case .answered(let answer) = outcome else { return .fails(whole.detail ?? "") }
        if case .authenticationRefused(let detail) = whole { refuse(detail) }
        return sign(
            answer.status,
            isThrottled: answer.status == 429,
            retryAfter: answer.retryAfterMilliseconds,
            whole.detail ?? "",
            sent,
            now
        )
    }

    /// What a status says of the destination; acts on "too fast" and on being asked to wait.
    mutating func sign(
        _ status: Int,
        isThrottled: Bool,
        retryAfter: Int64?,
        _ detail: String,
        _ sent: Sent,
        _ now: Int64
    ) -> Sign {
        if isThrottled {
            let wasPaused = now < throttle.pausedUntil
            throttle.slowDown(
                sentAt: sent.sentAt,
                retryAfter: retryAfter,
                now: now,
                generator: &generator
            )
            if !wasPaused {
                effects.notes.append(
                    .slowed(
                        destination: settings.id,
                        wait: throttle.pausedUntil - now,
                        percent: Int((throttle.factor(now: now) * 100).rounded())
                    )
                )
            }
            return .tooFast
        }
        guard status >= 500 || status == 408 else { return .works }
        if let retryAfter { throttle.pause(Throttle.clamped(retryAfter), now: now) }
        return .fails(detail)
    }

    /// What an outcome says of the destination where its batch is no more: users are nobody's, but the partner is as slow
    /// or as broken as for everybody else.
    mutating func sign(ofNobodys outcome: HTTPOutcome, _ sent: Sent, _ now: Int64) -> Sign {
        guard case .answered(let answer) = outcome else { return .fails(outcome.failureText ?? "") }
        return sign(
            answer.status,
            isThrottled: answer.status == 429,
            retryAfter: answer.retryAfterMilliseconds,
            "\(settings.id) answered \(answer.status)",
            sent,
            now
        )
    }

    /// Nothing more leaves before the credential changes.
    mutating func refuse(_ detail: String) {
        if refusal == nil {
            effects.notes.append(.refused(destination: settings.id, reason: detail))
        }
        refusal = refusal ?? detail
    }
}

extension DestinationWorker {
    /// Takes in an answer of a partner with a template.
    private mutating func judge(
        _ answer: HTTPAnswer,
        _ request: TemplateRequest,
        _ sent: Sent,
        _ hand: inout BatchInHand?,
        wallClock: EventTime,
        now: Int64
    ) -> Sign {
        guard var batch = hand, let sync = syncs[sent.syncID] else {
            return sign(ofNobodys: .answered(answer), sent, now)
        }
        hand = nil
        defer { hand = batch }
        if case .lookup(let users, let places) = sent.purpose {
            return takeLookup(
                answer,
                request,
                sent,
                users,
                places: places,
                &batch,
                sync.binding,
                wallClock: wallClock,
                now: now
            )
        }
        let given = TemplateAnswer(answer)
        var verdict: TemplateVerdict
        var offset = 0
        var hasList = true
        if case .list(let first, let start) = sent.purpose {
            offset = start
            switch sync.binding.judgeEnsure(given, of: request, changes: first, now: wallClock) {
            case .refused(let refused):
                verdict = refused
                hasList = false
            case .ready(let listID, let users):
                verdict = users
                do throws(TemplateBindingError) {
                    try syncs[sent.syncID]?.use(listID)
                    effects.listIDs.append(
                        WorkerEffects.List(syncID: sent.syncID, listID: listID)
                    )
                    effects.notes.append(.listMade(destination: settings.id, sync: sent.syncID))
                } catch {
                    verdict = TemplateVerdict(outcome: .fatal, reason: "list_id_unusable")
                }
            }
        } else {
            verdict = sync.binding.judge(given, of: request, changes: batch.changes, now: wallClock)
            if beginJob(given, verdict, request, &batch, sync.binding, now) {
                return sign(answer.status, isThrottled: false, retryAfter: nil, "", sent, now)
            }
        }
        if verdict.outcome == .auth, renewToken(for: sent, &batch) {
            batch.pushBack(request.changes.map { $0 + offset })
            return .works
        }
        let detail = AnswerText.detail(settings.id, answer, request.name, verdict)
        let retryAfter = verdict.retryAfterMilliseconds ?? answer.retryAfterMilliseconds
        batch.take(
            verdict,
            of: request,
            offset: offset,
            status: answer.status,
            detail: detail,
            retryAfter: retryAfter
        )
        if !hasList, !verdict.isSplit { batch.giveUp(detail, retryAfter: retryAfter) }
        switch verdict.outcome {
        case .auth: refuse(detail)
        case .gone: syncs[sent.syncID]?.forgetList()
        default: break
        }
        return sign(
            answer.status,
            isThrottled: verdict.outcome == .throttle || answer.status == 429,
            retryAfter: retryAfter,
            detail,
            sent,
            now
        )
    }
}
