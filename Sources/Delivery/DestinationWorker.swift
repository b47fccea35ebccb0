package import Basics
package import Sync
package import Templates

/// The state machine of one HTTP destination: what leaves when, and what became of it.
///
/// - A destination has its own limits, pauses and breaker; nothing of another destination is looked at.
/// - One batch per sync is in hand, and requests are rendered when they may leave: memory is bounded by the number
///   of syncs times 4096 users and by `concurrency` requests, whatever the destination does.
/// - No limit is exceeded in any span of time.
/// - Every batch ends in exactly one completion, in which every user has one outcome. What is not known to be
///   applied is never told as delivered, and no refused credential makes a user a rejected one.
///
/// ```
/// planner ── allowance? ──► submit ──► requests one by one ──► sender
///         ◄── completion ◄── users' outcomes ◄── answered ◄──┘
/// ```
/// Reads no clock and does no I/O: `now` is monotonic milliseconds and never goes back, `wallClock` is for dates in
/// answers. One thread at a time.
///
/// Source: docs/decisions/one-worker-per-destination.md.
package struct DestinationWorker: Sendable {
    /// The most users of one batch.
    package static let usersMax = 4096

    /// A request on its way.
    struct Sent: Sendable {
        enum Purpose: Sendable {
            case webhook
            /// Makes a list; with the first users where there are any, who begin at `offset` of the batch.
            case list(ChangeList, offset: Int)
            case members
            /// Asks for the partner's ids of these users, who stand at these places of the batch.
            case lookup(ChangeList, places: [Int])
            /// Asks about a job.
            case job(PartnerJob)
            /// Fetches an access token, for all batches.
            case token(TemplateBinding)
        }

        var syncID: String
        var messageID: String
        var purpose: Purpose
        /// Without its body.
        var request: TemplateRequest?
        var sentAt: Int64
        /// What limits count; nil for nothing.
        var reservation: LimitSet.Reservation?
        /// Which access token goes with it.
        var tokenNumber: Int?
    }

    var settings: DestinationWorkerSettings
    var generator: SeededGenerator
    var limits: LimitSet
    var throttle: Throttle
    var breaker: CircuitBreaker
    var concurrency: AdaptiveConcurrency
    var syncs: [String: SyncBinding] = [:]
    var hands: [String: BatchInHand] = [:]
    /// The syncs with a batch in hand; who was served is last.
    var order: [String] = []
    var sent: [UInt64: Sent] = [:]
    var token = TokenKeeper()
    var lookupCache = LookupCache()
    /// Told with the next ``advance(now:wallClock:)``.
    var effects = WorkerEffects()
    var refusal: String?
    var roundTrip: Int64?
    private var nextNumber: UInt64 = 1

    /// A worker with nothing to do.
    ///
    /// - Parameters:
    ///   - settings: Of the destination.
    ///   - generator: Spreads waiting times.
    package init(_ settings: DestinationWorkerSettings, generator: SeededGenerator) {
        self.settings = settings
        self.generator = generator
        limits = LimitSet(settings.limits)
        throttle = Throttle(retry: settings.retry, window: limits.longestSpan ?? 0)
        breaker = CircuitBreaker(settings.retry)
        concurrency = AdaptiveConcurrency(settings.concurrency)
    }

    /// Sends nothing until what another process may have sent counts towards no limit any more.
    ///
    /// - Parameters:
    ///   - age: How long ago, in milliseconds, a batch may last have been handed out; negative where the clock went back.
    ///   - now: Monotonic milliseconds.
    package mutating func holdForLimits(sentBefore age: Int64, now: Int64) {
        guard let span = limits.longestSpan else { return }
        // A batch leaves at once where it may, and its requests have ended one timeout later.
        let wait = span + settings.timeoutMilliseconds - max(0, age)
        guard wait > 0 else { return }
        throttle.pause(wait, now: now)
        effects.notes.append(.waiting(destination: settings.id, wait: wait))
    }

    /// Makes a sync known, or tells its cohort's new name; needed before its first batch.
    ///
    /// - Parameters:
    ///   - sync: The sync's id.
    ///   - cohort: What placeholders say of its cohort.
    ///   - listID: What the partner calls its list, if that was told by ``WorkerEffects/listIDs`` before. A list that
    ///     is already known of the same cohort stays.
    /// - Throws: What is wrong with the destination's settings for this cohort.
    package mutating func configure(
        sync: String,
        cohort: TemplateCohort,
        listID: String? = nil
    ) throws(TemplateBindingError) {
        guard case .template(let template, let values, let decompose) = settings.speaker else {
            return
        }
        // Another cohort under the same sync has a list of its own.
        let known = syncs[sync].flatMap { $0.cohort.id == cohort.id ? $0 : nil }
        syncs[sync] = try SyncBinding(
            sync,
            template,
            values: values,
            decompose: decompose,
            cohort: cohort,
            listID: listID ?? known?.listID
        )
    }

    /// Forgets a sync; the batch it has in hand ends without a completion.
    package mutating func remove(sync: String) {
        syncs[sync] = nil
        hands[sync] = nil
        order.removeAll { $0 == sync }
        limits.forget(sync: sync)
    }

    /// Takes over new values of the settings, and tries again if the old ones were refused.
    ///
    /// - Throws: What is wrong with the new values; the worker then stays as it was.
    package mutating func credentialsChanged(
        _ settings: DestinationWorkerSettings
    ) throws(TemplateBindingError) {
        if case .template(let template, let values, let decompose) = settings.speaker {
            var changed: [String: SyncBinding] = [:]
            for (sync, old) in syncs {
                changed[sync] = try SyncBinding(
                    sync,
                    template,
                    values: values,
                    decompose: decompose,
                    cohort: old.cohort,
                    listID: old.listID
                )
            }
            syncs = changed
        }
        token.reset()
        // Another account has other ids.
        lookupCache.reset()
        self.settings.speaker = settings.speaker
        resume()
    }

    /// Tries again although the credential was refused, because a person said so.
    package mutating func resume() {
        refusal = nil
        token.drop(number: token.number)
    }

    /// How many users of a sync would leave soon if they were submitted now; 0 for none.
    ///
    /// - Parameters:
    ///   - sync: The sync's id.
    ///   - now: Monotonic milliseconds.
    /// - Returns: At most what the limits leave, what the requests that may leave at once carry, and 4096.
    package func allowance(sync: String, now: Int64) -> Int {
        guard refusal == nil, hands[sync] == nil, now >= throttle.pausedUntil else { return 0 }
        guard settings.template == nil || syncs[sync] != nil else { return 0 }
        var requests = concurrency.limit - sent.count
        switch breaker.state {
        case .closed: break
        case .open(let until):
            guard now >= until, hands.isEmpty else { return 0 }
            requests = 1
        case .halfOpen(let probe):
            guard probe == nil, hands.isEmpty else { return 0 }
            requests = 1
        }
        let perListMax = settings.concurrency.perListMax
        var waiting = (requests: 0, users: 0)
        for hand in hands.values where hand.pendingCount > 0 {
            let needed = (hand.pendingCount - 1) / settings.usersMax + 1
            waiting.requests += needed
            waiting.users += hand.pendingCount
            requests -= min(needed, max(0, perListMax - hand.inFlight))
        }
        // A webhook's batch is one request.
        let atOnce = settings.template == nil ? 1 : min(perListMax, requests)
        guard requests > 0, atOnce > 0 else { return 0 }
        var users = min(Self.usersMax, settings.usersMax * atOnce)
        let factor = throttle.factor(now: now)
        let place = LimitSet.Place(sync: sync, route: nil)
        let available = limits.available(place, now: now, factor: factor)
        if let items = available.items {
            users = min(users, items / settings.itemsPerUser - waiting.users)
        }
        if let requests = available.requests {
            users = min(users, (requests - waiting.requests) * settings.usersMax)
        }
        return max(0, users)
    }

    /// Takes a batch of at most ``allowance(sync:now:)`` users, of a sync that has none in hand.
    ///
    /// More users are taken as well and wait for the limits. ``advance(now:wallClock:)`` sends them.
    package mutating func submit(_ request: DeliveryRequest, now: Int64) {
        precondition(
            hands[request.syncID] == nil,
            "\(settings.id): sync \(request.syncID) has a batch in hand"
        )
        precondition(
            settings.template == nil || syncs[request.syncID] != nil,
            "\(settings.id): sync \(request.syncID) is not configured"
        )
        hands[request.syncID] = BatchInHand(request, isWebhook: settings.template == nil)
        order.append(request.syncID)
    }

    /// Lets time pass: hands out what may leave now, and tells what has happened.
    package mutating func advance(now: Int64, wallClock: EventTime) -> WorkerEffects {
        breaker.advance(to: now)
        limits.advance(to: now)
        var wakeAt: Int64?
        dropWhatCannotLeave(now)
        if now >= throttle.pausedUntil {
            while sent.count < concurrency.limit, breaker.allows,
                let request = nextRequest(now, &wakeAt)
            {
                effects.requests.append(request)
            }
        }
        for sync in order where hands[sync]?.isDone == true { finish(sync) }
        effects.wakeAt = self.wakeAt(now, wakeAt)
        defer { effects = WorkerEffects() }
        return effects
    }

    /// Whether requests are on their way.
    package var isBusy: Bool { !sent.isEmpty }

    /// Sends nothing more: batches end with what is on its way.
    package mutating func stop() {
        for sync in order {
            hands[sync]?.giveUp("not sent because the program stops")
            hands[sync]?.close("not asked about because the program stops")
        }
    }

    /// How things stand.
    package func status(now: Int64) -> WorkerStatus {
        let factor = throttle.factor(now: now)
        let available = limits.available(
            LimitSet.Place(sync: nil, route: nil),
            now: now,
            factor: factor
        )
        let breakerState: WorkerStatus.Breaker =
            switch breaker.state {
            case .closed: .closed
            case .open: .open
            case .halfOpen: .halfOpen
            }
        return WorkerStatus(
            inFlight: sent.count,
            concurrencyLimit: concurrency.limit,
            batches: hands.count,
            requestTokens: available.requests,
            itemTokens: available.items,
            rateFactor: factor,
            pausedUntil: now < throttle.pausedUntil ? throttle.pausedUntil : nil,
            breaker: breakerState,
            openSince: breaker.openSince,
            roundTripMilliseconds: roundTrip,
            refusal: refusal
        )
    }

    mutating func takeNumber() -> UInt64 {
        defer { nextNumber += 1 }
        return nextNumber
    }

    /// Tells how a batch ended.
    private mutating func finish(_ sync: String) {
        guard let hand = hands.removeValue(forKey: sync) else { return }
        order.removeAll { $0 == sync }
        effects.completions.append(
            WorkerEffects.Completion(
                syncID: sync,
                messageID: hand.messageID,
                outcome: hand.outcome
            )
        )
    }

    /// Gives back to the planner what would wait for the destination to come round.
    ///
    /// Until then users may come and go; what waits for a limit stays, for that is soon and halves must not be lost.
    private mutating func dropWhatCannotLeave(_ now: Int64) {
        for sync in order {
            if let refusal {
                hands[sync]?.refuse(.authentication(detail: refusal))
            } else if now < throttle.pausedUntil {
                hands[sync]?.giveUp(
                    "\(settings.id) asked to be left alone for a while",
                    retryAfter: throttle.pausedUntil - now
                )
            } else if case .open(let until) = breaker.state {
                hands[sync]?.giveUp(
                    "\(settings.id) does not work; it is tried again from time to time",
                    retryAfter: until - now
                )
            }
        }
    }

    /// When something may leave that cannot now.
    private func wakeAt(_ now: Int64, _ blocked: Int64?) -> Int64? {
        guard refusal == nil else { return nil }
        var times: [Int64] = blocked.map { [$0] } ?? []
        if now < throttle.pausedUntil { times.append(throttle.pausedUntil) }
        if case .open(let until) = breaker.state { times.append(until) }
        let factor = throttle.factor(now: now)
        let place = LimitSet.Place(sync: nil, route: nil)
        let soonest = limits.availability(
            place,
            items: settings.itemsPerUser,
            now: now,
            factor: factor
        )
        if let soonest { times.append(soonest) }
        if factor < 1, let rise = throttle.nextRise(now: now) { times.append(rise) }
        return times.filter { $0 > now }.min()
    }
}

extension DestinationWorker: CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// Nothing of settings and users, which are secrets and ids.
    package var description: String {
        "worker of \(settings.id) (\(hands.count) batches, \(sent.count) requests)"
    }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
