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
        shard.tick(instant, deltas: &deltas)
        // Ticks stand on a grid, so the next one is at least its width away.
        shard.raiseFloor(to: instant + environment.tickWidth)
        isDirty = true
        for delta in deltas {
            if delta.entered {
                report.enters[delta.cohort] += 1
            } else {
                report.exits[delta.cohort] += 1
            }
        }
        hand(Cut(offset: next, commands: commandsNext ?? 0, tick: instant))
        let milliseconds = environment.clock.monotonicMilliseconds - began
        environment.metrics.update {
            $0.observe(.tickDurationSeconds, value: Double(milliseconds) / 1000)
        }
        publish()
    }

    /// Hands the tick's membership to the sync thread.
    private func hand(_ cut: Cut) {
        let synced = environment.syncedCohorts
        let ids = synced.map { environment.plan.cohorts[$0].id }
        guard hasReset else {
            hasReset = true
            var all: [(cohort: String, users: UserList)] = []
            for (index, cohort) in synced.enumerated() {
                var users = UserList()
                shard.forEachMember(cohort: cohort) { users.append(shard.userID($0)) }
                all.append((ids[index], users))
            }
            environment.sync.post(.reset(partition, cut, all))
            return
        }
        var changes = MembershipChanges(cohorts: ids)
        for delta in deltas {
            guard let index = synced.firstIndex(of: delta.cohort) else { continue }
            changes.append(
                cohort: index,
                user: shard.userID(delta.slot),
                delta.entered ? .entered : .left
            )
        }
        environment.sync.post(.tick(partition, cut, changes))
    }
}
