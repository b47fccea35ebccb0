package import Basics

/// What made-up traffic is like.
package struct TrafficSettings: Sendable {
    /// How many users there are, at least one; `user-1` is the most active.
    package var users = 100_000
    /// Events a second of their own time, at least one.
    package var rate = 1000
    /// The skew of the users: 0 = all alike, 1 = Zipf's law, 10 at most.
    package var skew = 1.0
    /// The share of events that are late, 0…1.
    package var lateShare = 0.0
    /// How late at most, in milliseconds, at least one.
    package var lateMax: Int64 = 3_600_000
    /// The share of events that came before, byte for byte, 0…1.
    package var duplicateShare = 0.0
    /// The same seed gives the same events.
    package var seed: UInt64 = 1
    /// The time of the first event.
    package var start: EventTime
    /// Which events.
    package var mix = TrafficMix.shop

    /// Traffic from `start` on, as ordinary as it gets.
    package init(start: EventTime) {
        self.start = start
    }
    /// How long after the start the event of this number comes, counted from 0.
    package func milliseconds(of number: Int) -> Int64 {
        // Of whole seconds and the rest: the product of both as they are could be too large.
        Int64(number / rate * 1000 + number % rate * 1000 / rate)
    }
}
