/// Whether Kafka answers, as far as this client saw.
package struct Reachability: Sendable, Equatable {
    /// When a broker last answered a request of ours, on the monotonic clock; nil before the first answer.
    package var lastAnswerMilliseconds: Int64?
    /// Whether the connections to all brokers were lost, and nothing was answered since.
    package var isEverythingDown = false

    /// Of a client that nothing answered yet.
    package init() {}

    /// Whether a broker answered and the connections are not known to be lost.
    package var isReachable: Bool { lastAnswerMilliseconds != nil && !isEverythingDown }

    mutating func answered(at milliseconds: Int64) {
        lastAnswerMilliseconds = milliseconds
        isEverythingDown = false
    }
}
