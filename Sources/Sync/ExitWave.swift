import Basics

/// How many of those whom the destination holds leave at once: what the guard looks at.
///
/// At once is within one tick, or for a sync that runs now and then, between two runs.
struct ExitWave: Sendable {
    /// The tick of the last exits counted.
    var tick = EventTime.distantPast
    /// How many left.
    private(set) var users = 0
    /// How many the destination held before the first of them.
    private(set) var held = 0

    /// Begins anew.
    mutating func begin(tick: EventTime) {
        self = ExitWave()
        self.tick = tick
    }

    /// Counts one; `acknowledged` is how many the destination holds now.
    mutating func note(acknowledged: Int) {
        if users == 0 { held = acknowledged }
        users += 1
    }

    /// Whether a person has to look at it.
    func exceeds(_ rule: MassExitGuard) -> Bool {
        rule.share < 1 && users > rule.users && Double(users) > rule.share * Double(held)
    }
}
