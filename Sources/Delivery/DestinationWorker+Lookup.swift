import Basics
import Sync
import Templates

// The partner's own ids, which are asked for before users are sent.

extension DestinationWorker {
    /// What the request that looks users up is called.
    static let lookupRoute = "lookup"

    /// The next request that looks up users of a batch; nil where none may leave.
    mutating func lookupRequest(
        of hand: inout BatchInHand,
        _ sync: SyncBinding,
        _ rule: Lookup,
        _ now: Int64,
        _ wakeAt: inout Int64?
    ) -> OutgoingRequest? {
        if hand.lookup == nil {
            hand.beginLookup(rule) { lookupCache.id(of: $0, now: now) }
        }
        let place = LimitSet.Place(sync: hand.syncID, route: Self.lookupRoute)
        while let places = hand.lookup?.waiting.last {
            guard isFree(place, items: 0, now, &wakeAt) else { return nil }
            hand.lookup?.waiting.removeLast()
            var users = ChangeList()
            for place in places {
                hand.changes.withRow(place) { users.append(row: $0, isEntering: true) }
            }
            guard let request = sync.binding.lookup(users, hand.context),
                request.changes.count == users.count
            else {
                for place in places {
                    hand.skipLookup(place, reason: MappingRefusal.noValue.rawValue)
                }
                continue
            }
            return send(
                &hand,
                .lookup(users, places: places),
                request,
                outgoing(request, now),
                LimitSet.Reservation(sync: hand.syncID, route: Self.lookupRoute, items: 0),
                now
            )
        }
        if hand.inFlight == 0 { hand.endLookup() }
        return nil
    }

    /// Takes in the answer to a lookup.
    mutating func takeLookup(
        _ answer: HTTPAnswer,
        _ request: TemplateRequest,
        _ sent: Sent,
        _ users: ChangeList,
        places: [Int],
        _ hand: inout BatchInHand,
        _ binding: TemplateBinding,
        wallClock: EventTime,
        now: Int64
    ) -> Sign {
        let given = TemplateAnswer(answer)
        switch binding.judgeLookup(given, of: request, users: users, now: wallClock) {
        case .found(let found):
            let lifetime = binding.template.lookup?.lifetimeMilliseconds ?? 0
            for (key, id) in found { lookupCache.keep(id, of: key, until: sent.sentAt + lifetime) }
            hand.takeLookup(places, found)
            return sign(answer.status, isThrottled: false, retryAfter: nil, "", sent, now)
        case .refused(let verdict):
            if verdict.outcome == .auth, renewToken(for: sent, &hand) {
                hand.lookup?.waiting.append(places)
                return .works
            }
            let detail = AnswerText.detail(settings.id, answer, request.name, verdict)
            let retryAfter = verdict.retryAfterMilliseconds ?? answer.retryAfterMilliseconds
            switch verdict.outcome {
            case _ where verdict.isSplit:
                let middle = places.count / 2
                hand.lookup?.waiting.append(Array(places[middle...]))
                hand.lookup?.waiting.append(Array(places[..<middle]))
            case .skip:
                let word = verdict.reason ?? "rejected_by_partner"
                let reason = verdict.code.map { "\(word):\($0)" } ?? word
                for place in places { hand.skipLookup(place, reason: reason) }
            case .auth:
                hand.refuse(.authentication(detail: detail))
                refuse(detail)
            case .fatal: hand.refuse(.failed(detail: detail))
            default: hand.giveUp(detail, retryAfter: retryAfter)
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
}
