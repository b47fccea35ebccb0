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
        precondition(!isTicking, "the last tick is not over")
        settle()
        synced.removeAll()
        floor = tick
        lastTick = tick
        deadlines.advance(to: tick)
        evaluator.prepare(tick)
        // Who is touched from now on waits for the next tick.
        swap(&owed, &touched)
        touchedMark ^= Self.touchedMarks
        nextOwed = 0
        isTicking = true
    }

    /// Does the next slice of the tick that was begun.
    ///
    /// - Parameters:
    ///   - usersMax: The most users to look at.
    ///   - deltas: Receives the changes of this slice, and of users who were settled since the last.
    /// - Returns: Whether the tick is over.
    public mutating func continueTick(users usersMax: Int, deltas: inout [Delta]) -> Bool {
        settle()
        deltas += settledDeltas
        settledDeltas.removeAll(keepingCapacity: true)
        guard isTicking, let tick = lastTick else { return true }
        var left = usersMax
        while left > 0 {
            if nextDue == due.count {
                due.removeAll(keepingCapacity: true)
                nextDue = 0
                guard takeDue(&left) else { break }
                continue
            }
            let places = nextDue..<nextDue + min(left, Self.usersFetched, due.count - nextDue)
            fetchRecords(places, ahead: due.count) { due[$0].slot }
            fetchDue(places, tick)
            lookAtDue(places, tick, deltas: &deltas)
            nextDue = places.upperBound
            left -= places.count
        }
        while left > 0, nextOwed < owed.count {
            let places = nextOwed..<nextOwed + min(left, Self.usersFetched, owed.count - nextOwed)
            fetchRecords(places, ahead: owed.count) { owed.slot($0) }
            for place in places { fetchTouched(place) }
            for place in places {
                let slot = owed.slot(place)
                // Whoever was settled meanwhile stands there no more.
                guard users[slot].place(inListOf: owedMark) == place else { continue }
                evaluate(slot, at: place, tick, deltas: &deltas)
            }
            nextOwed = places.upperBound
            left -= places.count
        }
        takeMemberships(tick, deltas: &deltas)
        // Where as many were looked at as may be, the next slice finds out whether there are more.
        guard left > 0 else { return false }
        owed.removeAll()
        isTicking = false
        counters.dedupeShortened = dedupe.shortened
        return true
    }

    /// Takes a few of those that are due out of the wheel; gives whether there may be any.
    ///
    /// - `left`: A block of which nobody is due costs about as much as looking at a user.
    private mutating func takeDue(_ left: inout Int) -> Bool {
        while left > 0, due.count < 4 * Self.usersFetched {
            guard deadlines.takeDue(into: &due) else { return due.count > 0 }
            left -= 1
        }
        return true
    }

    /// Looks at users whose entries in the wheel are due.
    ///
    /// Most of them are done with when their deadlines are read; whose rows are needed too, for them it waits until those
    /// of all are asked for.
    private mutating func lookAtDue(
        _ places: Range<Int>,
        _ tick: EventTime,
        deltas: inout [Delta]
    ) {
        // A bit for each.
        var waiting: UInt64 = 0
        for place in places {
            let entry = due[place]
            let slot = entry.slot
            // An entry that was replaced by an earlier one says nothing any more.
            guard users[slot].scheduled == entry.instant else { continue }
            users[slot].scheduled = .distantFuture
            // Who was touched as well is looked at once, for both.
            if users[slot].place(inListOf: owedMark) != nil { continue }
            if turnDue(slot, tick, deltas: &deltas) { continue }
            waiting |= 1 << UInt64(place - places.lowerBound)
            fetchSources(slot, tick)
        }
        while waiting != 0 {
            let place = places.lowerBound + waiting.trailingZeroBitCount
            waiting &= waiting - 1
            evaluate(due[place].slot, at: nil, tick, deltas: &deltas)
        }
    }

    /// Turns the conditions of a user whose deadlines are due, where all of them are decided, so that nothing but them need
    /// be read; else changes nothing and gives false.
    private mutating func turnDue(
        _ slot: UserSlot,
        _ tick: EventTime,
        deltas: inout [Delta]
    ) -> Bool {
        let record = users[slot]
        guard record.isEvaluated, record.knownSince <= tick else { return false }
        let due = deadlineLists.due(record.deadlines, tick)
        for deadline in due {
            guard deadline.isPast(at: tick.milliseconds),
                users.rows.turns(deadline.condition, slot),
                !evaluator.prunes(deadline.condition)
            else { return false }
        }
        if !due.isEmpty {
            for deadline in due { turn(deadline.condition, slot) }
            deadlineLists.drop(due.count, of: &users[slot].deadlines)
            takeMembership(slot, tick, isFirst: false, deltas: &deltas)
        }
        schedule(slot, tick, deadlineLists.earliest(users[slot].deadlines))
        return true
    }

    /// Turns a condition of a user that is decided and whose deadline has passed.
    private mutating func turn(_ condition: Int, _ slot: UserSlot) {
        users.rows.turn(condition, slot)
        programs.note(flipped: 1 << UInt64(condition % 64), word: condition / 64)
    }

    /// Evaluates a user whose tick is still owed, before an event changes anything of it.
    mutating func settleTick(of slot: UserSlot) {
        guard isTicking, let tick = lastTick else { return }
        let isDue = users[slot].scheduled <= tick
        let place = users[slot].place(inListOf: owedMark)
        guard isDue || place != nil else { return }
        var deltas = settledDeltas
        settledDeltas = []
        if isDue { users[slot].scheduled = .distantFuture }
        evaluate(slot, at: place, tick, deltas: &deltas)
        takeMemberships(tick, deltas: &deltas)
        settledDeltas = deltas
    }

    /// How many users' memory is asked for together: about as many lines as a core waits for at one time.
    private static var usersFetched: Int { 16 }

    /// Asks for what says where the memory of users is: of those who come next, and where these are the first, of them.
    ///
    /// - `ahead`: How many places there are.
    @inline(__always)
    private func fetchRecords(_ places: Range<Int>, ahead: Int, _ slot: (Int) -> UserSlot) {
        let first = places.lowerBound == 0 ? 0 : places.upperBound
        for place in first..<min(places.upperBound + Self.usersFetched, ahead) {
            users.rows.prefetch(slot(place))
        }
    }

    /// Asks for what users have of the conditions that are due.
    @inline(__always)
    private func fetchDue(_ places: Range<Int>, _ tick: EventTime) {
        for place in places {
            deadlineLists.prefetchEarliest(users[due[place].slot].deadlines)
        }
        for place in places {
            let slot = due[place].slot
            for deadline in deadlineLists.due(users[slot].deadlines, tick) {
                users.rows.prefetchTruth(slot, word: deadline.condition / 64)
            }
            users.rows.prefetchMemberships(slot)
        }
    }

    /// Asks for the lists that the due conditions of a user read.
    @inline(__always)
    private func fetchSources(_ slot: UserSlot, _ tick: EventTime) {
        let record = users[slot]
        var kinds: UserListKinds = record.isEvaluated ? [] : .all
        for deadline in deadlineLists.due(record.deadlines, tick) {
            let condition = deadline.condition
            kinds.formUnion(evaluator.lists(of: 1 << UInt64(condition % 64), word: condition / 64))
        }
        fetchLists(kinds, of: record)
        // Where what is put off goes.
        deadlineLists.prefetchOthers(record.deadlines)
    }

    /// Asks for what the look at a touched user reads, by the place among the touched.
    ///
    /// What only its due conditions read is left out: few have any, and to see which is to wait for everyone's deadlines.
    @inline(__always)
    private func fetchTouched(_ place: Int) {
        let slot = owed.slot(place)
        let record = users[slot]
        deadlineLists.prefetchEarliest(record.deadlines)
        deadlineLists.prefetchOthers(record.deadlines)
        users.rows.prefetchBits(slot)
        var kinds: UserListKinds = record.isEvaluated ? [] : .all
        let asked = owed.bits(place)
        for word in 0..<evaluator.feeds.words where asked[word] != 0 {
            kinds.formUnion(evaluator.lists(of: asked[word], word: word))
        }
        fetchLists(kinds, of: record)
    }

    /// Asks for some of what is kept of a user.
    @inline(__always)
    private func fetchLists(_ kinds: UserListKinds, of record: UserRecord) {
        if kinds.contains(.times) { traceLists.prefetch(record.traces) }
        if kinds.contains(.records) { recordLists.prefetch(record.records) }
        if kinds.contains(.properties) { propertyLists.prefetch(record.properties) }
    }

    /// Looks at what may have changed of a user; ``takeMemberships(_:deltas:)`` makes memberships of
    /// it, which happens at once only where there is no room for more users.
    ///
    /// - `place`: Where the user stands among the touched; nil = nowhere.
    private mutating func evaluate(
        _ slot: UserSlot,
        at place: Int?,
        _ tick: EventTime,
        deltas: inout [Delta]
    ) {
        users[slot].touched = 0
        guard users[slot].knownSince <= tick else {
            // Nobody knows the user yet: an event from the future waits.
            schedule(slot, tick, users[slot].knownSince.milliseconds)
            return
        }
        let words = evaluator.feeds.words
        let row = users.rows.truth(slot)
        let isFirst = !users[slot].isEvaluated
        // Whether conditions are looked at that may have a deadline in the list.
        var hasOld = false
        var isTouched = isFirst
        var (isDue, isTurned) = (false, false)
        if isFirst {
            users[slot].isEvaluated = true
            users.rows.decideAll(slot)
            deadlineLists.clear(&users[slot].deadlines)
            evaluator.beginAnew(
                users[slot],
                truth: row,
                traceLists: traceLists,
                recordLists: recordLists
            )
        } else {
            evaluator.begin()
            if let place {
                let asked = owed.bits(place)
                for word in 0..<words where asked[word] != 0 {
                    let bits = asked[word]
                    isTouched = true
                    if users.rows.withDeadline(bits, slot, word: word) != 0 { hasOld = true }
                    evaluator.look(at: bits, word: word)
                }
            }
            (isDue, isTurned) = takeDue(slot, tick)
        }
        if isTouched || isDue {
            isTurned =
                evaluator.evaluate(
                    users[slot],
                    slot: slot,
                    at: tick,
                    truth: row,
                    decided: row + words,
                    traceLists: traceLists,
                    recordLists: recordLists,
                    propertyLists: propertyLists,
                    uploads: uploads
                ) { programs.note(flipped: $1, word: $0) } || isTurned
            deadlineLists.update(
                &users[slot].deadlines,
                lookedAt: hasOld ? evaluator.lookedAt : nil,
                adding: evaluator.sortedDeadlines()
            )
            if noteSynced(isFirst: isFirst) { isTurned = true }
        } else if users[slot].deadlines.count == 0 {
            deadlineLists.clear(&users[slot].deadlines)
        }
        if isFirst || isTurned { takeMembership(slot, tick, isFirst: isFirst, deltas: &deltas) }
        schedule(slot, tick, deadlineLists.earliest(users[slot].deadlines))
    }

    /// Turns the conditions that are decided and whose deadline is here, and adds the others with one to those to look at;
    /// gives whether there are any of either.
    private mutating func takeDue(
        _ slot: UserSlot,
        _ tick: EventTime
    ) -> (isDue: Bool, isTurned: Bool) {
        var (isDue, isTurned) = (false, false)
        while let deadline = deadlineLists.takeDue(&users[slot].deadlines, tick) {
            let condition = deadline.condition
            if deadline.isPast(at: tick.milliseconds), users.rows.turns(condition, slot) {
                turn(condition, slot)
                isTurned = true
            } else {
                evaluator.look(at: condition)
                isDue = true
            }
            if evaluator.prunes(condition) { prune(slot, condition: condition, tick) }
        }
        return (isDue, isTurned)
    }

    /// Drops what left the windows of a condition that is due.
    ///
    /// Between events there is no other chance to give memory back.
    private mutating func prune(_ slot: UserSlot, condition: Int, _ tick: EventTime) {
        for number in 0..<evaluator.sourceCount(of: condition) {
            switch evaluator.source(number, of: condition) {
            case .times(let trace):
                traceLists.prune(
                    &users[slot].traces,
                    trace: trace,
                    bound: tick.milliseconds - filters.horizon(trace)
                )
            case .records(let trace):
                recordLists.prune(
                    users[slot].records,
                    trace: trace,
                    bound: recordFilters.bound(trace, floor: tick)
                )
            }
        }
    }

    /// Sees to it that a user who was just looked at is looked at again at the first tick from `instant` on, unless it
    /// is sooner.
    private mutating func schedule(_ slot: UserSlot, _ tick: EventTime, _ instant: Int64) {
        // Deadlines are rounded down, maybe to this tick. But whoever was looked at is done with it: a second look,
        // between two slices, would see events that came after it.
        let instant = max(instant, tick.milliseconds + 1)
        if instant < users[slot].scheduled.milliseconds {
            users[slot].scheduled = EventTime(milliseconds: instant)
            deadlines.push(EventTime(milliseconds: instant), slot)
        }
    }

    /// Works out the cohorts of a user who was looked at, now or together with others.
    private mutating func takeMembership(
        _ slot: UserSlot,
        _ tick: EventTime,
        isFirst: Bool,
        deltas: inout [Delta]
    ) {
        if !isFirst,
            let isChanged = programs.runAlone(
                slot,
                feeds: evaluator.feeds,
                rows: &users.rows,
                deltas: &deltas
            )
        {
            if isChanged { markUnsaved(slot) }
            return
        }
        programs.add(slot, isAnew: isFirst)
        if programs.isFull { takeMemberships(tick, deltas: &deltas) }
    }

    /// Works out the cohorts of the users who were looked at, and reports what changed.
    private mutating func takeMemberships(_ tick: EventTime, deltas: inout [Delta]) {
        if programs.count == 0 { return }
        var changed = programs.run(
            feeds: evaluator.feeds,
            rows: &users.rows,
            deltas: &deltas
        )
        while changed != 0 {
            markUnsaved(programs.slot(changed.trailingZeroBitCount))
            changed &= changed - 1
        }
        noteValues(at: tick)
        programs.removeAll()
    }
}
