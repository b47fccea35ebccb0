public import Basics
public import Cohorts
import Events

/// One partition's users, what is remembered of them, and who is in which cohort.
///
/// A plain synchronous type driven by one thread; time comes in with events and ticks. Invariants:
/// - membership at a tick T is a function of the plan and of the accepted events with t ≤ T, in any order
///   of arrival (the order of offsets decides only between assignments of one time and between duplicates)
/// - ``floor`` is a lower bound of every tick to come; what no such tick can see is forgotten
/// - a user whose truth could change by the clock alone has an entry in the wheel of deadlines that is not
///   later than that change
/// - after a tick, the bit sets equal an evaluation of all users at that tick
///
/// ```
/// event ─► traces it matches ─► group ─► dedupe ─► user's record ─► times, properties ─► touched
/// tick  ─► due and touched users ─► their changed conditions ─► programs ─► bits, deltas, next deadline
/// ```
public struct Shard: ~Copyable {
    /// What is kept of every user, of whatever plan, besides the id.
    struct UserRecord {
        /// The earliest event; far future where there was none.
        var firstSeen = EventTime.distantFuture
        /// The earliest event or identify.
        var knownSince = EventTime.distantFuture
        /// The live entry in the wheel of deadlines; far future where there is none.
        var scheduled = EventTime.distantFuture
        var traces = SlabRow()
        var records = SlabRow()
        var properties = SlabRow()
        var deadlines = SlabRow()
        /// One more than the ``place``, with the mark of the list; 0 = is in none.
        var touched: UInt32 = 0
        /// Conditions were evaluated before, so that only those that something changed need another look.
        var isEvaluated = false
        /// Is in the list of users whose row is not in a snapshot yet.
        var isUnsaved = false
        /// A trace lost times to the limit.
        var isApproximate = false

        /// The place among the users to look at, of one who is in a list of them.
        var place: Int { Int(touched & ~Shard.touchedMarks) - 1 }

        /// The place in the list of a mark; nil where the user is not in it.
        @inline(__always)
        func place(inListOf mark: UInt32) -> Int? {
            touched > 0 && touched & Shard.touchedMarks == mark ? place : nil
        }
    }

    /// The plan that is run.
    public let plan: Plan
    let settings: ShardSettings
    /// No tick before this instant will come.
    public internal(set) var floor: EventTime = .distantPast
    /// The last tick; nil before the first.
    public internal(set) var lastTick: EventTime?
    /// What was counted.
    public internal(set) var counters = ShardCounters()

    var users: UserTable
    var traceLists = TraceLists()
    var recordLists: RecordLists
    var propertyLists = PropertyLists()
    var uploads = Uploads()
    /// The cohorts that have a list of uploaded users, by index in the plan.
    public let uploadLists: [Int]
    var eventTimes = EventTimes()
    var names = PropertyNames()
    var dedupe: DedupeSet
    var deadlines = DeadlineWheel()
    /// A few entries of the wheel that the tick that was begun found due, and which of them it looks at next.
    var due: [DeadlineWheel.Entry] = []
    var nextDue = 0
    var deltaOrder: DeltaOrder
    var staged = StagedEvents()
    /// Whom events have touched since the last tick began.
    var touched: TouchedUsers
    /// What records hold of the places among ``touched`` besides: the two lists change places, and so do their marks.
    var touchedMark: UInt32 = 0
    static let touchedMarks: UInt32 = 1 << 31
    /// What records hold of the places among ``owed`` besides.
    var owedMark: UInt32 { touchedMark ^ Self.touchedMarks }
    /// Whom the tick that was begun looks at, and the place that is next.
    var owed: TouchedUsers
    var nextOwed = 0
    /// Whether a tick was begun that is not over.
    var isTicking = false
    /// Changes of users who were settled between slices of a tick.
    var settledDeltas: [Delta] = []
    var unsaved: [UserSlot] = []
    /// When every user's conditions may change by the clock alone.
    var deadlineLists = DeadlineLists()
    var evaluator: Evaluator
    /// Makes memberships of what was evaluated.
    var programs: CohortPrograms
    let types: EventTypes
    let filters: TraceFilters
    let recordFilters: RecordFilters
    /// Numbers of the names whose whole history is kept.
    let historicNames: Set<UInt32>
    /// Values for syncs, as the last tick found them.
    var synced: SyncedValues
    /// Whether ticks that begin note values for ``forEachSyncedChange(_:)``; false is for whoever reads everyone's
    /// values after the tick anyway, which spares a copy of them.
    public var reportsValues = true
    /// The result of the last property operation.
    var operationResult: [UInt8] = []
    /// Dedupe entries that are not in a snapshot yet.
    var unsavedDedupe: [DedupeSet.Entry] = []
    /// How many names are in a snapshot.
    var savedNames = 0
    var rebuild: Rebuild?
    /// What the state lacks of the plan until ``finishRebuild()``: nobody is in the cohorts that look at it, and no tick
    /// says a word of them.
    public internal(set) var missing = MissingTraces() {
        didSet { programs.mute(missing.cohorts) }
    }

    /// An empty shard.
    public init(plan: Plan, settings: ShardSettings) {
        self.plan = plan
        self.settings = settings
        dedupe = DedupeSet(
            window: settings.dedupeWindow,
            slack: settings.dedupeSlack,
            entriesMax: settings.dedupeEntriesMax
        )
        deltaOrder = DeltaOrder(cohorts: plan.cohorts.count)
        let types = EventTypes(plan: plan)
        filters = TraceFilters(plan: plan, types: types)
        recordFilters = RecordFilters(plan: plan, types: types)
        self.types = types
        recordLists = RecordLists(plan: plan)
        uploadLists = plan.uploadLists
        let evaluator = Evaluator(plan: plan, names: &names)
        historicNames = evaluator.historicNames
        touched = TouchedUsers(words: evaluator.feeds.words)
        owed = TouchedUsers(words: evaluator.feeds.words)
        let synced = SyncedValues(plan: plan, names: &names)
        programs = CohortPrograms(
            plan: plan,
            feeds: evaluator.feeds,
            reported: synced.cohorts.map(\.index)
        )
        self.synced = synced
        users = UserTable(
            rows: UserRows(rest: evaluator.truthOfNothing, cohorts: plan.cohorts.count)
        )
        self.evaluator = evaluator
    }

    /// How many users were ever seen, those of events that were taken and not applied yet left out.
    public var userCount: Int { users.count }

    /// The id of a user, lent until the shard is changed: whatever settles events may add users.
    public func userID(_ slot: UserSlot) -> ByteView { users.id(slot) }

    /// How many members a cohort had at the last tick.
    public func memberCount(cohort: Int) -> Int { users.rows.memberCounts[cohort] }

    /// Calls `body` with every member of a cohort at the last tick, in no meaningful order.
    ///
    /// - Complexity: O(users).
    public func forEachMember(cohort: Int, _ body: (UserSlot) -> Void) {
        users.rows.forEachMember(of: [cohort]) { body($1) }
    }

    /// The same of several cohorts for little more than the price of one: gets the place in `cohorts` too.
    public func forEachMember(
        of cohorts: [Int],
        _ body: (_ place: Int, _ slot: UserSlot) -> Void
    ) {
        users.rows.forEachMember(of: cohorts, body)
    }

    /// Whether a user was a member at the last tick.
    public func isMember(_ slot: UserSlot, cohort: Int) -> Bool {
        users.rows.isMember(slot, cohort: cohort)
    }

    /// Bytes of memory held for users, truth, memberships, traces, properties and duplicates.
    public var bytesReserved: Int {
        users.bytesReserved + traceLists.slab.bytesReserved
            + propertyLists.slab.bytesReserved + dedupe.bytesReserved
    }

    /// Promises that no tick before `instant` will come, so that what it could not see is forgotten at once.
    public mutating func raiseFloor(to instant: EventTime) {
        floor = max(floor, instant)
    }

    /// Notes that a user was uploaded to a cohort's list, or taken out of it, from `time` on.
    ///
    /// An upload makes a user known, and is taken however many users there are. Where `cohort` is nil, one that
    /// no definition has, that is all it does.
    public mutating func upload(_ id: ByteView, cohort: Int?, isIn: Bool, at time: EventTime) {
        settle()
        let hash = Hashing.hash64(id)
        let slot = users.find(id, hash: hash) ?? users.insert(id, hash: hash)
        settleTick(of: slot)
        users[slot].knownSince = min(users[slot].knownSince, time)
        touch(slot)
        if let cohort {
            uploads.note(slot, cohort: cohort, isIn: isIn, at: time, floor: floor)
            touch(slot, for: evaluator.feeds.uploads)
        }
        markUnsaved(slot)
    }

    /// Notes that a user is to be looked at at the next tick; gives the place among the touched.
    @discardableResult
    @inline(__always)
    mutating func touch(_ slot: UserSlot) -> Int {
        if users[slot].touched > 0 { return users[slot].place }
        let place = touched.append(slot)
        users[slot].touched = UInt32(place + 1) | touchedMark
        return place
    }

    /// Notes that conditions of a user, a row of ``ConditionFeeds``, may have changed.
    mutating func touch(_ slot: UserSlot, for conditions: [UInt64]) {
        for word in conditions.indices {
            touch(slot, for: conditions[word], word: word, evenSettled: true)
        }
    }

    /// Notes that conditions of a word may have changed, but for those that further events do not change.
    ///
    /// - `isGain`: As for ``ConditionFeeds/settled(_:word:isGain:)``.
    @inline(__always)
    mutating func touch(
        _ slot: UserSlot,
        for conditions: UInt64,
        word: Int,
        evenSettled: Bool,
        isGain: Bool = false
    ) {
        var conditions = conditions
        if !evenSettled, users[slot].isEvaluated {
            users.rows.leaveOpen(conditions, slot, word: word)
            let truth = users.rows.truth(slot, word: word)
            conditions &= ~evaluator.feeds.settled(truth, word: word, isGain: isGain)
        }
        if conditions != 0 { touched.add(conditions, to: touch(slot), word: word) }
    }

    /// Notes that everything about a user is to be evaluated anew at the next tick.
    mutating func touchAnew(_ slot: UserSlot) {
        users[slot].isEvaluated = false
        touch(slot)
    }

    mutating func markUnsaved(_ slot: UserSlot) {
        guard settings.keepsChanges else { return }
        if !users[slot].isUnsaved {
            users[slot].isUnsaved = true
            unsaved.append(slot)
        }
    }
}
