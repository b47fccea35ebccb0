/// What the state of all syncs takes.
package struct SyncMemory: Sendable, Equatable {
    /// Users in the ledgers of all syncs together.
    package var users: Int
    /// Bytes of the ledgers.
    package var ledgerBytes: Int
    /// Ids that the ledgers share.
    package var ids: Int
    /// Bytes of these and of the way to find them.
    package var idBytes: Int
}

extension SyncPlanner {
    /// What ledgers and ids take now, their free space included.
    ///
    /// Complexity: O(syncs).
    package var memory: SyncMemory {
        SyncMemory(
            users: machines.reduce(0) { $0 + $1.ledger.count },
            ledgerBytes: machines.reduce(0) { $0 + $1.ledger.byteCount },
            ids: users.count + rows.count,
            idBytes: users.byteCount + rows.byteCount
        )
    }
}
