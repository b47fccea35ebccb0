import Basics
import Cohorts
import Configuration
import Engine
import Glibc
import InputFiles
import LogStore
import Replay
import Telemetry
import Threads

extension EngineEnvironment {
    /// What workers need that are measured: no syncs, no commands, the settings of a daemon else.
    ///
    /// - Parameters:
    ///   - plan: The cohorts.
    ///   - replay: What replay and the daemon share.
    ///   - topic: The topic of events.
    ///   - directory: The folder of the partitions' logs.
    ///   - isDurable: Whether state is written as a daemon does; else only when a worker finishes.
    init(
        measuring plan: Plan,
        _ replay: ReplayConfiguration,
        topic: String,
        directory: String,
        isDurable: Bool
    ) {
        let clock = SystemClock()
        let logger = Logger(level: .warning, format: .text, clock: clock) { line in
            _ = DescriptorWriter.writeAll(line, to: STDERR_FILENO)
        }
        let snapshot = DaemonConfiguration.Snapshot()
        self.init(
            plan: plan,
            settings: ShardSettings(behindKafka: replay),
            eventBytesMax: replay.eventBytesMax,
            futureMax: replay.limits.futureMaxMilliseconds,
            tickWidth: 1,
            snapshotInterval: isDurable ? snapshot.intervalMilliseconds : .max,
            snapshotBytes: isDurable ? snapshot.bytes : .max,
            topic: topic,
            commandsTopic: "",
            uploadCohorts: [:],
            store: StoreID(high: 1, low: 1),
            directory: directory,
            acceptedHistory: [],
            syncedCohorts: [],
            clock: clock,
            logger: logger,
            metrics: MetricRegistry(),
            reports: PartitionReports(),
            // Nobody reads it: each partition says once or twice where it is.
            sync: Mailbox<SyncMessage>(capacity: 1 << 20),
            control: Mailbox<ControlMessage>(capacity: 4096),
            rejects: RejectSink(topic: nil, folder: directory + "/rejects", logger: logger)
        )
    }
}
