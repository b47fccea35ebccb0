import Basics
import Cohorts
import Configuration
package import Destinations
import Engine
import Glibc
import HTTPAPI
import InputFiles
import Kafka
import LogStore
import Replay
import Sync
import Synchronization
package import Telemetry
import Threads

/// The daemon: composes the parts and runs the control loop.
///
/// ```
/// control thread   group conversation, tick barrier, lifecycle      (the caller of run)
/// engine threads   one per core: poll a queue, apply, snapshot
/// sync thread      planner and journal                              (SyncService)
/// sender threads   HTTP requests; one per file destination
/// API threads      libmicrohttpd's pool                             (DaemonQueries)
/// ```
package final class DaemonService {
    private let configuration: LoadedConfiguration
    private let logger: Logger
    private let redactor: Redactor
    private let clock = SystemClock()
    private let reload: ReloadRequests?
    private let read: @Sendable () -> ClockReading
    private let isStopWanted: () -> Bool
    private let manager: ServiceManager

    /// The address the API listens on, told when it does.
    package var listening: (String) -> Void = { _ in }

    /// A daemon that ``run()`` starts.
    ///
    /// - Parameters:
    ///   - configuration: Read without problems.
    ///   - logger: Where everything is told; its sink is to let lines pass through `redactor`.
    ///   - redactor: Learns every secret that is fetched.
    ///   - reload: Asked several times a second whether to read the configuration again.
    ///   - read: The clocks that ticks are made by.
    ///   - manager: Told when it is ready, how it is, and that it is alive.
    ///   - isStopWanted: Asked several times a second; true ends the daemon in good order.
    package init(
        _ configuration: LoadedConfiguration,
        logger: Logger,
        redactor: Redactor,
        reload: ReloadRequests? = nil,
        read: @escaping @Sendable () -> ClockReading = { ClockReading.ofMachine },
        manager: ServiceManager = .none,
        isStopWanted: @escaping () -> Bool
    ) {
        self.configuration = configuration
        self.manager = manager
        self.logger = logger
        self.redactor = redactor
        self.reload = reload
        self.read = read
        self.isStopWanted = isStopWanted
    }

    /// Runs until a stop is wanted, with another configuration whenever one was read that can be used.
    /// - Throws: Why it cannot start or go on; what was durable stays.
    package func run() throws(DaemonError) {
        var configuration = configuration
        let credentials = try APICredentials(configuration.daemon.http, redactor)
        configuration.credentials = credentials
        let files = try OpenFileLimit.raised()
        let directory: DataDirectory<DiskFileSystem>
        do throws(StoreError) {
            directory = try DataDirectory.open(
                DiskFileSystem(),
                path: configuration.daemon.dataDirectory,
                processID: getpid(),
                newStore: StoreID(high: SecureRandom.seed(), low: SecureRandom.seed())
            )
        } catch {
            throw DaemonError(error)
        }
        let api = APIServer()
        defer { api.stop() }
        var plan = ReloadPlan(configuration)
        let smallFiles = directory.smallFiles
        var definitions = ControlTopic(configuration.daemon.kafka, smallFiles, logger: logger)
        while true {
            var wasReady = false
            do throws(DaemonError) {
                let kafka = plan.current.daemon.kafka
                if !definitions.isOf(kafka) {
                    definitions = ControlTopic(kafka, smallFiles, logger: logger)
                }
                let next = try run(plan, directory, definitions, api, files, &wasReady)
                guard let next else { break }
                plan.go(on: next)
                useLogLevel(of: next)
            } catch {
                guard let text = plan.goBack(after: error, wasReady: wasReady) else { throw error }
                logger.error("reload_failed", text)
                useLogLevel(of: plan.current)
            }
        }
        logger.info("stopped", "stopped in good order")
        do throws(StoreError) { try directory.close() } catch { throw DaemonError(error) }
    }

    private func useLogLevel(of configuration: LoadedConfiguration) {
        if let level = LogLevel(rawValue: configuration.daemon.log.level.rawValue) {
            logger.use(level)
        }
    }

    /// - Returns: What to go on with; nil where a stop was wanted.
    private func run(
        _ plan: ReloadPlan,
        _ directory: borrowing DataDirectory<DiskFileSystem>,
        _ definitions: ControlTopic,
        _ api: APIServer,
        _ files: OpenFileLimit,
        _ wasReady: inout Bool
    ) throws(DaemonError) -> LoadedConfiguration? {
        let run = try DaemonRun(
            plan.current,
            directory: directory,
            definitions: definitions,
            api: api,
            logger: logger,
            redactor: redactor,
            clock: clock,
            reload: reload,
            isPrevious: plan.wentBack,
            gate: TickGate(read: read),
            manager: manager,
            files: files,
            isStopWanted: isStopWanted
        )
        listening(run.address)
        defer { wasReady = run.wasReady }
        return try run.untilStopped()
    }
}

/// One run of the daemon, from the open data directory to its end.
final class DaemonRun {
    let loaded: LoadedConfiguration
    private let configuration: DaemonConfiguration
    let environment: EngineEnvironment
    let engines: [EngineThread]
    private var threads: [SystemThread] = []
    private let sync: SyncService
    private let queries: DaemonQueries
    let logger: Logger
    let clock: SystemClock
    let redactor: Redactor
    let reload: ReloadRequests?
    /// What the API makes.
    let definitions: ControlTopic
    /// What the API had made when that was last looked at.
    var followed: ControlObjects
    /// Whether this configuration runs again because another one could not be used.
    let isPrevious: Bool
    private let isStopWantedByCaller: () -> Bool
    /// What to go on with, once a configuration was read again that can be used.
    var next: LoadedConfiguration?
    /// Whether nothing was missing once of what the configuration asks for.
    private(set) var wasReady = false
    let manager: ServiceManager
    private let files: OpenFileLimit
    /// That of the control thread.
    let heartbeat = Heartbeat()
    private let instanceID: String
    private var ticks: TickSource
    private let gate: TickGate
    private var clockFile: ClockFile
    private let witness: ClockWitness
    private var hold: ClockFence.Hold?
    private var trouble = KafkaTrouble()
    private var durable: [PartitionID: Offset] = [:]
    private var committedAt: Int64 = 0
    private var probedAt: Int64 = 0
    var opened: [PartitionID: OpenedPartition] = [:]
    /// Whether every partition was told where to begin.
    private(set) var hasStarted = false
    /// The partitions that stand still, and why.
    var halts: [PartitionID: LogHalt] = [:]
    /// Partitions whose log is not the one that their snapshot was made from.
    var diverged: Set<PartitionID> = []
    /// How many partitions the topic has.
    var topicCount = 0
    var topicLookedAt: Int64 = 0
    var isCompacted = false
    /// Whether the group had left out a partition when it was looked at last.
    var wasIncomplete = false
    /// Partitions that came after the state was made, and are not read.
    var added: [PartitionID] = []
    var shape: TopicShape
    let damage: DamageReader
    let commands: CommandsTopic
    /// From where on partitions read their history again that were not through with it when that was last known.
    private var past: [PartitionID: Offset] = [:]
    /// Partitions that were told to read their history again: once is enough, whatever halts them meanwhile.
    private var startedHistory: Set<PartitionID> = []
    private(set) var history: HistoryReader?
    var memoryWatch: MemoryWatch
    let kafkaProperties: [String: String]

    /// Where the API listens.
    let address: String
    /// Who this daemon is in its group, also after a restart.
    var memberID: String { kafkaProperties["group.instance.id"] ?? instanceID }

    init(
        _ loaded: LoadedConfiguration,
        directory: borrowing DataDirectory<DiskFileSystem>,
        definitions: ControlTopic,
        api: APIServer,
        logger: Logger,
        redactor: Redactor,
        clock: SystemClock,
        reload: ReloadRequests?,
        isPrevious: Bool,
        gate: TickGate,
        manager: ServiceManager,
        files: OpenFileLimit,
        isStopWanted: @escaping () -> Bool
    ) throws(DaemonError) {
        self.loaded = loaded
        configuration = loaded.daemon
        self.definitions = definitions
        followed = loaded.objects
        self.isPrevious = isPrevious
        self.manager = manager
        self.files = files
        self.logger = logger
        self.redactor = redactor
        self.clock = clock
        self.reload = reload
        isStopWantedByCaller = isStopWanted
        self.gate = gate
        ticks = TickSource(width: configuration.tickMilliseconds)
        clockFile = ClockFile(directory.smallFiles)

        let setup = try SyncSetup(loaded)
        let plan = Self.plan(of: loaded, setup)
        var secrets = SecretStore(surroundings: .ofProcess, redactor: redactor)
        kafkaProperties = try Self.kafkaProperties(configuration.kafka, &secrets)
        let partitions: String
        let journal: String
        do throws(StoreError) {
            partitions = try directory.makeDirectory("partitions")
            journal = try directory.makeDirectory("journal")
            shape = try TopicShape(directory.smallFiles)
            instanceID = try directory.instanceID(orElse: "cohortd-" + Self.freshID())
        } catch {
            throw DaemonError(error)
        }
        let guarding = CrashGuard(
            directory.smallFiles,
            threads: Self.engineThreadCount(),
            topic: configuration.kafka.topic,
            commandsTopic: configuration.kafka.commandsTopic,
            logger: logger
        )
        let control = Mailbox<ControlMessage>(capacity: 4096)
        let syncMailbox = Mailbox<SyncMessage>(capacity: 256)
        let metrics = MetricRegistry()
        var uploadCohorts: [String: Int] = [:]
        for (index, cohort) in plan.cohorts.enumerated() where plan.takesUploads(cohort: index) {
            uploadCohorts[cohort.id] = index
        }
        commands = CommandsTopic(
            name: configuration.kafka.commandsTopic,
            isNeeded: !uploadCohorts.isEmpty,
            logger: logger
        )
        environment = EngineEnvironment(
            plan: plan,
            settings: ShardSettings(behindKafka: configuration.replay),
            eventBytesMax: configuration.kafka.eventBytesMax,
            futureMax: configuration.limits.futureMaxMilliseconds,
            tickWidth: configuration.tickMilliseconds,
            snapshotInterval: configuration.snapshot.intervalMilliseconds,
            snapshotBytes: configuration.snapshot.bytes,
            topic: configuration.kafka.topic,
            commandsTopic: configuration.kafka.commandsTopic,
            uploadCohorts: uploadCohorts,
            store: directory.store,
            directory: partitions,
            acceptedHistory: loaded.acceptedHistory,
            syncedCohorts: plan.cohorts.indices.filter { index in
                setup.settings.contains { $0.cohortID == plan.cohorts[index].id }
            },
            clock: clock,
            logger: logger,
            metrics: metrics,
            reports: PartitionReports(),
            sync: syncMailbox,
            control: control,
            rejects: RejectSink(
                topic: configuration.kafka.deadLetterTopic,
                folder: directory.path + "/rejects",
                logger: logger
            ),
            crashes: guarding.account
        )
        let environment = environment
        var probing = kafkaProperties
        probing["group.instance.id"] = nil
        damage = DamageReader(properties: probing, control: control, logger: logger)
        witness = ClockWitness(reports: environment.reports)
        sync = try SyncService(
            journal: journal,
            store: directory.store,
            setup: setup,
            configuration: loaded,
            kafka: kafkaProperties,
            secrets: secrets,
            mailbox: syncMailbox,
            control: control,
            logger: logger,
            metrics: metrics
        )
        engines = guarding.hands.map { EngineThread(environment, $0) }
        let measures = ProcessMeasures(
            partitions: partitions,
            journal: journal,
            memoryMax: configuration.memoryMax
        )
        memoryWatch = MemoryWatch(measures)
        queries = DaemonQueries(
            plan: plan,
            definitions: loaded.cohorts,
            reports: environment.reports,
            metrics: metrics,
            measures: measures,
            engines: engines,
            sync: sync,
            configuredSyncs: Dictionary(
                uniqueKeysWithValues: zip(loaded.syncs, setup.settings).map {
                    ($0.id, ConfiguredSync($0, $1))
                }
            ),
            redactor: redactor,
            gate: gate,
            control: control,
            splitUsers: environment.splitUsers,
            startedAt: gate.now
        )
        metrics.update {
            $0.set(.configReloadSuccessful, to: isPrevious ? 0 : 1)
            $0.set(.consumptionPaused, ["memory"], to: 0)
        }
        let credentials =
            if let known = loaded.credentials {
                known
            } else {
                try APICredentials(configuration.http, redactor)
            }
        try api.serve(configuration.http, credentials, queries, files, logger)
        address = api.address
    }

    static func plan(of loaded: LoadedConfiguration, _ setup: SyncSetup) -> Plan {
        var settings = PlanSettings(
            for: loaded.cohorts,
            inactiveEvents: loaded.daemon.inactiveEvents,
            defaultZone: loaded.daemon.timezone
        )
        settings.syncedProperties = setup.properties
        return PlanCompiler.compile(loaded.cohorts, settings)
    }

    private static func engineThreadCount() -> Int {
        max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }

    private static func freshID() -> String {
        var generator = SeededGenerator(seed: SecureRandom.seed())
        return generator.uuid()
    }

    // MARK: Running

    /// Runs until a stop is wanted, or a configuration was read again that can be used.
    ///
    /// - Returns: That configuration.
    func untilStopped() throws(DaemonError) -> LoadedConfiguration? {
        threads = engines.map { $0.start() }
        let supervisor = makeSupervisor()
        let supervisorThread = supervisor.start()
        defer {
            supervisor.stop()
            supervisorThread.join()
        }
        let syncThread = sync.start()
        let rejectThread = environment.rejects.start(properties: kafkaProperties)
        let damageThread = damage.start()
        defer {
            damage.stop()
            damageThread.join()
        }
        var failure: DaemonError?
        do throws(DaemonError) {
            let consumer = try makeConsumer()
            // All that a person may have got wrong is right. Kafka and history may take hours: /readyz tells.
            manager.tell(.ready)
            do throws(DaemonError) {
                if try openPartitions(consumer) { try loop(consumer) }
            } catch {
                failure = error
            }
            stopping()
            // State is made durable before anything that could hang.
            failure = finish() ?? failure
            history?.close()
            if !consumer.close(timeoutMilliseconds: 5000) {
                logger.warning(
                    "kafka_close_slow",
                    "the Kafka client did not close in 5 s; going on without it"
                )
            }
        } catch {
            stopping()
            failure = finish() ?? error
        }
        let reply = Mailbox<DaemonError?>(capacity: 1)
        if environment.sync.post(.stop(reply)) {
            if let answer = reply.takeAll(timeoutMilliseconds: 20_000).first {
                failure = failure ?? answer
                syncThread.join()
            }
        } else {
            syncThread.join()
        }
        environment.rejects.stop()
        rejectThread.join()
        if let failure { throw failure }
        return isStopWantedByCaller() ? nil : next
    }

    /// Whether this run is to end.
    func isStopWanted() -> Bool { isStopWantedByCaller() || next != nil }

    private func makeSupervisor() -> Supervisor {
        let queries = queries
        var heartbeats = engines.enumerated().map { index, engine in
            (name: "engine thread \(index)", heartbeat: engine.heartbeat)
        }
        heartbeats.append((name: "the sync thread", heartbeat: sync.heartbeat))
        heartbeats.append((name: "the control thread", heartbeat: heartbeat))
        return Supervisor(over: heartbeats, telling: manager, logger: logger) {
            queries.serviceStatus()
        }
    }

    /// From here on every wait has an end of its own, and the manager has its time for the whole.
    private func stopping() {
        heartbeat.beat(.waiting)
        if next != nil, !isStopWantedByCaller() { return }
        setStartup(["stopping"])
        manager.tell(.stopping, .status("stopping"))
    }

    private func finish() -> DaemonError? {
        var failure: DaemonError?
        for (engine, thread) in zip(engines, threads) {
            let reply = Mailbox<DaemonError?>(capacity: 1)
            engine.post(.finish(reply))
            if let answer = reply.takeAll(timeoutMilliseconds: 20_000).first {
                failure = failure ?? answer
                thread.join()
            }
        }
        return failure
    }

    /// The user's librdkafka properties with their references resolved.
    static func kafkaProperties(
        _ kafka: KafkaConfiguration,
        _ secrets: inout SecretStore
    ) throws(DaemonError) -> [String: String] {
        var properties: [String: String] = [:]
        for (name, value) in kafka.properties {
            do throws(SecretError) {
                properties[name] = try secrets.secret(value, of: "kafka").reveal()
            } catch {
                throw DaemonError(
                    status: DaemonError.Status.configuration,
                    "kafka.properties.\(name): \(error.description)"
                )
            }
        }
        return properties
    }

    private func makeConsumer() throws(DaemonError) -> Consumer {
        var properties = kafkaProperties
        properties["group.instance.id"] = nil
        let control = environment.control
        let reports = environment.reports
        let engines = engines
        let count = engines.count
        let logger = logger
        let heartbeat = heartbeat
        let events = ConsumerEvents(
            startPosition: { partition in
                guard let report = reports[partition], report.state != .halted else { return .hold }
                return .offset(report.offset)
            },
            companionPosition: { reports[$0]?.commandsOffset },
            assigned: { partitions in
                for partition in partitions {
                    guard let report = reports[partition], report.state == .assigned else {
                        continue
                    }
                    engines[Int(partition) % count].post(
                        .start(
                            partition,
                            PartitionStart(
                                events: LogStart(
                                    offset: report.offset,
                                    end: report.endOffset ?? report.offset,
                                    oldest: 0
                                ),
                                commands: report.commandsOffset.map {
                                    LogStart(offset: $0, end: report.commandsEnd ?? $0, oldest: 0)
                                },
                                floor: .distantPast
                            )
                        )
                    )
                }
            },
            revoked: { partitions, _ in
                heartbeat.beat(.waiting)
                defer { heartbeat.beat() }
                for (index, engine) in engines.enumerated() {
                    let mine = partitions.filter { Int($0) % count == index }
                    if mine.isEmpty { continue }
                    let reply = Mailbox<Void>(capacity: 1)
                    engine.post(.revoke(mine, reply))
                    _ = reply.takeAll(timeoutMilliseconds: 30_000)
                }
            },
            failed: { error in
                if error.isFatal {
                    control.postAtOnce(
                        .fatal(
                            DaemonError(
                                status: error.kind == .fenced
                                    ? DaemonError.Status.locked : DaemonError.Status.software,
                                "Kafka: \(error.description)"
                            )
                        )
                    )
                } else {
                    control.postAtOnce(.met(error))
                    logger.warning("kafka_error", error.description, repeatKey: "\(error.code)")
                }
            },
            log: { line in
                logger.debug("kafka_client", line.text, repeatKey: line.text)
            }
        )
        var settings = ConsumerSettings(
            properties: properties,
            groupID: configuration.kafka.group,
            groupInstanceID: memberID,
            clientID: "cohortd",
            topic: configuration.kafka.topic,
            companion: configuration.kafka.commandsTopic,
            threads: count
        )
        settings.joinsAtOnce = false
        settings.queueBytes = memoryWatch.queueBytes
        do throws(KafkaError) {
            return try Consumer(settings, events)
        } catch {
            throw DaemonError(
                status: DaemonError.Status.configuration,
                "Kafka: \(error.description)"
            )
        }
    }

    /// Restores every partition of the topic and decides where each is read from.
    ///
    /// - Returns: False when a stop was wanted meanwhile.
    private func openPartitions(_ consumer: Consumer) throws(DaemonError) -> Bool {
        guard let count = try partitionCount(consumer) else { return false }
        // Before anything is read for definitions that are not all of them.
        try followControl(consumer)
        if isStopWanted() { return false }
        setStartup(["joining the consumer group"])
        try joinGroup(consumer)
        var replies: [(PartitionID, Mailbox<Result<OpenedPartition, DaemonError>>)] = []
        for partition in try partitionsToRead(of: count) {
            let reply = Mailbox<Result<OpenedPartition, DaemonError>>(capacity: 1)
            engines[Int(partition) % engines.count].post(.open(partition, reply))
            replies.append((partition, reply))
        }
        for (partition, reply) in replies {
            var answer: Result<OpenedPartition, DaemonError>?
            while answer == nil {
                heartbeat.beat()
                answer = reply.takeAll(timeoutMilliseconds: 1000).first
            }
            if let answer { opened[partition] = try answer.get() }
        }
        beginTime()
        try files.check(
            used: OpenFileLimit.used,
            connections: files.connections(wanted: configuration.http.connectionsMax)
        )
        while !isStopWanted() {
            if try lookForCommands(consumer) { break }
            usleep(200_000)
        }
        lookForCompaction(consumer)
        guard compareLogs() else { return false }
        for (index, engine) in engines.enumerated() { engine.post(.attach(consumer.queues[index])) }
        for partition in opened.keys.sorted() {
            guard try startPartition(partition, consumer) else { return false }
        }
        waitUntilStarted()
        hasStarted = true
        try readHistory()
        return true
    }

    private func partitionCount(_ consumer: Consumer) throws(DaemonError) -> Int? {
        while !isStopWanted() {
            heartbeat.beat()
            do throws(KafkaError) {
                let count = try consumer.partitionCount(timeoutMilliseconds: 2000)
                if count > 0 { return count }
                setStartup(["topic \(configuration.kafka.topic) has no partitions"])
            } catch {
                switch error.kind {
                case .unknownTopicOrPartition:
                    setStartup(["topic \(configuration.kafka.topic) does not exist"])
                case .authorization: setStartup([error.text])
                default: setStartup([trouble.unreachable(since: nil)])
                }
                logger.warning(
                    "kafka_not_ready",
                    "\(error.description); trying again",
                    repeatKey: "\(error.code)"
                )
            }
            try serveControl(consumer)
            // Where it waits for the broker, another address may be what helps.
            lookForReload(nil)
            consumer.pollControl(timeoutMilliseconds: 200)
        }
        return nil
    }

    /// Asks Kafka what it still has of a partition and tells its worker where to begin.
    func startPartition(
        _ partition: PartitionID,
        _ consumer: Consumer
    ) throws(DaemonError) -> Bool {
        guard let (oldest, end) = watermarks(of: partition, consumer) else { return false }
        let engine = engines[Int(partition) % engines.count]
        let cut = opened[partition]?.cut
        let missing = opened[partition]?.missingTraces ?? MissingTraces()
        var commandsStart: LogStart?
        if commands.isRead {
            guard let start = self.commandsStart(of: partition, consumer) else { return false }
            if try isHalted(
                partition,
                at: cut?.position.commands,
                start,
                of: commands.name,
                consumer
            ) {
                return true
            }
            commandsStart = start
        }
        // What came later begins at its first offset.
        let isLatest = configuration.kafka.start == .latest && partition < shape.count
        var events = LogStart(
            offset: cut?.position.events ?? (isLatest ? end : oldest),
            end: end,
            oldest: oldest
        )
        var history: LogStart?
        if let cut {
            if diverged.contains(partition) {
                halt(other(partition, cut.position.events, oldest, end))
                return true
            }
            if try isHalted(
                partition,
                at: cut.position.events,
                events,
                of: configuration.kafka.topic,
                consumer
            ) {
                return true
            }
            // History is read again from the oldest record that the state was ever made from.
            if missing.needsEvents {
                let first = max(oldest, min(cut.firstOffset, cut.position.events))
                if missing.properties {
                    events.offset = first
                } else if !startedHistory.contains(partition) {
                    startedHistory.insert(partition)
                    past[partition] = first
                    history = LogStart(offset: first, end: cut.position.events, oldest: oldest)
                }
            }
        }
        engine.post(
            .start(
                partition,
                PartitionStart(
                    events: events,
                    history: history,
                    commands: commandsStart,
                    floor: ticks.floor
                )
            )
        )
        return true
    }

    /// Halts a partition whose snapshot stands where Kafka has nothing, unless it may go on behind that.
    ///
    /// - Returns: Whether it did one or the other, so that there is nothing more to start.
    private func isHalted(
        _ partition: PartitionID,
        at offset: Offset?,
        _ start: LogStart,
        of topic: String,
        _ consumer: Consumer
    ) throws(DaemonError) -> Bool {
        guard let offset,
            let halt = missing(partition, offset, start.oldest, start.end, of: topic)
        else { return false }
        try self.halt(halt, orGoOn: consumer)
        return true
    }

    /// Where the commands of a partition are read from: all of them where the snapshot has none, or lacks what
    /// they fill.
    private func commandsStart(of partition: PartitionID, _ consumer: Consumer) -> LogStart? {
        guard let (oldest, end) = watermarks(of: partition, in: commands.name, consumer) else {
            return nil
        }
        let isComplete = opened[partition]?.missingTraces.needsOrder == false
        let ours = isComplete ? opened[partition]?.cut?.position.commands : nil
        return LogStart(offset: ours ?? oldest, end: end, oldest: oldest)
    }

    func watermarks(
        of partition: PartitionID,
        in topic: String? = nil,
        _ consumer: Consumer
    ) -> (first: Offset, end: Offset)? {
        while !isStopWanted() {
            heartbeat.beat()
            do throws(KafkaError) {
                return try consumer.watermarks(partition, of: topic, timeoutMilliseconds: 2000)
            } catch {
                setStartup(["the start waits for Kafka: \(error.text)"])
                // The group must not wait for somebody to make a topic.
                if hasStarted, error.kind == .unknownTopicOrPartition { return nil }
                logger.warning(
                    "kafka_not_ready",
                    "\(error.description); trying again",
                    repeatKey: "\(error.code)"
                )
                usleep(200_000)
            }
        }
        return nil
    }

    // MARK: History

    /// Sees to it that what partitions lack of the past is read.
    private func readHistory() throws(DaemonError) {
        if past.isEmpty { return }
        if let history {
            history.poll()
            if past.keys.allSatisfy(history.reads) { return }
            // One that was halted has begun. What the others have of theirs by now, they drop.
            heartbeat.beat(.long)
            history.close()
            heartbeat.beat()
        }
        do throws(KafkaError) {
            history = try HistoryReader(
                configuration.kafka,
                properties: kafkaProperties,
                from: past,
                engines: engines,
                logger: logger
            )
        } catch {
            throw DaemonError(
                status: DaemonError.Status.software,
                "history cannot be read: \(error.description)"
            )
        }
    }

    private func endHistory(of partition: PartitionID) {
        past[partition] = nil
        guard history?.filled(partition) == true else { return }
        heartbeat.beat(.long)
        history?.close()
        history = nil
        heartbeat.beat()
    }

    // MARK: Commands

    /// Learns whether the commands topic is there.
    ///
    /// - Returns: False when no broker answered.
    private func lookForCommands(_ consumer: Consumer) throws(DaemonError) -> Bool {
        let properties = kafkaProperties
        // Making a topic takes a broker its time.
        heartbeat.beat(.long)
        defer { heartbeat.beat() }
        do throws(KafkaError) {
            try commands.look(
                partitions: opened.count,
                consumer,
                properties: properties,
                now: clock.monotonicMilliseconds
            )
            return true
        } catch {
            logger.warning(
                "kafka_not_ready",
                "\(error.description); trying again",
                repeatKey: "\(error.code)"
            )
            return false
        }
    }

    /// Begins to read the commands topic if it has come since.
    private func startCommandsIfThere(_ consumer: Consumer) throws(DaemonError) {
        guard try lookForCommands(consumer), commands.isRead else { return }
        for partition in opened.keys.sorted() {
            guard let start = commandsStart(of: partition, consumer) else { return }
            let ours = opened[partition]?.cut?.position.commands
            if try isHalted(partition, at: ours, start, of: commands.name, consumer) { continue }
            engines[Int(partition) % engines.count].post(.startCommands(partition, start))
        }
        while !isStopWanted(),
            environment.reports.all.contains(where: {
                $0.commandsOffset == nil && $0.state != .halted
            })
        {
            heartbeat.beat()
            usleep(1000)
        }
        do throws(KafkaError) {
            try consumer.startCompanions()
        } catch {
            throw DaemonError(
                status: DaemonError.Status.software,
                "the commands topic cannot be read: \(error.description)"
            )
        }
    }

    /// Before the group gives us the partitions, their reports must say where to begin.
    func waitUntilStarted() {
        while !isStopWanted() {
            let waiting = environment.reports.all.contains { $0.state == .restoring }
            if !waiting { return }
            heartbeat.beat()
            usleep(1000)
        }
    }

    // MARK: The control loop

    private func loop(_ consumer: Consumer) throws(DaemonError) {
        logger.info("started", "cohortd \(Version.text) runs", ["http": LogValue(address)])
        while !isStopWanted() {
            heartbeat.beat()
            consumer.pollControl(timeoutMilliseconds: 20)
            try serveControl(consumer)
            let now = clock.monotonicMilliseconds
            watchMemory(consumer, now: now)
            if commands.isDue(now: now) { try startCommandsIfThere(consumer) }
            askForTick(consumer)
            if now - committedAt >= 5000, !durable.isEmpty {
                committedAt = now
                commitOffsets(consumer)
            }
            try readHistory()
            try lookAtTopic(consumer, now: now)
            watchKafka(consumer, now: now)
            if wasReady, past.isEmpty { try forgetAccepted() }
            try followControl(consumer)
            lookForReload(consumer)
            logger.flush()
        }
    }

    /// Finds out whether the clock can be believed, and from when on ticks are owed.
    private func beginTime() {
        let lastTick = opened.values.compactMap(\.cut?.tick).max()
        gate.begin(stored: clockFile.reference, lastTick: lastTick)
        if let lastTick { ticks.raise(to: lastTick) }
        if let now = believedTime() { ticks.begin(now: now) }
    }

    /// The wall clock, as far as ticks go by it; nil while it cannot be believed.
    private func believedTime() -> EventTime? {
        let (now, hold, reference) = gate.look(witness)
        if let error = clockFile.keep(reference) {
            logger.warning(
                "clock_file",
                "\(DaemonError(error).text); after a restart the clock may need to be accepted",
                repeatKey: "clock"
            )
        }
        if let hold {
            if !hold.isLike(self.hold) {
                let held = Double(opened.count)
                logger.warning("time_held", TickGate.text(hold, now: now))
                environment.metrics.update { $0.set(.ticksHeld, ["clock"], to: held) }
            }
        } else if self.hold != nil {
            logger.notice("time_goes_on", "the clock is believed again: \(now.rfc3339)")
            environment.metrics.update { $0.set(.ticksHeld, ["clock"], to: 0) }
        }
        self.hold = hold
        return hold == nil ? now : nil
    }

    private func askForTick(_ consumer: Consumer) {
        let monotonic = clock.monotonicMilliseconds
        guard let now = believedTime(), let tick = ticks.due(now: now, monotonic: monotonic) else {
            return
        }
        let partitions = consumer.assignment.filter { opened[$0] != nil && halts[$0] == nil }
        if partitions.isEmpty {
            ticks.failed(monotonic: monotonic)
            return
        }
        do throws(KafkaError) {
            var ends: [PartitionID: LogPosition] = [:]
            for (partition, answer) in try consumer.endOffsets(
                partitions,
                timeoutMilliseconds: 2000
            ) {
                ends[partition] = LogPosition(events: try answer.get())
            }
            if commands.isRead {
                for (partition, answer) in try consumer.endOffsets(
                    partitions,
                    of: commands.name,
                    timeoutMilliseconds: 2000
                ) {
                    ends[partition]?.commands = try answer.get()
                }
            }
            for (index, engine) in engines.enumerated() {
                let mine = ends.filter { Int($0.key) % engines.count == index }
                if !mine.isEmpty { engine.post(.tick(tick, ends: mine)) }
            }
            ticks.done(tick)
            trouble.ticked()
            gate.ticked(tick)
            environment.metrics.update { $0.set(.ticksHeld, ["broker"], to: 0) }
        } catch {
            ticks.failed(monotonic: clock.monotonicMilliseconds)
            trouble.tickFailed(error, at: clock.monotonicMilliseconds)
            environment.metrics.update {
                $0.set(.ticksHeld, ["broker"], to: Double(partitions.count))
            }
            logger.warning(
                "tick_held",
                "no tick without the ends of the partitions: \(error.description)",
                repeatKey: "tick"
            )
        }
    }

    private func serveControl(_ consumer: Consumer) throws(DaemonError) {
        for message in environment.control.takeAll(timeoutMilliseconds: 0) {
            heartbeat.beat()
            switch message {
            case .fatal(let error): throw error
            case .met(let error): trouble.met(error, at: clock.monotonicMilliseconds)
            case .durable(let partition, let offset): durable[partition] = offset
            case .filled(let partition): endHistory(of: partition)
            case .leftOut(let partition, let offset): history?.goOn(partition, at: offset)
            case .steer(let request, let reply): reply.post(try steer(request, consumer))
            case .troubled(let partition, let topic, let offset, let problem):
                try explain(partition, topic, offset, problem, consumer)
            case .looked(let question, let finding): try looked(question, finding, consumer)
            case .ordered(let order): try serve(order, consumer)
            }
        }
    }

    private func commitOffsets(_ consumer: Consumer) {
        // Only a member of the group may commit: one that is still joining would be thrown out for it.
        let owned = Set(consumer.assignment)
        let offsets = durable.filter { owned.contains($0.key) }
        do throws(KafkaError) {
            try consumer.commitOffsets(offsets)
            for partition in offsets.keys { durable[partition] = nil }
        } catch {
            logger.debug("kafka_commit_failed", error.description, repeatKey: "commit")
        }
    }

    private func watchKafka(_ consumer: Consumer, now: Int64) {
        let reachability = consumer.reachability
        if !reachability.isReachable, now - probedAt >= 1000 {
            probedAt = now
            do throws(KafkaError) {
                try consumer.probe(timeoutMilliseconds: 500)
            } catch {
                logger.warning("kafka_unreachable", error.description, repeatKey: "unreachable")
            }
        }
        let reports = environment.reports.all
        let isFlowing =
            consumer.reachability.isReachable && memoryWatch.memory.level != .critical
        for report in trouble.look(at: reports, isFlowing: isFlowing, now: now) {
            logger.warning(
                "partition_stalled",
                KafkaTrouble.stall(report)
                    + ": look at the brokers; if they are well, the batch there cannot be read",
                [
                    "partition": LogValue(report.partition), "offset": LogValue(report.offset),
                    "kafka_last": LogValue(report.endOffset ?? report.offset),
                ]
            )
        }
        let missing = opened.count - consumer.assignment.count { opened[$0] != nil }
        trouble.misses(missing, at: now)
        var reasons = trouble.reasons(
            consumer.reachability,
            missing: missing,
            reports: reports,
            now: now
        )
        if !added.isEmpty { reasons.append(addedText) }
        if topicCount < shape.count {
            reasons.append(
                "topic \(configuration.kafka.topic) has \(topicCount) partitions, and had \(shape.count)"
            )
        }
        if let problem = commands.problem { reasons.append(problem) }
        if let held = gate.reason { reasons.append(held) }
        if let reason = memoryWatch.memory.reason { reasons.append(reason) }
        setStartup(reasons)
        if reasons.isEmpty, queries.readiness().reasons.isEmpty { wasReady = true }
    }

    /// Whether something waits for space on the disk.
    var isDiskFull: Bool { queries.isDiskFull }

    func setStartup(_ reasons: [String]) {
        queries.startup.withLock { $0 = reasons }
    }
}

extension SecretSurroundings {
    /// Those of this process.
    static var ofProcess: SecretSurroundings {
        SecretSurroundings(
            credentialsDirectory: ProcessEnvironment.variable("CREDENTIALS_DIRECTORY"),
            variable: ProcessEnvironment.variable
        )
    }
}
