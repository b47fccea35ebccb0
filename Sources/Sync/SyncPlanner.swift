package import Basics

/// What the caller must do after the planner was asked, in this order: append ``records``, make them
/// durable if ``mustCommit``, then send ``requests``.
package struct SyncEffects: Sendable {
    /// To be appended to the journal in this order, before the planner is called again.
    package var records: [JournalRecord] = []
    /// Whether the records must be durable before the first byte of a request leaves.
    ///
    /// Results may ride with the next commit: one that is lost only costs a repetition. That one more
    /// partition counts a user in may not, or another one's word could make the user exit.
    package var mustCommit = false
    /// To be sent once the records are durable; each needs one call of `completed`.
    package var requests: [DeliveryRequest] = []
    /// For the log.
    package var notes: [SyncNote] = []
    /// When `advance` has something to do although nothing else happens, in milliseconds of the clock
    /// that never jumps; nil for never.
    package var wakeAt: Int64?
}

/// The planner of all syncs: sends each destination the difference between what its cohort holds and
/// what it acknowledged.
///
/// It is plain and synchronous: the caller hands in what happened and the time, and performs the
/// ``SyncEffects`` that ``advance(now:)`` returns. The order of calls:
/// 1. `replay` for every record of the journal, oldest first;
/// 2. `start` once, with the configuration;
/// 3. then, as things happen, `partitionWaiting`, `membershipReset`, `tick`, `partitionUnavailable`,
///    `completed`, each followed (or a few of them together) by `advance`.
///
/// Invariants:
/// - an intent is durable before the first byte of its batch leaves; an intent without a result is
///   unknown and goes out again unchanged, or is withdrawn before its users are planned anew;
/// - nothing is planned from a cut older than one that an intent was planned from (the gate);
/// - the opposite of an operation of unknown outcome waits two request timeouts (the settle rule);
/// - nothing of a partition that is not known leaves, and no exit of a user counted in there.
///
/// `now` is milliseconds of a clock that never goes back; it need not survive a restart.
/// Complexity: O(changes) per tick; O(users of the partition) per reset.
/// Source: docs/decisions/0005-sync-set-not-queue.md.
package struct SyncPlanner: Sendable {
    var machines: [SyncMachine] = []
    var machineOfSync: [String: Int] = [:]
    var machinesOfCohort: [String: [Int]] = [:]
    var partitions = PartitionTable()
    /// Records of results and starts that ride with the next commit.
    var unwritten: [JournalRecord] = []
    var notes: [SyncNote] = []
    var isStarted = false
    private var generator: SeededGenerator

    /// A planner with an empty journal.
    ///
    /// The generator makes message ids and jitter: it must differ from start to start, or ids would
    /// repeat.
    package init(generator: SeededGenerator) {
        self.generator = generator
    }

    // MARK: Partitions

    /// The partition is ours; its membership will come.
    package mutating func partitionWaiting(_ partition: PartitionID) {
        let index = partitions.insert(partition)
        makeRoom()
        if partitions[index].availability == .unavailable {
            partitions[index].availability = .waiting
        }
    }

    /// The partition is halted, replays its history or was taken away.
    ///
    /// Nothing of it is planned, and no exit leaves for its users, until a `membershipReset` of it.
    package mutating func partitionUnavailable(_ partition: PartitionID, now: Int64) {
        let index = partitions.insert(partition)
        makeRoom()
        partitions[index].availability = .unavailable
        let age = Age(tick: partitions[index].cut.tick, since: now)
        for machine in machines.indices {
            machines[machine].lost(index, age: age, partitions: partitions)
        }
    }

    /// Takes over all members of one cohort in one partition, as of `cut`.
    ///
    /// To be called for every cohort at the partition's first tick after a start (and after it was
    /// unavailable), each with the same cut. Cohorts that no sync sends are ignored.
    package mutating func membershipReset(
        partition: PartitionID,
        cohort: String,
        users: UserList,
        cut: Cut,
        now: Int64
    ) {
        precondition(isStarted, "membership before the start")
        let index = partitions.insert(partition)
        makeRoom()
        if partitions[index].availability != .known || partitions[index].cut != cut {
            for machine in machines.indices { machines[machine].resets[Int(index)] = false }
            partitions[index].availability = .known
            partitions[index].cut = cut
            partitions[index].gateTick = partitions.newestTick
        }
        let age = Age(tick: cut.tick, since: now)
        for machine in machinesOfCohort[cohort] ?? [] {
            machines[machine].reset(
                index,
                users: users,
                age: age,
                partitions: partitions,
                records: &unwritten
            )
            machines[machine].ticked(index)
        }
    }

    /// Takes over what one tick of one partition changed.
    ///
    /// Ignored while the partition is not known. Changes of cohorts that no sync sends are ignored.
    package mutating func tick(
        partition: PartitionID,
        cut: Cut,
        changes: MembershipChanges,
        now: Int64
    ) {
        guard let index = partitions.find(partition), partitions[index].availability == .known
        else { return }
        let previous = partitions[index].cut
        precondition(
            cut.reaches(previous) && cut.tick >= previous.tick,
            "partition \(partition) went back from \(previous) to \(cut)"
        )
        partitions[index].cut = cut
        let age = Age(tick: cut.tick, since: now)
        let targets = changes.cohorts.map { machinesOfCohort[$0] ?? [] }
        changes.forEach { cohort, user, change, cells in
            for machine in targets[cohort] where machines[machine].resets[Int(index)] {
                machines[machine].change(
                    index,
                    user: user,
                    entered: change == .entered,
                    age: age,
                    partitions: partitions,
                    records: &unwritten
                )
            }
        }
        for machine in machines.indices {
            machines[machine].preferOpenClaims(age: age, partitions: partitions)
            machines[machine].ticked(index)
        }
    }

    // MARK: Requests

    /// Takes over how a request ended.
    ///
    /// Its record rides with the next commit. An answer to a request that is not in flight is ignored.
    package mutating func completed(
        sync: String,
        message: String,
        outcome: DeliveryOutcome,
        now: Int64
    ) {
        guard let machine = machineOfSync[sync] else { return }
        machines[machine].complete(
            message,
            outcome,
            now: now,
            partitions: partitions,
            generator: &generator,
            records: &unwritten,
            notes: &notes
        )
    }

    /// Says what must be written and sent now; at most one request per sync is ever on its way.
    package mutating func advance(now: Int64) -> SyncEffects {
        precondition(isStarted, "advance before the start")
        var effects = SyncEffects()
        for machine in machines.indices {
            let request = machines[machine].advance(
                now: now,
                partitions: &partitions,
                generator: &generator,
                records: &unwritten
            )
            if let request {
                effects.requests.append(request)
                effects.mustCommit = true
            }
            if let wake = machines[machine].wakeAt(now: now) {
                effects.wakeAt = min(effects.wakeAt ?? wake, wake)
            }
        }
        effects.mustCommit =
            effects.mustCommit
            || unwritten.contains { $0.type == JournalRecord.Kind.claim.rawValue }
        effects.records = unwritten
        effects.notes = notes
        unwritten = []
        notes = []
        return effects
    }

    mutating func makeRoom() {
        for machine in machines.indices { machines[machine].makeRoom(for: partitions) }
    }
}

extension SyncMachine {
    /// When this sync wants to be asked again although nothing happens.
    func wakeAt(now: Int64) -> Int64? {
        guard !settings.isPaused, pause == nil, !isInFlight else { return nil }
        let retry = retryAt > now ? retryAt : .max
        let earliest = min(retry, max(settlingDue, retryAt))
        return earliest == .max || earliest <= now ? nil : earliest
    }
}
