extension Oracle {
    /// A deliberate mistake: a comparison that does not notice it is dead.
    package enum Mistake: String, CaseIterable, Sendable {
        case none
        /// T − W ≤ t instead of T − W < t.
        case windowClosedAtTheLeft
        /// t < T instead of t ≤ T.
        case windowOpenAtTheRight
        case offsetIgnored
        /// Times are taken for ascending though a late one stands behind the others.
        case lateAppended
        /// One group of all events that carry the properties of `same`.
        case sameAcrossValues
        /// Events from the future count at once.
        case futureAtOnce
        /// Of events at one instant, one that came later is later.
        case tiesByArrival
        /// The whole second in which a window begins counts.
        case bucketAtTheBound
        /// `exclude_current` leaves out the last day that counts, too.
        case excludeCurrentADayOff
        /// Property values by log order.
        case newestByLogOrder
        /// Of assignments of one time the first one.
        case tiesByTheFirst
        /// Every duplicate counts.
        case noDedupe
        case inactiveEventsAreActive
        /// `where_user` reads nothing but plain keys.
        case setNotCarried
        /// `$add` and its like take effect at their own time.
        case operationAtItsOwnTime
    }
}
