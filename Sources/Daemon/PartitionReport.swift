import Basics
import Events
import HTTPAPI
import Kafka
import Synchronization

/// What the outside may know of a partition: its engine thread publishes it, anyone reads the last one.
struct PartitionReport: Sendable {
    /// Events by what became of them, since the start.
    struct EventCounts: Sendable {
        var applied = 0
        var deduplicated = 0
        var filtered = 0
        var rejected = 0
    }

    /// Commands by what became of them, since the start.
    struct CommandCounts: Sendable {
        var applied = 0
        var filtered = 0
        var rejected = 0
    }

    let partition: PartitionID
    var state = StatusReport.PartitionState.assigned
    /// Why it is halted.
    var haltReason: String?
    var offset: Offset = 0
    /// The last event that was applied.
    var fingerprint: RecordFingerprint?
    /// The end of the partition as last heard of; nil while unknown.
    var endOffset: Offset?
    /// The offset of the next command; nil while the commands topic is not read.
    var commandsOffset: Offset?
    /// The end of the partition of the commands topic as last heard of.
    var commandsEnd: Offset?
    /// Where the catching up began and ends, while it lasts.
    var catchUp: (from: LogPosition, to: LogPosition)?
    /// Cohorts whose history is not all there, by index in the plan.
    var building: Set<Int> = []
    /// How far the reading of that history is; nil where none is read beside what is new.
    var fill: HistoryFill?
    var tick: EventTime?
    /// When Kafka, or the producer, stamped the event that came last.
    var lastTimestamp: EventTime?
    /// Whether a tick is due whose records are not all applied yet.
    var awaitsRecords = false
    /// What the client met when it last asked for records, at this offset.
    var trouble: (text: String, offset: Offset)?
    var users = 0
    var approximateUsers = 0
    var dedupeShortened = 0
    var ignoredOperations = 0
    var ignoredProperties = 0
    var events = EventCounts()
    var commands = CommandCounts()
    var rejects: [RejectReason: Int] = [:]
    /// Members by index of the cohort in the plan.
    var members: [Int] = []
    /// What was left out of the logs.
    var gaps = LogGaps()
    /// By index of the cohort in the plan: whether it looks back over a gap in the log; empty where no gap is known.
    var doubtful: [Bool] = []
    /// Enters and exits since the start.
    var flips = FlipCounts(cohorts: 0)
    /// When the last snapshot was made, by the clock that never jumps.
    var snapshotAt: Int64?
    var storeBytes: Int64 = 0
    var storeFailure: String?
    /// Ticks by event time, once all of them are done.
    var eventTicks = 0

    init(partition: PartitionID) {
        self.partition = partition
    }

    /// Whether it has caught up.
    var isLive: Bool { state == .live || state == .degraded }

    /// Whether a cohort looks back over a gap in the log.
    func doubts(cohort: Int) -> Bool { doubtful.indices.contains(cohort) && doubtful[cohort] }

    var lag: Int64? { endOffset.map { max(0, $0 - offset) } }

    var commandsLag: Int64? {
        guard let commandsOffset, let commandsEnd else { return nil }
        return max(0, commandsEnd - commandsOffset)
    }

    var position: LogPosition { LogPosition(events: offset, commands: commandsOffset) }

    /// How far the catching up is, 0…100.
    var percent: Int {
        guard let catchUp, catchUp.to.total > catchUp.from.total else { return 100 }
        let done = position.total - catchUp.from.total
        return Int(min(100, max(0, done * 100 / (catchUp.to.total - catchUp.from.total))))
    }
}

/// The reports of all partitions.
final class PartitionReports: Sendable {
    private let reports = Mutex<[PartitionID: PartitionReport]>([:])

    func publish(_ report: PartitionReport) {
        reports.withLock { $0[report.partition] = report }
    }

    /// All of them, by number.
    var all: [PartitionReport] {
        reports.withLock { $0.values.sorted { $0.partition < $1.partition } }
    }

    /// Whether something holds of the reports of so many partitions.
    func all(_ count: Int, satisfy isTrue: (PartitionReport) -> Bool) -> Bool {
        reports.withLock { $0.count == count && $0.values.allSatisfy(isTrue) }
    }

    subscript(partition: PartitionID) -> PartitionReport? {
        reports.withLock { $0[partition] }
    }
}
