public import Basics
import Cohorts
import Events

// Values of the properties that syncs send, out of the engine.

extension Shard {
    /// Lends what the last tick, or the slices of it until now, found to leave for cohorts with
    /// ``CohortPlan/synced`` properties: who entered, and who stayed in while a value was assigned, unset or came to
    /// show since the tick before, whether it differs or not; but for what ``forgetSyncedChanges()`` forgot.
    ///
    /// Every user comes at most once for each cohort. Whoever has taken everyone's values once, by
    /// ``appendValues(of:cohort:to:)`` after a tick, and everything this lends since, has the values of all members.
    /// The order is the same in every run. There is nothing where ``reportsValues`` was false when the tick began.
    ///
    /// - `body`: Gets the index of the cohort, the user, whether it entered, and its ``PropertyCells`` in the
    ///   order of the cohort's synced properties, which live as long as the call.
    public func forEachSyncedChange(
        _ body: (_ cohort: Int, _ slot: UserSlot, _ entered: Bool, _ cells: ByteView) -> Void
    ) {
        synced.forEach(body)
    }

    /// Forgets what ``forEachSyncedChange(_:)`` has lent.
    public mutating func forgetSyncedChanges() { synced.removeAll() }

    /// Appends the ``PropertyCells`` of a user as of the last tick; nothing for a cohort without synced properties.
    ///
    /// To be asked after a tick and before the next event, which may replace what no later tick can see.
    public func appendValues(of slot: UserSlot, cohort: Int, to cells: inout [UInt8]) {
        guard let tick = lastTick,
            let cohort = synced.cohorts.first(where: { $0.index == cohort })
        else { return }
        cohort.append(users[slot].properties, at: tick, in: propertyLists, to: &cells)
    }

    /// Notes for which synced cohorts the user who was just evaluated may have other values; whether for any.
    ///
    /// The user then is the next of ``programs``.
    mutating func noteSynced(isFirst: Bool) -> Bool {
        if synced.cohorts.isEmpty || !reportsValues { return false }
        var isAny = false
        for place in synced.cohorts.indices
        where isFirst || evaluator.isLookedAt(synced.cohorts[place].condition) {
            synced.mayDiffer(programs.count, cohort: place)
            isAny = true
        }
        return isAny
    }

    /// Notes the values of the users whose cohorts were just worked out, for every cohort that they entered and every one
    /// that they stay in while a value may differ.
    mutating func noteValues(at tick: EventTime) {
        if synced.cohorts.isEmpty || !reportsValues { return }
        for user in 0..<programs.count {
            let slot = programs.slot(user)
            for place in synced.cohorts.indices {
                let cohort = synced.cohorts[place]
                guard users.rows.isMember(slot, cohort: cohort.index) else { continue }
                // A member of whom the tick reports a change is one who entered.
                let entered = programs.hasEntered(user, cohort: cohort.index)
                guard entered || synced.differs(user, cohort: place) else { continue }
                synced.append(
                    cohort,
                    slot,
                    entered: entered,
                    users[slot].properties,
                    at: tick,
                    in: propertyLists
                )
            }
        }
        synced.takeNextUsers()
    }
}
