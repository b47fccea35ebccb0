import Cohorts

/// Which conditions must be looked at again when something of a user changed, and which cohorts when a
/// condition did: rows of bits, 64 to a word.
///
/// Whoever holds a row's place reads ``words`` words from there on; rows lie one behind the other in one array, so
/// that marking an event's conditions neither allocates nor counts references.
struct ConditionFeeds {
    /// Words in a row of bits of conditions.
    let words: Int
    /// Words in a row of bits of cohorts.
    let cohortWords: Int

    private let byTrace: CountedFeeds
    private let byRecordTrace: CountedFeeds
    private let byCondition: [UInt64]
    /// Conditions that no further event makes false.
    private let rising: [UInt64]
    /// Conditions that no further event makes true.
    private let falling: [UInt64]
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
                for trace in general.recordTraces {
                    byRecordTrace[trace].append((general.leastRecords, index))
                }
                if general.readsFirstSeen { firstSeen.set(0, index) }
                if general.readsProperties { properties.set(0, index) }
                if general.readsUploads { uploads.set(0, index) }
                if general.isRising(in: plan) { rising.set(0, index) }
            }
        }
        self.words = words
        self.byTrace = CountedFeeds(byTrace, words: words)
        self.byRecordTrace = CountedFeeds(byRecordTrace, words: words)
        self.firstSeen = firstSeen.bits
        self.properties = properties.bits
        self.uploads = uploads.bits
        self.rising = rising.bits
        self.falling = falling.bits
        self.all = all.bits
        cohortWords = (plan.cohorts.count + 63) / 64
        byCondition = Self.cohorts(of: plan, words: cohortWords)
    }

    /// A word of the conditions that a further time of a trace may make true or false.
    ///
    /// - `listed`: How many times are listed now; a condition that wants more is left out.
    func trace(_ trace: Int, listed: Int, word: Int) -> UInt64 {
        byTrace.bits(trace, count: listed, word: word)
    }

    /// A word of the conditions that a further record may make true or false; see above.
    func recordTrace(_ trace: Int, listed: Int, word: Int) -> UInt64 {
        byRecordTrace.bits(trace, count: listed, word: word)
    }

    /// A word of the conditions that stay as they are whatever further events come, as `truth` has them.
    ///
    /// Their deadlines may be too early then, never too late: the clock alone still takes them where it did.
    func settled(_ truth: UInt64, word: Int) -> UInt64 {
        (truth & rising[word]) | (~truth & falling[word])
    }

    /// A word of the cohorts that a condition decides, by way of other cohorts too: bits by their places in the
    /// plan's order of evaluation.
    func cohorts(of condition: Int, word: Int) -> UInt64 {
        byCondition[condition * cohortWords + word]
    }

    /// How many times must be listed for a false condition to become true by one of them.
    private static func leastListed(_ window: Condition.CountWindow, _ range: NumberRange) -> Int {
        // Without a lower bound, times that are no longer listed count too.
        guard case .last = window, range.isPlain, range.highest == .max else { return 0 }
        return Int(clamping: range.lowest)
    }

    private static func cohorts(of plan: Plan, words: Int) -> [UInt64] {
        var rows = BitRows(rows: plan.conditions.count, words: words)
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
            for condition in conditions[cohort] { rows.set(condition, place) }
        }
        return rows.bits
    }
}

/// The conditions each trace feeds, in groups by how much of the trace there must be for them to change.
private struct CountedFeeds {
    private let ranges: [Range<Int>]
    /// The least count of each group; ascending within a trace.
    private let counts: [Int]
    /// The conditions of each group.
    private let bits: [UInt64]
    private let words: Int

    init(_ feeds: [[(least: Int, condition: Int)]], words: Int) {
        var ranges: [Range<Int>] = []
        var counts: [Int] = []
        var rows: [[Int]] = []
        for feed in feeds {
            let start = counts.count
            for (least, condition) in feed.sorted(by: { $0.least < $1.least }) {
                if counts.count == start || counts[counts.count - 1] != least {
                    counts.append(least)
                    rows.append([])
                }
                rows[rows.count - 1].append(condition)
            }
            ranges.append(start..<counts.count)
        }
        var bits = BitRows(rows: rows.count, words: words)
        for (row, conditions) in rows.enumerated() {
            for condition in conditions { bits.set(row, condition) }
        }
        self.ranges = ranges
        self.counts = counts
        self.bits = bits.bits
        self.words = words
    }

    func bits(_ trace: Int, count: Int, word: Int) -> UInt64 {
        var found: UInt64 = 0
        for group in ranges[trace] {
            if counts[group] > count { break }
            found |= bits[group * words + word]
        }
        return found
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
        case .firstSeen, .times, .uploaded: []
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
        case .firstSeen, .retained, .hadMostRecent, .uploaded: nil
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
        case .uploaded: false
        }
    }

    /// Whether no further event makes it false.
    fileprivate func isRising(in plan: Plan) -> Bool {
        if case .retained = self { return true }
        guard let records else { return false }
        if case .relative = records.mode { return false }
        var reducer = RecordReducer()
        return reducer.test(records, nil).isMonotone
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
