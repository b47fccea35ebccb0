package import Basics
import Glibc

/// The clocks of the machine.
package struct SystemClock: Clock {
    /// The machine's clocks.
    package init() {}

    package var now: EventTime {
        EventTime(milliseconds: Self.milliseconds(CLOCK_REALTIME))
    }

    package var monotonicMilliseconds: Int64 { Self.milliseconds(CLOCK_MONOTONIC) }

    /// Milliseconds since the machine started, asleep or not; never jumps.
    package var sinceBootMilliseconds: Int64 { Self.milliseconds(CLOCK_BOOTTIME) }

    private static func milliseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
