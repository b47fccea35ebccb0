package import Basics

/// What a commit log is for.
package enum LogKind: UInt8, Sendable {
    // stored: do not renumber
    /// The engine's state of one partition.
    case partition = 1
    /// The sync journal.
    case journal = 2
}

/// Which log a file belongs to; every file says so, and one that says otherwise is not read.
package struct LogIdentity: Equatable, Sendable {
    /// The data directory's id.
    package let store: StoreID
    /// What the log is for.
    package let kind: LogKind
    /// The partition, or −1 where there is none.
    package let partition: PartitionID
    /// The hash of the topic's name, or 0 where there is none.
    package let nameHash: UInt64

    /// The identity of the log of one partition of `topic`.
    package init(store: StoreID, topic: String, partition: PartitionID) {
        self.store = store
        kind = .partition
        self.partition = partition
        nameHash = topic.withByteView { Hashing.hash64($0) }
    }

    /// The identity of the sync journal.
    package init(journalOf store: StoreID) {
        self.store = store
        kind = .journal
        partition = -1
        nameHash = 0
    }
}
