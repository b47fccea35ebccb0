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
    private let kinds: [Kind]

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

    init(seed: UInt64, sabotage: Sabotage? = nil) {
        self.sabotage = sabotage
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

    /// A few users change; the first six of them have events in every partition.
    private func write(_ index: Int) {
        for _ in 0..<generator.number(in: 1...3) {
            let number = generator.below(18)
            let user = number < 6 ? "split\(number)" : "u\(index)-\(number)"
            var change = SimulatedPartition.Change(user: user)
            if generator.chance(percent: 20) {
                change.name = generator.chance(percent: 15) ? "" : "n\(generator.below(9))"
            } else {
                change.cohort = generator.pick(Self.cohorts)
                change.entered = generator.chance(percent: 55)
            }
            partitions[index].log.append(change)
        }
        guard generator.chance(percent: 2) else { return }
        // Everybody leaves at once.
        for cohort in Self.cohorts {
            let end = Offset(partitions[index].log.count)
            for user in partitions[index].members(of: cohort, at: end).sorted() {
                partitions[index].log.append(SimulatedPartition.Change(cohort: cohort, user: user))
            }
        }
    }

    private func runEngine(_ index: Int) {
        let partition = partitions[index]
        let id = PartitionID(index)
        switch partition.phase {
        case .unavailable:
            guard !isFaulty || generator.chance(percent: 20) else { return }
            reset(index, to: liveCut(index))
            partitions[index].phase = .live
        case .starting:
            guard !isFaulty || generator.chance(percent: 50) else { return }
            if isFaulty, !partition.cuts.isEmpty, generator.chance(percent: 70) {
                let back = max(0, partition.cuts.count - generator.number(in: 1...6))
                reset(index, to: partition.cuts[back])
                partitions[index].phase = .repeating(back + 1)
            } else {
                reset(index, to: liveCut(index))
                partitions[index].phase = .live
            }
        case .repeating(let next):
            guard !isFaulty || generator.chance(percent: 70) else { return }
            // A tick may be left out, its changes come with a later one.
            let wanted = next + (generator.chance(percent: 20) ? 1 : 0)
            if wanted < partition.cuts.count {
                move(index, to: partition.cuts[wanted])
                partitions[index].phase = .repeating(wanted + 1)
            } else {
                partitions[index].phase = .live
            }
        case .live:
            if isFaulty, generator.chance(percent: 2) {
                planner.partitionUnavailable(id, now: now)
                partitions[index].phase = .unavailable
            } else if !isFaulty || generator.chance(percent: 70) {
                let cut = liveCut(index)
                if cut.tick > partition.position.tick { move(index, to: cut) }
            }
        }
    }

    /// Where the engine can be now; it may be behind the clock, each partition by as much as it likes.
    private func liveCut(_ index: Int) -> Cut {
        var tick = EventTime(milliseconds: time).roundedDown(toMultipleOf: Self.tickWidth)
        if isFaulty, generator.chance(percent: 40) {
            tick = tick - Int64(generator.below(8)) * Self.tickWidth
        }
        return Cut(
            offset: Offset(partitions[index].log.count),
            tick: max(tick, partitions[index].position.tick)
        )
    }

    private func reset(_ index: Int, to cut: Cut) {
        for cohort in Self.cohorts {
            let users = partitions[index].members(of: cohort, at: cut.offset).sorted()
            let cells = users.map {
                PropertyCells.of([partitions[index].name(of: $0, at: cut.offset)])
            }
            planner.membershipReset(
                partition: PartitionID(index),
                cohort: cohort,
                users: UserList(users),
                cells: UserList(bytes: cells),
                cut: cut,
                now: now
            )
        }
        arrive(index, at: cut)
    }

    private func move(_ index: Int, to cut: Cut) {
        planner.tick(
            partition: PartitionID(index),
            cut: cut,
            changes: partitions[index].difference(
                from: partitions[index].position.offset,
                to: cut.offset,
                cohorts: Self.cohorts
            ),
            now: now
        )
        arrive(index, at: cut)
    }

    private func arrive(_ index: Int, at cut: Cut) {
        partitions[index].position = cut
        partitions[index].lastKnown = cut
        partitions[index].lastKnownIn = process
        if partitions[index].cuts.last.map({ $0.tick < cut.tick }) ?? true {
            partitions[index].cuts.append(cut)
        }
    }

    private func plan() {
        for (number, sync) in syncs.enumerated()
        where kinds[number] == .runs && planner.listID(sync: sync.id) == nil {
            lists += 1
            receiver.lists[sync.id] = lists
            receiver.members[sync.id] = []
            planner.listMade(sync: sync.id, id: String(lists))
        }
        spoil()
        let effects = planner.advance(now: now)
        wakeAt = effects.wakeAt
        tail += effects.records
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

    private func rewrite() {
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
        planner.start(syncs, now: now)
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

    /// Faults are over: everything must come to agree.
    private func finish() {
        // The last refusals come in; who is paused by one needs a person, or a restart that tries once.
        pass(3 * Self.timeout)
        if generator.chance(percent: 50) { crash() }
        for sync in syncs { _ = planner.command(.resume, sync: sync.id, now: now) }
        for _ in 0..<300 {
            pass(500)
            for index in partitions.indices { runEngine(index) }
            plan()
            for status in planner.status(now: now) { help(status) }
            if let wakeAt, wakeAt > now { pass(min(wakeAt - now, 60_000)) }
            let isDone =
                planner.status(now: now).allSatisfy(isAtRest)
                && planner.machines.allSatisfy { $0.doubts.isEmpty }
                && partitions.allSatisfy { $0.position.offset == Offset($0.log.count) }
                && receiver.queue.isEmpty
            if isDone { break }
        }
        rewrite()
        checker.finished()
        // What was lost on the way may still be applied.
        while let last = receiver.queue.map(\.time).max() { pass(last - time) }
        for status in planner.status(now: now) where !isAtRest(status) {
            checker.problems.append("I4: not at rest: \(status)")
        }
        for sync in syncs {
            var wanted: Set<String> = []
            for partition in partitions {
                let end = Offset(partition.log.count)
                wanted.formUnion(
                    checker.named.contains(sync.id)
                        ? partition.names(of: sync.cohortID, at: end)
                        : partition.members(of: sync.cohortID, at: end)
                )
            }
            let held = receiver.members[sync.id] ?? []
            if held != wanted {
                let missing = wanted.subtracting(held).sorted()
                let extra = held.subtracting(wanted).sorted()
                checker.problems.append("I4: \(sync.id) lacks \(missing), has too many \(extra)")
            }
        }
    }

    private func isAtRest(_ status: SyncStatus) -> Bool {
        status.pendingUsers == 0 && [.live, .done].contains(status.state)
    }

    /// Does for a sync what a person would.
    private func help(_ status: SyncStatus) {
        if status.exitsToApprove != nil {
            _ = planner.command(.approve, sync: status.sync, now: now)
        } else if [.paused, .failed].contains(status.state) {
            _ = planner.command(.resume, sync: status.sync, now: now)
        } else if status.state == .done, status.pendingUsers > 0 {
            _ = planner.command(.run, sync: status.sync, now: now)
        }
    }
}
