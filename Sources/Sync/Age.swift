import Basics

/// Since when a user waits.
struct Age: Sendable {
    /// The tick that made the difference; users of one tick are of one age.
    var tick: EventTime
    /// The same on the clock that never jumps, in milliseconds.
    var since: Int64
    /// Whether the user waits not for what an event did but with everybody: a first population, one that is
    /// sent again.
    var isBackfill = false

    /// Older than every age of this run; the start sets when the waiting began.
    static let unknown = Age(tick: .distantPast, since: 0, isBackfill: true)
}
