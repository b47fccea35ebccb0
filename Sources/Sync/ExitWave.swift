import Basics

/// How many of those whom the destination holds leave at once: what the guard looks at.
///
/// At once is within one tick, or for a sync that runs now and then, in one run.
struct ExitWave: Sendable {
    /// The tick of the last exits counted.
    private(set) var tick = EventTime.distantPast
    /// Who left; who came back before a run is no exit.
    private var leaving: Set<UInt32> = []
    /// How many the destination held before the first of them.
    private(set) var held = 0

    /// How many left.
    var users: Int { leaving.count }

    /// Begins anew.
    mutating func begin(tick: EventTime) {
        leaving = []
        held = 0
        self.tick = tick
    }

    /// Counts one; `acknowledged` is how many the destination holds now.
    mutating func note(_ slot: UInt32, acknowledged: Int) {
        if leaving.isEmpty { held = acknowledged }
        leaving.insert(slot)
    }

    /// Whoever is back does not leave.
    mutating func withdraw(_ slot: UInt32) {
        guard !leaving.isEmpty else { return }
        leaving.remove(slot)
    }

    /// Whether a person has to look at it.
    func exceeds(_ rule: MassExitGuard) -> Bool {
        rule.share < 1 && users > rule.users && Double(users) > rule.share * Double(held)
    }
}
