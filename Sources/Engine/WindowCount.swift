import Basics
import Cohorts

/// How many of a user's sorted times lie in a window at a tick, and when that number next matters.
struct WindowCount {
    private let times: UnsafeBufferPointer<Int64>
    private let window: Condition.CountWindow
    private let tick: EventTime
    /// Indices of the times inside; for a window without a lower bound `inside` starts at 0.
    private let inside: Range<Int>
    private let base: Int64

    /// How many events are inside.
    let count: Int64

    init(
        times: UnsafeBufferPointer<Int64>, base: Int64, window: Condition.CountWindow, tick: EventTime
    ) {
        self.times = times
        self.window = window
        self.tick = tick
        switch window {
        case .anyTime:
            inside = 0..<times.countNotAfter(tick.milliseconds)
            self.base = base
        case .last(let length, let offset):
            let upper = tick.milliseconds - offset
            inside = times.countNotAfter(upper - length)..<times.countNotAfter(upper)
            self.base = 0
        }
        count = Int64(inside.count) + self.base
    }

    /// An instant after the tick that is not later than the first change of `range.contains(count)` by the
    /// clock alone; far future where there is none.
    ///
    /// Where nothing waits to enter, the time that decides is found directly. Otherwise a few steps are
    /// walked; an instant that turns out to change nothing costs one evaluation.
    func nextFlip(of range: NumberRange) -> EventTime {
        switch window {
        case .anyTime:
            guard inside.upperBound < times.count else { return .distantFuture }
            return EventTime(milliseconds: times[inside.upperBound])
        case .last(let length, let offset):
            if inside.upperBound == times.count, range.isPlain {
                return nextFlipByLeaving(of: range, after: offset + length)
            }
            return nextFlipByWalking(of: range, offset: offset, length: length)
        }
    }

    /// Times only leave, so the count only falls: the one whose leaving takes it out of the range, or
    /// down to the range, decides.
    private func nextFlipByLeaving(of range: NumberRange, after age: Int64) -> EventTime {
        let index: Int
        if range.contains(count) {
            guard range.lowest >= 1 else { return .distantFuture }
            index = inside.upperBound - Int(range.lowest)
        } else {
            guard count > range.highest, range.highest >= 0, range.lowest <= range.highest else {
                return .distantFuture
            }
            index = inside.upperBound - Int(range.highest) - 1
        }
        return EventTime(milliseconds: times[index] + age)
    }

    private func nextFlipByWalking(
        of range: NumberRange, offset: Int64, length: Int64
    ) -> EventTime {
        let now = range.contains(count)
        var entering = inside.upperBound
        var leaving = inside.lowerBound
        var number = count
        var instant = Int64.max
        for _ in 0..<32 {
            let enters = entering < times.count ? times[entering] + offset : Int64.max
            let leaves = leaving < entering ? times[leaving] + offset + length : Int64.max
            instant = min(enters, leaves)
            if instant == .max { return .distantFuture }
            while entering < times.count, times[entering] + offset == instant {
                entering += 1
                number += 1
            }
            while leaving < entering, times[leaving] + offset + length == instant {
                leaving += 1
                number -= 1
            }
            if range.contains(number) != now { break }
        }
        return EventTime(milliseconds: instant)
    }
}
