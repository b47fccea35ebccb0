import Basics
import Testing

@testable import Sync

/// A planner with its journal, driven by hand: what it returns is journalled at once.
final class PlannerHarness {
    static let timeout: Int64 = 1000

    var planner: SyncPlanner
    var journal: [JournalRecord] = []
    /// How many records of the journal were committed.
    var committed = 0
    var now: Int64 = 1_000_000
    var notes: [SyncNote] = []
    var wakeAt: Int64?
    var syncs: [SyncSettings]
    /// Destinations at which syncs that are not configured any more can take out their users.
    var leavingDestinations: Set<String> = []
    /// How many users a sync's destination takes at once.
    var allowance: (_ sync: String) -> Int = { _ in .max }
    /// Runs that the planner wanted written.
    var runs: [RunRequest] = []
    private var seed: UInt64 = 1

    init(_ syncs: [SyncSettings] = [.test()]) {
        self.syncs = syncs
        planner = SyncPlanner(generator: SeededGenerator(seed: seed))
        planner.start(syncs, now: now)
    }

    /// Kills the process: a new planner replays the journal, which keeps `records` of them.
    func restart(keeping records: Int? = nil, at now: Int64 = 0) throws {
        if let records { journal.removeSubrange(records...) }
        seed += 1
        self.now = now
        planner = SyncPlanner(generator: SeededGenerator(seed: seed))
        for record in journal { try planner.replay(type: record.type, payload: record.payload) }
        let leaving = planner.leaving(configured: Set(syncs.map(\.id))).compactMap { sync in
            leavingDestinations.contains(sync.destinationKey)
                ? SyncSettings.test(
                    id: sync.sync,
                    cohort: sync.terms.cohortID,
                    name: sync.terms.cohortName,
                    destination: sync.destinationKey
                ).with {
                    $0.massExits = sync.terms.massExits
                    $0.isLeaving = true
                } : nil
        }
        planner.start(syncs + leaving, now: now)
    }

    /// The same over a rewritten journal.
    func rewriteAndRestart() throws {
        journal = planner.rewriteRecords()
        committed = journal.count
        try restart()
    }

    /// The full membership of one cohort in a partition, by user the values of synced properties.
    func reset(
        _ users: [(String, [String])],
        partition: PartitionID = 0,
        offset: Int64,
        tick: Int64
    ) {
        var cells = UserList()
        for (_, values) in users { PropertyCells.of(values).withByteView { cells.append($0) } }
        planner.membershipReset(
            partition: partition,
            cohort: "c",
            users: UserList(users.map(\.0)),
            cells: cells,
            cut: .at(offset, tick),
            now: now
        )
    }

    /// One change of a tick, with the values of synced properties.
    func tick(
        _ user: String,
        _ change: MembershipChange,
        _ values: [String] = [],
        partition: PartitionID = 0,
        offset: Int64,
        tick: Int64
    ) {
        var list = MembershipChanges(cohorts: ["c"])
        user.withByteView { id in
            PropertyCells.of(values)
                .withByteView { list.append(cohort: 0, user: id, change, cells: $0) }
        }
        planner.tick(partition: partition, cut: .at(offset, tick), changes: list, now: now)
    }

    /// The full membership of one cohort in a partition.
    func reset(
        _ users: [String],
        partition: PartitionID = 0,
        cohort: String = "c",
        offset: Int64,
        commands: Int64 = 0,
        tick: Int64,
        holdsExits: Bool = false
    ) {
        planner.membershipReset(
            partition: partition,
            cohort: cohort,
            users: UserList(users),
            holdsExits: holdsExits,
            cut: .at(offset, commands: commands, tick),
            now: now
        )
    }

    /// One tick; users with a leading `-` left, the others entered.
    func tick(
        _ changes: [String] = [],
        partition: PartitionID = 0,
        cohort: String = "c",
        offset: Int64,
        commands: Int64 = 0,
        tick: Int64,
        isCalendarBound: Bool = false,
        holdsExits: Bool = false
    ) {
        var list = MembershipChanges(cohorts: [cohort])
        list.holdsExits[0] = holdsExits
        list.isCalendarBound[0] = isCalendarBound
        for change in changes {
            let left = change.hasPrefix("-")
            (left ? String(change.dropFirst()) : change).withByteView {
                list.append(cohort: 0, user: $0, left ? .left : .entered)
            }
        }
        planner.tick(
            partition: partition,
            cut: .at(offset, commands: commands, tick),
            changes: list,
            now: now
        )
    }

    /// What the planner wants sent now.
    func advance(by milliseconds: Int64 = 0) -> [DeliveryRequest] {
        now += milliseconds
        let effects = planner.advance(now: now) { [allowance] _, sync in allowance(sync) }
        runs += effects.runs
        journal += effects.records
        if effects.mustCommit { committed = journal.count }
        notes += effects.notes
        wakeAt = effects.wakeAt
        return effects.requests
    }

    /// The one request the planner wants sent now.
    func request(by milliseconds: Int64 = 0) throws -> DeliveryRequest {
        let requests = advance(by: milliseconds)
        try #require(requests.count == 1)
        return requests[0]
    }

    func complete(_ request: DeliveryRequest, _ outcome: DeliveryOutcome) {
        planner.completed(
            sync: request.syncID,
            message: request.messageID,
            outcome: outcome,
            now: now
        )
    }

    /// Answers everything with success until nothing is left to send; returns the requests.
    func drain() -> [DeliveryRequest] {
        var sent: [DeliveryRequest] = []
        while true {
            let requests = advance()
            if requests.isEmpty { return sent }
            for request in requests { complete(request, .delivered) }
            sent += requests
        }
    }

    /// Answers the one run that the planner wants written, if it does.
    func completeRun(_ outcome: DeliveryOutcome) throws -> RunRequest {
        runs = []
        _ = advance()
        try #require(runs.count == 1)
        planner.completedRun(sync: runs[0].syncID, outcome: outcome, now: now)
        return runs[0]
    }

    /// Says what became of each user, and why of those who were left out.
    func settle(
        _ request: DeliveryRequest,
        _ outcomes: [UserOutcomes.Outcome],
        _ reason: String = "bad"
    ) {
        var settled = UserOutcomes(count: outcomes.count, all: .delivered)
        for (place, outcome) in outcomes.enumerated() {
            settled.set(place, outcome, reason: outcome == .skipped ? reason : nil)
        }
        complete(request, .settled(settled))
    }

    func command(_ command: SyncCommand) -> SyncCommandResult {
        planner.command(command, sync: "s", now: now)
    }

    func status(_ position: Int = 0) -> SyncStatus { planner.status(now: now)[position] }
}

extension DeliveryOutcome {
    /// Nobody knows whether it was applied.
    static let timeout = DeliveryOutcome.retriable(detail: "timeout")
    /// It certainly was not.
    static let refused = DeliveryOutcome.retriable(
        detail: "connection refused",
        knownNotApplied: true
    )
}

extension Cut {
    /// A cut whose tick is a number of minutes.
    static func at(_ offset: Int64, commands: Int64 = 0, _ minute: Int64) -> Cut {
        Cut(
            offset: offset,
            commands: commands,
            tick: EventTime(milliseconds: minute * 60_000)
        )
    }
}

extension PropertyCells {
    /// Cells of texts; an empty one is absent.
    static func of(_ values: [String]) -> [UInt8] {
        var cells: [UInt8] = []
        for value in values {
            value.withByteView { append(value.isEmpty ? .absent : .text, $0, to: &cells) }
        }
        return cells
    }
}

extension SyncSettings {
    static func test(
        id: String = "s",
        cohort: String = "c",
        name: String = "Cohort C",
        destination: String = "d",
        paused: Bool = false
    ) -> SyncSettings {
        var settings = SyncSettings(
            id: id,
            cohortID: cohort,
            cohortName: name,
            destinationID: destination,
            requestTimeoutMilliseconds: PlannerHarness.timeout,
            isPaused: paused
        )
        settings.reassertMilliseconds = 0
        return settings
    }

    /// The same settings, changed.
    func with(_ change: (inout SyncSettings) -> Void) -> SyncSettings {
        var settings = self
        change(&settings)
        return settings
    }
}

extension DeliveryRequest {
    /// `+a,b` for an enter, `-a,b` for an exit, `-a+b` for both.
    var text: String {
        let texts = users.texts
        let exits = texts.prefix(exitCount).joined(separator: ",")
        let enters = texts.dropFirst(exitCount).joined(separator: ",")
        return (exits.isEmpty ? "" : "-" + exits) + (enters.isEmpty ? "" : "+" + enters)
    }
    /// The minutes of the tick.
    var minute: Int64 { tick.milliseconds / 60_000 }
}
