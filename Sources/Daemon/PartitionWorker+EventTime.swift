import Basics
import Engine
import Replay

/// Where the ticks by event time of one partition stand.
struct EventTickState {
    var schedule: TickSchedule
    var newestArrival: EventTime?
    var tickCount = 0
}

extension PartitionWorker {
    /// Ticks at every instant that is due before a record of this time, as a replay does.
    func tickByEventTime(before timestamp: Int64?) {
        guard let timestamp else { return }
        let arrival = EventTime(milliseconds: timestamp)
        let newest = max(eventTicks?.newestArrival ?? arrival, arrival)
        eventTicks?.newestArrival = newest
        // Of nearly all records nothing is due.
        guard arrival > eventTickDue else { return }
        eventTicks?.schedule.arrived(arrival)
        while let instant = eventTicks?.schedule.due(before: arrival) { eventTick(instant) }
        eventTickDue = eventTicks?.schedule.pending ?? .distantFuture
        if let pending = eventTicks?.schedule.pending { shard.raiseFloor(to: pending) }
    }

    /// Ticks at every instant that is left after the last record.
    func finishEventTicks() {
        let last = eventTicks?.newestArrival
        while let instant = eventTicks?.schedule.due(afterLast: last) { eventTick(instant) }
        eventTickDue = .distantFuture
        report.eventTicks = eventTicks?.tickCount ?? 0
    }

    private func eventTick(_ instant: EventTime) {
        deltas.removeAll(keepingCapacity: true)
        shard.tick(instant, deltas: &deltas)
        isDirty = true
        eventTicks?.schedule.done(instant)
        eventTicks?.tickCount += 1
        report.flips.note(deltas)
        if !deltas.isEmpty { environment.ticked?(shard, instant, deltas) }
    }
}
