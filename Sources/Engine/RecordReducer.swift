import Basics
import Cohorts

/// Computes the numbers of `performed` and the chains of `sequence` from records, whole or group by
/// group.
///
/// Keeps its buffers, so that an evaluation allocates only while they grow.
struct RecordReducer {
    private var predicates: [MicroPredicate] = []
    /// The ends of the predicates, which are most of them.
    private var bounds: [MicroPredicate.Bounds] = []
    private var ranges: [NumberRange] = []
    private var intervals: [CalendarIntervals] = []

    /// Numbers of records, sorted by group and then time.
    private var order: [Int32] = []
    private var numbers: [Int64] = []
    private var hashes: [Hash] = []
    private var ends = [Int64](repeating: RecordReducer.never, count: 10)
    private var freshEnds = [Int64](repeating: RecordReducer.never, count: 10)

    /// The sum that was worked out last.
    private var summed = Summed()

    /// Earlier than every record.
    static let none = Int64.min
    /// Later than every record.
    private static let never = Int64.max

    /// The sum of a stretch of a run; a longer one that ends with it goes on from there.
    private struct Summed {
        var words: UnsafeMutablePointer<UInt64>?
        var places = 0..<0
        var word = 0
        var sum: Int128 = 0
        var hasNegative = false
    }

    /// What a test found.
    struct Verdict {
        var isTrue: Bool
        /// Of a monotone test that holds: it does as long as the records from this time on are in the window.
        var witness = RecordReducer.none
        /// Whether these records can only make it false by leaving, as those of a monotone test always do.
        var isRising = false
    }

    private struct Hash: Comparable {
        var high: UInt64
        var low: UInt64

        static func < (left: Hash, right: Hash) -> Bool {
            left.high != right.high ? left.high < right.high : left.low < right.low
        }
    }

    /// Some records of a run: a stretch of it, or a stretch of a list of numbers of records.
    private struct Selection {
        let run: RecordRun
        let places: Range<Int>
        let order: UnsafePointer<Int32>?

        var count: Int { places.count }

        /// The number of the record at a place.
        func record(_ place: Int) -> Int {
            if let order { Int(order[place]) } else { place }
        }

        func time(_ place: Int) -> Int64 { run.time(record(place)) }

        func word(_ place: Int, _ word: Int) -> UInt64 { run.word(record(place), word) }

        /// The number, in millionths, that begins at a word.
        func number(_ place: Int, _ word: Int) -> Int128 {
            let record = record(place)
            return Int128(Int64(bitPattern: run.word(record, word + 1))) << 64
                | Int128(run.word(record, word))
        }
    }

    // MARK: Preparing

    /// The flat form of a condition; not of `relative`, which is no number of one trace.
    ///
    /// - `trace`: What its records are made of; nil where they are plain times.
    mutating func test(_ condition: RecordsCondition, _ trace: RecordTrace?) -> RecordTest {
        var test = RecordTest(isGrouped: condition.isGrouped, of: trace)
        switch condition.mode {
        case .count(let range): setRange(range, of: &test)
        case .sum(let predicate):
            set(.sum, predicate, of: &test)
            test.isAtLeastSum = predicate.isAtLeast
        case .average(let predicate): set(.average, predicate, of: &test)
        case .minimum(let predicate): set(.minimum, predicate, of: &test)
        case .maximum(let predicate): set(.maximum, predicate, of: &test)
        case .distinct(let range):
            test.mode = .distinct
            setRange(range, of: &test)
        case .nth(let place):
            test.mode = .nth
            test.number = Int32(clamping: place)
        case .onDistinct(let interval, let count, let range):
            setRange(range, of: &test)
            test.lowestInside = count.lowest
            test.highestInside = count.highest
            test.holedInside = holes(count)
            if case .milliseconds(let length) = interval {
                test.mode = .durations
                test.length = length
            } else if let calendar = CalendarIntervals(interval) {
                test.mode = .intervals
                test.interval = Int32(intervals.count)
                intervals.append(calendar)
            }
        case .sequence(let steps, let within):
            test.mode = .sequence
            test.number = Int32(steps)
            test.length = within ?? .max
        case .relative: preconditionFailure("two counts are compared by the evaluator")
        }
        test.isMonotone = isMonotone(test)
        return test
    }

    private func isMonotone(_ test: RecordTest) -> Bool {
        switch test.mode {
        case .count, .distinct: test.isAtLeast
        case .intervals: test.isAtLeast && test.countsAnyInside
        case .maximum: predicates[Int(test.predicate)].isAtLeast
        case .minimum: predicates[Int(test.predicate)].isAtMost
        case .sequence: true
        case .sum, .average, .nth, .durations: false
        }
    }

    private mutating func setRange(_ range: NumberRange, of test: inout RecordTest) {
        test.lowest = range.lowest
        test.highest = range.highest
        test.holed = holes(range)
    }

    private mutating func set(
        _ mode: RecordTest.Mode,
        _ predicate: MicroPredicate,
        of test: inout RecordTest
    ) {
        test.mode = mode
        test.predicate = Int32(predicates.count)
        predicates.append(predicate)
        bounds.append(predicate.bounds)
    }

    private mutating func holes(_ range: NumberRange) -> Int32 {
        if range.isPlain { return -1 }
        ranges.append(range)
        return Int32(ranges.count - 1)
    }

    // MARK: Asking

    /// Begins with another user, or with one whose records changed.
    mutating func begin() { summed.words = nil }

    /// Whether the test holds, for all records or for one group that has a record inside.
    ///
    /// - `inside`: The records in the window.
    /// - `known`: How many records are not after the tick.
    /// - `end`: The tick less the window's offset: where duration intervals are counted from.
    mutating func holds(
        _ test: RecordTest,
        _ run: RecordRun,
        inside: Range<Int>,
        known: Int,
        range: PlanWindow.Range,
        end: Int64
    ) -> Verdict {
        // Which record is the Nth is decided by all that are known.
        let considered = test.mode == .nth ? 0..<known : inside
        if !test.isGrouped {
            return holds(
                test,
                Selection(run: run, places: considered, order: nil),
                range,
                end
            )
        }
        sort(considered, of: run, by: test.groupWord)
        // Lent to the selections, which change the other buffers only.
        let sorted = order
        return sorted.withUnsafeBufferPointer { order in
            var start = 0
            while start < order.count {
                var next = start + 1
                while next < order.count,
                    Self.isSameGroup(run, test.groupWord, Int(order[start]), Int(order[next]))
                {
                    next += 1
                }
                let selection = Selection(
                    run: run,
                    places: start..<next,
                    order: order.baseAddress
                )
                let verdict = holds(test, selection, range, end)
                if verdict.isTrue { return verdict }
                start = next
            }
            return Verdict(isTrue: false)
        }
    }

    /// Fills ``order`` with records by their group and then time.
    private mutating func sort(_ considered: Range<Int>, of run: RecordRun, by word: Int) {
        order.removeAll(keepingCapacity: true)
        for index in considered { order.append(Int32(index)) }
        order.sort { left, right in
            let (left, right) = (Int(left), Int(right))
            let groups = (
                Hash(high: run.word(left, word), low: run.word(left, word + 1)),
                Hash(high: run.word(right, word), low: run.word(right, word + 1))
            )
            return groups.0 != groups.1 ? groups.0 < groups.1 : left < right
        }
    }

    private static func isSameGroup(
        _ run: RecordRun,
        _ word: Int,
        _ left: Int,
        _ right: Int
    ) -> Bool {
        run.word(left, word) == run.word(right, word)
            && run.word(left, word + 1) == run.word(right, word + 1)
    }

    private mutating func holds(
        _ test: RecordTest,
        _ records: Selection,
        _ range: PlanWindow.Range,
        _ end: Int64
    ) -> Verdict {
        switch test.mode {
        case .count:
            guard contains(Int64(records.count), test) else { return Verdict(isTrue: false) }
            guard test.isMonotone, test.lowest > 0 else { return Verdict(isTrue: true) }
            let place = records.places.upperBound - Int(test.lowest)
            return Verdict(isTrue: true, witness: records.time(place))
        case .sum:
            return sum(records, test)
        case .average:
            guard records.count > 0 else { return Verdict(isTrue: false) }
            let sum = sum(records, test.valueWord)
            let count = Int128(records.count)
            return Verdict(isTrue: holds(sum, over: count, test.predicate))
        case .minimum, .maximum:
            return extreme(records, test)
        case .distinct:
            return distinct(records, test)
        case .nth:
            guard records.count >= Int(test.number) else { return Verdict(isTrue: false) }
            let time = records.time(records.places.lowerBound + Int(test.number) - 1)
            return Verdict(isTrue: time >= range.from && time < range.end)
        case .intervals where test.isMonotone && records.order == nil:
            return newestIntervals(records, test)
        case .intervals, .durations:
            return Verdict(isTrue: contains(intervalCount(records, test, end), test))
        case .sequence:
            let start = newestChain(records, test)
            return Verdict(isTrue: start != Self.none, witness: start)
        }
    }

    /// Whether `number` / `count` satisfies a predicate.
    @inline(__always)
    private func holds(_ number: Int128, over count: Int128 = 1, _ predicate: Int32) -> Bool {
        let bounds = bounds[Int(predicate)]
        if bounds.areAll { return bounds.hold(number, over: count) }
        return predicates[Int(predicate)].holds(of: number, over: count)
    }

    @inline(__always)
    private func contains(_ number: Int64, _ test: RecordTest) -> Bool {
        number >= test.lowest && number <= test.highest
            && (test.holed < 0 || ranges[Int(test.holed)].contains(number))
    }

    /// Whether the sum satisfies the test.
    ///
    /// Of numbers that are not negative a sum only falls by those that leave, so one that must be at least something
    /// holds until the newest leaves without which the rest is too little.
    private mutating func sum(_ records: Selection, _ test: RecordTest) -> Verdict {
        let sum = sum(records, test.valueWord)
        var verdict = Verdict(isTrue: holds(sum, test.predicate))
        guard test.isAtLeastSum, records.order == nil, !summed.hasNegative else { return verdict }
        verdict.isRising = true
        guard verdict.isTrue, !holds(0, test.predicate) else { return verdict }
        // From the newest back: of a user who does much it is among the last few.
        var newest: Int128 = 0
        for place in records.places.reversed() {
            newest += records.number(place, test.valueWord)
            guard holds(newest, test.predicate) else { continue }
            verdict.witness = records.time(place)
            break
        }
        return verdict
    }

    private mutating func sum(_ records: Selection, _ word: Int) -> Int128 {
        guard records.order == nil else { return sum(records, word, of: records.places) }
        let places = records.places
        if summed.words != records.run.words || summed.word != word
            || summed.places.upperBound != places.upperBound
            || summed.places.lowerBound < places.lowerBound
        {
            summed = Summed(
                words: records.run.words,
                places: places.upperBound..<places.upperBound,
                word: word
            )
        }
        for place in places.lowerBound..<summed.places.lowerBound {
            let number = records.number(place, word)
            summed.sum += number
            if number < 0 { summed.hasNegative = true }
        }
        summed.places = places
        return summed.sum
    }

    private func sum(_ records: Selection, _ word: Int, of places: Range<Int>) -> Int128 {
        var sum: Int128 = 0
        for place in places { sum += records.number(place, word) }
        return sum
    }

    /// Whether the least or greatest number satisfies the test.
    @inline(__always)
    private func extreme(_ records: Selection, _ test: RecordTest) -> Verdict {
        guard records.count > 0 else { return Verdict(isTrue: false) }
        if test.isMonotone {
            // Then the first that satisfies it decides, from the newest back.
            for place in records.places.reversed()
            where holds(records.number(place, test.valueWord), test.predicate) {
                return Verdict(isTrue: true, witness: records.time(place))
            }
            return Verdict(isTrue: false)
        }
        var best = records.number(records.places.lowerBound, test.valueWord)
        for place in records.places.dropFirst() {
            let number = records.number(place, test.valueWord)
            best = test.mode == .maximum ? max(best, number) : min(best, number)
        }
        return Verdict(isTrue: holds(best, test.predicate))
    }

    /// Whether there are as many different values as the test wants.
    private mutating func distinct(_ records: Selection, _ test: RecordTest) -> Verdict {
        hashes.removeAll(keepingCapacity: true)
        // From the newest back, so that a test that wants a few has found them soon. Of many values, sorting
        // beats looking each up among those before it.
        let looksUp = records.count <= 32 || (test.isMonotone && test.lowest <= 32)
        for place in records.places.reversed() {
            let hash = Hash(
                high: records.word(place, test.valueWord),
                low: records.word(place, test.valueWord + 1)
            )
            if looksUp, hashes.contains(hash) { continue }
            hashes.append(hash)
            if looksUp, test.isMonotone, Int64(hashes.count) >= test.lowest {
                return Verdict(isTrue: true, witness: records.time(place))
            }
        }
        if looksUp { return Verdict(isTrue: contains(Int64(hashes.count), test)) }
        hashes.sort()
        var count: Int64 = 0
        for index in hashes.indices where index == 0 || hashes[index] != hashes[index - 1] {
            count += 1
        }
        return Verdict(isTrue: contains(count, test))
    }

    /// Whether records lie in as many calendar intervals as the test wants at least: from the newest back, an
    /// interval a step.
    private mutating func newestIntervals(_ records: Selection, _ test: RecordTest) -> Verdict {
        var count: Int64 = 0
        var end = records.places.upperBound
        while end > records.places.lowerBound {
            if count + 1 >= test.lowest {
                return Verdict(isTrue: true, witness: records.time(end - 1))
            }
            guard let start = intervals[Int(test.interval)].start(at: records.time(end - 1)) else {
                // The clocks changed in between: by the number of every record.
                return Verdict(isTrue: contains(intervalCount(records, test, 0), test))
            }
            count += 1
            // The next is near where one user has few events a day.
            var steps = 0
            while end > records.places.lowerBound, steps < 8, records.time(end - 1) >= start {
                end -= 1
                steps += 1
            }
            if steps == 8 {
                end = max(records.places.lowerBound, min(end, records.run.firstIndex(from: start)))
            }
        }
        return Verdict(isTrue: contains(count, test))
    }

    /// How many intervals have as many records as the test wants.
    private mutating func intervalCount(
        _ records: Selection,
        _ test: RecordTest,
        _ end: Int64
    ) -> Int64 {
        numbers.removeAll(keepingCapacity: true)
        var isAscending = true
        for place in records.places {
            let time = records.time(place)
            // From the newest back, so counted down: ascending like the others.
            let number =
                test.mode == .durations
                ? -((end - time) / test.length) : intervals[Int(test.interval)].number(of: time)
            if let last = numbers.last, number < last { isAscending = false }
            numbers.append(number)
        }
        // Where clocks go back over midnight, a later event may lie in an earlier day.
        if !isAscending { numbers.sort() }
        var count: Int64 = 0
        var start = 0
        while start < numbers.count {
            var next = start + 1
            while next < numbers.count, numbers[next] == numbers[start] { next += 1 }
            let inside = Int64(next - start)
            if inside >= test.lowestInside, inside <= test.highestInside,
                test.holedInside < 0 || ranges[Int(test.holedInside)].contains(inside)
            {
                count += 1
            }
            start = next
        }
        return count
    }

    /// When the chain of records that pass the filters 0, 1, 2 … one strictly after the other began: of all
    /// chains the one that began last; ``none`` where there is none.
    ///
    /// From the newest record back, so that the first beginning that is found is the answer: a user who does much has
    /// one among the last few records. Of all chains of the last steps behind a record, the one that ends first leaves
    /// the most room for `within`, so only its end is kept.
    private mutating func newestChain(_ records: Selection, _ test: RecordTest) -> Int64 {
        let steps = Int(test.number)
        for step in 0..<steps { ends[step] = Self.never }
        var place = records.places.upperBound
        while place > records.places.lowerBound {
            let time = records.time(place - 1)
            for step in 0..<steps { freshEnds[step] = Self.never }
            while place > records.places.lowerBound, records.time(place - 1) == time {
                place -= 1
                let mask = records.word(place, test.maskWord)
                for step in 0..<steps where mask >> UInt64(step) & 1 != 0 {
                    let end = step == steps - 1 ? time : ends[step + 1]
                    freshEnds[step] = min(freshEnds[step], end)
                }
            }
            if freshEnds[0] != Self.never, freshEnds[0] - time <= test.length { return time }
            for step in 0..<steps { ends[step] = min(ends[step], freshEnds[step]) }
        }
        return Self.none
    }
}
