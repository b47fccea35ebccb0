// What people and destinations say of a sync besides outcomes.

extension SyncPlanner {
    /// Does what a person asks of a sync.
    package mutating func command(
        _ command: SyncCommand,
        sync: String,
        now: Int64
    ) -> SyncCommandResult {
        guard let machine = machineOfSync[sync] else { return .unknownSync }
        return machines[machine].command(
            command,
            now: now,
            partitions: partitions,
            records: &unwritten,
            notes: &notes
        )
    }

    /// A destination refused the credential: none of its syncs can send, so all of them say so.
    package mutating func credentialsRefused(destination: String, reason: String, now: Int64) {
        for machine in machines.indices
        where machines[machine].settings.destinationID == destination {
            machines[machine].credentialsRefused(reason, now, &unwritten, &notes)
        }
    }

    /// The credential of a destination changed: its syncs that were refused try again.
    package mutating func credentialsChanged(destination: String) {
        for machine in machines.indices
        where machines[machine].settings.destinationID == destination {
            machines[machine].credentialsChanged(&unwritten, &notes)
        }
    }

    /// A destination made the list of a sync.
    package mutating func listMade(sync: String, id: String) {
        guard let machine = machineOfSync[sync] else { return }
        machines[machine].listID = id
        unwritten.append(.list(sync: sync, id: id))
    }

    /// The id of a sync's list at its destination; nil while there is none.
    package func listID(sync: String) -> String? {
        machineOfSync[sync].flatMap { machines[$0].listID }
    }
}
