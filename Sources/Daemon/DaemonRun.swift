import Basics
import Cohorts
import Configuration
import Destinations
import Engine
import Glibc
import HTTPAPI
import InputFiles
import Kafka
import LogStore
import Sync
import Synchronization
import Telemetry
import Threads

/// One run of the daemon, from the open data directory to its end.
final class DaemonRun {
    let loaded: LoadedConfiguration
    let configuration: DaemonConfiguration
    let environment: EngineEnvironment
    let engines: [EngineThread]
    private var threads: [SystemThread] = []
    private let sync: SyncService
    let queries: DaemonQueries
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
    var wasReady = false
    let manager: ServiceManager
    let files: OpenFileLimit
    /// That of the control thread.
    let heartbeat = Heartbeat()
    private let instanceID: String
    var ticks: TickSource
    let gate: TickGate
    var clockFile: ClockFile
    let witness: ClockWitness
    var hold: ClockFence.Hold?
    var trouble = KafkaTrouble()
    var durable: [PartitionID: Offset] = [:]
    var committedAt: Int64 = 0
    var probedAt: Int64 = 0
    var opened: [PartitionID: OpenedPartition] = [:]
    /// Whether every partition was told where to begin.
    var hasStarted = false
    /// The partitions that stand still, and why.
    var halts: [PartitionID: LogHalt] = [:]
    /// Partitions whose log is not the one that their snapshot was made from.
    var diverged: Set<PartitionID> = []
    /// How many partitions the topic has.
    var topicCount = 0
    var topicLookedAt: Int64 = 0
    var isCompacted = false
    /// Who gives way where another daemon joined at the same moment.
    let rivalry: GroupRivalry
    /// Whether the group had left out a partition when it was looked at last.
    var wasIncomplete = false
    /// Partitions that came after the state was made, and are not read.
    var added: [PartitionID] = []
    var shape: TopicShape
    let damage: DamageReader
    let commands: CommandsTopic
    /// From where on partitions read their history again that were not through with it when that was last known.
    var past: [PartitionID: Offset] = [:]
    /// Partitions that were told to read their history again: once is enough, whatever halts them meanwhile.
    var startedHistory: Set<PartitionID> = []
    var history: HistoryReader?
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
        rivalry: GroupRivalry,
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
        self.rivalry = rivalry
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
        for cohort in plan.uploadLists { uploadCohorts[plan.cohorts[cohort].id] = cohort }
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
        damage = DamageReader(properties: kafkaProperties, control: control, logger: logger)
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
                } + sync.leaving.map { ($0.id, ConfiguredSync(leaving: $0)) }
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
        do throws(KafkaError) {
            return try Consumer(settings, events)
        } catch {
            throw DaemonError(
                status: DaemonError.Status.configuration,
                "Kafka: \(error.description)"
            )
        }
    }

    /// Whether something waits for space on the disk.
    var isDiskFull: Bool { queries.isDiskFull }

    func setStartup(_ reasons: [String]) {
        queries.startup.withLock { $0 = reasons }
    }
}
