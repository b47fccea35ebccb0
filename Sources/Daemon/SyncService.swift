import Basics
import Configuration
import Destinations
import LogStore
import Sync
import Synchronization
import Telemetry
import Threads

/// The thread of all syncs: it owns planner and journal, makes intents durable and hands requests to the
/// transports, which call back with how they ended.
///
/// Nothing here waits for a destination: a dead one costs its own syncs their time and nobody else anything.
final class SyncService: @unchecked Sendable {
    // `planner`, `journal` and what follows belong to the thread that runs `run()`; `statuses` is shared.
    private var planner: SyncPlanner
    private var journal: CommitLog<DiskFileSystem>
    private var inFlight: [UInt64: (sync: String, message: String, destination: String)] = [:]
    private var nextToken: UInt64 = 1
    private let mailbox: Mailbox<SyncMessage>
    private let control: Mailbox<ControlMessage>
    private let clock = SystemClock()
    private let logger: Logger
    private let metrics: MetricRegistry
    private var secrets: DestinationSecrets
    /// Whether a destination has refused a credential since the last look at the secrets.
    private var isCredentialRefused = false
    private var webhooks: [String: WebhookTransport] = [:]
    private var files: [String: FileTransport] = [:]
    private let sender: HTTPSender
    private let published = Mutex<[SyncStatus]>([])

    /// The file of CA certificates to trust instead of the system's, if the environment names one.
    private static var authorities: String? {
        ProcessEnvironment.variable("SSL_CERT_FILE").flatMap { $0.isEmpty ? nil : $0 }
    }

    /// How long requests under way may take when the daemon stops.
    private static let graceMilliseconds = 10_000
    /// How long a question waits for the thread, which may be making intents durable.
    private static let answerMilliseconds: Int64 = 2000

    /// Reads the journal and makes the transports.
    init(
        journal path: String,
        store: StoreID,
        syncs: [SyncSettings],
        destinations: [ConnectedDestination],
        secrets: DestinationSecrets,
        mailbox: Mailbox<SyncMessage>,
        control: Mailbox<ControlMessage>,
        logger: Logger,
        metrics: MetricRegistry
    ) throws(DaemonError) {
        self.secrets = secrets
        self.mailbox = mailbox
        self.control = control
        self.logger = logger
        self.metrics = metrics
        var planner = SyncPlanner(generator: SeededGenerator(seed: SecureRandom.seed()))
        do throws(StoreError) {
            journal = try CommitLog.open(
                DiskFileSystem(),
                directory: path,
                identity: LogIdentity(journalOf: store),
                createIfMissing: true
            ) { (entry: LogEntry) throws(RecordRefused) in
                guard case .record(let type, let payload) = entry else { return }
                do throws(SyncJournalError) {
                    try planner.replay(type: type, payload: payload)
                } catch {
                    throw RecordRefused(error.description)
                }
            }
        } catch {
            throw DaemonError(error)
        }
        sender = HTTPSender(clock: clock, authorities: Self.authorities) { token, outcome in
            mailbox.postAtOnce(.answered(token, outcome))
        }
        planner.start(syncs, now: clock.monotonicMilliseconds)
        self.planner = planner
        for destination in destinations {
            switch destination {
            case .webhook(let transport): webhooks[transport.destination] = transport
            case .file(let id, let path):
                files[id] = FileTransport(path: path) { token, outcome in
                    mailbox.postAtOnce(.written(token, outcome))
                }
            }
        }
        published.withLock { $0 = planner.status(now: clock.monotonicMilliseconds) }
    }

    /// Starts the thread, which ends after `stop`.
    func start() -> SystemThread {
        SystemThread { self.run() }
    }

    /// How every sync stands, with everything that was told to this service before.
    ///
    /// So who has read in a partition's report that a tick is done finds here what that tick left to send. A
    /// thread that is busy or gone answers with what it published last.
    func statuses() -> [SyncStatus] {
        let reply = Mailbox<[SyncStatus]>(capacity: 1)
        mailbox.postAtOnce(.report(reply))
        return reply.takeAll(timeoutMilliseconds: Self.answerMilliseconds).first
            ?? published.withLock { $0 }
    }

    /// Asks something of a sync.
    ///
    /// - Returns: What became of it; nil where the thread is busy or gone, so that it may still be done.
    func command(_ command: SyncCommand, sync: String) -> SyncCommandResult? {
        let reply = Mailbox<SyncCommandResult>(capacity: 1)
        mailbox.postAtOnce(.command(command, sync: sync, reply: reply))
        return reply.takeAll(timeoutMilliseconds: Self.answerMilliseconds).first
    }

    private func run() {
        var wakeAt: Int64?
        var publishedAt: Int64 = 0
        while true {
            var now = clock.monotonicMilliseconds
            let wait = min(1000, max(0, (wakeAt ?? .max) - now))
            var stopReply: Mailbox<DaemonError?>?
            var questions: [Mailbox<[SyncStatus]>] = []
            for message in mailbox.takeAll(timeoutMilliseconds: wait) {
                switch message {
                case .stop(let reply): stopReply = reply
                case .report(let reply): questions.append(reply)
                default: take(message)
                }
            }
            if !questions.isEmpty {
                let statuses = planner.status(now: clock.monotonicMilliseconds)
                for question in questions { question.post(statuses) }
            }
            if let stopReply {
                stopReply.post(stop())
                return
            }
            do throws(DaemonError) {
                wakeAt = try advance()
            } catch {
                control.postAtOnce(.fatal(error))
                // Nobody may wait for a thread that is gone.
                mailbox.close()
                return
            }
            now = clock.monotonicMilliseconds
            lookAtSecrets(now)
            if now - publishedAt >= 500 || wakeAt == nil {
                publishedAt = now
                publish(now)
            }
        }
    }

    /// Sends with the changed secrets from now on.
    private func lookAtSecrets(_ now: Int64) {
        for (_, destination) in secrets.look(
            now: now,
            isUrgent: isCredentialRefused,
            logger: logger
        ) {
            if case .webhook(let transport) = destination {
                webhooks[transport.destination] = transport
            }
        }
        isCredentialRefused = false
    }

    private func take(_ message: SyncMessage) {
        let now = clock.monotonicMilliseconds
        switch message {
        case .waiting(let partition): planner.partitionWaiting(partition)
        case .unavailable(let partition): planner.partitionUnavailable(partition, now: now)
        case .reset(let partition, let cut, let cohorts):
            planner.partitionWaiting(partition)
            for (cohort, users) in cohorts {
                planner.membershipReset(
                    partition: partition,
                    cohort: cohort,
                    users: users,
                    cut: cut,
                    now: now
                )
            }
        case .tick(let partition, let cut, let changes):
            planner.tick(partition: partition, cut: cut, changes: changes, now: now)
        case .answered(let token, let outcome):
            guard let request = inFlight[token], let webhook = webhooks[request.destination] else {
                return
            }
            complete(token, webhook.classify(outcome), now: now)
        case .written(let token, let outcome): complete(token, outcome, now: now)
        case .command(_, _, let reply): reply.post(.refused("not wired yet"))
        case .report, .stop: break
        }
    }

    private func complete(_ token: UInt64, _ outcome: DeliveryOutcome, now: Int64) {
        guard let request = inFlight.removeValue(forKey: token) else { return }
        if case .authenticationRefused = outcome { isCredentialRefused = true }
        let isUp = outcome == .delivered
        metrics.update { $0.set(.destinationUp, [request.destination], to: isUp ? 1 : 0) }
        planner.completed(
            sync: request.sync,
            message: request.message,
            outcome: outcome,
            now: now
        )
    }

    /// Does what the planner asks for, until it has nothing more to ask, and says when it wants to be
    /// asked again.
    private func advance() throws(DaemonError) -> Int64? {
        while true {
            let effects = planner.advance(now: clock.monotonicMilliseconds)
            for note in effects.notes {
                logger.notice("sync_changed", note.description)
            }
            for record in effects.records {
                record.payload.withByteView { journal.append(type: record.type, payload: $0) }
            }
            if effects.mustCommit { try commit() }
            if effects.requests.isEmpty { return effects.wakeAt }
            for request in effects.requests { send(request) }
        }
    }

    private func commit() throws(DaemonError) {
        do throws(StoreError) {
            try journal.commit(cut: .empty)
            if journal.shouldRewrite(liveBytes: Int64(planner.liveBytes)) { try rewrite() }
        } catch {
            throw DaemonError(error)
        }
    }

    private func rewrite() throws(StoreError) {
        try journal.beginRewrite()
        planner.rewriteRecords { record in
            record.payload.withByteView { journal.append(type: record.type, payload: $0) }
        }
        try journal.finishRewrite(cut: .empty)
    }

    private func send(_ request: DeliveryRequest) {
        let token = nextToken
        nextToken += 1
        inFlight[token] = (request.syncID, request.messageID, request.destinationID)
        if let webhook = webhooks[request.destinationID] {
            sender.submit(
                webhook.request(
                    body: WebhookBody.render(request),
                    messageID: request.messageID,
                    now: clock.now,
                    token: token
                )
            )
        } else if let file = files[request.destinationID] {
            file.submit(lines: DeltaRecord.render(request), token: token)
        } else {
            preconditionFailure("destination \(request.destinationID) was checked at the start")
        }
    }

    private func publish(_ now: Int64) {
        let statuses = planner.status(now: now)
        published.withLock { $0 = statuses }
        metrics.update { values in
            for status in statuses {
                values.set(.syncPendingUsers, [status.sync], to: Double(status.pendingUsers))
                values.set(
                    .syncOldestPendingSeconds,
                    [status.sync],
                    to: Double(status.oldestPendingSeconds)
                )
                values.set(
                    .syncUsersTotal,
                    [status.sync, "delivered"],
                    to: Double(status.deliveredUsers)
                )
                values.set(
                    .syncUsersTotal,
                    [status.sync, "unknown"],
                    to: Double(status.unknownUsers)
                )
            }
        }
    }

    /// Lets what is under way end, notes how, and closes the journal.
    private func stop() -> DaemonError? {
        sender.stop(graceMilliseconds: Self.graceMilliseconds)
        for file in files.values { file.stop() }
        for message in mailbox.takeAll(timeoutMilliseconds: 0) {
            switch message {
            case .answered, .written: take(message)
            default: break
            }
        }
        // What the planner would send now goes out after the next start, unchanged: its intent is written.
        let effects = planner.advance(now: clock.monotonicMilliseconds)
        do throws(StoreError) {
            for record in effects.records {
                record.payload.withByteView { journal.append(type: record.type, payload: $0) }
            }
            try journal.commit(cut: .empty)
        } catch {
            return DaemonError(error)
        }
        return nil
    }
}
