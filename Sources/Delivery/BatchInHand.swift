import Basics
import Sync
import Templates

/// One batch that a worker is at: what of it is still to be sent, and what became of the rest.
struct BatchInHand: Sendable {
    let syncID: String
    let messageID: String
    let context: BatchContext
    /// The users as templates take them; empty for a webhook.
    var changes: ChangeList
    /// What the partner is asked about them before; nil behind that.
    var lookup: LookupInHand?
    /// Whether ``changes`` have the partner's ids.
    var isLookedUp = false
    /// What a webhook's body is rendered from; nil for templates.
    let webhook: DeliveryRequest?
    let exitCount: Int
    let userCount: Int
    /// Who is not told otherwise is not applied.
    var outcomes: UserOutcomes
    /// What is to be sent, the next one last; disjoint.
    private(set) var pending: [Range<Int>]
    /// Users in ``pending``.
    private(set) var pendingCount: Int
    /// What the partner works at.
    private(set) var jobs: [PartnerJob] = []
    /// Whether nobody is to ask about jobs any more.
    private(set) var isClosed = false
    /// Its requests on their way.
    var inFlight = 0
    /// How the one request of a webhook ended.
    var whole: DeliveryOutcome?
    /// Why users are sent again; the first reason.
    private var detail: String?
    private var retryAfter: Int64?
    private var refusal: DeliveryRefusal?
    /// The newest access token when the partner first refused one.
    private var refusedToken: Int?

    init(_ request: DeliveryRequest, isWebhook: Bool) {
        syncID = request.syncID
        messageID = request.messageID
        context = BatchContext(id: request.messageID, tick: request.tick)
        exitCount = request.exitCount
        userCount = request.users.count
        webhook = isWebhook ? request : nil
        var changes = ChangeList()
        if !isWebhook {
            var place = 0
            request.users.forEach { row in
                changes.append(row: row, isEntering: place >= request.exitCount)
                place += 1
            }
        }
        self.changes = changes
        outcomes = UserOutcomes(count: isWebhook ? 0 : userCount, all: .notApplied)
        pending = []
        pendingCount = 0
        push(0..<userCount)
    }

    /// Whether nothing is left to do.
    var isDone: Bool { pending.isEmpty && inFlight == 0 && jobs.isEmpty }

    /// Puts users in front of what is to be sent.
    mutating func push(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        pending.append(range)
        pendingCount += range.count
    }

    /// Puts back the users of a request, in their order.
    mutating func pushBack(_ users: [Int]) {
        var end = users.endIndex
        while end > 0 {
            var start = end - 1
            while start > 0, users[start - 1] == users[start] - 1 { start -= 1 }
            push(users[start]..<users[end - 1] + 1)
            end = start
        }
    }

    /// Whether to try another access token after this one was refused: true for the first, and those before it.
    mutating func mayRenew(token: Int) -> Bool {
        refusedToken = refusedToken ?? token
        return token <= refusedToken ?? token
    }

    /// Takes what is to be sent next.
    mutating func pop() -> Range<Int>? {
        guard let range = pending.popLast() else { return nil }
        pendingCount -= range.count
        return range
    }

    /// Takes out one user of what is to be sent.
    mutating func withdraw(_ place: Int) {
        guard let index = pending.firstIndex(where: { $0.contains(place) }) else { return }
        let range = pending.remove(at: index)
        let parts = [place + 1..<range.upperBound, range.lowerBound..<place]
        pending.insert(contentsOf: parts.filter { !$0.isEmpty }, at: index)
        pendingCount -= 1
    }

    /// Takes users who enter, of what is to be sent next.
    mutating func popEntering() -> Range<Int>? {
        guard let index = pending.lastIndex(where: { $0.upperBound > exitCount }) else {
            return nil
        }
        let range = pending.remove(at: index)
        let entering = max(range.lowerBound, exitCount)..<range.upperBound
        if range.lowerBound < exitCount {
            pending.insert(range.lowerBound..<exitCount, at: index)
        }
        pendingCount -= entering.count
        return entering
    }

    /// Sends nothing more of the batch.
    mutating func drop() {
        pending = []
        pendingCount = 0
    }

    /// Sends nothing more of the batch, because of this.
    mutating func giveUp(_ detail: String, retryAfter: Int64? = nil) {
        if !pending.isEmpty { note(detail, retryAfter: retryAfter) }
        drop()
    }

    /// Says why users are sent again.
    mutating func note(_ detail: String, retryAfter: Int64?) {
        self.detail = self.detail ?? detail
        if let retryAfter { self.retryAfter = max(self.retryAfter ?? 0, retryAfter) }
    }

    /// Sends nothing more of the batch, because the destination refuses it; the first refusal counts.
    mutating func refuse(_ refusal: DeliveryRefusal) {
        self.refusal = self.refusal ?? refusal
        drop()
        close("nobody asked what became of a job")
    }

    /// Asks nothing more about jobs: what they do is not known.
    mutating func close(_ detail: String) {
        isClosed = true
        for job in jobs { abandon(job, detail) }
        jobs = []
    }

    /// Asks about a job later.
    mutating func follow(_ job: PartnerJob) {
        jobs.append(job)
    }

    /// Takes a job that is due.
    mutating func takeJob(dueAt: Int64) -> PartnerJob? {
        jobs.firstIndex { $0.dueAt == dueAt }.map { jobs.remove(at: $0) }
    }

    /// Nobody knows what became of a job.
    mutating func abandon(_ job: PartnerJob, _ detail: String) {
        note(detail, retryAfter: nil)
        mark(job.request.changes, .unknown)
    }

    /// Marks the users of a request.
    mutating func mark(
        _ users: some Sequence<Int>,
        _ outcome: UserOutcomes.Outcome,
        reason: String? = nil
    ) {
        for user in users { outcomes.set(user, outcome, reason: reason) }
    }

    /// What became of the batch.
    var outcome: DeliveryOutcome {
        let detail = detail ?? "nothing of the batch was sent; it is sent again"
        if webhook != nil, whole != nil || refusal == nil {
            return whole
                ?? .retriable(
                    detail: detail,
                    retryAfterMilliseconds: retryAfter,
                    knownNotApplied: true
                )
        }
        if let refusal {
            guard webhook != nil || outcomes.areAll(.notApplied) else {
                return .settled(
                    outcomes,
                    detail: self.detail,
                    retryAfterMilliseconds: retryAfter,
                    refusal: refusal
                )
            }
            switch refusal {
            case .authentication(let detail): return .authenticationRefused(detail: detail)
            case .gone(let detail): return .gone(detail: detail)
            case .failed(let detail): return .failed(detail: detail)
            }
        }
        if outcomes.areAll(.delivered) { return .delivered }
        for outcome in [UserOutcomes.Outcome.notApplied, .unknown] where outcomes.areAll(outcome) {
            return .retriable(
                detail: detail,
                retryAfterMilliseconds: retryAfter,
                knownNotApplied: outcome == .notApplied
            )
        }
        return .settled(
            outcomes,
            detail: outcomes.isFinal ? nil : detail,
            retryAfterMilliseconds: retryAfter
        )
    }
}
