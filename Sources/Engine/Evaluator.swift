import Basics
import Cohorts
import Events

/// Works out which conditions hold for one user at one tick, and when that may change by the clock alone: only those
/// that it is told to look at.
///
/// The plan is laid out flat for it: steps without references inside, so that an evaluation neither allocates nor
/// counts references. Copies share the buffers for the results, which are those of one user at a time.
struct Evaluator {
    /// One condition.
    fileprivate struct Step: BitwiseCopyable {
        enum Kind: BitwiseCopyable {
            /// A count of at least one or more events, in a window that ends with the tick: most of all conditions.
            case atLeast
            case count, firstSeen, properties, synced, sequence, general
        }

        var kind: Kind
        /// Whether no event at all satisfies it.
        var holdsForNone = false
        /// Whether it changes with a property value that is still ahead.
        var readsProperties = false
        /// Of a sequence that of its last step.
        var trace: Int32 = 0
        /// Of a sequence the trace of its first step.
        var firstTrace: Int32 = 0
        /// Place in ``holed`` of a range with holes, −1 = it has none.
        var holed: Int32 = -1
        /// Number among the general conditions.
        var general: Int32 = 0
        /// Milliseconds; ``unbounded`` = no lower bound.
        var length = Step.unbounded
        var offset: Int64 = 0
        var lowest: Int64 = 0
        var highest: Int64 = 0

        static let unbounded = Int64.max

        /// Whether ``general`` is a number.
        var isGeneral: Bool { kind == .general || kind == .sequence }

        init(kind: Kind) { self.kind = kind }
    }

    private let steps: [Step]
    private let holed: [CountRange]
    private let properties: PropertyConditions
    let feeds: ConditionFeeds
    /// Bits of the conditions that read a property, ``feeds``' words for each number of a name.
    private let readers: [UInt64]
    private let namesRead: Int

    private var general: GeneralEvaluator
    private var places: TracePlaces
    /// The conditions to look at, 64 a word.
    private let dirty: WordBuffer
    /// The words of ``dirty`` that are not zero, 64 a word.
    private let dirtyWords: WordBuffer
    /// What the property conditions of a user turned out to be.
    private let propertyTruth: WordBuffer
    /// Truth of the conditions of a user of whom nothing happened.
    let truthOfNothing: WordBuffer
    /// Words of ``deadline(_:)``.
    private let deadlineWords: WordBuffer
    /// When conditions that were looked at may change by the clock alone: how many there are.
    private(set) var deadlineCount = 0
    /// Conditions whose deadline is when the oldest of what is kept for them leaves.
    private let pruning: [UInt64]
    /// Conditions that read times, and those that read records.
    private var timeReaders: [UInt64] = []
    private var recordReaders: [UInt64] = []

    init(plan: Plan, names: inout PropertyNames) {
        var steps: [Step] = []
        var holed: [CountRange] = []
        var generalCount = 0
        var readNames: [[UInt32]] = []
        for condition in plan.conditions {
            readNames.append([])
            switch condition {
            case .count(let trace, let window, let range):
                var step = Step(kind: .count)
                step.trace = Int32(trace)
                step.lowest = range.lowest
                step.highest = range.highest
                step.setWindow(window)
                step.holdsForNone = range.contains(0)
                if !range.isPlain {
                    step.holed = Int32(holed.count)
                    holed.append(CountRange(range))
                } else if range.highest == .max, range.lowest >= 1, step.offset == 0,
                    step.length != Step.unbounded
                {
                    step.kind = .atLeast
                }
                steps.append(step)
            case .firstSeen(let window):
                var step = Step(kind: .firstSeen)
                step.setWindow(window)
                steps.append(step)
            case .properties(let tests):
                readNames[steps.count] = tests.flatMap {
                    PropertyLookUp($0.name, names: &names).names
                }
                steps.append(Step(kind: .properties))
            case .synced(let properties):
                readNames[steps.count] = properties.flatMap {
                    PropertyLookUp($0, names: &names).names
                }
                steps.append(Step(kind: .synced))
            case .general(let condition):
                var step = Step(kind: .general)
                step.general = Int32(generalCount)
                if case .hadMostRecent = condition { step.readsProperties = true }
                if case .sequence(let sequence) = condition,
                    let first = sequence.traces.first, let last = sequence.traces.last
                {
                    step.kind = .sequence
                    step.firstTrace = Int32(first)
                    step.trace = Int32(last)
                }
                steps.append(step)
                generalCount += 1
            }
        }
        precondition(steps.count <= ConditionDeadline.conditionsMax, "\(steps.count) conditions")
        self.steps = steps
        self.holed = holed
        general = GeneralEvaluator(plan: plan, names: &names)
        for (condition, step) in steps.enumerated() where step.isGeneral {
            readNames[condition] = general.names(of: Int(step.general))
        }
        feeds = ConditionFeeds(plan: plan)
        namesRead = (readNames.joined().max().map { Int($0) } ?? -1) + 1
        var readers = BitRows(rows: namesRead, words: feeds.words)
        for (condition, names) in readNames.enumerated() {
            for name in names { readers.set(Int(name), condition) }
        }
        self.readers = readers.bits
        properties = PropertyConditions(plan: plan, words: feeds.words, names: &names)
        pruning = Self.pruning(plan)
        dirty = WordBuffer(count: feeds.words)
        dirtyWords = WordBuffer(count: (feeds.words + 63) / 64)
        places = TracePlaces(traces: plan.traces.count)
        propertyTruth = WordBuffer(count: feeds.words)
        deadlineWords = WordBuffer(count: steps.count)
        truthOfNothing = WordBuffer(count: feeds.words)
        var timeReaders = BitRows(rows: 1, words: feeds.words)
        var recordReaders = BitRows(rows: 1, words: feeds.words)
        for condition in steps.indices {
            for number in 0..<sourceCount(of: condition) {
                switch source(number, of: condition) {
                case .times: timeReaders.set(0, condition)
                case .records: recordReaders.set(0, condition)
                }
            }
        }
        self.timeReaders = timeReaders.bits
        self.recordReaders = recordReaders.bits
        workOutNothing(plan)
    }

    /// Conditions that look back as far as any on their trace: when something leaves their window, nobody needs it.
    private static func pruning(_ plan: Plan) -> [UInt64] {
        var bits = BitRows(rows: 1, words: (plan.conditions.count + 63) / 64)
        for (index, condition) in plan.conditions.enumerated() {
            switch condition {
            case .count(let trace, let window, _):
                if window.horizon == plan.traces[trace].horizon { bits.set(0, index) }
            case .firstSeen, .properties, .synced: break
            case .general(.times(let condition)):
                if condition.window.horizon == plan.traces[condition.trace].horizon {
                    bits.set(0, index)
                }
            case .general(.sequence(let condition)):
                let horizon = condition.window.horizon
                if condition.traces.contains(where: { plan.traces[$0].horizon == horizon }) {
                    bits.set(0, index)
                }
            case .general(.records(let condition)):
                if condition.window.horizon == plan.recordTraces[condition.trace].retention.horizon
                {
                    bits.set(0, index)
                }
            case .general: bits.set(0, index)
            }
        }
        return bits.bits
    }

    /// Numbers of the names whose whole history the plan looks at.
    var historicNames: Set<UInt32> { general.historicNames }

    /// A word of the conditions that look at the property of that number.
    func conditions(reading name: UInt32, word: Int) -> UInt64 {
        Int(name) < namesRead ? readers[Int(name) * feeds.words + word] : 0
    }

    /// Readies what a tick's evaluations share.
    mutating func prepare(_ tick: EventTime) {
        general.prepare(tick)
    }

    /// What a condition reads of a user.
    enum Source {
        case times(Int)
        case records(Int)
    }

    /// Which of a user's lists some conditions of a word read.
    @inline(__always)
    func lists(of conditions: UInt64, word: Int) -> UserListKinds {
        var kinds: UserListKinds = []
        if conditions & timeReaders[word] != 0 { kinds.insert(.times) }
        if conditions & recordReaders[word] != 0 { kinds.insert(.records) }
        if conditions & feeds.properties[word] != 0 { kinds.insert(.properties) }
        return kinds
    }

    /// How many traces a condition reads; of two record traces the first counts.
    func sourceCount(of condition: Int) -> Int {
        let step = steps[condition]
        switch step.kind {
        case .atLeast, .count: return 1
        case .sequence, .general: return general.sourceCount(of: Int(step.general))
        case .firstSeen, .properties, .synced: return 0
        }
    }

    /// One of the traces that a condition reads, 0..<``sourceCount(of:)``.
    func source(_ number: Int, of condition: Int) -> Source {
        let step = steps[condition]
        return step.isGeneral
            ? general.source(number, of: Int(step.general)) : .times(Int(step.trace))
    }

    // MARK: One user

    /// Begins with a user whose conditions are known: none is to be looked at.
    @inline(__always)
    mutating func begin() {
        for part in 0..<dirtyWords.count {
            var words = dirtyWords[part]
            dirtyWords[part] = 0
            while words != 0 {
                dirty[part * 64 + words.trailingZeroBitCount] = 0
                words &= words - 1
            }
        }
    }

    /// Adds conditions of a word to look at.
    @inline(__always)
    mutating func look(at conditions: UInt64, word: Int) {
        dirty[word] |= conditions
        dirtyWords[word / 64] |= 1 << UInt64(word % 64)
    }

    /// Begins with a user as one of whom nothing happened, as `truth` says then; what there is of this one is to be
    /// looked at.
    mutating func beginAnew(
        _ record: borrowing Shard.UserRecord,
        truth: UnsafeMutablePointer<UInt64>,
        traceLists: borrowing TraceLists,
        recordLists: borrowing RecordLists
    ) {
        begin()
        for word in 0..<dirty.count {
            truth[word] = truthOfNothing[word]
            look(
                at: feeds.firstSeen[word] | feeds.uploads[word]
                    | (record.properties.words > 0 ? feeds.properties[word] : 0),
                word: word
            )
        }
        for entry in traceLists.entries(record.traces) {
            feeds.forEachWord(ofTrace: entry.trace, listed: entry.count) {
                look(at: $1, word: $0)
            }
        }
        recordLists.forEachTrace(record.records) { trace, listed in
            feeds.forEachWord(ofRecordTrace: trace, listed: listed) { look(at: $1, word: $0) }
        }
    }

    /// Works out the truth of a user of whom nothing happened, at any tick.
    private mutating func workOutNothing(_ plan: Plan) {
        let record = Shard.UserRecord()
        let tick = EventTime(milliseconds: 0)
        prepare(tick)
        begin()
        for word in 0..<dirty.count { look(at: feeds.all[word], word: word) }
        let traceLists = TraceLists()
        let recordLists = RecordLists(plan: plan)
        let propertyLists = PropertyLists()
        _ = evaluate(
            record,
            slot: 0,
            at: tick,
            truth: truthOfNothing.start,
            traceLists: traceLists,
            recordLists: recordLists,
            propertyLists: propertyLists,
            uploads: Uploads()
        )
    }

    /// Adds a condition to look at.
    mutating func look(at condition: Int) {
        look(at: 1 << UInt64(condition % 64), word: condition / 64)
    }

    /// The conditions that the last evaluation looked at, 64 a word.
    var lookedAt: UnsafePointer<UInt64> { UnsafePointer(dirty.start) }

    /// Whether a condition is to be looked at, or was by the last evaluation.
    @inline(__always)
    func isLookedAt(_ condition: Int) -> Bool {
        dirty[condition / 64] >> UInt64(condition % 64) & 1 != 0
    }

    /// Whether what leaves the window of a condition is needed by no other one.
    @inline(__always)
    func prunes(_ condition: Int) -> Bool {
        pruning[condition / 64] >> UInt64(condition % 64) & 1 != 0
    }

    /// When a condition that was looked at may change by the clock alone, 0..<``deadlineCount``, in no order; of a
    /// condition at most one.
    @inline(__always)
    func deadline(_ index: Int) -> ConditionDeadline {
        ConditionDeadline(word: deadlineWords[index])
    }

    /// What ``deadline(_:)`` gives, the latest first; lent until the next evaluation.
    ///
    /// By Shell's method, which needs no memory: they are few, and sorted to some extent.
    func sortedDeadlines() -> UnsafeBufferPointer<UInt64> {
        let words = deadlineWords.start
        var gap = 1
        while 9 * gap < deadlineCount { gap = 3 * gap + 1 }
        while gap > 0, deadlineCount > 1 {
            for index in gap..<deadlineCount {
                let word = words[index]
                var place = index
                while place >= gap, words[place - gap] < word {
                    words[place] = words[place - gap]
                    place -= gap
                }
                words[place] = word
            }
            gap /= 3
        }
        return UnsafeBufferPointer(start: words, count: deadlineCount)
    }

    /// Evaluates the conditions to look at for a user who is known at `tick`, which was prepared.
    ///
    /// Leaves their deadlines in ``deadline(_:)``; where the clock alone changes nothing there is none.
    ///
    /// - `truth`: The user's row: which conditions hold, as far as is known. Those that are looked at are put right.
    /// - `decided`: Which conditions are decided, in the user's row, where there is one.
    /// - `flipped`: Is told which bits of which word changed.
    ///
    /// Gives whether any did.
    @inline(__always)
    mutating func evaluate(
        _ record: borrowing Shard.UserRecord,
        slot: UserSlot,
        at tick: EventTime,
        truth: UnsafeMutablePointer<UInt64>,
        decided row: UnsafeMutablePointer<UInt64>? = nil,
        traceLists: borrowing TraceLists,
        recordLists: borrowing RecordLists,
        propertyLists: borrowing PropertyLists,
        uploads: borrowing Uploads,
        flipped: (_ word: Int, _ bits: UInt64) -> Void = { _, _ in }
    ) -> Bool {
        deadlineCount = 0
        general.begin()
        places.begin()
        // Asked at most once for all conditions that read properties; 0 = not yet.
        var propertyChange: Int64 = 0
        var isFlipped = false
        // What the last condition found, which the next often asks for too.
        var found = FoundTimes()
        for part in 0..<dirtyWords.count {
            var words = dirtyWords[part]
            while words != 0 {
                let word = part * 64 + words.trailingZeroBitCount
                words &= words - 1
                var bits = dirty[word]
                let asked = bits
                let before = truth[word]
                var after = before
                // Which have a deadline, and of which it decides.
                var noted: UInt64 = 0
                var decided: UInt64 = 0
                let plain = bits & properties.all[word]
                if plain != 0 {
                    if propertyChange == 0 {
                        propertyChange = nextChange(record.properties, tick, propertyLists)
                        properties.evaluate(
                            record.properties,
                            at: tick,
                            in: propertyLists,
                            asked: dirty.start,
                            truth: propertyTruth.start
                        )
                    }
                    after = after & ~plain | propertyTruth[word] & plain
                    if propertyChange < Self.never {
                        note(plain, word: word, propertyChange)
                        noted |= plain
                    }
                    bits &= ~plain
                }
                while bits != 0 {
                    let bit = bits.trailingZeroBitCount
                    bits &= bits - 1
                    let index = word * 64 + bit
                    let outcome = evaluate(
                        index,
                        record,
                        slot: slot,
                        at: tick,
                        &found,
                        traceLists: traceLists,
                        recordLists: recordLists,
                        propertyLists: propertyLists,
                        uploads: uploads
                    )
                    if outcome.change < Self.never {
                        note(index, outcome.change)
                        noted |= 1 << UInt64(bit)
                        if outcome.isDecided { decided |= 1 << UInt64(bit) }
                    }
                    after = after & ~(1 << UInt64(bit)) | (outcome.isTrue ? 1 << UInt64(bit) : 0)
                }
                if let row {
                    decided |= asked & ~noted & ~(after ^ truthOfNothing[word])
                    row[word] = row[word] & ~asked | decided
                }
                if after != before {
                    truth[word] = after
                    isFlipped = true
                    flipped(word, after ^ before)
                }
            }
        }
        return isFlipped
    }

    /// The times that were asked for last.
    private struct FoundTimes {
        /// −1 = none were.
        var trace: Int32 = -1
        var entry: TraceLists.Entry?
        var times = TraceLists.Times.none
    }

    /// Evaluates one condition.
    @inline(__always)
    private mutating func evaluate(
        _ index: Int,
        _ record: borrowing Shard.UserRecord,
        slot: UserSlot,
        at tick: EventTime,
        _ found: inout FoundTimes,
        traceLists: borrowing TraceLists,
        recordLists: borrowing RecordLists,
        propertyLists: borrowing PropertyLists,
        uploads: borrowing Uploads
    ) -> ConditionOutcome {
        // In milliseconds: this is the hottest loop there is.
        let step = steps[index]
        switch step.kind {
        case .atLeast, .count:
            if found.trace != step.trace {
                found.trace = step.trace
                found.entry = places.find(Int(step.trace), in: record.traces, of: traceLists)
                if let entry = found.entry { found.times = traceLists.times(entry) }
            }
            guard let entry = found.entry else {
                return ConditionOutcome(isTrue: step.holdsForNone)
            }
            if step.kind == .atLeast {
                return atLeast(step, entry, found.times, tick.milliseconds)
            }
            return count(step, entry, found.times, tick.milliseconds)
        case .firstSeen:
            return firstSeen(record.firstSeen.milliseconds, step, at: tick.milliseconds)
        case .properties: preconditionFailure("a property condition by itself")
        case .synced:
            let next = propertyLists.nextChange(record.properties, after: tick) { name in
                conditions(reading: name, word: index / 64) >> UInt64(index % 64) & 1 != 0
            }
            return ConditionOutcome(isTrue: false, change: next?.milliseconds ?? .max)
        case .sequence, .general:
            if step.kind == .sequence, !prunes(index),
                hasNotBegun(step, record.traces, tick, traceLists)
            {
                return ConditionOutcome(isTrue: false)
            }
            var outcome = general.evaluate(
                Int(step.general),
                record,
                slot: slot,
                places: &places,
                prunes: prunes(index),
                traceLists: traceLists,
                recordLists: recordLists,
                propertyLists: propertyLists,
                uploads: uploads
            )
            guard step.readsProperties else { return outcome }
            let change = nextChange(record.properties, tick, propertyLists)
            outcome.change = min(outcome.change, change)
            return outcome
        }
    }

    /// Whether nothing of a sequence's last step is there; or nothing of its first, and nothing of its last is ahead, as
    /// it is with most users who do the last.
    ///
    /// Then it is not true before something of the last step comes, which asks for a look, or something of the first that
    /// is late, which does too: one that is not late comes behind all there is of the last.
    @inline(__always)
    private mutating func hasNotBegun(
        _ step: Step,
        _ row: SlabRow,
        _ tick: EventTime,
        _ traceLists: borrowing TraceLists
    ) -> Bool {
        guard let last = places.find(Int(step.trace), in: row, of: traceLists) else { return true }
        if places.find(Int(step.firstTrace), in: row, of: traceLists) != nil { return false }
        let times = traceLists.times(last)
        return times.count == 0 || times[times.count - 1] <= tick.milliseconds
    }

    /// When a value of a user may differ next; ``never`` where none will.
    private func nextChange(
        _ row: SlabRow,
        _ tick: EventTime,
        _ propertyLists: borrowing PropertyLists
    ) -> Int64 {
        propertyLists.nextChange(row, after: tick)?.milliseconds ?? Self.never
    }

    @inline(__always)
    private mutating func note(_ condition: Int, _ change: Int64) {
        deadlineWords[deadlineCount] = ConditionDeadline(condition: condition, instant: change).word
        deadlineCount += 1
    }

    /// Notes the same deadline of conditions of a word.
    private mutating func note(_ conditions: UInt64, word: Int, _ change: Int64) {
        var bits = conditions
        while bits != 0 {
            note(word * 64 + bits.trailingZeroBitCount, change)
            bits &= bits - 1
        }
    }

    /// No change comes this late.
    private static let never = EventTime.distantFuture.milliseconds

    @inline(__always)
    private func atLeast(
        _ step: Step,
        _ entry: TraceLists.Entry,
        _ times: TraceLists.Times,
        _ tick: Int64
    ) -> ConditionOutcome {
        guard times.count > 0, times[times.count - 1] <= tick else {
            return count(step, entry, times, tick)
        }
        // Nothing waits to enter, so it holds as long as the time that is the lowest number from the end is inside.
        guard step.lowest <= times.count else { return ConditionOutcome(isTrue: false) }
        let leaves = times[times.count - Int(step.lowest)] + step.length
        return leaves > tick
            ? ConditionOutcome(isTrue: true, change: leaves, isDecided: true)
            : ConditionOutcome(isTrue: false)
    }

    private func count(
        _ step: Step,
        _ entry: TraceLists.Entry,
        _ times: TraceLists.Times,
        _ tick: Int64
    ) -> ConditionOutcome {
        let isUnbounded = step.length == Step.unbounded
        let count = WindowCount(
            times: times,
            base: isUnbounded ? entry.base : 0,
            length: isUnbounded ? nil : step.length,
            offset: step.offset,
            tick: tick
        )
        let range =
            step.holed < 0
            ? CountRange(lowest: step.lowest, highest: step.highest) : holed[Int(step.holed)]
        return ConditionOutcome(
            isTrue: range.contains(count.count),
            change: count.nextFlip(of: range),
            isDecided: count.isDecided(range)
        )
    }

    private func firstSeen(
        _ time: Int64,
        _ step: Step,
        at tick: Int64
    ) -> ConditionOutcome {
        if time == Self.never { return ConditionOutcome(isTrue: false) }
        if step.length == Step.unbounded {
            return ConditionOutcome(isTrue: time <= tick, change: time <= tick ? .max : time)
        }
        let enters = time + step.offset
        let leaves = enters + step.length
        let isTrue = tick >= enters && tick < leaves
        return ConditionOutcome(
            isTrue: isTrue,
            change: isTrue ? leaves : tick < enters ? enters : .max,
            isDecided: isTrue
        )
    }
}

extension Evaluator.Step {
    fileprivate mutating func setWindow(_ window: Condition.CountWindow) {
        guard case .last(let length, let offset) = window else { return }
        self.length = length
        self.offset = offset
    }
}
