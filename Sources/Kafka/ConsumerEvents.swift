package import Basics

/// Where a partition is to be read from.
package enum StartPosition: Sendable, Equatable {
    /// The record at this offset comes first.
    case offset(Offset)
    /// The partition is ours but nothing of it is read, until `Consumer.restart` says where to start.
    case hold
}

/// What a consumer asks of its owner and tells it.
///
/// All but `log` are called on the thread that is inside `Consumer.pollControl`, one at a time. They may
/// block, within `max.poll.interval.ms` (five minutes) of each other: the group waits meanwhile. They may
/// call the consumer's position calls, but not `pollControl` or `close`.
package struct ConsumerEvents: Sendable {
    /// Where to start reading a partition that was just given to us.
    package let startPosition: @Sendable (PartitionID) -> StartPosition
    /// Where to start reading the companion's partition of that number; nil leaves it out.
    ///
    /// Asked after `startPosition`, and again by `Consumer.startCompanions`.
    package let companionPosition: @Sendable (PartitionID) -> Offset?
    /// These partitions are ours, all of them; their records follow after this returns.
    package let assigned: @Sendable ([PartitionID]) -> Void
    /// These partitions are to be given up.
    ///
    /// When this returns, their state is durable and nobody works on them. `isLost` says that somebody else
    /// may own them already.
    package let revoked: @Sendable (_ partitions: [PartitionID], _ isLost: Bool) -> Void
    /// Trouble that belongs to no partition; a fatal one means that this consumer is finished.
    package let failed: @Sendable (KafkaError) -> Void
    /// Lines of the client library, from any of its threads; must be quick and must not call back.
    package let log: @Sendable (ClientLogLine) -> Void

    /// The closures; without `companionPosition` nothing of a companion is read.
    package init(
        startPosition: @escaping @Sendable (PartitionID) -> StartPosition,
        companionPosition: @escaping @Sendable (PartitionID) -> Offset? = { _ in nil },
        assigned: @escaping @Sendable ([PartitionID]) -> Void,
        revoked: @escaping @Sendable (_ partitions: [PartitionID], _ isLost: Bool) -> Void,
        failed: @escaping @Sendable (KafkaError) -> Void,
        log: @escaping @Sendable (ClientLogLine) -> Void
    ) {
        self.startPosition = startPosition
        self.companionPosition = companionPosition
        self.assigned = assigned
        self.revoked = revoked
        self.failed = failed
        self.log = log
    }
}
