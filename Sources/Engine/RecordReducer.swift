import Basics
import Cohorts

/// Computes the numbers of `performed` and the chains of `sequence` from records, whole or group by
/// group.
///
/// Keeps its buffers, so that an evaluation allocates only while they grow.
struct RecordReducer {
    /// Numbers of records, sorted by group and then time.
    private var order: [Int32] = []
    private var numbers: [Int64] = []
    private var hashes: [Hash] = []
    private var starts = [Int64?](repeating: nil, count: 10)
    private var freshStarts = [Int64?](repeating: nil, count: 10)

    private struct Hash: Comparable {
        var high: UInt64
        var low: UInt64

        static func < (left: Hash, right: Hash) -> Bool {
            left.high != right.high ? left.high < right.high : left.low < right.low
        }
    }

    /// Whether the condition holds, for all records or for one group that has a record inside.
    ///
    /// - `inside`: The records in the window.
    /// - `known`: How many records are not after the tick.
    /// - `end`: The tick less the window's offset: where duration intervals are counted from.
    mutating func holds(
        _ condition: RecordsCondition,
        _ run: RecordRun,
        _ trace: RecordTrace,
        inside: Range<Int>,
        known: Int,
        range: PlanWindow.Range,
        end: Int64
    ) -> Bool {
        // Which record is the Nth is decided by all that are known.
        let isNth = if case .nth = condition.mode { true } else { false }
        let considered = isNth ? 0..<known : inside
        order.removeAll(keepingCapacity: true)
        for index in considered { order.append(Int32(index)) }
        guard condition.isGrouped else {
            return holds(condition.mode, run, trace, 0..<order.count, range, end)
        }
        let word = trace.groupWord
        order.sort { left, right in
            let (left, right) = (Int(left), Int(right))
            let groups = (
                Hash(high: run.word(left, word), low: run.word(left, word + 1)),
                Hash(high: run.word(right, word), low: run.word(right, word + 1))
            )
            return groups.0 != groups.1 ? groups.0 < groups.1 : left < right
        }
        var start = 0
        while start < order.count {
            var next = start + 1
            while next < order.count, isSameGroup(run, word, start, next) { next += 1 }
            if holds(condition.mode, run, trace, start..<next, range, end) { return true }
            start = next
        }
        return false
    }

    private func isSameGroup(_ run: RecordRun, _ word: Int, _ left: Int, _ right: Int) -> Bool {
        let (left, right) = (Int(order[left]), Int(order[right]))
        return run.word(left, word) == run.word(right, word)
            && run.word(left, word + 1) == run.word(right, word + 1)
    }

    /// Whether the mode holds of the records whose numbers stand in these places of ``order``.
    private mutating func holds(
        _ mode: RecordsCondition.Mode,
        _ run: RecordRun,
        _ trace: RecordTrace,
        _ places: Range<Int>,
        _ range: PlanWindow.Range,
        _ end: Int64
    ) -> Bool {
        switch mode {
        case .count(let wanted): return wanted.contains(Int64(places.count))
        case .sum(let predicate):
            return predicate.holds(of: sum(run, trace.valueWord, places))
        case .average(let predicate):
            return !places.isEmpty
                && predicate.holds(
                    of: sum(run, trace.valueWord, places),
                    over: Int128(places.count)
                )
        case .minimum(let predicate):
            return extreme(run, trace.valueWord, places, <).map { predicate.holds(of: $0) } ?? false
        case .maximum(let predicate):
            return extreme(run, trace.valueWord, places, >).map { predicate.holds(of: $0) } ?? false
        case .distinct(let wanted):
            return wanted.contains(distinctCount(run, trace.valueWord, places))
        case .nth(let place):
            guard places.count >= place else { return false }
            let time = run.time(Int(order[places.lowerBound + place - 1]))
            return time >= range.from && time < range.end
        case .onDistinct(let interval, let count, let intervals):
            return intervals.contains(intervalCount(run, places, interval, count, end))
        case .sequence(let steps, let within):
            return hasChain(run, trace.maskWord, places, steps: steps, within: within ?? .max)
        case .relative: preconditionFailure("two counts are compared by the evaluator")
        }
    }

    private func number(_ run: RecordRun, _ word: Int, _ place: Int) -> Int128 {
        let index = Int(order[place])
        return Int128(Int64(bitPattern: run.word(index, word + 1))) << 64
            | Int128(run.word(index, word))
    }

    private func sum(_ run: RecordRun, _ word: Int, _ places: Range<Int>) -> Int128 {
        var sum: Int128 = 0
        for place in places { sum += number(run, word, place) }
        return sum
    }

    private func extreme(
        _ run: RecordRun,
        _ word: Int,
        _ places: Range<Int>,
        _ isBetter: (Int128, Int128) -> Bool
    ) -> Int128? {
        var best: Int128?
        for place in places {
            let number = number(run, word, place)
            if best.map({ isBetter(number, $0) }) ?? true { best = number }
        }
        return best
    }

    private mutating func distinctCount(
        _ run: RecordRun,
        _ word: Int,
        _ places: Range<Int>
    ) -> Int64 {
        hashes.removeAll(keepingCapacity: true)
        for place in places {
            let index = Int(order[place])
            hashes.append(Hash(high: run.word(index, word), low: run.word(index, word + 1)))
        }
        hashes.sort()
        var count: Int64 = 0
        for index in hashes.indices where index == 0 || hashes[index] != hashes[index - 1] {
            count += 1
        }
        return count
    }

    private mutating func intervalCount(
        _ run: RecordRun,
        _ places: Range<Int>,
        _ interval: PlanInterval,
        _ wanted: NumberRange,
        _ end: Int64
    ) -> Int64 {
        numbers.removeAll(keepingCapacity: true)
        for place in places {
            let time = run.time(Int(order[place]))
            if case .milliseconds(let length) = interval {
                numbers.append((end - time) / length)
            } else {
                numbers.append(interval.number(of: time))
            }
        }
        // Where clocks go back over midnight, a later event may lie in an earlier day.
        numbers.sort()
        var count: Int64 = 0
        var start = 0
        while start < numbers.count {
            var next = start + 1
            while next < numbers.count, numbers[next] == numbers[start] { next += 1 }
            if wanted.contains(Int64(next - start)) { count += 1 }
            start = next
        }
        return count
    }

    /// Whether records pass the filters 0, 1, 2 … one strictly after the other.
    ///
    /// Of all chains of the first steps that end before a record, the one that started last leaves the most
    /// room for `within`, so only its start is kept.
    private mutating func hasChain(
        _ run: RecordRun,
        _ word: Int,
        _ places: Range<Int>,
        steps: Int,
        within: Int64
    ) -> Bool {
        for step in 0..<steps { starts[step] = nil }
        var place = places.lowerBound
        while place < places.upperBound {
            let time = run.time(Int(order[place]))
            for step in 0..<steps { freshStarts[step] = nil }
            while place < places.upperBound, run.time(Int(order[place])) == time {
                let mask = run.word(Int(order[place]), word)
                for step in 0..<steps where mask >> UInt64(step) & 1 != 0 {
                    let start = step == 0 ? time : starts[step - 1]
                    guard let start else { continue }
                    if step == steps - 1, time - start <= within { return true }
                    freshStarts[step] = max(freshStarts[step] ?? start, start)
                }
                place += 1
            }
            for step in 0..<steps {
                guard let fresh = freshStarts[step] else { continue }
                starts[step] = max(starts[step] ?? fresh, fresh)
            }
        }
        return false
    }
}
