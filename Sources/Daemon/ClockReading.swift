package import Basics
import Threads

/// What the machine's clocks said at one moment.
package struct ClockReading: Equatable, Sendable {
    /// The wall clock.
    package var now: EventTime
    /// Milliseconds since the machine started, asleep or not; never jumps.
    package var sinceBoot: Int64

    /// A reading from its parts.
    package init(now: EventTime, sinceBoot: Int64) {
        self.now = now
        self.sinceBoot = sinceBoot
    }

    /// What the clocks say now.
    package static var ofMachine: ClockReading {
        let clock = SystemClock()
        return ClockReading(now: clock.now, sinceBoot: clock.sinceBootMilliseconds)
    }

    /// How much further the wall clock has gone since an earlier reading than the one that never jumps.
    func deviation(since earlier: ClockReading) -> Int64 {
        (now - earlier.now) - (sinceBoot - earlier.sinceBoot)
    }
}
