/// An instant: milliseconds since 1970-01-01T00:00:00Z, negative before it.
///
/// Leap seconds do not exist here (POSIX time). Arithmetic wraps never: every instant that enters the
/// system lies in the years 0001…9999, and durations are at most 36,500 days.
public struct EventTime: Comparable, Hashable, BitwiseCopyable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public var milliseconds: Int64

    /// An instant from its milliseconds since 1970-01-01T00:00:00Z.
    @inlinable @inline(__always) public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Earlier than every instant an event can carry; stands for "no bound" and "never so far".
    @inlinable public static var distantPast: EventTime { EventTime(milliseconds: -1 << 61) }
    /// Later than every instant an event can carry; stands for "no bound" and "never".
    @inlinable public static var distantFuture: EventTime { EventTime(milliseconds: 1 << 61) }
    /// 0001-01-01T00:00:00Z, the earliest instant accepted from outside.
    @inlinable public static var earliest: EventTime {
        EventTime(milliseconds: -62_135_596_800_000)
    }
    /// 9999-12-31T23:59:59.999Z, the latest instant accepted from outside.
    @inlinable public static var latest: EventTime {
        EventTime(milliseconds: 253_402_300_799_999)
    }

    /// Whether `left` is before `right`.
    @inlinable @inline(__always)
    public static func < (left: EventTime, right: EventTime) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// The instant `milliseconds` later.
    @inlinable @inline(__always) public static func + (
        time: EventTime,
        milliseconds: Int64
    ) -> EventTime {
        EventTime(milliseconds: time.milliseconds + milliseconds)
    }

    /// The instant `milliseconds` earlier.
    @inlinable @inline(__always) public static func - (
        time: EventTime,
        milliseconds: Int64
    ) -> EventTime {
        EventTime(milliseconds: time.milliseconds - milliseconds)
    }

    /// The milliseconds from `right` to `left`.
    @inlinable @inline(__always) public static func - (left: EventTime, right: EventTime) -> Int64 {
        left.milliseconds - right.milliseconds
    }

    /// The first multiple of `width` milliseconds since 1970-01-01T00:00:00Z that is not before this instant.
    @inlinable public func roundedUp(toMultipleOf width: Int64) -> EventTime {
        let remainder = milliseconds % width
        if remainder == 0 { return self }
        return EventTime(
            milliseconds: milliseconds - remainder + (remainder > 0 ? width : 0)
        )
    }

    /// The last multiple of `width` milliseconds since 1970-01-01T00:00:00Z that is not after this instant.
    @inlinable public func roundedDown(toMultipleOf width: Int64) -> EventTime {
        let remainder = milliseconds % width
        return EventTime(
            milliseconds: milliseconds - remainder - (remainder < 0 ? width : 0)
        )
    }
}
