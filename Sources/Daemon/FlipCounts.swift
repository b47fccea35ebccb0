import Engine

/// How many users entered and left, by index of the cohort in the plan.
struct FlipCounts: Equatable, Sendable {
    private(set) var enters: [Int]
    private(set) var exits: [Int]

    init(cohorts: Int) {
        enters = [Int](repeating: 0, count: cohorts)
        exits = enters
    }

    /// Counts changes.
    mutating func note(_ deltas: [Delta]) {
        for delta in deltas {
            if delta.entered {
                enters[delta.cohort] += 1
            } else {
                exits[delta.cohort] += 1
            }
        }
    }

    /// Adds those of another stretch of time.
    mutating func add(_ other: FlipCounts) {
        for cohort in enters.indices {
            enters[cohort] += other.enters[cohort]
            exits[cohort] += other.exits[cohort]
        }
    }
}
