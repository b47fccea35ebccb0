import Basics

@testable import Sync

/// The planner between engines that fall back in time, a journal that loses its tail, and a receiver
/// that fails; every step of it follows from the seed.
final class Simulation {
    static let cohorts = ["c0", "c1"]
    static let timeout: Int64 = 3000
    static let tickWidth: Int64 = 1000

    var generator: SeededGenerator
    var planner: SyncPlanner
    var receiver = SimulatedReceiver(timeout: timeout)
    var checker = SimulationChecker(timeout: timeout)
    var partitions = [SimulatedPartition](repeating: SimulatedPartition(), count: 3)
    var durable: [JournalRecord] = []
    var tail: [JournalRecord] = []
    var syncs: [SyncSettings]
    var time: Int64
    var processStart: Int64
    var process = 0
    var isFaulty = true
    /// A planted bug.
    let sabotage: Sabotage?
    var crashes = 0
    var wakeAt: Int64?
    private var lists = 0
    /// Syncs whose file is gone; now and then one is put back.
    private(set) var deleted: Set<String> = []
    /// Of each sync that was deleted: how many users its destination refused to take out.
    private(set) var refused: [String: Int] = [:]
    /// Whether syncs are deleted and put back.
    let deletes: Bool
    let kinds: [Kind]

    /// Bugs that must be noticed.
    enum Sabotage: CaseIterable {
        /// Commits that do not hold.
        case losesCommits
        /// The opposite of an unknown outcome goes at once.
        case skipsSettleRule
        /// Who shares a name leaves for all.
        case forgetsClaims
        /// An older snapshot may plan.
        case dropsGate
        /// What nobody knows counts as delivered.
        case trustsTimeouts
        /// A user of a run is counted twice.
        case countsTwice
    }

    /// What a sync is like.
    enum Kind: CaseIterable {
        case webhook
        /// Mixed batches, planned anew, outcomes by user, names by a property, sent again now and then.
        case template
        case numbered
        /// Runs by the hour, a list that is lost once.
        case runs
    }

    init(seed: UInt64, sabotage: Sabotage? = nil, deletes: Bool = false) {
        self.sabotage = sabotage
        self.deletes = deletes
        generator = SeededGenerator(seed: seed)
        planner = SyncPlanner(generator: SeededGenerator(seed: seed ^ 0xabcdef))
        kinds = [.webhook, Kind.allCases[Int(seed % 4)], Kind.allCases[Int(seed / 4 % 4)]]
        // Less than a minute before a full hour.
        time = 1_000_800_000 - Int64(generator.below(60_000))
        processStart = time
        syncs = []
        for number in 0..<2 { addSync(number) }
        planner.start(syncs, now: 0)
    }

    private func addSync(_ number: Int) {
        var settings = SyncSettings(
            id: "s\(number)",
            cohortID: Self.cohorts[number % 2],
            cohortName: "Cohort \(number)",
            destinationID: "d\(number)",
            requestTimeoutMilliseconds: sabotage == .skipsSettleRule ? 1 : Self.timeout
        )
        settings.reassertMilliseconds = 0
        switch kinds[number] {
        case .webhook: break
        case .template:
            settings.shape.isMixed = true
            settings.shape.isRepeatedUnchanged = false
            settings.naming = UserNaming(choices: [.cell(0)])
            settings.reassertMilliseconds = 120_000
            settings.massExits = MassExitGuard(share: 0.5, users: 2)
            checker.named.insert(settings.id)
            checker.repeating.insert(settings.id)
        case .numbered: settings.shape.isNumbered = true
        case .runs:
            settings.cadence = .hourly
            settings.shape.hasList = true
            settings.massExits = MassExitGuard(share: 0.5, users: 2)
        }
        syncs.append(settings)
    }

    var now: Int64 { time - processStart }

    /// Some file of a sync is gone, or back.
    private func deleteOrPutBack() {
        let id = generator.pick(syncs).id
        if deleted.remove(id) != nil {
            checker.began[id] = process
            checker.deleted.remove(id)
        } else if generator.chance(percent: 30) {
            deleted.insert(id)
            checker.deleted.insert(id)
        }
    }

    /// The deleted syncs that have users, as a start configures them.
    private var leaving: [SyncSettings] {
        let configured = Set(syncs.map(\.id)).subtracting(deleted)
        return planner.leaving(configured: configured).compactMap { sync in
            syncs.first { $0.id == sync.sync }.map { settings in
                settings.with {
                    $0.cadence = .realtime
                    $0.reassertMilliseconds = 0
                    $0.massExits = sync.terms.massExits
                    $0.isLeaving = true
                }
            }
        }
    }

    func run() {
        for _ in 0..<generator.number(in: 40...90) { step() }
        isFaulty = false
        finish()
    }

    /// One step of a world with faults.
    func step() {
        pass(Int64(generator.number(in: 20...1500)))
        for index in partitions.indices {
            if generator.chance(percent: 60) { write(index) }
            runEngine(index)
        }
        if generator.chance(percent: 4) { crash() }
        if generator.chance(percent: 3) { rewrite() }
        if generator.chance(percent: 10) { command() }
        plan()
    }

    /// Somebody asks something of a sync; now and then somebody deletes its list.
    private func command() {
        let number = generator.below(syncs.count)
        let id = syncs[number].id
        if kinds[number] == .runs, receiver.lists[id] ?? 0 > 0, generator.chance(percent: 15) {
            receiver.lists[id] = -1
        }
        // Everybody is sent again by that, which only some of the syncs may do without need.
        let commands: [SyncCommand] =
            kinds[number] == .webhook || kinds[number] == .numbered
            ? [.pause, .resume, .approve] : [.run, .run, .pause, .resume, .approve]
        _ = planner.command(generator.pick(commands), sync: id, now: now)
    }

    /// Lets time pass: answers arrive and are applied in order.
    func pass(_ milliseconds: Int64) {
        time += milliseconds
        for happening in receiver.happenings(until: time) {
            guard case .answer(var outcome) = happening.kind, happening.process == process else {
                continue
            }
            checker.answered(happening.request, outcome, at: time)
            if sabotage == .trustsTimeouts, outcome == .timeout { outcome = .delivered }
            planner.completed(
                sync: happening.request.syncID,
                message: happening.request.messageID,
                outcome: outcome,
                now: now
            )
        }
    }

    func plan() {
        for (number, sync) in syncs.enumerated()
        where kinds[number] == .runs && planner.listID(sync: sync.id) == nil
            && !deleted.contains(sync.id)
        {
            lists += 1
            receiver.lists[sync.id] = lists
            receiver.members[sync.id] = []
            planner.listMade(sync: sync.id, id: String(lists))
        }
        spoil()
        let effects = planner.advance(now: now)
        wakeAt = effects.wakeAt
        tail += effects.records
        for case .tookOut(let sync, let users) in effects.notes { refused[sync] = users }
        if !effects.mustCommit, !effects.requests.isEmpty {
            checker.problems.append("a request without a commit")
        }
        guard effects.mustCommit else { return }
        if isFaulty, generator.chance(percent: 2) { return crash() }
        commit()
        for request in effects.requests {
            if isFaulty, generator.chance(percent: 2) { return crash() }
            checker.sent(request, at: time)
            receiver.accept(
                request,
                at: time,
                process: process,
                list: planner.listID(sync: request.syncID).flatMap { Int($0) } ?? 0,
                isSettling: checker.named.contains(request.syncID),
                isFaulty: isFaulty,
                &generator
            )
        }
    }

    /// Does what the planted bug would have done to the planner's state.
    private func spoil() {
        for number in planner.machines.indices {
            switch sabotage {
            case .forgetsClaims: planner.machines[number].moreClaims = [:]
            case .countsTwice:
                if planner.machines[number].run.delivered > 0, generator.chance(percent: 10) {
                    planner.machines[number].run.delivered += 1
                }
            default: break
            }
        }
    }

    private func commit() {
        checker.committed(tail, partitions)
        for index in partitions.indices {
            partitions[index].committed = partitions[index].lastKnown
            partitions[index].committedIn = partitions[index].lastKnownIn
        }
        durable += tail
        tail = []
    }

    func rewrite() {
        // What was returned and not yet committed is contained in the state.
        commit()
        durable = planner.rewriteRecords()
        checker.rewritten(durable)
    }

    /// The process dies: uncommitted records may or may not be there, engines fall back.
    func crash() {
        crashes += 1
        process += 1
        let kept = tail.prefix(generator.number(in: 0...tail.count))
        checker.committed(kept, partitions)
        checker.crashed(at: time)
        durable += kept
        if sabotage == .losesCommits { durable.removeLast(min(3, durable.count)) }
        tail = []
        if syncs.count < 3 {
            addSync(2)
            checker.began["s2"] = process
        }
        time += Int64(generator.below(20_000))
        _ = receiver.happenings(until: time)
        processStart = time - Int64(generator.below(1000))
        planner = SyncPlanner(generator: SeededGenerator(seed: generator.next()))
        do {
            for record in durable { try planner.replay(type: record.type, payload: record.payload) }
        } catch {
            checker.problems.append("the journal was refused: \(error)")
        }
        if sabotage == .dropsGate {
            for index in planner.partitions.indices {
                planner.partitions[index].newestPlanned = .origin
            }
        }
        if deletes, isFaulty { deleteOrPutBack() }
        planner.start(syncs.filter { !deleted.contains($0.id) } + leaving, now: now)
        for index in partitions.indices {
            partitions[index].phase = .starting
            partitions[index].lastKnown = partitions[index].committed
            partitions[index].lastKnownIn = partitions[index].committedIn
            if isFaulty, generator.chance(percent: 15) {
                planner.partitionUnavailable(PartitionID(index), now: now)
                partitions[index].phase = .unavailable
            }
        }
    }
}
