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
    var receiver = SimulatedReceiver()
    var checker = SimulationChecker()
    var partitions = [SimulatedPartition](repeating: SimulatedPartition(), count: 3)
    var durable: [JournalRecord] = []
    var tail: [JournalRecord] = []
    var syncs: [SyncSettings]
    var time: Int64 = 1_000_000_000
    var processStart: Int64
    var process = 0
    var isFaulty = true
    /// A planted bug: commits that do not hold.
    var losesCommits = false
    var crashes = 0
    var wakeAt: Int64?

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        planner = SyncPlanner(generator: SeededGenerator(seed: seed ^ 0xabcdef))
        syncs = (0..<2).map { Self.sync($0) }
        processStart = time
        planner.start(syncs, now: 0)
    }

    static func sync(_ number: Int) -> SyncSettings {
        var settings = SyncSettings(
            id: "s\(number)",
            cohortID: cohorts[number % 2],
            cohortName: "Cohort \(number)",
            destinationID: "d\(number)",
            requestTimeoutMilliseconds: timeout
        )
        settings.reassertMilliseconds = 0
        return settings
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
        plan()
    }

    /// Lets time pass: answers arrive and are applied in order.
    func pass(_ milliseconds: Int64) {
        time += milliseconds
        for happening in receiver.happenings(until: time) {
            guard case .answer(let outcome) = happening.kind, happening.process == process else {
                continue
            }
            checker.answered(happening.request, outcome, at: time)
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
            partitions[index].log.append(
                SimulatedPartition.Change(
                    cohort: generator.pick(Self.cohorts),
                    user: user,
                    entered: generator.chance(percent: 55)
                )
            )
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
            planner.membershipReset(
                partition: PartitionID(index),
                cohort: cohort,
                users: UserList(partitions[index].members(of: cohort, at: cut.offset).sorted()),
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
                isFaulty: isFaulty,
                &generator
            )
        }
    }

    private func commit() {
        for record in tail where record.type == JournalRecord.Kind.batch.rawValue {
            checker.planned(record, partitions)
        }
        checker.committed(tail)
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
        checker.rewritten()
    }

    /// The process dies: uncommitted records may or may not be there, engines fall back.
    func crash() {
        crashes += 1
        process += 1
        let kept = tail.prefix(generator.number(in: 0...tail.count))
        for record in kept where record.type == JournalRecord.Kind.batch.rawValue {
            checker.planned(record, partitions)
        }
        checker.committed(kept)
        checker.crashed(at: time)
        durable += kept
        if losesCommits { durable.removeLast(min(3, durable.count)) }
        tail = []
        if syncs.count < 3 {
            syncs.append(Self.sync(2))
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
        // The last refusals come in; who is paused by one needs a restart, as a person would do it.
        pass(3 * Self.timeout)
        if planner.status(now: now).contains(where: { [.paused, .failed].contains($0.state) }) {
            crash()
        }
        for _ in 0..<200 {
            pass(500)
            for index in partitions.indices { runEngine(index) }
            plan()
            if let wakeAt, wakeAt > now { pass(wakeAt - now) }
            let isDone =
                planner.status(now: now).allSatisfy { $0.pendingUsers == 0 && $0.state == .live }
                && partitions.allSatisfy { $0.position.offset == Offset($0.log.count) }
                && receiver.queue.isEmpty
            if isDone { break }
        }
        // What was lost on the way may still be applied.
        while let last = receiver.queue.map(\.time).max() { pass(last - time) }
        for status in planner.status(now: now)
        where status.pendingUsers != 0 || status.state != .live {
            checker.problems.append("I4: not at rest: \(status)")
        }
        for sync in syncs {
            var wanted: Set<String> = []
            for partition in partitions {
                wanted.formUnion(
                    partition.members(of: sync.cohortID, at: Offset(partition.log.count))
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
}
