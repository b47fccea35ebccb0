import Basics
import Sync
import Templates

// What leaves next.

extension DestinationWorker {
    /// What the request that makes a list is called.
    static let listRoute = "audience.ensure"

    /// The next request, of the sync that has waited longest; nil where none may leave.
    ///
    /// `wakeAt` receives when one may, if a limit is what holds it.
    mutating func nextRequest(_ now: Int64, _ wakeAt: inout Int64?) -> OutgoingRequest? {
        for (place, sync) in order.enumerated() {
            guard var hand = hands.removeValue(forKey: sync) else { continue }
            let request = nextRequest(of: &hand, now, &wakeAt)
            hands[sync] = hand
            if let request {
                order.remove(at: place)
                order.append(sync)
                return request
            }
        }
        return nil
    }

    private mutating func nextRequest(
        of hand: inout BatchInHand,
        _ now: Int64,
        _ wakeAt: inout Int64?
    ) -> OutgoingRequest? {
        guard hand.inFlight < settings.concurrency.perListMax else { return nil }
        guard hand.webhook == nil else { return webhookRequest(of: &hand, now, &wakeAt) }
        guard let sync = syncs[hand.syncID] else { return nil }
        let isWaiting = hand.pendingCount == 0 && hand.jobs.allSatisfy { $0.dueAt > now }
        if sync.binding.needsToken, !isWaiting, token.usable(now: now) == nil {
            return tokenRequest(sync, now)
        }
        if let request = jobRequest(of: &hand, sync, now, &wakeAt) { return request }
        guard hand.pendingCount > 0 else { return nil }
        if sync.needsList {
            return hand.inFlight == 0 ? listRequest(of: &hand, sync, now, &wakeAt) : nil
        }
        if let rule = sync.binding.template.lookup, !hand.isLookedUp {
            let request = lookupRequest(of: &hand, sync, rule, now, &wakeAt)
            guard request == nil, hand.isLookedUp else { return request }
        }
        return memberRequest(of: &hand, sync, now, &wakeAt)
    }

    private mutating func webhookRequest(
        of hand: inout BatchInHand,
        _ now: Int64,
        _ wakeAt: inout Int64?
    ) -> OutgoingRequest? {
        let place = LimitSet.Place(sync: hand.syncID, route: "")
        guard hand.pendingCount > 0, let webhook = hand.webhook,
            isFree(place, items: hand.userCount, now, &wakeAt)
        else { return nil }
        hand.drop()
        return send(
            &hand,
            .webhook,
            nil,
            OutgoingRequest(
                token: takeNumber(),
                form: .webhook(messageID: hand.messageID),
                body: WebhookBody.render(webhook),
                timeoutMilliseconds: settings.timeoutMilliseconds,
                userCount: hand.userCount
            ),
            LimitSet.Reservation(sync: hand.syncID, route: "", items: hand.userCount),
            now
        )
    }

    private mutating func listRequest(
        of hand: inout BatchInHand,
        _ sync: SyncBinding,
        _ now: Int64,
        _ wakeAt: inout Int64?
    ) -> OutgoingRequest? {
        let place = LimitSet.Place(sync: hand.syncID, route: Self.listRoute)
        guard sync.binding.template.isListMadeWithFirstBatch else {
            guard isFree(place, items: 0, now, &wakeAt),
                let request = sync.binding.ensure(hand.context)
            else { return nil }
            return sendList(&hand, request, ChangeList(), offset: 0, now)
        }
        while let range = hand.popEntering() {
            let count = granted(range, hand.changes, place, now, &wakeAt)
            guard count > 0 else {
                hand.push(range)
                return nil
            }
            var first = ChangeList()
            for change in range.prefix(count) {
                hand.changes.withRow(change) { first.append(row: $0, isEntering: true) }
            }
            let start = range.lowerBound
            hand.push(start + count..<range.upperBound)
            guard let request = sync.binding.ensure(hand.context, changes: first) else {
                hand.mark(start..<start + count, .skipped, reason: MappingRefusal.noValue.rawValue)
                continue
            }
            // Who is not carried goes with the requests behind it, which tell why somebody cannot be.
            var next = 0
            for carried in request.changes + [count] {
                hand.push(start + next..<start + carried)
                next = carried + 1
            }
            return sendList(&hand, request, first, offset: start, now)
        }
        // Nobody is on a list that is not there.
        for range in hand.pending { hand.mark(range, .delivered) }
        hand.drop()
        return nil
    }

    private mutating func sendList(
        _ hand: inout BatchInHand,
        _ request: TemplateRequest,
        _ first: ChangeList,
        offset: Int,
        _ now: Int64
    ) -> OutgoingRequest {
        let reservation = reservation(hand.syncID, Self.listRoute, request, first)
        return send(
            &hand,
            .list(first, offset: offset),
            request,
            outgoing(request, now),
            reservation,
            now
        )
    }

    private mutating func memberRequest(
        of hand: inout BatchInHand,
        _ sync: SyncBinding,
        _ now: Int64,
        _ wakeAt: inout Int64?
    ) -> OutgoingRequest? {
        while let range = hand.pop() {
            let isEntering = hand.changes.isEntering(range.lowerBound)
            let route = sync.binding.requestName(isEntering: isEntering) ?? ""
            let place = LimitSet.Place(sync: hand.syncID, route: route)
            let count = granted(range, hand.changes, place, now, &wakeAt)
            guard count > 0 else {
                hand.push(range)
                return nil
            }
            let asked = range.lowerBound..<range.lowerBound + count
            var plan = sync.binding.plan(hand.changes, range: asked, hand.context)
            let request = plan.next()
            for left in plan.leftOut {
                hand.mark(
                    CollectionOfOne(left.change),
                    .skipped,
                    reason: left.reason.rawValue
                )
            }
            guard let request else {
                hand.push(asked.upperBound..<range.upperBound)
                continue
            }
            let last = max(request.changes.last ?? 0, plan.leftOut.last?.change ?? 0)
            hand.push(last + 1..<range.upperBound)
            let reservation = reservation(hand.syncID, route, request, hand.changes)
            return send(&hand, .members, request, outgoing(request, now), reservation, now)
        }
        return nil
    }

    mutating func send(
        _ hand: inout BatchInHand,
        _ purpose: Sent.Purpose,
        _ request: TemplateRequest?,
        _ outgoing: OutgoingRequest,
        _ reservation: LimitSet.Reservation,
        _ now: Int64
    ) -> OutgoingRequest {
        limits.reserve(reservation)
        hand.inFlight += 1
        sent[outgoing.token] = Sent(
            syncID: hand.syncID,
            messageID: hand.messageID,
            purpose: purpose,
            request: request?.withoutBody,
            sentAt: now,
            reservation: reservation,
            tokenNumber: request?.needsToken == true ? token.number : nil
        )
        breaker.begin(outgoing.token)
        concurrency.begin(inFlight: sent.count)
        return outgoing
    }

    mutating func outgoing(_ request: TemplateRequest, _ now: Int64) -> OutgoingRequest {
        var headers = (token.usable(now: now).map(request.carrying) ?? request).headers
        if !headers.contains(where: { $0.name.lowercased() == "user-agent" }) {
            headers.append(("User-Agent", settings.userAgent))
        }
        return OutgoingRequest(
            token: takeNumber(),
            form: .whole(method: request.method, url: request.url, headers: headers),
            body: request.body,
            timeoutMilliseconds: settings.timeoutMilliseconds,
            userCount: request.changes.count
        )
    }

    private func reservation(
        _ sync: String,
        _ route: String,
        _ request: TemplateRequest,
        _ changes: ChangeList
    ) -> LimitSet.Reservation {
        LimitSet.Reservation(
            sync: sync,
            route: route,
            items: request.changes.count * settings.itemsPerUser,
            users: limits.needsUsers ? request.changes.map { Self.hash($0, changes) } : []
        )
    }
}

extension DestinationWorker {
    /// Whether a request of so many items may leave; otherwise notes when it may.
    func isFree(
        _ place: LimitSet.Place,
        items: Int,
        _ now: Int64,
        _ wakeAt: inout Int64?
    ) -> Bool {
        let factor = throttle.factor(now: now)
        let time = limits.availability(place, items: items, now: now, factor: factor)
        if let time, time > now { wakeAt = min(wakeAt ?? time, time) }
        return time.map { $0 <= now } ?? false
    }

    /// How many of the changes, from the first on, one request may carry now; 0 notes when one may.
    private func granted(
        _ range: Range<Int>,
        _ changes: ChangeList,
        _ place: LimitSet.Place,
        _ now: Int64,
        _ wakeAt: inout Int64?
    ) -> Int {
        guard isFree(place, items: settings.itemsPerUser, now, &wakeAt) else { return 0 }
        var count = min(range.count, settings.itemsMax)
        let factor = throttle.factor(now: now)
        if let items = limits.available(place, now: now, factor: factor).items {
            count = min(count, max(1, items / settings.itemsPerUser))
        }
        guard limits.needsUsers else { return count }
        for (offset, change) in range.prefix(count).enumerated() {
            let time = limits.availability(ofUser: Self.hash(change, changes), now: now)
            if let time, time <= now { continue }
            if offset == 0, let time { wakeAt = min(wakeAt ?? time, time) }
            return offset
        }
        return count
    }

    private static func hash(_ change: Int, _ changes: ChangeList) -> UInt64 {
        changes.withRow(change) { Hashing.hash64($0) }
    }
}
