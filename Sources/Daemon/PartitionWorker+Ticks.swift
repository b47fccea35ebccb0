import Basics
import Cohorts
import Engine
import Sync
import Telemetry
import Threads

extension PartitionWorker {
    /// How long events wait for a tick at a time, in milliseconds, and how many users are looked at between two looks
    /// at the clock.
    private static let sliceMilliseconds: Int64 = 2
    static let sliceUsers = 32
    /// The most ticks that wait; while a partition catches up for hours, one a minute would be kept else.
    private static let pendingMax = 128

    /// Notes a tick: it is applied once everything before `end` is.
    func tickAsked(_ instant: EventTime, end: LogPosition) {
        switch phase {
        case .opened, .halted: return
        case .rebuilding, .catchingUp, .live: break
        }
        report.endOffset = max(report.endOffset ?? 0, end.events)
        if let commands = end.commands {
            report.commandsEnd = max(report.commandsEnd ?? 0, commands)
        }
        guard instant >= shard.floor, instant > pendingTicks.last?.instant ?? .distantPast else {
            return
        }
        if pendingTicks.count == Self.pendingMax {
            // The oldest is the next to come due; of the others every second one will do.
            pendingTicks = pendingTicks.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        }
        pendingTicks.append((instant, end))
        if position.reaches(end) { beginPendingTick() }
    }

    /// Begins the newest of the ticks whose end is reached; ``continueTick()`` does it.
    ///
    /// While one is under way the next one waits.
    func beginPendingTick() {
        if case .rebuilding = phase { return }
        guard tickUnderWay == nil,
            let index = pendingTicks.lastIndex(where: { position.reaches($0.end) })
        else { return }
        let instant = pendingTicks[index].instant
        pendingTicks.removeFirst(index + 1)
        begin(instant)
    }

    /// Does some of the tick that is under way or due: so little that events need not wait for the rest.
    ///
    /// - Returns: Whether there was one.
    func continueTick() -> Bool {
        beginPendingTick()
        guard tickUnderWay != nil else { return false }
        let began = environment.clock.monotonicMilliseconds
        repeat {
            slice()
        } while tickUnderWay != nil
            && environment.clock.monotonicMilliseconds - began < Self.sliceMilliseconds
        return true
    }

    /// Does all that is left of the tick that is under way, if one is.
    func finishTick() {
        while tickUnderWay != nil {
            slice()
            heartbeat.beat()
        }
    }

    private func begin(_ instant: EventTime) {
        lookOverGaps(at: instant)
        tickUnderWay = TickUnderWay(
            cut: Cut(
                offset: base.events + next,
                commands: base.commands + (commandsNext ?? 0),
                tick: instant
            ),
            began: environment.clock.monotonicMilliseconds,
            changes: shard.lastTick.map { noChanges(from: $0, to: instant) },
            flips: FlipCounts(cohorts: environment.plan.cohorts.count)
        )
        shard.reportsValues = hasReset
        shard.beginTick(instant)
        // Ticks stand on a grid, so the next one is at least its width away.
        shard.raiseFloor(to: instant + environment.tickWidth)
        isDirty = true
        watch()
        // Everyone's values are read off the shard as they stand at this tick, before an event replaces them.
        if !hasReset || fill?.joining.isEmpty == false { finishTick() }
    }

    /// Looks at the next users of the tick that is under way.
    func slice(users: Int = PartitionWorker.sliceUsers) {
        deltas.removeAll(keepingCapacity: true)
        let isOver = shard.continueTick(users: users, deltas: &deltas)
        takeChanges()
        if isOver { end() }
    }

    private func end() {
        guard let tick = tickUnderWay else { return }
        tickUnderWay = nil
        watch()
        report.flips.add(tick.flips)
        hand(tick)
        let milliseconds = environment.clock.monotonicMilliseconds - tick.began
        environment.metrics.update {
            $0.observe(.tickDurationSeconds, value: Double(milliseconds) / 1000)
        }
        publish()
    }

    /// Hands the tick's membership to the sync thread.
    private func hand(_ tick: TickUnderWay) {
        let joining = fill?.joining ?? []
        if !joining.isEmpty { fill = nil }
        guard hasReset, let changes = tick.changes else {
            hasReset = true
            // Of a cohort that is not complete nobody is told: who it had before would leave.
            tellEveryone(of: { !self.shard.missing.cohorts.contains($0) }, tick.cut)
            return
        }
        tellSync(.tick(partition, tick.cut, changes))
        if !joining.isEmpty { tellEveryone(of: joining.contains, tick.cut) }
    }

    /// Tells the sync thread who is in some of the cohorts that some sync sends.
    private func tellEveryone(of isMeant: (Int) -> Bool, _ cut: Cut) {
        heartbeat.beat(.long)
        tellSync(.reset(partition, cut, resets(of: environment.syncedCohorts.filter(isMeant))))
    }

    private func resets(of cohorts: [Int]) -> [CohortReset] {
        let plans = cohorts.map { environment.plan.cohorts[$0] }
        var resets = zip(plans, holdsExits).map { CohortReset(cohort: $0.id, holdsExits: $1) }
        var cells: [UInt8] = []
        shard.forEachMember(of: cohorts) { place, slot in
            resets[place].users.append(shard.userID(slot))
            guard plans[place].synced != nil else { return }
            cells.removeAll(keepingCapacity: true)
            shard.appendValues(of: slot, cohort: cohorts[place], to: &cells)
            cells.withByteView { resets[place].cells.append($0) }
        }
        return resets
    }

    /// What a tick does to the cohorts that some sync sends, before it did anything.
    private func noChanges(from previous: EventTime, to tick: EventTime) -> MembershipChanges {
        let plan = environment.plan
        let cohorts = environment.syncedCohorts
        var changes = MembershipChanges(cohorts: cohorts.map { plan.cohorts[$0].id })
        changes.isCalendarBound = cohorts.map {
            plan.isCalendarBound(cohort: $0, after: previous, upTo: tick)
        }
        changes.holdsExits = holdsExits
        return changes
    }

    /// Takes over what a slice found.
    private func takeChanges() {
        let plan = environment.plan
        let cohorts = environment.syncedCohorts
        tickUnderWay?.flips.note(deltas)
        for delta in deltas {
            guard hasReset, let index = cohorts.firstIndex(of: delta.cohort) else { continue }
            // With its values below.
            if delta.entered, plan.cohorts[delta.cohort].synced != nil { continue }
            tickUnderWay?.changes?.append(
                cohort: index,
                user: shard.userID(delta.slot),
                delta.entered ? .entered : .left
            )
        }
        shard.forEachSyncedChange { cohort, slot, entered, cells in
            guard let index = cohorts.firstIndex(of: cohort) else { return }
            let change = entered ? MembershipChange.entered : .updated
            tickUnderWay?.changes?.append(
                cohort: index,
                user: shard.userID(slot),
                change,
                cells: cells
            )
        }
        shard.forgetSyncedChanges()
        if !deltas.isEmpty, let tick = tickUnderWay?.cut.tick {
            environment.ticked?(shard, tick, deltas)
        }
    }
}
