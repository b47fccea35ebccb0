public import Basics
import Cohorts

extension Shard {
    /// Moves time to `tick`: everyone whose membership changed by events since the last tick or by the clock
    /// is reported.
    ///
    /// - Parameters:
    ///   - tick: Not before ``floor``, and later than the last tick.
    ///   - deltas: Receives the changes, in no meaningful order; the caller owns and clears it.
    /// - Complexity: O(users touched + users due), of each the conditions that may have changed.
    public mutating func tick(_ tick: EventTime, deltas: inout [Delta]) {
        beginTick(tick)
        _ = continueTick(users: .max, deltas: &deltas)
    }

    /// Begins a tick that ``continueTick(users:deltas:)`` does slice by slice, so that events need not wait for
    /// all of it.
    ///
    /// Between slices events may be applied. A user whose tick is still owed is evaluated before the first event is,
    /// so any slicing gives the same deltas as ``tick(_:deltas:)``.
    public mutating func beginTick(_ tick: EventTime) {
        precondition(tick >= floor, "tick \(tick.rfc3339) before the floor \(floor.rfc3339)")
        if let lastTick {
            precondition(tick > lastTick, "tick \(tick.rfc3339) is not after the last")
        }
        precondition(rebuild == nil, "a tick during a rebuild")
        precondition(owed.isEmpty, "the last tick is not over")
        settle()
        synced.removeAll()
        floor = tick
        lastTick = tick
        deadlines.takeDue(at: tick, into: &due)
        for place in due.indices {
            if place % Self.usersFetched == 0 {
                for next in due[place..<min(place + Self.usersFetched, due.count)] {
                    records.prefetch(Int(next.slot))
                }
            }
            let entry = due[place]
            let index = Int(entry.slot)
            // An entry that was replaced by an earlier one says nothing any more.
            guard records[index].scheduled == entry.instant else { continue }
            records[index].scheduled = .distantFuture
            touch(entry.slot)
        }
        due.removeAll(keepingCapacity: true)
        evaluator.prepare(tick)
        owed = 0..<touched.count
    }

    /// Does the next slice of the tick that was begun.
    ///
    /// - Parameters:
    ///   - users: The most users to look at.
    ///   - deltas: Receives the changes of this slice, and of users who were settled since the last.
    /// - Returns: Whether the tick is over.
    public mutating func continueTick(users: Int, deltas: inout [Delta]) -> Bool {
        settle()
        deltas += settledDeltas
        settledDeltas.removeAll(keepingCapacity: true)
        guard let tick = lastTick else { return true }
        let last = owed.lowerBound + min(users, owed.count)
        while owed.lowerBound < last {
            let places = owed.lowerBound..<min(owed.lowerBound + Self.usersFetched, last)
            fetch(places)
            for place in places where isOwed(place) {
                evaluate(at: place, tick, deltas: &deltas)
            }
            owed = places.upperBound..<owed.upperBound
        }
        guard owed.isEmpty else { return false }
        // Who was touched since the tick began waits for the next one.
        touched.removeFirst(owed.upperBound)
        for place in 0..<touched.count {
            records[Int(touched.slots[place])].touched = UInt32(place + 1)
        }
        owed = 0..<0
        counters.dedupeShortened = dedupe.shortened
        return true
    }

    /// Evaluates a user whose tick is still owed, before an event changes anything of it.
    mutating func settleTick(of slot: UserSlot) {
        let place = Int(records[Int(slot)].touched) - 1
        guard let tick = lastTick, owed.contains(place) else { return }
        var deltas = settledDeltas
        settledDeltas = []
        evaluate(at: place, tick, deltas: &deltas)
        settledDeltas = deltas
    }

    /// Whether the user at a place of the touched was not settled meanwhile.
    private func isOwed(_ place: Int) -> Bool {
        records[Int(touched.slots[place])].touched == UInt32(place + 1)
    }

    /// How many users' memory is asked for together: about as many lines as a core waits for at one time.
    private static var usersFetched: Int { 16 }

    /// Asks for the memory that evaluating these touched users will read.
    private func fetch(_ places: Range<Int>) {
        for place in places {
            let index = Int(touched.slots[place])
            records.prefetch(index)
            if evaluator.feeds.words > 0 { truth.prefetch(index * evaluator.feeds.words) }
            membership.prefetch(touched.slots[place])
        }
        for place in places {
            let record = records[Int(touched.slots[place])]
            traceLists.prefetch(record.traces)
            recordLists.prefetch(record.records)
            deadlineLists.prefetch(record.deadlines)
        }
    }

    /// Looks at what may have changed of the touched user at a place.
    private mutating func evaluate(at place: Int, _ tick: EventTime, deltas: inout [Delta]) {
        let slot = touched.slots[place]
        let index = Int(slot)
        records[index].touched = 0
        guard records[index].knownSince <= tick else {
            // Nobody knows the user yet: an event from the future waits.
            schedule(slot, records[index].knownSince.milliseconds)
            return
        }
        let words = evaluator.feeds.words
        let isFirst = !records[index].isEvaluated
        if isFirst {
            records[index].isEvaluated = true
            evaluator.beginAnew(
                records[index],
                traceLists: traceLists,
                recordLists: recordLists
            )
        } else {
            for word in 0..<words {
                evaluator.begin(truth: word, truth[index * words + word])
                evaluator.look(at: touched.bits(place, word: word), word: word)
            }
            for deadline in deadlineLists.deadlines(records[index].deadlines)
            where deadline.instant <= tick.milliseconds {
                evaluator.look(at: deadline.condition)
                prune(slot, condition: deadline.condition, tick)
            }
        }
        let firstDelta = deltas.count
        if isFirst || evaluator.looksAtAny {
            let isFlipped = evaluator.evaluate(
                records[index],
                slot: slot,
                at: tick,
                traceLists: traceLists,
                recordLists: recordLists,
                propertyLists: propertyLists,
                uploads: uploads
            )
            deadlineLists.update(&records[index].deadlines, after: evaluator)
            if isFirst || isFlipped {
                for word in 0..<words {
                    truth[index * words + word] = evaluator.truthBits(word: word)
                }
                if !isFirst {
                    for word in 0..<membership.wordsPerUser {
                        evaluator.setMemberBits(membership.row(slot, word: word), word: word)
                    }
                }
                evaluator.runPrograms()
                takeMemberships(of: slot, deltas: &deltas)
            }
            if !synced.cohorts.isEmpty {
                noteValues(
                    of: slot,
                    at: tick,
                    isFirst: isFirst,
                    deltas: deltas,
                    from: firstDelta
                )
            }
        }
        var next = EventTime.distantFuture.milliseconds
        for deadline in deadlineLists.deadlines(records[index].deadlines)
        where deadline.instant < next {
            next = deadline.instant
        }
        schedule(slot, next)
    }

    /// Drops what left the windows of a condition that is due.
    ///
    /// Between events there is no other chance to give memory back.
    private mutating func prune(_ slot: UserSlot, condition: Int, _ tick: EventTime) {
        switch evaluator.source(of: condition) {
        case .none: break
        case .times(let trace):
            traceLists.prune(
                &records[Int(slot)].traces,
                trace: trace,
                bound: tick.milliseconds - filters.horizon(trace)
            )
        case .records(let trace):
            recordLists.prune(
                records[Int(slot)].records,
                trace: trace,
                bound: recordFilters.bound(trace, floor: tick)
            )
        }
    }

    /// Sees to it that a user is looked at at the first tick from `instant` on, unless it is sooner.
    private mutating func schedule(_ slot: UserSlot, _ instant: Int64) {
        if instant < records[Int(slot)].scheduled.milliseconds {
            records[Int(slot)].scheduled = EventTime(milliseconds: instant)
            deadlines.push(EventTime(milliseconds: instant), slot)
        }
    }

    /// Takes over what the evaluation found, and reports what changed.
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
}
