package import Basics
package import Cohorts
package import Events

/// One partition's users, what is remembered of them, and who is in which cohort.
///
/// A plain synchronous type driven by one thread; time comes in with events and ticks. Invariants:
/// - membership at a tick T is a function of the plan and of the accepted events with t ≤ T, in any order
///   of arrival (the order of offsets decides only between assignments of one time and between duplicates)
/// - ``floor`` is a lower bound of every tick to come; what no such tick can see is forgotten
/// - a user whose truth could change by the clock alone has an entry in the deadline queue that is not
///   later than that change
/// - after a tick, the bit sets equal an evaluation of all users at that tick
///
/// ```
/// event ─► dedupe ─► user's record ─► traces it matches, properties it sets ─► touched
/// tick  ─► due and touched users ─► conditions ─► programs ─► bits, deltas, next deadline
/// ```
package struct Shard: ~Copyable {
    /// What is kept of a user besides the id.
    struct UserRecord {
        /// The earliest event; far future where there was none.
        var firstSeen = EventTime.distantFuture
        /// The earliest event or identify.
        var knownSince = EventTime.distantFuture
        /// The live entry in the deadline queue; far future where there is none.
        var scheduled = EventTime.distantFuture
        var traces = TraceLists.Row()
        var records = RecordLists.Row()
        var properties = PropertyLists.Row()
        /// Is in the list of users to evaluate at the next tick.
        var isTouched = false
        /// Is in the list of users whose row is not in a snapshot yet.
        var isUnsaved = false
        /// A trace lost times to the limit.
        var isApproximate = false
    }

    /// The plan that is run.
    package let plan: Plan
    let settings: ShardSettings
    /// No tick before this instant will come.
    package internal(set) var floor: EventTime = .distantPast
    /// The last tick; nil before the first.
    package internal(set) var lastTick: EventTime?
    /// What was counted.
    package internal(set) var counters = ShardCounters()

    var users = UserTable()
    var records: [UserRecord] = []
    var traceLists = TraceLists()
    var recordLists: RecordLists
    var propertyLists = PropertyLists()
    var uploads = Uploads()
    /// The cohorts that have a list of uploaded users, by index in the plan.
    package let uploadLists: [Int]
    var eventTimes = EventTimes()
    var names = PropertyNames()
    var dedupe: DedupeSet
    var deadlines = DeadlineQueue()
    var touched: [UserSlot] = []
    var unsaved: [UserSlot] = []
    var membership: MembershipTable
    var evaluator: Evaluator
    let filters: TraceFilters
    let recordFilters: RecordFilters
    /// Numbers of the names whose whole history is kept.
    let historicNames: Set<UInt32>
    /// The result of the last property operation.
    var operationResult: [UInt8] = []
    /// Dedupe entries that are not in a snapshot yet.
    var unsavedDedupe: [DedupeSet.Entry] = []
    /// How many names are in a snapshot.
    var savedNames = 0
    var rebuild: Rebuild?

    /// An empty shard.
    package init(plan: Plan, settings: ShardSettings) {
        self.plan = plan
        self.settings = settings
        dedupe = DedupeSet(
            window: settings.dedupeWindow,
            slack: settings.dedupeSlack,
            entriesMax: settings.dedupeEntriesMax
        )
        membership = MembershipTable(cohorts: plan.cohorts.count)
        filters = TraceFilters(plan: plan)
        recordFilters = RecordFilters(plan: plan)
        recordLists = RecordLists(plan: plan)
        uploadLists = plan.cohorts.indices.filter { plan.takesUploads(cohort: $0) }
        let evaluator = Evaluator(plan: plan, names: &names)
        historicNames = evaluator.historicNames
        self.evaluator = evaluator
    }

    /// How many users were ever seen.
    package var userCount: Int { users.count }

    /// The id of a user; the view lives as long as the shard.
    package func userID(_ slot: UserSlot) -> ByteView { users[slot] }

    /// How many members a cohort had at the last tick.
    package func memberCount(cohort: Int) -> Int { membership.count(cohort: cohort) }

    /// Calls `body` with every member of a cohort at the last tick, in no meaningful order.
    package func forEachMember(cohort: Int, _ body: (UserSlot) -> Void) {
        membership.forEachMember(cohort: cohort, body)
    }

    /// Whether a user was a member at the last tick.
    package func isMember(_ slot: UserSlot, cohort: Int) -> Bool {
        membership.contains(slot, cohort: cohort)
    }

    /// Bytes of memory held for users, memberships, traces, properties and duplicates.
    package var bytesReserved: Int {
        users.bytesReserved + records.capacity * MemoryLayout<UserRecord>.stride
            + membership.bytesReserved + traceLists.slab.bytesReserved
            + propertyLists.slab.bytesReserved + dedupe.bytesReserved
    }

    /// Promises that no tick before `instant` will come, so that what it could not see is forgotten at once.
    package mutating func raiseFloor(to instant: EventTime) {
        floor = max(floor, instant)
    }

    /// Takes one event.
    ///
    /// Events come in the order of the log; their times may be in any order.
    ///
    /// - Complexity: O(traces of its type + its assignments); no heap allocation in steady state.
    package mutating func apply(_ event: borrowing EventView) -> ApplyOutcome {
        var key: (high: UInt64, low: UInt64)?
        if !event.insertID.isEmpty {
            let parts = DedupeSet.key(owner: event.dedupeOwner, insertID: event.insertID)
            if dedupe.contains(high: parts.high, low: parts.low, arrival: event.arrival) {
                return .deduplicated
            }
            key = parts
        }
        guard let slot = slot(of: event.userID) else { return .usersMax }
        if let key {
            dedupe.insert(high: key.high, low: key.low, arrival: event.arrival)
            if dedupe.window > 0, settings.keepsChanges {
                unsavedDedupe.append(
                    DedupeSet.Entry(
                        high: key.high,
                        low: key.low,
                        arrival: event.arrival.milliseconds
                    )
                )
            }
        }
        take(event, slot: slot)
        return .applied
    }

    /// Whether ``apply(_:)`` would answer ``ApplyOutcome/usersMax``.
    ///
    /// Cheap while there is room.
    package func wouldExceedUsers(_ event: borrowing EventView) -> Bool {
        guard users.count >= settings.usersMax else { return false }
        if !event.insertID.isEmpty {
            let key = DedupeSet.key(owner: event.dedupeOwner, insertID: event.insertID)
            if dedupe.contains(high: key.high, low: key.low, arrival: event.arrival) {
                return false
            }
        }
        return users.find(event.userID, hash: Hashing.hash64(event.userID)) == nil
    }

    /// Sorts deltas by bytes of cohort, then of user: the order of every list we show.
    package func sortByCohortAndUser(_ deltas: inout [Delta]) {
        deltas.sort {
            $0.cohort != $1.cohort
                ? $0.cohort < $1.cohort : users[$0.slot].precedes(users[$1.slot])
        }
    }

    private mutating func slot(of id: ByteView) -> UserSlot? {
        let hash = Hashing.hash64(id)
        if let slot = users.find(id, hash: hash) { return slot }
        guard users.count < settings.usersMax else { return nil }
        return insert(id, hash: hash)
    }

    private mutating func take(_ event: borrowing EventView, slot: UserSlot) {
        let index = Int(slot)
        if event.time < records[index].knownSince { records[index].knownSince = event.time }
        if event.kind == .event {
            if event.time < records[index].firstSeen { records[index].firstSeen = event.time }
            if settings.identifyWaits { noteEvent(at: event.time, slot: slot) }
            addToTraces(event, slot: slot, only: nil)
        }
        addToRecords(event, slot: slot, only: nil)
        if event.assignments.count > 0 { assign(event, slot: slot) }
        counters.ignoredOperations += event.ignoredOperations
        touch(slot)
        markUnsaved(slot)
    }

    /// Adds the event's time to every trace whose filter it passes.
    mutating func addToTraces(_ event: borrowing EventView, slot: UserSlot, only wanted: Set<Int>?)
    {
        let index = Int(slot)
        for candidate in filters.candidates(for: event.eventType) {
            let trace = filters.trace(at: candidate)
            if let wanted, !wanted.contains(trace) { continue }
            guard filters.matches(event, trace: trace) else { continue }
            let hitLimit = traceLists.add(
                event.time.milliseconds,
                trace: trace,
                to: &records[index].traces,
                bound: floor.milliseconds - filters.horizon(trace),
                limit: settings.eventsPerTraceMax
            )
            if hitLimit, !records[index].isApproximate {
                records[index].isApproximate = true
                counters.approximateUsers += 1
            }
        }
    }

    /// Adds the event's records to every record trace whose filter it passes.
    mutating func addToRecords(_ event: borrowing EventView, slot: UserSlot, only wanted: Set<Int>?)
    {
        guard !recordFilters.isEmpty else { return }
        let index = Int(slot)
        var hitLimit = false
        recordFilters.forEachRecord(of: event) { trace, words in
            if let wanted, !wanted.contains(trace) { return }
            let hit = recordLists.add(
                words,
                trace: trace,
                to: &records[index].records,
                bound: recordFilters.bound(trace, floor: floor),
                limit: settings.eventsPerTraceMax
            )
            hitLimit = hitLimit || hit
        }
        if hitLimit, !records[index].isApproximate {
            records[index].isApproximate = true
            counters.approximateUsers += 1
        }
    }

    /// Notes that a user was uploaded to a cohort's list, or taken out of it, from `time` on.
    ///
    /// An upload makes a user known, and is taken however many users there are. Where `cohort` is nil, one that
    /// no definition has, that is all it does.
    package mutating func upload(_ id: ByteView, cohort: Int?, isIn: Bool, at time: EventTime) {
        let hash = Hashing.hash64(id)
        let slot = users.find(id, hash: hash) ?? insert(id, hash: hash)
        records[Int(slot)].knownSince = min(records[Int(slot)].knownSince, time)
        if let cohort {
            uploads.note(
                slot,
                cohort: cohort,
                isIn: isIn,
                at: time,
                floor: floor
            )
        }
        touch(slot)
        markUnsaved(slot)
    }

    private mutating func insert(_ id: ByteView, hash: UInt64) -> UserSlot {
        records.append(UserRecord())
        membership.addUser()
        return users.insert(id, hash: hash)
    }

    mutating func touch(_ slot: UserSlot) {
        if !records[Int(slot)].isTouched {
            records[Int(slot)].isTouched = true
            touched.append(slot)
        }
    }

    mutating func markUnsaved(_ slot: UserSlot) {
        guard settings.keepsChanges else { return }
        if !records[Int(slot)].isUnsaved {
            records[Int(slot)].isUnsaved = true
            unsaved.append(slot)
        }
    }
}
