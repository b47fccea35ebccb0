import Templates

/// How many requests may be on their way at once: more while the partner bears it, fewer when it does not.
///
/// Looks once per round trip. Begins at 1; one more where the limit was reached and the round trips of the period
/// were no longer than their moving mean; a tenth less after any back-pressure (429, 5xx, a timeout).
///
/// Source: the adaptive concurrency of Vector.
struct AdaptiveConcurrency: Sendable {
    private static let smoothing = 0.4

    private let max: Int
    private let isAdaptive: Bool
    private var exact: Double
    private var mean: Double?
    private var periodEnd = Int64.min
    private var sum: Int64 = 0
    private var count: Int64 = 0
    private var wasReached = false
    private var sawBackPressure = false

    init(_ rule: ConcurrencyRule) {
        max = rule.max
        isAdaptive = rule.isAdaptive
        exact = rule.isAdaptive ? 1 : Double(rule.max)
    }

    /// The most requests at once, 1 at least.
    var limit: Int { Int(exact) }

    /// Notes that a request leaves; `inFlight` with it.
    mutating func begin(inFlight: Int) {
        if inFlight >= limit { wasReached = true }
    }

    /// Notes how a request ended; `roundTrip` is nil where it had no answer, which says nothing of how long one takes.
    mutating func end(roundTrip: Int64?, isBackPressure: Bool, now: Int64) {
        guard isAdaptive else { return }
        if let roundTrip {
            sum += roundTrip
            count += 1
        }
        if isBackPressure { sawBackPressure = true }
        guard now >= periodEnd else { return }
        let measured = count > 0 ? Double(sum) / Double(count) : mean ?? 0
        let past = mean ?? measured
        if sawBackPressure {
            exact = Swift.max(1, exact * 0.9)
        } else if wasReached, measured <= past {
            exact = min(Double(max), exact.rounded(.down) + 1)
        }
        if mean != nil || count > 0 { mean = past + Self.smoothing * (measured - past) }
        periodEnd = now + Int64(mean ?? 0)
        (sum, count) = (0, 0)
        (wasReached, sawBackPressure) = (false, false)
    }
}
