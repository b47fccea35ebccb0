/// A limit that a partner holds its callers to.
package struct PartnerLimit: Sendable {
    /// What is counted.
    package enum Unit: Sendable {
        case requests
        case users
    }

    /// What is counted.
    package var unit: Unit
    /// The most in any span.
    package var count: Int
    /// The length of the span, in microseconds.
    package var span: Int64

    /// A limit from its parts.
    package init(_ unit: Unit, _ count: Int, per span: Int64) {
        self.unit = unit
        self.count = count
        self.span = span
    }
}

/// Watches what arrives at a partner for more than its limits.
struct PartnerWatch: Sendable {
    private let limits: [PartnerLimit]
    private var arrivals: [(time: Int64, users: Int)] = []

    init(_ limits: [PartnerLimit]) { self.limits = limits }

    /// Notes a request; what is wrong with its coming now.
    mutating func note(users: Int, at time: Int64) -> [String] {
        arrivals.append((time, users))
        return limits.compactMap { limit in
            var sum = 0
            for arrival in arrivals.reversed() where arrival.time > time - limit.span {
                sum += limit.unit == .users ? arrival.users : 1
            }
            guard sum > limit.count else { return nil }
            return
                "\(sum) \(limit.unit) within \(limit.span) µs, of which \(limit.count) are allowed"
        }
    }

    /// Forgets the past: the sender is another process, which cannot know of it.
    mutating func forget() { arrivals = [] }
}
