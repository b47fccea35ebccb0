import Basics
import Cohorts
import Engine
import HTTPAPI
import Kafka
import LogStore
import Replay
import Sync
import Telemetry
import Threads

/// What every worker needs of the daemon; immutable.
struct EngineEnvironment: Sendable {
    /// Says of each cohort which properties are sent of its members, too.
    let plan: Plan
    let settings: ShardSettings
    let eventBytesMax: Int
    let futureMax: Int64
    /// Milliseconds between ticks.
    let tickWidth: Int64
    let snapshotInterval: Int64
    let snapshotBytes: Int
    let topic: String
    let commandsTopic: String
    /// The cohorts that have a list of uploaded users, by id, with their index.
    let uploadCohorts: [String: Int]
    let store: StoreID
    /// The folder of the partitions' logs.
    let directory: String
    /// Cohorts that may go on although history they look at is gone.
    let acceptedHistory: Set<String>
    /// Indices of the cohorts that some sync sends.
    let syncedCohorts: [Int]
    let clock: SystemClock
    let logger: Logger
    let metrics: MetricRegistry
    let reports: PartitionReports
    let sync: Mailbox<SyncMessage>
    let control: Mailbox<ControlMessage>
    let rejects: RejectSink
    /// Which records ended the process too often.
    var crashes = CrashAccount()
    /// Which users are in more than one partition.
    var splitUsers = SplitUsers()
    /// Ticks by event time, of every partition for itself as its records pass (``CatchUp``).
    ///
    /// Nil in a daemon, whose ticks are asked for.
    var eventTicks: TickSchedule.Rule?
    /// Gets what ticks change, maybe some of a tick at a time, on the engine thread; nil in a daemon.
    ///
    /// The deltas are borrowed.
    var ticked: (@Sendable (borrowing Shard, EventTime, [Delta]) -> Void)?
}

/// What engine threads tell the control thread.
enum ControlMessage: Sendable {
    /// Kafka does not give us what comes next: the partition stands still.
    case troubled(PartitionID, topic: String, offset: Offset, problem: PartitionProblem)
    /// A partition has everything of the past that its cohorts need.
    case filled(PartitionID)
    /// The history of a partition goes on here, behind what cannot be read and was left out before.
    case leftOut(PartitionID, to: Offset)
    /// A snapshot up to this offset of the events is durable.
    case durable(PartitionID, Offset)
    /// A client met trouble that belongs to no partition, and goes on.
    case met(KafkaError)
    /// What a closer look at a batch that could not be read has found.
    case looked(DamageQuestion, DamageFinding)
    /// A caller wants the definitions changed.
    case changeDefinitions(APIOrder<DefinitionRequest, String>)
    /// A caller wants something done about a log of Kafka.
    case changeLog(APIOrder<LogRequest, LogReport>)
    /// The process must end with this error.
    case fatal(DaemonError)
}

/// Why a partition stands still.
enum PartitionProblem: Sendable {
    case offsetOutOfRange
    case unknownPartition(String)
    /// A batch cannot be read; `known` where it was left out before.
    case damagedBatch(String, known: LogGap?)
}

/// What opening a partition found.
struct OpenedPartition: Sendable {
    let partition: PartitionID
    /// Nil where there is no snapshot yet.
    var cut: PartitionCut?
    /// What must be filled from history.
    let missingTraces: MissingTraces
}

/// From where a partition is read, and what must happen on the way.
struct PartitionStart: Sendable {
    /// The events.
    var events: LogStart
    /// Where the past begins that is read again beside them; nil where nothing is missing, or only what must be read in
    /// the order of the log.
    var history: LogStart?
    /// The commands; nil where their topic is not read.
    var commands: LogStart?
    /// No tick before this instant will come.
    var floor: EventTime

    /// Caught up when it is reached.
    var end: LogPosition { LogPosition(events: events.end, commands: commands?.end) }
}
