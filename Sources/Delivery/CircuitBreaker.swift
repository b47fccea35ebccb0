import Basics
import Templates

/// Keeps requests from a destination that does not work, and asks from time to time whether it does again.
///
/// ```
/// closed ── 5 failures in a row, or more than 10 of the last 20 ──► open ── wait over ──► half-open
///    ▲                                                               ▲                      │ one probe
///    └───────────────────────── it works ────────────────────────────┼── it fails ──────────┘
/// ```
/// Failures are transport errors, timeouts, 408 and 5xx, fast ones like slow ones. 429 never counts. The waits are
/// anything up to a bound that doubles from `retry.initial` to `retry.max`.
struct CircuitBreaker: Sendable {
    /// What the breaker lets through.
    enum State: Equatable, Sendable {
        /// Everything.
        case closed
        /// Nothing before that time.
        case open(until: Int64)
        /// One request, which may be on its way.
        case halfOpen(probe: UInt64?)
    }

    private static let consecutiveMax = 5
    private static let historyMax = 20

    private let retry: RetryRule
    private(set) var state = State.closed
    /// Since when it has not been closed; nil while it is.
    private(set) var openSince: Int64?
    private var openings = 0
    private var consecutive = 0
    /// The last outcomes, the newest in bit 0; a set bit is a failure.
    private var history: UInt32 = 0
    private var historyCount = 0

    init(_ retry: RetryRule) {
        self.retry = retry
    }

    /// Lets time pass: an open breaker whose wait is over is half-open.
    mutating func advance(to now: Int64) {
        if case .open(let until) = state, now >= until { state = .halfOpen(probe: nil) }
    }

    /// Whether a request may leave.
    var allows: Bool {
        switch state {
        case .closed: true
        case .open: false
        case .halfOpen(let probe): probe == nil
        }
    }

    /// Notes that a request leaves.
    mutating func begin(_ token: UInt64) {
        if case .halfOpen(nil) = state { state = .halfOpen(probe: token) }
    }

    /// Notes a failure; true where the breaker opens by it.
    mutating func fail(_ token: UInt64, now: Int64, generator: inout SeededGenerator) -> Bool {
        switch state {
        case .open: return false
        case .halfOpen(let probe):
            // What left before the breaker opened says nothing about now.
            guard probe == token else { return false }
        case .closed:
            consecutive += 1
            note(isFailure: true)
            let isMostly =
                historyCount == Self.historyMax && history.nonzeroBitCount * 2 > Self.historyMax
            guard consecutive >= Self.consecutiveMax || isMostly else { return false }
        }
        state = .open(until: now + retry.wait(failures: openings, generator: &generator))
        openings += 1
        openSince = openSince ?? now
        return true
    }

    /// Notes an answer that is no failure; true where the breaker closes by it.
    ///
    /// `counts` says whether it is a sign of health; a 429 is only one of life.
    mutating func succeed(_ token: UInt64, counts: Bool) -> Bool {
        switch state {
        case .open: return false
        case .closed:
            guard counts else { return false }
            consecutive = 0
            note(isFailure: false)
            return false
        case .halfOpen(let probe):
            guard probe == token else { return false }
            self = CircuitBreaker(retry)
            return true
        }
    }

    private mutating func note(isFailure: Bool) {
        history = (history << 1 | (isFailure ? 1 : 0)) & (1 << UInt32(Self.historyMax) - 1)
        historyCount = min(historyCount + 1, Self.historyMax)
    }
}
