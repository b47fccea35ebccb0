import Basics
import Configuration
import Destinations
import LogStore
import Sync
import Synchronization
import Telemetry
import Templates
import Threads

/// The thread of all syncs: it owns planner and journal, makes intents durable and hands batches to the couriers,
/// whose transports call back with how they ended.
///
/// Nothing here waits for a destination: a dead one costs its own syncs their time and nobody else anything.
final class SyncService: @unchecked Sendable {
    // `planner`, `journal` and what follows belong to the thread that runs `run()`; `published` is shared.
    private var planner: SyncPlanner
    private var journal: CommitLog<DiskFileSystem>
    private var factory: CourierFactory
    private var couriers: [any Courier] = []
    private var courierOf: [String: any Courier] = [:]
    private let settings: [String: SyncSettings]
    /// Those of the syncs that are not configured any more and take out their users.
    let leaving: [SyncSettings]
    private let mailbox: Mailbox<SyncMessage>
    private let control: Mailbox<ControlMessage>
    private let clock = SystemClock()
    private let logger: Logger
    private let metrics: MetricRegistry
    private let published = Mutex<[SyncStatus]>([])
    /// Whether the thread makes progress, for whoever watches over it.
    let heartbeat = Heartbeat()
    /// Answers to commands, which wait for the next commit.
    private var replies: [(Mailbox<SyncCommandResult>, SyncCommandResult)] = []
    /// What was planned and did not fit onto the disk; nothing else is planned before it is durable.
    private var held: SyncEffects?
    /// When to try that again.
    private var retryAt: Int64 = 0
    /// Why nothing is sent, where that is the disk.
    private let storeFailureText = Mutex<String?>(nil)
    /// Whether a destination refused a credential since the secrets were looked at.
    private var wasRefused = false

    /// The file of CA certificates to trust instead of the system's, if the environment names one.
    private static var authorities: String? {
        ProcessEnvironment.variable("SSL_CERT_FILE").flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Why nothing can be noted, and so nothing is sent; nil where all is well.
    var storeFailure: String? { storeFailureText.withLock { $0 } }

    /// How long what is under way may take when the daemon stops.
    static let graceMilliseconds = 10_000
    /// How long a question waits for the thread, which may be making intents durable.
    private static let answerMilliseconds: Int64 = 2000

    /// Reads the journal and connects the destinations.
    init(
        journal path: String,
        store: StoreID,
        setup: SyncSetup,
        configuration: LoadedConfiguration,
        kafka: [String: String],
        secrets: SecretStore,
        mailbox: Mailbox<SyncMessage>,
        control: Mailbox<ControlMessage>,
        logger: Logger,
        metrics: MetricRegistry
    ) throws(DaemonError) {
        self.mailbox = mailbox
        self.control = control
        self.logger = logger
        self.metrics = metrics
        // Looked at before it is opened: every batch was written to it just before it was handed out.
        let changed: EventTime?
        do throws(StoreError) {
            changed = try FolderAge.newestChange(in: path)
        } catch {
            throw DaemonError(error)
        }
        var planner = SyncPlanner(generator: SeededGenerator(seed: SecureRandom.seed()))
        journal = try Self.open(journal: path, store, &planner)
        let now = clock.monotonicMilliseconds
        let wallClock = clock.now
        leaving = try Self.leaving(planner, setup, configuration, logger)
        let all = setup.settings + leaving
        settings = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })
        planner.start(all, now: now)
        factory = CourierFactory(
            loaded: configuration,
            kafka: kafka,
            sender: HTTPSender(clock: clock, authorities: Self.authorities) { token, outcome in
                mailbox.postAtOnce(.answered(token, .http(outcome)))
            },
            routes: CourierRoutes(),
            clock: clock,
            sentBefore: changed.map { wallClock - $0 },
            complete: { token, outcome in
                mailbox.postAtOnce(.answered(token, .whole(outcome)))
            },
            secrets: secrets
        )
        let statuses = planner.status(now: now)
        self.planner = planner
        published.withLock { $0 = statuses }
        for destination in configuration.destinations {
            let courier = try factory.make(destination)
            couriers.append(courier)
            courierOf[destination.id] = courier
        }
        for sync in all { try configure(sync) }
    }

    private static func open(
        journal path: String,
        _ store: StoreID,
        _ planner: inout SyncPlanner
    ) throws(DaemonError) -> CommitLog<DiskFileSystem> {
        do throws(StoreError) {
            return try CommitLog.open(
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
    }

    /// The syncs that are not configured any more and can take out their users.
    private static func leaving(
        _ planner: borrowing SyncPlanner,
        _ setup: SyncSetup,
        _ configuration: LoadedConfiguration,
        _ logger: Logger
    ) throws(DaemonError) -> [SyncSettings] {
        var all: [SyncSettings] = []
        for sync in planner.leaving(configured: Set(setup.settings.map(\.id))) {
            switch try setup.settings(of: sync, configuration) {
            case .leaves(let settings): all.append(settings)
            case .stays(let reason):
                logger.warning(
                    "users_stay",
                    "sync \(sync.sync) is no longer configured, and its \(sync.users) users stay where they are: \(reason)"
                )
            }
        }
        return all
    }

    /// Tells the courier of a sync what its list is called and who is on it.
    private func configure(_ sync: SyncSettings) throws(DaemonError) {
        guard let courier = courierOf[sync.destinationID] as? HTTPCourier else { return }
        do throws(TemplateBindingError) {
            try courier.configure(sync, listID: planner.listID(sync: sync.id))
        } catch {
            throw DaemonError(
                status: DaemonError.Status.configuration,
                "destination \(sync.destinationID), sync \(sync.id): \(error.description)"
            )
        }
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

    // MARK: The thread

    private func run() {
        var wakeAt: Int64?
        var publishedAt: Int64 = 0
        defer { heartbeat.beat(.waiting) }
        while true {
            heartbeat.beat()
            var now = clock.monotonicMilliseconds
            let wait = min(1000, max(0, (wakeAt ?? .max) - now))
            var stopReply: Mailbox<DaemonError?>?
            var questions: [Mailbox<[SyncStatus]>] = []
            for message in mailbox.takeAll(timeoutMilliseconds: wait) {
                // The first population of a cohort, and planning it, take as long as it has members.
                heartbeat.beat(.long)
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
            heartbeat.beat(.long)
            if let stopReply {
                stopReply.post(stop())
                return
            }
            do throws(DaemonError) {
                lookAtSecrets()
                wakeAt = try advance()
            } catch {
                control.postAtOnce(.fatal(error))
                // Nobody may wait for a thread that is gone.
                mailbox.close()
                return
            }
            now = clock.monotonicMilliseconds
            if now - publishedAt >= 500 || wakeAt == nil {
                publishedAt = now
                publish(now)
            }
        }
    }

    private func take(_ message: SyncMessage) {
        let now = clock.monotonicMilliseconds
        switch message {
        case .waiting(let partition): planner.partitionWaiting(partition)
        case .unavailable(let partition): planner.partitionUnavailable(partition, now: now)
        case .reset(let partition, let cut, let cohorts):
            planner.partitionWaiting(partition)
            planner.partitionKnown(partition, cut: cut, now: now)
            for reset in cohorts {
                planner.membershipReset(
                    partition: partition,
                    cohort: reset.cohort,
                    users: reset.users,
                    cells: reset.cells,
                    holdsExits: reset.holdsExits,
                    cut: cut,
                    now: now
                )
            }
        case .tick(let partition, let cut, let changes):
            planner.tick(partition: partition, cut: cut, changes: changes, now: now)
        case .answered(let token, let answer): factory.routes.answer(token, answer, now: now)
        case .command(let command, let sync, let reply):
            let result = planner.command(command, sync: sync, now: now)
            if command == .resume, result == .done, let destination = settings[sync]?.destinationID
            {
                courierOf[destination]?.resume()
            }
            replies.append((reply, result))
        case .report, .stop: break
        }
    }

    /// Does what the planner asks for, until it has nothing more to ask, and says when it wants to be
    /// asked again.
    private func advance() throws(DaemonError) -> Int64? {
        if let held {
            guard try goOnAfterFullDisk() else { return retryAt }
            perform(held)
        }
        while true {
            let now = clock.monotonicMilliseconds
            var wakeAt = takeNews(now)
            let effects = planner.advance(now: now) { destination, sync in
                courierOf[destination]?.allowance(sync: sync, now: now) ?? 0
            }
            for note in effects.notes { logger.notice("sync_changed", note.description) }
            for record in effects.records { append(record) }
            if effects.mustCommit {
                do throws(StoreError) {
                    try commit()
                } catch {
                    try hold(effects, because: error)
                    return retryAt
                }
            }
            perform(effects)
            if effects.requests.isEmpty, effects.runs.isEmpty {
                if let planned = effects.wakeAt { wakeAt = min(wakeAt ?? planned, planned) }
                return wakeAt
            }
        }
    }

    /// Does what is durable by now.
    private func perform(_ effects: SyncEffects) {
        let now = clock.monotonicMilliseconds
        for (reply, result) in replies { reply.post(result) }
        replies = []
        for request in effects.requests {
            courierOf[request.destinationID]?.send(request, now: now)
        }
        for run in effects.runs {
            let properties = settings[run.syncID]?.naming.properties ?? []
            courierOf[run.destinationID]?.write(run, columns: properties.map(\.name))
        }
    }

    /// Waits for space on a full disk: what was planned goes nowhere until it is durable.
    ///
    /// - Throws: Every other error, which ends the process.
    private func hold(
        _ effects: SyncEffects,
        because error: StoreError,
        since began: Int64? = nil
    ) throws(DaemonError) {
        guard error.isRetriable else { throw DaemonError(error) }
        held = effects
        let now = clock.monotonicMilliseconds
        retryAt = now + DiskRetry.wait(after: now - (began ?? now))
        storeFailureText.withLock { $0 = "nothing can be sent: \(error.description)" }
        logger.error(
            "disk_full",
            "\(error.description); no sync sends anything until then, and nothing is lost",
            repeatKey: "journal"
        )
    }

    /// Writes the journal anew, since the write that failed took with it what had been appended before; whether it fits.
    private func goOnAfterFullDisk() throws(DaemonError) -> Bool {
        let now = clock.monotonicMilliseconds
        guard let effects = held, now >= retryAt else { return false }
        do throws(StoreError) {
            try rewrite()
        } catch {
            try hold(effects, because: error, since: now)
            return false
        }
        held = nil
        storeFailureText.withLock { $0 = nil }
        logger.notice("disk_has_space", "the journal was saved, and syncs go on")
        return true
    }

    /// Hears what the couriers have to tell, and lets them send; says when one wants to be asked again.
    private func takeNews(_ now: Int64) -> Int64? {
        var wakeAt: Int64?
        for courier in couriers {
            let news = courier.advance(now: now)
            for note in news.notes { logger.notice("destination_changed", note) }
            for list in news.lists { planner.listMade(sync: list.sync, id: list.id) }
            for completion in news.completions { take(completion, of: courier.destination, now) }
            if !news.completions.isEmpty, let isUp = courier.isUp {
                metrics.update { $0.set(.destinationUp, [courier.destination], to: isUp ? 1 : 0) }
            }
            if let wake = news.wakeAt { wakeAt = min(wakeAt ?? wake, wake) }
        }
        return wakeAt
    }

    private func take(
        _ completion: CourierNews.Completion,
        of destination: String,
        _ now: Int64
    ) {
        if let message = completion.message {
            planner.completed(
                sync: completion.sync,
                message: message,
                outcome: completion.outcome,
                now: now
            )
        } else {
            planner.completedRun(sync: completion.sync, outcome: completion.outcome, now: now)
        }
        if let reason = completion.outcome.credentialRefusal {
            wasRefused = true
            planner.credentialsRefused(destination: destination, reason: reason, now: now)
        }
    }

    /// Gives couriers their secrets anew where a file changed; at once where one was refused.
    private func lookAtSecrets() {
        let look = factory.secrets.look(
            now: clock.monotonicMilliseconds,
            isUrgent: wasRefused
        )
        wasRefused = false
        for problem in look.problems {
            logger.warning("secret_unreadable", "\(problem.description); the old one goes on")
        }
        for owner in look.changedOwners {
            guard let courier = courierOf[owner],
                let destination = factory.loaded.destinations.first(where: { $0.id == owner })
            else { continue }
            do throws(DaemonError) {
                try factory.renew(courier, of: destination)
                planner.credentialsChanged(destination: owner)
                logger.notice("secret_changed", "destination \(owner) has another secret now")
            } catch {
                logger.warning("secret_unusable", "\(error.text); the old one goes on")
            }
        }
    }

    private func append(_ record: JournalRecord) {
        record.payload.withByteView { journal.append(type: record.type, payload: $0) }
    }

    private func commit() throws(StoreError) {
        try journal.commit(cut: .empty)
        guard journal.shouldRewrite(liveBytes: Int64(planner.liveBytes)) else { return }
        do throws(StoreError) {
            try rewrite()
        } catch {
            // All is durable as it is; another time is as good.
            if !error.isRetriable { throw error }
        }
    }

    private func rewrite() throws(StoreError) {
        try journal.beginRewrite()
        planner.rewriteRecords { append($0) }
        try journal.finishRewrite(cut: .empty)
    }

    private func publish(_ now: Int64) {
        let statuses = planner.status(now: now)
        published.withLock { $0 = statuses }
        let journalBytes = journal.bytesOnDisk
        metrics.update { values in
            values.set(.storeBytes, ["journal"], to: Double(journalBytes))
            // Of one that has taken out its users nothing is late any more.
            for sync in settings.keys where !statuses.contains(where: { $0.sync == sync }) {
                values.set(.syncPendingUsers, [sync], to: 0)
                values.set(.syncOldestPendingSeconds, [sync], to: 0)
            }
            for status in statuses {
                values.set(.syncPendingUsers, [status.sync], to: Double(status.pendingUsers))
                values.set(
                    .syncOldestPendingSeconds,
                    [status.sync],
                    to: Double(status.oldestPendingSeconds)
                )
                for (outcome, count) in [
                    ("delivered", status.deliveredUsers), ("accepted", status.acceptedUsers),
                    ("skipped", status.skippedTotal), ("unknown", status.unknownUsers),
                ] {
                    values.set(.syncUsersTotal, [status.sync, outcome], to: Double(count))
                }
            }
        }
    }

    /// Lets what is under way end, notes how, and closes the journal.
    private func stop() -> DaemonError? {
        for courier in couriers { (courier as? HTTPCourier)?.stop() }
        factory.sender.stop(graceMilliseconds: Self.graceMilliseconds)
        for courier in couriers { (courier as? QueueCourier)?.stop() }
        for message in mailbox.takeAll(timeoutMilliseconds: 0) {
            if case .answered = message { take(message) }
        }
        let now = clock.monotonicMilliseconds
        _ = takeNews(now)
        // Nothing more is planned; what was answered is written down.
        let effects = planner.advance(now: now) { _, _ in 0 }
        do throws(StoreError) {
            if held == nil {
                for record in effects.records { append(record) }
                try journal.commit(cut: .empty)
            } else {
                try rewrite()
            }
        } catch {
            return DaemonError(error)
        }
        return nil
    }
}

extension DeliveryOutcome {
    /// Why the credential was refused; nil where it was not.
    fileprivate var credentialRefusal: String? {
        switch self {
        case .authenticationRefused(let detail),
            .settled(_, _, _, refusal: .authentication(let detail)):
            detail
        default: nil
        }
    }
}
