import Basics
import Cohorts

/// How many of a user's sorted times lie in a window at a tick, and when that number next matters.
struct WindowCount {
    private let times: TraceLists.Times
    /// Milliseconds; nil = no lower bound.
    private let length: Int64?
    private let offset: Int64
    /// Indices of the times inside; for a window without a lower bound `inside` starts at 0.
    private let inside: Range<Int>

    /// How many events are inside.
    let count: Int64

    /// Counts.
    ///
    /// - `base`: Events before the listed ones; they count where there is no lower bound.
    /// - `length`: Milliseconds; nil = no lower bound.
    /// - `offset`: Milliseconds by which the window ends before the tick.
    /// - `tick`: Milliseconds.
    init(times: TraceLists.Times, base: UInt32, length: Int64?, offset: Int64, tick: Int64) {
        self.times = times
        self.length = length
        self.offset = offset
        let upper = tick - offset
        let end = times.countNotAfter(upper)
        let start = length.map { times.countNotAfter(upper - $0) } ?? 0
        inside = start..<end
        count = Int64(end - start) + (length == nil ? Int64(base) : 0)
    }

    /// An instant after the tick that is not later than the first change of `range.contains(count)` by the
    /// clock alone; `Int64.max` where there is none.
    ///
    /// Where nothing waits to enter, the time that decides is found directly. Otherwise a few steps are
    /// walked; an instant that turns out to change nothing costs one evaluation.
    func nextFlip(of range: CountRange) -> Int64 {
        guard let length else {
            return inside.upperBound < times.count ? times[inside.upperBound] + offset : Int64.max
        }
        if inside.upperBound == times.count, range.isPlain {
            return nextFlipByLeaving(of: range, after: offset + length)
        }
        return nextFlipByWalking(of: range, length: length)
    }

    /// Whether the range changes once more at most by the clock alone: at ``nextFlip(of:)``, where that is an instant.
    func isDecided(_ range: CountRange) -> Bool {
        guard length != nil, range.isPlain, inside.upperBound == times.count else { return false }
        // A count that falls into the range may fall out of it too.
        return range.contains(count) || range.lowest <= 0
    }

    /// Times only leave, so the count only falls: the one whose leaving takes it out of the range, or
    /// down to the range, decides.
    private func nextFlipByLeaving(of range: CountRange, after age: Int64) -> Int64 {
        let index: Int
        if range.contains(count) {
            guard range.lowest >= 1 else { return Int64.max }
            index = inside.upperBound - Int(range.lowest)
        } else {
            guard count > range.highest, range.highest >= 0, range.lowest <= range.highest else {
                return Int64.max
            }
            index = inside.upperBound - Int(range.highest) - 1
        }
        return times[index] + age
    }

    private func nextFlipByWalking(of range: CountRange, length: Int64) -> Int64 {
        let now = range.contains(count)
        var entering = inside.upperBound
        var leaving = inside.lowerBound
        var number = count
        var instant = Int64.max
        for _ in 0..<32 {
            let enters = entering < times.count ? times[entering] + offset : Int64.max
            let leaves = leaving < entering ? times[leaving] + offset + length : Int64.max
            instant = min(enters, leaves)
            if instant == .max { return .max }
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
        return instant
    }
}

/// A ``NumberRange`` in the form that is asked most: without holes it is two numbers and costs no reference
/// counts to pass on.
struct CountRange {
    let lowest: Int64
    let highest: Int64
    /// The range itself where it has holes.
    private let holes: NumberRange?

    /// A range without holes.
    init(lowest: Int64, highest: Int64) {
        self.lowest = lowest
        self.highest = highest
        holes = nil
    }

    init(_ range: NumberRange) {
        lowest = range.lowest
        highest = range.highest
        holes = range.isPlain ? nil : range
    }

    /// Whether only the two ends decide.
    var isPlain: Bool { holes == nil }

    func contains(_ number: Int64) -> Bool {
        guard number >= lowest, number <= highest else { return false }
        return holes?.contains(number) ?? true
    }
}
