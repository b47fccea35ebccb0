import Cohorts

/// Which conditions must be looked at again when something of a user changed, and which cohorts when a
/// condition did: rows of bits, 64 to a word.
///
/// Laid out flat, so that marking an event's conditions neither allocates nor counts references.
struct ConditionFeeds {
    /// Words in a row of bits of conditions.
    let words: Int
    /// Words in a row of bits of cohorts.
    let cohortWords: Int

    private let byTrace: CountedFeeds
    private let byLateTrace: CountedFeeds
    private let byRecordTrace: CountedFeeds
    /// Where the cohorts of each condition begin in ``cohortPlaces``; last where those of the last one end.
    ///
    /// Short, since all of a thousand cohorts are wanted near.
    private let cohortStarts: [Int32]
    private let cohortPlaces: [Int32]
    /// Conditions that no further event makes false.
    private let rising: [UInt64]
    /// Conditions that no further event makes true.
    private let falling: [UInt64]
    /// Conditions that no further record makes false whose number is not negative.
    private let risingByGains: [UInt64]
    /// Conditions on when the user was first seen.
    let firstSeen: [UInt64]
    /// Conditions on property values, also those that only say when a value may differ.
    let properties: [UInt64]
    /// Conditions on uploads.
    let uploads: [UInt64]
    /// Every condition.
    let all: [UInt64]

    init(plan: Plan) {
        let words = (plan.conditions.count + 63) / 64
        var byTrace = [[(least: Int, condition: Int)]](repeating: [], count: plan.traces.count)
        var byLateTrace = byTrace
        var byRecordTrace = [[(least: Int, condition: Int)]](
            repeating: [],
            count: plan.recordTraces.count
        )
        var firstSeen = BitRows(rows: 1, words: words)
        var properties = BitRows(rows: 1, words: words)
        var uploads = BitRows(rows: 1, words: words)
        var all = BitRows(rows: 1, words: words)
        var rising = BitRows(rows: 1, words: words)
        var falling = BitRows(rows: 1, words: words)
        var risingByGains = BitRows(rows: 1, words: words)
        for (index, condition) in plan.conditions.enumerated() {
            all.set(0, index)
            switch condition {
            case .count(let trace, let window, let range):
                byTrace[trace].append((Self.leastListed(window, range), index))
                if range.isPlain, range.highest == .max { rising.set(0, index) }
                if range.isPlain, range.lowest <= 0 { falling.set(0, index) }
            case .firstSeen: firstSeen.set(0, index)
            case .properties, .synced: properties.set(0, index)
            case .general(let general):
                if case .times(let condition) = general {
                    byTrace[condition.trace].append((general.leastRecords, index))
                }
                if case .sequence(let condition) = general, let last = condition.traces.last {
                    byTrace[last].append((0, index))
                    for trace in Set(condition.traces.dropLast()) where trace != last {
                        byLateTrace[trace].append((0, index))
                    }
                }
                for trace in general.recordTraces {
                    byRecordTrace[trace].append((general.leastRecords, index))
                }
                if general.readsFirstSeen { firstSeen.set(0, index) }
                if general.readsProperties { properties.set(0, index) }
                if general.readsUploads { uploads.set(0, index) }
                if general.isRising(in: plan) { rising.set(0, index) }
                if general.isRisingByGains { risingByGains.set(0, index) }
            }
        }
        self.words = words
        self.byTrace = CountedFeeds(byTrace)
        self.byLateTrace = CountedFeeds(byLateTrace)
        self.byRecordTrace = CountedFeeds(byRecordTrace)
        self.firstSeen = firstSeen.bits
        self.properties = properties.bits
        self.uploads = uploads.bits
        self.rising = rising.bits
        self.falling = falling.bits
        self.risingByGains = risingByGains.bits
        self.all = all.bits
        cohortWords = (plan.cohorts.count + 63) / 64
        var cohortStarts: [Int32] = [0]
        var cohortPlaces: [Int32] = []
        for places in Self.cohorts(of: plan) {
            cohortPlaces += places
            cohortStarts.append(Int32(cohortPlaces.count))
        }
        self.cohortStarts = cohortStarts
        self.cohortPlaces = cohortPlaces
    }

    /// Calls `body` with each word of the conditions that a further time of a trace may make true or false, but for
    /// words of none.
    ///
    /// - `listed`: How many times are listed now; a condition that wants more is left out.
    @inline(__always)
    func forEachWord(ofTrace trace: Int, listed: Int, _ body: (_ word: Int, _ bits: UInt64) -> Void)
    {
        byTrace.forEachWord(trace, count: listed, body)
    }

    /// The same of conditions that a further time changes only where it is late, or takes another one's place:
    /// sequences of which it is not the last step.
    ///
    /// Of a sequence that is complete by a time up to the last tick, all others are before that. And one that ends
    /// with a time ahead of the last tick is looked at when that comes.
    @inline(__always)
    func forEachWord(ofLateTrace trace: Int, _ body: (_ word: Int, _ bits: UInt64) -> Void) {
        byLateTrace.forEachWord(trace, count: .max, body)
    }

    /// The same as for a time of a further record.
    @inline(__always)
    func forEachWord(
        ofRecordTrace trace: Int,
        listed: Int,
        _ body: (_ word: Int, _ bits: UInt64) -> Void
    ) {
        byRecordTrace.forEachWord(trace, count: listed, body)
    }

    /// A word of the conditions that stay as they are whatever further events come, as `truth` has them.
    ///
    /// Their deadlines may be too early then, never too late: the clock alone still takes them where it did.
    ///
    /// - `isGain`: Whether the number of the record that comes, where it has one, is not negative.
    @inline(__always)
    func settled(_ truth: UInt64, word: Int, isGain: Bool) -> UInt64 {
        let rising = isGain ? rising[word] | risingByGains[word] : rising[word]
        return (truth & rising) | (~truth & falling[word])
    }

    /// Lends the cohorts that a condition decides, by way of other cohorts too: their places in the plan's order of
    /// evaluation, ascending.
    @inline(__always)
    func withCohorts<Result>(
        of condition: Int,
        _ body: (UnsafeBufferPointer<Int32>) -> Result
    ) -> Result {
        let range = Int(cohortStarts[condition])..<Int(cohortStarts[condition + 1])
        return cohortPlaces.withUnsafeBufferPointer {
            body(UnsafeBufferPointer(rebasing: $0[range]))
        }
    }

    /// How many times must be listed for a false condition to become true by one of them.
    private static func leastListed(_ window: Condition.CountWindow, _ range: NumberRange) -> Int {
        // Without a lower bound, times that are no longer listed count too.
        guard case .last = window, range.isPlain, range.highest == .max else { return 0 }
        return Int(clamping: range.lowest)
    }

    private static func cohorts(of plan: Plan) -> [[Int32]] {
        var places = [[Int32]](repeating: [], count: plan.conditions.count)
        // Every cohort stands behind those it refers to, so what decides these is complete by then.
        var conditions = [Set<Int>](repeating: [], count: plan.cohorts.count)
        for (place, cohort) in plan.evaluationOrder.enumerated() {
            for instruction in plan.cohorts[cohort].program {
                switch instruction {
                case .condition(let index): conditions[cohort].insert(index)
                case .member(let other): conditions[cohort].formUnion(conditions[other])
                case .and, .or, .not: break
                }
            }
            for condition in conditions[cohort] { places[condition].append(Int32(place)) }
        }
        return places
    }
}

/// The conditions each trace feeds, in groups by how much of the trace there must be for them to change.
private struct CountedFeeds {
    private struct Group: BitwiseCopyable {
        var least: Int
        /// Places in ``words``.
        var words: Stretch
    }

    private struct Word: BitwiseCopyable {
        var index: Int
        var bits: UInt64
    }

    private let ranges: [Range<Int>]
    /// Ascending by the least count within a trace.
    private let groups: [Group]
    /// The conditions of each group: only words in which there is one, since of a thousand cohorts an event feeds
    /// few.
    private let words: [Word]

    /// - `feeds`: By trace.
    init(_ feeds: [[(least: Int, condition: Int)]]) {
        var ranges: [Range<Int>] = []
        var groups: [Group] = []
        var words: [Word] = []
        for feed in feeds {
            let first = groups.count
            for (least, condition) in feed.sorted(by: {
                ($0.least, $0.condition) < ($1.least, $1.condition)
            }) {
                if groups.count == first || groups[groups.count - 1].least != least {
                    groups.append(Group(least: least, words: Stretch(words.count, words.count)))
                }
                let group = groups.count - 1
                if groups[group].words.isEmpty || words[words.count - 1].index != condition / 64 {
                    words.append(Word(index: condition / 64, bits: 0))
                    groups[group].words = Stretch(groups[group].words.range.lowerBound, words.count)
                }
                words[words.count - 1].bits |= 1 << UInt64(condition % 64)
            }
            ranges.append(first..<groups.count)
        }
        self.ranges = ranges
        self.groups = groups
        self.words = words
    }

    @inline(__always)
    func forEachWord(_ trace: Int, count: Int, _ body: (_ word: Int, _ bits: UInt64) -> Void) {
        for place in ranges[trace] {
            let group = groups[place]
            if group.least > count { break }
            for place in group.words.range { body(words[place].index, words[place].bits) }
        }
    }
}

/// Rows of bits while they are filled in.
struct BitRows {
    private(set) var bits: [UInt64]
    private let words: Int

    init(rows: Int, words: Int) {
        self.words = words
        bits = [UInt64](repeating: 0, count: rows * words)
    }

    mutating func set(_ row: Int, _ bit: Int) {
        bits[row * words + bit / 64] |= 1 << UInt64(bit % 64)
    }
}

extension GeneralCondition {
    /// The record traces it reads.
    fileprivate var recordTraces: [Int] {
        switch self {
        case .firstSeen, .times, .sequence, .uploaded: []
        case .records(let condition):
            if case .relative(_, let other) = condition.mode {
                [condition.trace, other]
            } else {
                [condition.trace]
            }
        case .retained(let condition): [condition.trace]
        case .hadMostRecent(let active, _, _): [active]
        }
    }

    /// What is computed of records, where it is that kind.
    private var records: RecordsCondition? {
        switch self {
        case .records(let condition), .times(let condition): condition
        case .firstSeen, .sequence, .retained, .hadMostRecent, .uploaded: nil
        }
    }

    /// How many records there must be for it to become true, where it is false, by one of them.
    fileprivate var leastRecords: Int {
        switch records?.mode {
        case .count(let range), .distinct(let range), .onDistinct(_, _, let range):
            range.isPlain && range.highest == .max ? Int(clamping: range.lowest) : 0
        case .sequence(let steps, _): steps
        case .relative, .sum, .average, .minimum, .maximum, .nth, nil: 0
        }
    }

    /// Whether it asks when the user was first seen.
    fileprivate var readsFirstSeen: Bool {
        switch self {
        case .firstSeen: true
        case .records(let condition), .times(let condition): !condition.window.isShared
        case .retained(let condition): condition.startsAtFirstSeen || !condition.window.isShared
        case .hadMostRecent(_, let window, _): !window.isShared
        case .sequence, .uploaded: false
        }
    }

    /// Whether no further event makes it false.
    fileprivate func isRising(in plan: Plan) -> Bool {
        switch self {
        case .retained, .sequence: return true
        default: break
        }
        guard let records else { return false }
        if case .relative = records.mode { return false }
        var reducer = RecordReducer()
        return reducer.test(records, nil).isMonotone
    }

    /// Whether only a negative number makes it false: a sum of at least something.
    fileprivate var isRisingByGains: Bool {
        guard case .sum(let predicate)? = records?.mode else { return false }
        return predicate.isAtLeast
    }

    /// Whether it looks at property values.
    fileprivate var readsProperties: Bool {
        if case .hadMostRecent = self { true } else { false }
    }

    /// Whether it looks at who was uploaded.
    fileprivate var readsUploads: Bool {
        if case .uploaded = self { true } else { false }
    }
}
