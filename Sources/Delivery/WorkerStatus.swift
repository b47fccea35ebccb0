/// How a destination's worker stands, for metrics and people.
package struct WorkerStatus: Sendable, Equatable {
    /// What the breaker lets through.
    package enum Breaker: String, Sendable {
        case closed
        case open
        case halfOpen = "half_open"
    }

    /// Requests on their way.
    package var inFlight: Int
    /// The most requests at once, as things are.
    package var concurrencyLimit: Int
    /// Batches that are not done.
    package var batches: Int
    /// Requests that the limits of the whole destination let through now; nil without such a limit.
    package var requestTokens: Int?
    /// Items that the limits of the whole destination let through now; nil without such a limit.
    package var itemTokens: Int?
    /// What is left of the rate after "too fast", 0 … 1.
    package var rateFactor: Double
    /// Until when the destination asked us to wait, in monotonic milliseconds; nil where it does not.
    package var pausedUntil: Int64?
    /// What the breaker lets through.
    package var breaker: Breaker
    /// Since when it has not been closed, in monotonic milliseconds; nil while it is.
    package var openSince: Int64?
    /// How long the last answer took, in milliseconds; nil before the first.
    package var roundTripMilliseconds: Int64?
    /// Why the credential is refused; nil while it is not.
    package var refusal: String?
}
