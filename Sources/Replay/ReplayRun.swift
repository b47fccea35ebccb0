package import Basics
package import Cohorts
package import Configuration
package import Engine
package import Events

/// A line, or an element of a line's batch, that was refused.
package struct ReplayReject: Sendable {
    /// Counts from 1.
    package var line: Int
    /// Position in a batch, from 0; nil where the line is no batch or was refused whole.
    package var index: Int?
    /// Why.
    package var reason: RejectReason
    /// For a person.
    package var text: String
}

/// Runs the engine over JSON Lines on event time: the daemon's very own code with a file in the place of the
/// log.
///
/// Lines are given in file order; ticks happen in between, each after every line that arrived not later. The
/// caller takes deltas and rejects through two closures and members at the end.
package struct ReplayRun: ~Copyable {
    /// The engine; its membership is that of the last tick.
    package private(set) var shard: Shard
    private var decoder: EventDecoder
    private var schedule: TickSchedule
    private let usersMax: Int
    /// Ticks come only after all lines.
    private let unordered: Bool
    private var newestArrival: EventTime?
    private var lastArrival: EventTime?
    private var deltas: [Delta] = []

    /// Whether deltas are given in their order; false is for whoever only counts them, and does as the daemon does.
    package var sortsDeltas = true
    /// Called before every tick, for those who time ticks.
    package var beforeTick: (() -> Void)?
    /// Events seen, whatever became of them.
    package private(set) var eventCount = 0
    /// Events refused.
    package private(set) var rejectedCount = 0
    /// Ticks done.
    package private(set) var tickCount = 0
    /// Events dropped as duplicates up to the last tick.
    package var duplicateCount: Int { shard.counters.deduplicated }

    /// A replay of which nothing was read yet.
    package init(
        plan: Plan,
        settings: ReplayConfiguration,
        schedule: TickSchedule.Rule,
        unordered: Bool
    ) {
        var shardSettings = ShardSettings(settings)
        shardSettings.keepsChanges = false
        shard = Shard(plan: plan, settings: shardSettings)
        decoder = EventDecoder(
            extraction: plan.extraction,
            eventBytesMax: settings.eventBytesMax,
            futureMax: settings.limits.futureMaxMilliseconds
        )
        self.schedule = TickSchedule(schedule)
        usersMax = settings.limits.usersMax
        self.unordered = unordered
    }

    /// Reads one line, without its LF.
    ///
    /// - Parameters:
    ///   - line: Borrowed for the call.
    ///   - number: The line's number, from 1.
    ///   - reject: Called for every event that is refused.
    ///   - ticked: Called after every tick with its deltas, sorted by bytes of cohort, then of user (``sortsDeltas``); borrowed.
    package mutating func read(
        line: ByteView,
        number: Int,
        reject: (ReplayReject) -> Void,
        ticked: (borrowing Shard, EventTime, [Delta]) -> Void
    ) {
        if line.isWhiteSpace { return }
        if case .rejected(let reason) = decoder.begin(line, source: .replay) {
            eventCount += 1
            rejectedCount += 1
            reject(ReplayReject(line: number, index: nil, reason: reason, text: decoder.rejectText))
            return
        }
        while let outcome = decoder.next(previousArrival: newestArrival) {
            eventCount += 1
            var reason: RejectReason?
            switch outcome {
            case .rejected(let why): reason = why
            case .filtered(let arrival):
                if let arrival { newestArrival = max(newestArrival ?? arrival, arrival) }
            case .event(let event): reason = take(event, ticked: ticked)
            }
            if let reason {
                rejectedCount += 1
                let text =
                    reason == .usersMax
                    ? "a new user beyond limits.users_max (\(usersMax))" : decoder.rejectText
                reject(
                    ReplayReject(
                        line: number,
                        index: decoder.isBatch ? decoder.elementIndex : nil,
                        reason: reason,
                        text: text
                    )
                )
            }
        }
    }

    /// Puts users into a cohort's list before the first line, known at every tick.
    package mutating func upload(_ id: ByteView, cohort: Int) {
        shard.upload(id, cohort: cohort, isIn: true, at: .distantPast)
    }

    /// Does what is left to do after the last line: the ticks up to the last.
    package mutating func finish(ticked: (borrowing Shard, EventTime, [Delta]) -> Void) {
        if schedule.pending == nil, let lastArrival { schedule.arrived(lastArrival) }
        while let instant = schedule.due(afterLast: lastArrival) { tick(instant, ticked: ticked) }
        shard.settle()
    }

    /// The members of a cohort at the last tick, by bytes; lent until the run goes on.
    package func members(cohort: Int) -> [ByteView] {
        var ids: [ByteView] = []
        ids.reserveCapacity(shard.memberCount(cohort: cohort))
        shard.forEachMember(cohort: cohort) { ids.append(shard.userID($0)) }
        ids.sort { $0.precedes($1) }
        return ids
    }

    private mutating func take(
        _ event: EventView,
        ticked: (borrowing Shard, EventTime, [Delta]) -> Void
    ) -> RejectReason? {
        // A rejected event moves neither the running maximum nor the ticks.
        if shard.wouldExceedUsers(event) { return .usersMax }
        newestArrival = event.arrival
        // The first arrival may decide the first tick, which `until` may put before that very arrival.
        schedule.arrived(event.arrival)
        if !unordered {
            while let instant = schedule.due(before: event.arrival) {
                tick(instant, ticked: ticked)
            }
        }
        if let pending = schedule.pending { shard.raiseFloor(to: pending) }
        lastArrival = event.arrival
        return shard.apply(event) == .usersMax ? .usersMax : nil
    }

    private mutating func tick(
        _ instant: EventTime,
        ticked: (borrowing Shard, EventTime, [Delta]) -> Void
    ) {
        beforeTick?()
        deltas.removeAll(keepingCapacity: true)
        shard.tick(instant, deltas: &deltas)
        tickCount += 1
        if sortsDeltas { shard.sortByCohortAndUser(&deltas) }
        ticked(shard, instant, deltas)
        schedule.done(instant)
    }
}
