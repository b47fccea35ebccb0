import Basics
import Sync
import Threads

/// Everyone who is in a cohort, of one partition.
struct CohortReset: Sendable {
    /// The cohort's id.
    let cohort: String
    /// Whether no exit is certain, since it looks back over records that were lost.
    var holdsExits = false
    /// The members, in no meaningful order.
    var users = UserList()
    /// The ``PropertyCells`` of each of them, in the same order; empty where nothing but ids is sent of the cohort.
    var cells = UserList()
}

/// What the sync thread is told.
enum SyncMessage: Sendable {
    /// A partition is ours; its membership will come.
    case waiting(PartitionID)
    /// A partition is halted, replays or was taken away.
    case unavailable(PartitionID)
    /// The first tick of a partition: everyone who is in, by cohort.
    case reset(PartitionID, Cut, [CohortReset])
    /// A later tick.
    case tick(PartitionID, Cut, MembershipChanges)
    /// How what went out with this token ended.
    case answered(UInt64, CourierAnswer)
    /// How every sync stands once everything told before is taken in.
    case report(Mailbox<[SyncStatus]>)
    /// A person asks something of a sync.
    case command(SyncCommand, sync: String, reply: Mailbox<SyncCommandResult>)
    /// Nothing new is sent; what is under way is waited for.
    case stop(Mailbox<DaemonError?>)
}
