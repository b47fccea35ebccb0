import Basics

/// When to try again: full jitter under a bound that doubles from 1 s to 5 min, without end.
struct Backoff: Sendable {
    static let boundMin: Int64 = 1000
    static let boundMax: Int64 = 300_000
    static let retryAfterMin: Int64 = 1000
    static let retryAfterMax: Int64 = 3_600_000

    /// Failed attempts since the last success.
    private(set) var failures = 0

    mutating func reset() {
        failures = 0
    }

    /// Counts a failure and says how many milliseconds to wait.
    ///
    /// What the destination asked for wins, within 1 s … 1 h, so that a bad header cannot stop a sync.
    mutating func delay(retryAfter: Int64?, generator: inout SeededGenerator) -> Int64 {
        let bound = min(Self.boundMax, Self.boundMin << Int64(min(failures, 9)))
        failures += 1
        if let retryAfter {
            return min(max(retryAfter, Self.retryAfterMin), Self.retryAfterMax)
        }
        return Int64(generator.number(in: 1...Int(bound)))
    }
}
