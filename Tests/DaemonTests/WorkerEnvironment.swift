import Cohorts
import Engine
import LogStore
import Telemetry
import Testing
import Threads

@testable import Daemon

extension EngineEnvironment {
    /// What a worker needs that has no broker: definitions in YAML, a folder, and who is told of its ticks.
    init(
        of yaml: String,
        syncedProperties: [String: [String]],
        folder: String,
        sync: Mailbox<SyncMessage>,
        control: Mailbox<ControlMessage>
    ) throws {
        let (definitions, problems) = DefinitionParser.parse(
            [DefinitionSource(name: "cohorts.yaml", bytes: Array(yaml.utf8))],
            isTimeZone: { $0 == "UTC" }
        )
        try #require(problems.isEmpty)
        var settings = PlanSettings()
        settings.syncedProperties = syncedProperties
        let plan = PlanCompiler.compile(definitions, settings)
        let logger = Logger(level: .error, format: .json, clock: SystemClock()) { _ in }
        self.init(
            plan: plan,
            settings: ShardSettings(),
            eventBytesMax: 1 << 20,
            futureMax: 86_400_000,
            tickWidth: 60_000,
            snapshotInterval: 30_000,
            snapshotBytes: 1 << 20,
            topic: "events",
            commandsTopic: "commands",
            uploadCohorts: [:],
            store: StoreID(high: 1, low: 2),
            directory: folder,
            acceptedHistory: [],
            syncedCohorts: Array(plan.cohorts.indices),
            clock: SystemClock(),
            logger: logger,
            metrics: MetricRegistry(),
            reports: PartitionReports(),
            sync: sync,
            control: control,
            rejects: RejectSink(topic: nil, folder: folder, logger: logger)
        )
    }
}
