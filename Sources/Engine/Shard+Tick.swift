package import Basics
import Cohorts

extension Shard {
    /// Moves time to `tick`: everyone whose membership changed by events since the last tick or by the clock
    /// is reported.
    ///
    /// - Parameters:
    ///   - tick: Not before ``floor``, and later than the last tick.
    ///   - deltas: Receives the changes, in no meaningful order; the caller owns and clears it.
    /// - Complexity: O(users touched + users due), each as many conditions as the plan has.
    package mutating func tick(_ tick: EventTime, deltas: inout [Delta]) {
        precondition(tick >= floor, "tick \(tick.rfc3339) before the floor \(floor.rfc3339)")
        if let lastTick {
            precondition(tick > lastTick, "tick \(tick.rfc3339) is not after the last")
        }
        precondition(rebuild == nil, "a tick during a rebuild")
        floor = tick
        lastTick = tick
        while let due = deadlines.popDue(at: tick) {
            let index = Int(due.slot)
            // An entry that was replaced by an earlier one says nothing any more.
            guard records[index].scheduled == due.instant else { continue }
            records[index].scheduled = .distantFuture
            touch(due.slot)
        }
        evaluator.prepare(tick)
        // Indexed, since evaluation must not hold the list while it changes the shard.
        for position in touched.indices {
            let slot = touched[position]
            records[Int(slot)].isTouched = false
            evaluate(slot, at: tick, deltas: &deltas)
        }
        touched.removeAll(keepingCapacity: true)
        counters.dedupeShortened = dedupe.shortened
    }

    private mutating func evaluate(_ slot: UserSlot, at tick: EventTime, deltas: inout [Delta]) {
        let index = Int(slot)
        let record = records[index]
        var deadline: EventTime
        if record.knownSince <= tick {
            prune(record.traces, tick: tick)
            let filters = recordFilters
            recordLists.prune(record.records) { filters.bound($0, floor: tick) }
            deadline = evaluator.evaluate(
                record,
                slot: slot,
                at: tick,
                traceLists: traceLists,
                recordLists: recordLists,
                propertyLists: propertyLists,
                uploads: uploads
            )
            takeMemberships(of: slot, deltas: &deltas)
        } else {
            // Nobody knows the user yet: an event from the future waits.
            deadline = record.knownSince
        }
        if deadline < records[index].scheduled {
            records[index].scheduled = deadline
            deadlines.push(deadline, slot)
        }
    }

    private mutating func takeMemberships(of slot: UserSlot, deltas: inout [Delta]) {
        for word in 0..<membership.wordsPerUser {
            let bits = evaluator.memberBits(word: word)
            var changed = bits ^ membership.row(slot, word: word)
            if changed != 0 { markUnsaved(slot) }
            while changed != 0 {
                let bit = changed.trailingZeroBitCount
                let isIn = bits >> UInt64(bit) & 1 != 0
                membership.set(slot, cohort: word * 64 + bit, to: isIn)
                deltas.append(Delta(cohort: word * 64 + bit, slot: slot, entered: isIn))
                changed &= changed - 1
            }
        }
    }

    private mutating func prune(_ row: TraceLists.Row, tick: EventTime) {
        let entries = traceLists.entries(row)
        for index in 0..<entries.count {
            let horizon = filters.horizon(entries[index].trace)
            traceLists.prune(&entries[index], bound: tick.milliseconds - horizon)
        }
    }
}
