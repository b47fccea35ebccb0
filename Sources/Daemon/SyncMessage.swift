import Basics
import Delivery
import Destinations
import Sync
import Threads

/// What the sync thread is told.
enum SyncMessage: Sendable {
    /// A partition is ours; its membership will come.
    case waiting(PartitionID)
    /// A partition is halted, replays or was taken away.
    case unavailable(PartitionID)
    /// The first tick of a partition: everyone who is in, by cohort id.
    case reset(PartitionID, Cut, [(cohort: String, users: UserList)])
    /// A later tick.
    case tick(PartitionID, Cut, MembershipChanges)
    /// How the request with this token ended, over HTTP.
    case answered(UInt64, HTTPOutcome)
    /// How the batch with this token ended, in a file.
    case written(UInt64, DeliveryOutcome)
    /// How every sync stands once everything told before is taken in.
    case report(Mailbox<[SyncStatus]>)
    /// A person asks something of a sync.
    case command(SyncCommand, sync: String, reply: Mailbox<SyncCommandResult>)
    /// Nothing new is sent; what is under way is waited for.
    case stop(Mailbox<DaemonError?>)
}
