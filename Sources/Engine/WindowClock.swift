import Basics
import Cohorts

/// What a tick sees of a window: which records count, and when that changes next.
struct WindowClock: BitwiseCopyable {
    let tick: EventTime

    /// When that is, in milliseconds.
    var instant: Int64 { tick.milliseconds }

    /// By how much the start of a window may go back where clocks do; what left before stays out.
    private static let setBackMax: Int64 = 2 * 86_400_000

    /// Makes `change` another instant, where that is after the tick and earlier.
    @inline(__always)
    func later(_ other: Int64, _ change: inout Int64) {
        if change > other, other > instant { change = other }
    }

    /// The records that count.
    @inline(__always)
    func inside(_ run: RecordRun, _ range: PlanWindow.Range) -> Range<Int> {
        // Usually all of them are, since what is past is dropped: their ends tell.
        if run.count == 0 { return 0..<0 }
        let first = run.time(0) >= range.from ? 0 : run.firstIndex(from: range.from)
        let end = run.time(run.count - 1) < range.end ? run.count : run.firstIndex(from: range.end)
        return first..<max(first, end)
    }

    /// Whether one instant lies in the range, and when that changes.
    @inline(__always)
    func place(_ time: EventTime, in range: PlanWindow.Range) -> ConditionOutcome {
        var outcome = ConditionOutcome(isTrue: false)
        guard time != .distantFuture else { return outcome }
        let time = time.milliseconds
        outcome.isTrue = time >= range.from && time < range.end
        if let next = range.next { outcome.change = next.milliseconds }
        if time >= range.end { later(time + range.delay, &outcome.change) }
        if outcome.isTrue, let lifetime = range.lifetime {
            later(time + lifetime, &outcome.change)
        }
        later(time, &outcome.change)
        return outcome
    }

    /// The first instant after the tick at which some record enters, leaves, or becomes known.
    @inline(__always)
    func change(of run: RecordRun, in range: PlanWindow.Range) -> Int64 {
        let inside = inside(run, range)
        var change = entering(run, range, inside)
        if !inside.isEmpty, let lifetime = range.lifetime {
            later(run.time(inside.lowerBound) + lifetime, &change)
        }
        return change
    }

    /// The first instant after the tick at which some record enters or becomes known, or another stretch of time
    /// begins to count.
    ///
    /// - `inside`: The records that count.
    @inline(__always)
    func entering(_ run: RecordRun, _ range: PlanWindow.Range, _ inside: Range<Int>) -> Int64 {
        // Where there is nothing, no window has anything to tell.
        if run.count == 0 { return .max }
        let end = inside.upperBound
        if inside.isEmpty, end == run.count, run.time(end - 1) < range.from - Self.setBackMax {
            return .max
        }
        var change = range.next?.milliseconds ?? .max
        if end < run.count {
            later(run.time(end) + range.delay, &change)
            let coming = run.firstIndex(from: instant + 1)
            if coming < run.count { later(run.time(coming), &change) }
        }
        return change
    }

    /// The same of times, of which there is one at least.
    ///
    /// - `ended`: How many are before the end of what counts.
    @inline(__always)
    func entering(_ times: TraceLists.Times, _ range: PlanWindow.Range, ended: Int) -> Int64 {
        var change = Int64.max
        if let next = range.next, times[times.count - 1] >= range.from - Self.setBackMax {
            change = next.milliseconds
        }
        if ended < times.count {
            later(times[ended] + range.delay, &change)
            let coming = times.countNotAfter(instant)
            if coming < times.count { later(times[coming], &change) }
        }
        return change
    }
}
