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
        settle()
        floor = tick
        lastTick = tick
        deadlines.takeDue(at: tick, into: &due)
        for entry in due {
            let index = Int(entry.slot)
            // An entry that was replaced by an earlier one says nothing any more.
            guard records[index].scheduled == entry.instant else { continue }
            records[index].scheduled = .distantFuture
            touch(entry.slot)
        }
        due.removeAll(keepingCapacity: true)
        evaluator.prepare(tick)
        var place = 0
        while place < touched.count {
            let end = min(place + Self.usersFetched, touched.count)
            fetch(place..<end)
            for place in place..<end { evaluate(at: place, tick, deltas: &deltas) }
            place = end
        }
        touched.removeAll()
        counters.dedupeShortened = dedupe.shortened
    }

    /// How many users' memory is fetched together: about as many reads as a core waits for at one time.
    private static var usersFetched: Int { 16 }

    /// Reads a word of everything that evaluating these touched users will read.
    ///
    /// The reads of one loop do not depend on each other, so a core waits for all of them at once; evaluation
    /// itself would wait for one after the other.
    private mutating func fetch(_ places: Range<Int>) {
        var sum: UInt64 = 0
        for place in places { sum &+= UInt64(records[Int(touched.slots[place])].traces.block) }
        for place in places {
            let slot = touched.slots[place]
            let index = Int(slot)
            sum &+= traceLists.fetch(records[index].traces)
            sum &+= recordLists.fetch(records[index].records)
            sum &+= deadlineLists.fetch(records[index].deadlines)
            if evaluator.feeds.words > 0 { sum &+= truth[index * evaluator.feeds.words] }
        }
        // Kept, or the compiler would see that nobody needs it and read nothing.
        fetched = sum
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
                records[Int(slot)].traces,
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
