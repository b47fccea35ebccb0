import Basics
import Delivery
import Destinations
import Sync
import Templates
import Threads

/// The courier of a destination over HTTP: the worker decides, libcurl's thread sends.
final class HTTPCourier: Courier {
    let destination: String
    private(set) var isUp: Bool?

    private var worker: DestinationWorker
    private let policy: AddressPolicy
    /// Signs the requests of a webhook; nil for a partner with a template.
    private var webhook: WebhookTransport?
    private let sender: HTTPSender
    private let routes: CourierRoutes
    private let clock: SystemClock

    /// A courier; `sentBefore` is how long ago, in milliseconds, another process may have sent something.
    init(
        _ settings: DestinationWorkerSettings,
        webhook: WebhookTransport? = nil,
        sentBefore: Int64?,
        policy: AddressPolicy,
        sender: HTTPSender,
        routes: CourierRoutes,
        clock: SystemClock
    ) {
        destination = settings.id
        self.webhook = webhook
        self.policy = policy
        self.sender = sender
        self.routes = routes
        self.clock = clock
        worker = DestinationWorker(settings, generator: SeededGenerator(seed: SecureRandom.seed()))
        if let sentBefore {
            worker.holdForLimits(sentBefore: sentBefore, now: clock.monotonicMilliseconds)
        }
    }

    /// Makes a sync known, with the id of its list if the partner gave one before.
    ///
    /// - Throws: What is wrong with the destination's settings for this cohort.
    func configure(_ settings: SyncSettings, listID: String?) throws(TemplateBindingError) {
        try worker.configure(
            sync: settings.id,
            cohort: TemplateCohort(
                id: settings.cohortID,
                name: settings.cohortName,
                createdAt: clock.now
            ),
            listID: listID
        )
    }

    /// Takes over other secrets.
    ///
    /// - Throws: What is wrong with them; the old ones stay.
    func credentialsChanged(
        _ settings: DestinationWorkerSettings,
        webhook: WebhookTransport?
    ) throws(TemplateBindingError) {
        try worker.credentialsChanged(settings)
        self.webhook = webhook
    }

    func allowance(sync: String, now: Int64) -> Int { worker.allowance(sync: sync, now: now) }

    func send(_ request: DeliveryRequest, now: Int64) { worker.submit(request, now: now) }

    func write(_ run: RunRequest, columns: [String]) {
        preconditionFailure("\(destination) takes batches, not files")
    }

    func answered(_ token: UInt64, _ answer: CourierAnswer, now: Int64) {
        guard case .http(let outcome) = answer else { return }
        worker.answered(token: token, outcome, now: now, wallClock: clock.now)
    }

    func advance(now: Int64) -> CourierNews {
        var news = CourierNews()
        var hasUnsent = true
        while hasUnsent {
            hasUnsent = false
            let effects = worker.advance(now: now, wallClock: clock.now)
            news.lists += effects.listIDs.map { ($0.syncID, $0.listID) }
            news.notes += effects.notes.map(\.description)
            news.wakeAt = effects.wakeAt
            for completion in effects.completions {
                isUp = completion.outcome.isUp
                news.completions.append(
                    CourierNews.Completion(
                        sync: completion.syncID,
                        message: completion.messageID,
                        outcome: completion.outcome
                    )
                )
            }
            for request in effects.requests {
                do throws(AddressError) {
                    sender.submit(try form(request))
                } catch {
                    // A setting made an address of it that may not be dialled.
                    let outcome = HTTPOutcome.notSent(error.description)
                    worker.answered(
                        token: request.token,
                        outcome,
                        now: now,
                        wallClock: clock.now
                    )
                    hasUnsent = true
                }
            }
        }
        return news
    }

    func resume() {
        worker.resume()
    }

    func stop() {
        worker.stop()
    }

    private func form(_ request: OutgoingRequest) throws(AddressError) -> HTTPRequest {
        switch request.form {
        case .webhook(let messageID):
            guard let webhook else { preconditionFailure("\(destination) has no webhook") }
            return webhook.request(
                body: request.body,
                messageID: messageID,
                now: clock.now,
                token: routes.open(self, request.token)
            )
        case .whole(let method, let url, let headers):
            return HTTPRequest(
                destination: destination,
                method: method,
                url: try DestinationURL(url, policy: policy),
                headers: headers,
                body: request.body,
                timeoutMilliseconds: Int(request.timeoutMilliseconds),
                policy: policy,
                token: routes.open(self, request.token)
            )
        }
    }
}

extension DeliveryOutcome {
    /// Whether the destination took what was sent, or a part of it.
    var isUp: Bool {
        switch self {
        case .delivered: true
        case .settled(let outcomes, _, _, let refusal):
            refusal == nil
                && (outcomes.isFinal || outcomes.outcomes.contains(.delivered)
                    || outcomes.outcomes.contains(.accepted))
        case .authenticationRefused, .gone, .failed, .retriable: false
        }
    }
}
