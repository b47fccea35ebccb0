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
    /// To be written once the records are durable; each needs one call of `completedRun`.
    package var runs: [RunRequest] = []
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
/// ``SyncEffects`` that ``advance(now:allowance:)`` returns. The order of calls:
/// 1. `replay` for every record of the journal, oldest first;
/// 2. `start` once, with the configuration and those of the syncs that are ``leaving(configured:)``;
/// 3. then, as things happen, `partitionWaiting`, `partitionKnown`, `membershipReset`, `tick`, `partitionUnavailable`,
///    `completed`, `command` and the like, each followed (or a few of them together) by `advance`.
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
package struct SyncPlanner: ~Copyable, Sendable {
    var machines: [SyncMachine] = []
    var machineOfSync: [String: Int] = [:]
    var machinesOfCohort: [String: [Int]] = [:]
    var partitions = PartitionTable()
    /// Records of results and starts that ride with the next commit.
    var unwritten: [JournalRecord] = []
    var notes: [SyncNote] = []
    var isStarted = false
    /// Ids of users, for all syncs.
    let users = UserDirectory()
    /// Rows of templates, for all syncs that name users by such.
    let rows = UserDirectory()
    /// By destination: whose turn it is among its syncs.
    private var turns: [String: Turn] = [:]
    private var generator: SeededGenerator

    /// Among the syncs of one destination.
    private struct Turn: Sendable {
        /// The machine that sent last.
        var last = -1
        /// Live batches since the last batch of a sync that sends to everybody.
        var liveInRow = 0
    }

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
    /// `cells` holds by user the ``PropertyCells`` of the cohort's synced properties, and is empty where it has none.
    /// `holdsExits`: as ``MembershipChanges/holdsExits``.
    /// To be called for every cohort at the partition's first tick after a start (and after it was
    /// unavailable), each with the same cut, behind `partitionKnown`. Cohorts that no sync sends are ignored.
    package mutating func membershipReset(
        partition: PartitionID,
        cohort: String,
        users: UserList,
        cells: UserList = UserList(),
        holdsExits: Bool = false,
        cut: Cut,
        now: Int64
    ) {
        partitionKnown(partition, cut: cut, now: now)
        let index = partitions.insert(partition)
        for machine in machinesOfCohort[cohort] ?? [] {
            reset(machine, index, users: users, cells: cells, holdsExits: holdsExits, now: now)
        }
    }

    mutating func reset(
        _ machine: Int,
        _ index: UInt16,
        users: UserList,
        cells: UserList,
        holdsExits: Bool,
        now: Int64
    ) {
        let tick = partitions[index].cut.tick
        machines[machine].beginWave(tick: tick)
        machines[machine].holdExits(of: index, holdsExits, partitions: partitions, now: now)
        machines[machine].reset(
            index,
            users: users,
            cells: cells,
            age: Age(tick: tick, since: now, isBackfill: true),
            partitions: partitions,
            records: &unwritten
        )
        machines[machine].ticked(index)
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
        for machine in machines.indices { machines[machine].beginWave(tick: cut.tick) }
        for (cohort, holdsExits) in changes.holdsExits.enumerated() {
            for machine in targets[cohort] {
                machines[machine].holdExits(of: index, holdsExits, partitions: partitions, now: now)
            }
        }
        changes.forEach { cohort, user, change, cells in
            for machine in targets[cohort] where machines[machine].resets[Int(index)] {
                machines[machine].change(
                    index,
                    user: user,
                    change,
                    cells: cells,
                    isCalendarBound: changes.isCalendarBound[cohort],
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

    /// Takes over how the writing of a run ended: as a whole, never settled user by user.
    package mutating func completedRun(sync: String, outcome: DeliveryOutcome, now: Int64) {
        guard let machine = machineOfSync[sync] else { return }
        machines[machine].completeRun(
            outcome,
            now: now,
            partitions: partitions,
            generator: &generator,
            records: &unwritten,
            notes: &notes
        )
    }

    /// Says what must be written and sent now: at most one request per destination, so the caller asks again until
    /// there is none.
    ///
    /// `allowance` says how many users a destination would take of a sync now, 0 for none; it is asked only for syncs
    /// that have something to send.
    package mutating func advance(
        now: Int64,
        allowance: (_ destination: String, _ sync: String) -> Int = { _, _ in .max }
    ) -> SyncEffects {
        precondition(isStarted, "advance before the start")
        var effects = SyncEffects()
        var ready: [String: [Int]] = [:]
        var destinations: [String] = []
        for machine in machines.indices {
            machines[machine].prepare(
                now: now,
                partitions: partitions,
                records: &unwritten,
                notes: &notes
            )
        }
        forgetWhoLeft()
        for machine in machines.indices where machines[machine].isReady(now: now) {
            let destination = machines[machine].settings.destinationID
            if ready[destination] == nil { destinations.append(destination) }
            ready[destination, default: []].append(machine)
        }
        for destination in destinations {
            advance(destination, ready[destination] ?? [], now: now, allowance, &effects)
        }
        for machine in machines.indices {
            if let wake = machines[machine].wakeAt(now: now) {
                effects.wakeAt = min(effects.wakeAt ?? wake, wake)
            }
        }
        effects.mustCommit =
            !effects.requests.isEmpty || !effects.runs.isEmpty
            || unwritten.contains { $0.isUrgent }
        effects.records = unwritten
        effects.notes = notes
        unwritten = []
        notes = []
        return effects
    }

    /// Lets one sync of a destination send: those with live changes first, the others with a share of their own,
    /// and among equals in turn.
    private mutating func advance(
        _ destination: String,
        _ ready: [Int],
        now: Int64,
        _ allowance: (_ destination: String, _ sync: String) -> Int,
        _ effects: inout SyncEffects
    ) {
        var turn = turns[destination] ?? Turn()
        let inTurn = ready.filter { $0 > turn.last } + ready.filter { $0 <= turn.last }
        var live: [Int] = []
        var backfill: [Int] = []
        for machine in inTurn {
            if machines[machine].settings.shape.isWholeRun {
                write(machine, allowance, &effects)
                continue
            }
            switch machines[machine].waitingKind(partitions) {
            case .live: live.append(machine)
            case .backfill: backfill.append(machine)
            case nil: break
            }
        }
        let isBackfillsTurn = turn.liveInRow >= SyncMachine.backfillShare - 1
        for machine in isBackfillsTurn ? backfill + live : live + backfill {
            let room = allowance(destination, machines[machine].settings.id)
            guard room > 0 else { continue }
            let request = machines[machine].advance(
                now: now,
                allowance: room,
                partitions: &partitions,
                generator: &generator,
                records: &unwritten
            )
            guard let request else { continue }
            effects.requests.append(request)
            turn.last = machine
            turn.liveInRow = backfill.contains(machine) ? 0 : turn.liveInRow + 1
            break
        }
        turns[destination] = turn
    }

    private mutating func write(
        _ machine: Int,
        _ allowance: (_ destination: String, _ sync: String) -> Int,
        _ effects: inout SyncEffects
    ) {
        let settings = machines[machine].settings
        guard allowance(settings.destinationID, settings.id) > 0 else { return }
        let run = machines[machine].advanceWhole(
            partitions: &partitions,
            generator: &generator,
            records: &unwritten
        )
        if let run { effects.runs.append(run) }
    }

    mutating func makeRoom() {
        for machine in machines.indices { machines[machine].makeRoom(for: partitions) }
    }
}

extension JournalRecord {
    /// Whether the record must be durable at once, because somebody was told or another word would be believed.
    fileprivate var isUrgent: Bool {
        switch Kind(rawValue: type) {
        case .claim, .commanded, .approved, .runAsked, .list, .resumed, .terms: true
        default: false
        }
    }
}

extension SyncMachine {
    /// When this sync wants to be asked again although nothing happens.
    func wakeAt(now: Int64) -> Int64? {
        guard !isHeld, !isInFlight else { return nil }
        var earliest = max(settlingDue, retryAt)
        if retryAt > now { earliest = min(earliest, retryAt) }
        if doubts.values.contains(where: { $0.answeredAt != nil }) {
            earliest = min(earliest, max(doubtsDue, retryAt))
        }
        earliest = min(earliest, max(reassert.dueAt, retryAt))
        if let due = skipsDue.first { earliest = min(earliest, max(due.at, retryAt)) }
        return earliest == .max || earliest <= now ? nil : earliest
    }
}
