import Basics
import Templates

/// What a partner's "too fast" does: a pause, and a lower rate afterwards.
///
/// 429 is no failure. It lowers the rate to 0.7 of what it was, once for all requests that were under way, and
/// each window without another raises it by a tenth. What the partner asks to wait wins over our own back-off,
/// within 1 s … 1 h, so that a bad header can neither hammer the partner nor stop a destination.
struct Throttle: Sendable {
    /// What waits asked for are held to, in milliseconds.
    static let waits: ClosedRange<Int64> = 1000...3_600_000
    private static let factorMin = 0.01

    private let retry: RetryRule
    private let window: Int64
    private var lowered = 1.0
    private var loweredAt = Int64.min
    private var consecutive = 0
    /// Until when nothing is sent.
    private(set) var pausedUntil = Int64.min

    /// - Parameters:
    ///   - retry: How long to wait where the partner does not say.
    ///   - window: How long the rate stays before it is raised, in milliseconds; at least 1 s is used, and at most
    ///     a minute, so that a limit per day recovers within the day.
    init(retry: RetryRule, window: Int64) {
        self.retry = retry
        self.window = min(max(window, 1000), 60_000)
    }

    /// What a wait asked for comes to.
    static func clamped(_ milliseconds: Int64) -> Int64 {
        min(max(milliseconds, waits.lowerBound), waits.upperBound)
    }

    /// What is left of the rate, up to 1.
    func factor(now: Int64) -> Double {
        guard lowered < 1 else { return 1 }
        var factor = lowered
        // 49 tenths lead from the lowest factor to 1.
        for _ in 0..<min(50, (now - loweredAt) / window) { factor *= 1.1 }
        return min(1, factor)
    }

    /// When the rate rises next; nil where it is whole.
    func nextRise(now: Int64) -> Int64? {
        factor(now: now) < 1 ? loweredAt + ((now - loweredAt) / window + 1) * window : nil
    }

    /// Notes a 429 of a request that left at `sentAt`.
    ///
    /// `retryAfter` is what the partner asks for, in milliseconds, as received.
    mutating func slowDown(
        sentAt: Int64,
        retryAfter: Int64?,
        now: Int64,
        generator: inout SeededGenerator
    ) {
        if sentAt >= loweredAt {
            lowered = max(Self.factorMin, factor(now: now) * 0.7)
            loweredAt = now
            consecutive += 1
        }
        pause(
            retryAfter.map(Self.clamped)
                ?? retry.wait(failures: consecutive - 1, generator: &generator),
            now: now
        )
    }

    /// Sends nothing for a time that the partner asked for.
    mutating func pause(_ milliseconds: Int64, now: Int64) {
        pausedUntil = max(pausedUntil, now + milliseconds)
    }

    /// Notes an answer that is none of "too fast".
    mutating func succeed() {
        consecutive = 0
    }
}

extension RetryRule {
    /// A wait after so many failures before: anything up to a bound that doubles.
    func wait(failures: Int, generator: inout SeededGenerator) -> Int64 {
        let doublings = Int64(min(max(failures, 0), 24))
        let bound = min(maxMilliseconds, initialMilliseconds << doublings)
        return Int64(generator.number(in: 1...Int(max(1, bound))))
    }
}
