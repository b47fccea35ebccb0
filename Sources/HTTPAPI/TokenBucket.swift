/// So many in a period of time, all of which may come at once.
///
/// Time is handed in, in monotonic milliseconds, and never goes back.
struct TokenBucket: Sendable {
    private let capacity: Double
    private let perMillisecond: Double
    private var tokens: Double
    private var at: Int64

    /// A full bucket.
    init(capacity: Int, periodMilliseconds: Int64, now: Int64) {
        precondition(capacity > 0 && periodMilliseconds > 0, "\(capacity) in \(periodMilliseconds)")
        self.capacity = Double(capacity)
        perMillisecond = Double(capacity) / Double(periodMilliseconds)
        tokens = self.capacity
        at = now
    }

    /// Takes one out.
    ///
    /// - Returns: 0, or where there is none in how many milliseconds there will be.
    mutating func take(now: Int64) -> Int64 {
        let wait = wait(now: now)
        if wait == 0 { tokens -= 1 }
        return wait
    }

    /// In how many milliseconds one can be taken out: 0 where it can be now.
    mutating func wait(now: Int64) -> Int64 {
        tokens = min(capacity, tokens + Double(max(0, now - at)) * perMillisecond)
        at = max(at, now)
        return tokens >= 1 ? 0 : max(1, Int64(((1 - tokens) / perMillisecond).rounded(.up)))
    }

    /// Whether it is as good as new.
    mutating func isFull(now: Int64) -> Bool {
        _ = wait(now: now)
        return tokens >= capacity
    }

    /// Fewer for one that was used more.
    var level: Double { tokens }
}
