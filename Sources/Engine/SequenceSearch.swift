/// Finds the newest chain of times, one of each step and each later than the one before.
///
/// Keeps its buffer, so that a search allocates nothing.
struct SequenceSearch {
    /// The times of a step that count, and how far back the search has come.
    private struct Step {
        var times = TraceLists.Times.none
        var inside = 0..<0
        /// The first of the times inside that is later than the last step's of the chain in hand.
        var next = 0
    }

    /// The most steps of a clause.
    private static let stepsMax = 10
    private var steps = [Step](repeating: Step(), count: SequenceSearch.stepsMax)
    private var count = 0

    /// Begins with a clause.
    mutating func begin() { count = 0 }

    /// Adds the times of the next step, of which those at the places `inside` count: at least one.
    mutating func add(_ times: TraceLists.Times, inside: Range<Int>) {
        steps[count] = Step(times: times, inside: inside, next: inside.upperBound)
        count += 1
    }

    /// When the chain began, of all that take at most `within` milliseconds the one that began last;
    /// ``RecordReducer/none`` where there is none.
    ///
    /// From the newest first step back: the earlier it is, the earlier the others may be, so each list is gone through
    /// once, and of a user who does much the answer is among the last few.
    ///
    /// - Complexity: O(times inside).
    mutating func newestStart(within: Int64) -> Int64 {
        let count = count
        return steps.withUnsafeMutableBufferPointer { steps in
            let last = steps[count - 1]
            // Behind the last of the last step none begins.
            let bound = last.times[last.inside.upperBound - 1] - 1
            let starts = steps[0]
            var start = min(starts.inside.upperBound, starts.times.countNotAfter(bound))
            while start > starts.inside.lowerBound {
                start -= 1
                let began = starts.times[start]
                var time = began
                var step = 1
                while step < count {
                    let times = steps[step].times
                    var next = steps[step].next
                    while next > steps[step].inside.lowerBound, times[next - 1] > time { next -= 1 }
                    steps[step].next = next
                    if next == steps[step].inside.upperBound { break }
                    time = times[next]
                    step += 1
                }
                if step == count, time - began <= within { return began }
            }
            return RecordReducer.none
        }
    }
}
