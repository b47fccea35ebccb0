import Basics
import Cohorts
import Engine
import Sync
import Telemetry
import Threads

extension PartitionWorker {
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
        if position.reaches(end) { applyPendingTick() }
    }

    /// Applies the newest of the ticks whose end is reached.
    func applyPendingTick() {
        if case .rebuilding = phase { return }
        guard let index = pendingTicks.lastIndex(where: { position.reaches($0.end) }) else {
            return
        }
        let instant = pendingTicks[index].instant
        pendingTicks.removeFirst(index + 1)
        tick(instant)
    }

    private func tick(_ instant: EventTime) {
        let began = environment.clock.monotonicMilliseconds
        deltas.removeAll(keepingCapacity: true)
        let previous = shard.lastTick
        shard.reportsValues = hasReset
        shard.tick(instant, deltas: &deltas)
        // Ticks stand on a grid, so the next one is at least its width away.
        shard.raiseFloor(to: instant + environment.tickWidth)
        isDirty = true
        countDeltas(of: instant)
        hand(Cut(offset: next, commands: commandsNext ?? 0, tick: instant), after: previous)
        let milliseconds = environment.clock.monotonicMilliseconds - began
        environment.metrics.update {
            $0.observe(.tickDurationSeconds, value: Double(milliseconds) / 1000)
        }
        publish()
    }

    /// Hands the tick's membership to the sync thread.
    ///
    /// - `previous`: The tick before.
    private func hand(_ cut: Cut, after previous: EventTime?) {
        guard hasReset, let previous else {
            hasReset = true
            let all = environment.syncedCohorts.map { reset(cohort: $0) }
            environment.sync.post(.reset(partition, cut, all))
            return
        }
        environment.sync.post(.tick(partition, cut, changes(from: previous, to: cut.tick)))
    }

    /// Everyone who is in a cohort.
    private func reset(cohort: Int) -> CohortReset {
        let plan = environment.plan.cohorts[cohort]
        var reset = CohortReset(cohort: plan.id)
        var cells: [UInt8] = []
        shard.forEachMember(cohort: cohort) { slot in
            reset.users.append(shard.userID(slot))
            guard plan.synced != nil else { return }
            cells.removeAll(keepingCapacity: true)
            shard.appendValues(of: slot, cohort: cohort, to: &cells)
            cells.withByteView { reset.cells.append($0) }
        }
        return reset
    }

    /// What the last tick did to the cohorts that some sync sends.
    private func changes(from previous: EventTime, to tick: EventTime) -> MembershipChanges {
        let plan = environment.plan
        let cohorts = environment.syncedCohorts
        var changes = MembershipChanges(cohorts: cohorts.map { plan.cohorts[$0].id })
        changes.isCalendarBound = cohorts.map {
            plan.isCalendarBound(cohort: $0, after: previous, upTo: tick)
        }
        for delta in deltas {
            guard let index = cohorts.firstIndex(of: delta.cohort) else { continue }
            // With its values below.
            if delta.entered, plan.cohorts[delta.cohort].synced != nil { continue }
            changes.append(
                cohort: index,
                user: shard.userID(delta.slot),
                delta.entered ? .entered : .left
            )
        }
        shard.forEachSyncedChange { cohort, slot, entered, cells in
            guard let index = cohorts.firstIndex(of: cohort) else { return }
            let change = entered ? MembershipChange.entered : .updated
            changes.append(cohort: index, user: shard.userID(slot), change, cells: cells)
        }
        return changes
    }
}
