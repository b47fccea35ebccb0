import Basics
import Cohorts
import Events

/// Works out which conditions and cohorts hold for one user at one tick, and when that may change by the
/// clock alone: of the conditions only those that it is told to look at, of the cohorts those they decide.
///
/// The plan is laid out flat for it: steps and instructions without references inside, so that an evaluation
/// neither allocates nor counts references. Copies share the buffers for the results, which are those of one
/// user at a time.
struct Evaluator {
    /// One condition.
    fileprivate struct Step: BitwiseCopyable {
        enum Kind: BitwiseCopyable {
            /// A count of at least one or more events, in a window that ends with the tick: most of all conditions.
            case atLeast
            case count, firstSeen, properties, synced, general
        }

        var kind: Kind
        /// Whether no event at all satisfies it.
        var holdsForNone = false
        /// Whether it changes with a property value that is still ahead.
        var readsProperties = false
        var trace: Int32 = 0
        /// Place in ``holed`` of a range with holes, −1 = it has none.
        var holed: Int32 = -1
        /// Number among the general conditions.
        var general: Int32 = 0
        /// Places in ``lookUps``.
        var lookUps = Stretch.empty
        /// Milliseconds; ``unbounded`` = no lower bound.
        var length = Step.unbounded
        var offset: Int64 = 0
        var lowest: Int64 = 0
        var highest: Int64 = 0

        static let unbounded = Int64.max

        init(kind: Kind) { self.kind = kind }
    }

    /// One step of a program over a stack of bits.
    fileprivate enum Instruction {
        case condition(Int32)
        case member(Int32)
        case and, or, not
    }

    private let steps: [Step]
    private let holed: [CountRange]
    private let lookUps: [NumberedPropertyCondition]
    /// The programs of all cohorts in the plan's order of evaluation, one behind the other.
    private let instructions: [Instruction]

    /// Where the program of each cohort, by its place in ``order``, stands in ``instructions``.
    private let programs: [Range<Int>]
    /// Cohorts, each behind those it refers to.
    private let order: [Int]
    let feeds: ConditionFeeds
    /// Bits of the conditions that read a property, ``feeds``' words for each number of a name.
    private let readers: [UInt64]
    private let namesRead: Int

    private var general: GeneralEvaluator
    /// The conditions to look at.
    private let dirty: WordBuffer
    /// Truth of the conditions, 64 a word.
    private let truth: WordBuffer
    /// The cohorts to look at, by their places in ``order``.
    private let affected: WordBuffer
    /// Bits by cohort.
    private let members: WordBuffer
    /// ``truth`` and ``members`` of a user of whom nothing happened.
    private var truthOfNothing: [UInt64] = []
    private var membersOfNothing: [UInt64] = []
    /// Words of ``deadlines``.
    private let deadlineWords: WordBuffer
    /// When conditions that were looked at may change by the clock alone: how many there are.
    private(set) var deadlineCount = 0

    init(plan: Plan, names: inout PropertyNames) {
        var steps: [Step] = []
        var holed: [CountRange] = []
        var lookUps: [NumberedPropertyCondition] = []
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
                let start = lookUps.count
                lookUps += tests.map { NumberedPropertyCondition($0, names: &names) }
                readNames[steps.count] = lookUps[start...].flatMap(\.names)
                var step = Step(kind: .properties)
                step.lookUps = Stretch(start, lookUps.count)
                step.readsProperties = true
                steps.append(step)
            case .synced(let properties):
                readNames[steps.count] = properties.flatMap {
                    PropertyLookUp($0, names: &names).names
                }
                steps.append(Step(kind: .synced))
            case .general(let condition):
                var step = Step(kind: .general)
                step.general = Int32(generalCount)
                if case .hadMostRecent = condition { step.readsProperties = true }
                steps.append(step)
                generalCount += 1
            }
        }
        precondition(steps.count <= ConditionDeadline.conditionsMax, "\(steps.count) conditions")
        self.steps = steps
        self.holed = holed
        self.lookUps = lookUps
        general = GeneralEvaluator(plan: plan, names: &names)
        for (condition, step) in steps.enumerated() where step.kind == .general {
            readNames[condition] = general.names(of: Int(step.general))
        }
        feeds = ConditionFeeds(plan: plan)
        namesRead = (readNames.joined().max().map { Int($0) } ?? -1) + 1
        var readers = BitRows(rows: namesRead, words: feeds.words)
        for (condition, names) in readNames.enumerated() {
            for name in names { readers.set(Int(name), condition) }
        }
        self.readers = readers.bits
        var instructions: [Instruction] = []
        var programs: [Range<Int>] = []
        for cohort in plan.evaluationOrder {
            let start = instructions.count
            instructions += plan.cohorts[cohort].program.map(Instruction.init)
            programs.append(start..<instructions.count)
        }
        self.instructions = instructions
        self.programs = programs
        order = plan.evaluationOrder
        dirty = WordBuffer(count: feeds.words)
        truth = WordBuffer(count: feeds.words)
        affected = WordBuffer(count: feeds.cohortWords)
        members = WordBuffer(count: feeds.cohortWords)
        deadlineWords = WordBuffer(count: steps.count)
        workOutNothing(plan)
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
        case none
        case times(Int)
        case records(Int)
    }

    /// Which trace a condition reads, the first of two.
    func source(of condition: Int) -> Source {
        let step = steps[condition]
        switch step.kind {
        case .atLeast, .count: return .times(Int(step.trace))
        case .general: return general.source(of: Int(step.general))
        case .firstSeen, .properties, .synced: return .none
        }
    }

    // MARK: One user

    /// Begins with a user's conditions as they were: none is to be looked at yet.
    mutating func begin(truth word: Int, _ bits: UInt64) {
        truth[word] = bits
        dirty[word] = 0
    }

    /// Begins with a user as one of whom nothing happened; what there is of this one is to be looked at.
    mutating func beginAnew(
        _ record: borrowing Shard.UserRecord,
        traceLists: borrowing TraceLists,
        recordLists: borrowing RecordLists
    ) {
        for word in 0..<dirty.count {
            truth[word] = truthOfNothing[word]
            dirty[word] =
                feeds.firstSeen[word] | feeds.uploads[word]
                | (record.properties.words > 0 ? feeds.properties[word] : 0)
        }
        for word in 0..<members.count { members[word] = membersOfNothing[word] }
        for entry in traceLists.entries(record.traces) {
            feeds.forEachWord(ofTrace: entry.trace, listed: .max) { dirty[$0] |= $1 }
        }
        recordLists.forEachTrace(record.records) { trace in
            feeds.forEachWord(ofRecordTrace: trace, listed: .max) { dirty[$0] |= $1 }
        }
    }

    /// Works out truth and cohorts of a user of whom nothing happened, at any tick.
    private mutating func workOutNothing(_ plan: Plan) {
        let record = Shard.UserRecord()
        let tick = EventTime(milliseconds: 0)
        prepare(tick)
        for word in 0..<dirty.count { dirty[word] = feeds.all[word] }
        let traceLists = TraceLists()
        let recordLists = RecordLists(plan: plan)
        let propertyLists = PropertyLists()
        _ = evaluate(
            record,
            slot: 0,
            at: tick,
            traceLists: traceLists,
            recordLists: recordLists,
            propertyLists: propertyLists,
            uploads: Uploads()
        )
        for place in order.indices { affected[place / 64] |= 1 << UInt64(place % 64) }
        runPrograms()
        truthOfNothing = truth.array
        membersOfNothing = members.array
    }

    /// Adds conditions to look at.
    mutating func look(at bits: UInt64, word: Int) { dirty[word] |= bits }

    /// Adds a condition to look at.
    mutating func look(at condition: Int) { dirty[condition / 64] |= 1 << UInt64(condition % 64) }

    /// Whether a condition is to be looked at, or was by the last evaluation.
    func isLookedAt(_ condition: Int) -> Bool {
        dirty[condition / 64] >> UInt64(condition % 64) & 1 != 0
    }

    /// Whether any condition is to be looked at.
    var looksAtAny: Bool {
        for word in 0..<dirty.count where dirty[word] != 0 { return true }
        return false
    }

    /// When a condition that was looked at may change by the clock alone, 0..<``deadlineCount``; of a condition at
    /// most one.
    @inline(__always)
    func deadline(_ index: Int) -> ConditionDeadline {
        ConditionDeadline(word: deadlineWords[index])
    }

    /// Truth of the conditions of the user last evaluated, 64 a word.
    func truthBits(word: Int) -> UInt64 { truth[word] }

    /// Which cohorts the user last evaluated is in, 64 a word, by index.
    func memberBits(word: Int) -> UInt64 { members[word] }

    /// Says in which cohorts the user is as yet.
    mutating func setMemberBits(_ bits: UInt64, word: Int) { members[word] = bits }

    /// Evaluates the conditions to look at for a user who is known at `tick`, which was prepared.
    ///
    /// Leaves their deadlines in ``deadline(_:)``; where the clock alone changes nothing there is none.
    ///
    /// Gives whether any truth changed; then ``runPrograms()`` is due.
    mutating func evaluate(
        _ record: borrowing Shard.UserRecord,
        slot: UserSlot,
        at tick: EventTime,
        traceLists: borrowing TraceLists,
        recordLists: borrowing RecordLists,
        propertyLists: borrowing PropertyLists,
        uploads: borrowing Uploads
    ) -> Bool {
        deadlineCount = 0
        for word in 0..<affected.count { affected[word] = 0 }
        // Asked at most once for all conditions that read properties; 0 = not yet.
        var propertyChange: Int64 = 0
        var isFlipped = false
        for word in 0..<dirty.count {
            var bits = dirty[word]
            while bits != 0 {
                let bit = bits.trailingZeroBitCount
                bits &= bits - 1
                let index = word * 64 + bit
                let step = steps[index]
                let isTrue: Bool
                // In milliseconds: this is the hottest loop there is.
                var change = Int64.max
                switch step.kind {
                case .atLeast:
                    (isTrue, change) = atLeast(step, record.traces, tick.milliseconds, traceLists)
                case .count:
                    (isTrue, change) = count(step, record.traces, tick.milliseconds, traceLists)
                case .firstSeen:
                    (isTrue, change) = firstSeen(
                        record.firstSeen.milliseconds,
                        step,
                        at: tick.milliseconds
                    )
                case .properties:
                    isTrue = holds(
                        step.lookUps.range,
                        record.properties,
                        at: tick,
                        in: propertyLists
                    )
                case .synced:
                    isTrue = false
                    let next = propertyLists.nextChange(record.properties, after: tick) { name in
                        conditions(reading: name, word: word) >> UInt64(bit) & 1 != 0
                    }
                    change = next?.milliseconds ?? .max
                case .general:
                    let outcome = general.evaluate(
                        Int(step.general),
                        record,
                        slot: slot,
                        traceLists: traceLists,
                        recordLists: recordLists,
                        propertyLists: propertyLists,
                        uploads: uploads
                    )
                    (isTrue, change) = (outcome.isTrue, outcome.change)
                }
                if step.readsProperties {
                    if propertyChange == 0 {
                        let next = propertyLists.nextChange(record.properties, after: tick)
                        propertyChange = next?.milliseconds ?? .max
                    }
                    change = min(change, propertyChange)
                }
                if change < Self.never {
                    deadlineWords[deadlineCount] =
                        ConditionDeadline(condition: index, instant: change).word
                    deadlineCount += 1
                }
                if isTrue != (truth[word] >> UInt64(bit) & 1 != 0) {
                    truth[word] ^= 1 << UInt64(bit)
                    isFlipped = true
                    feeds.forEachWord(ofCohortsOf: index) { affected[$0] |= $1 }
                }
            }
        }
        return isFlipped
    }

    /// No change comes this late.
    private static let never = EventTime.distantFuture.milliseconds

    @inline(__always)
    private func atLeast(
        _ step: Step,
        _ row: SlabRow,
        _ tick: Int64,
        _ traceLists: borrowing TraceLists
    ) -> (isTrue: Bool, change: Int64) {
        guard let entry = traceLists.find(Int(step.trace), in: row) else { return (false, .max) }
        let times = traceLists.times(entry)
        guard times.count > 0, times[times.count - 1] <= tick else {
            return count(step, row, tick, traceLists)
        }
        // Nothing waits to enter, so it holds as long as the time that is the lowest number from the end is inside.
        guard step.lowest <= times.count else { return (false, .max) }
        let leaves = times[times.count - Int(step.lowest)] + step.length
        return leaves > tick ? (true, leaves) : (false, .max)
    }

    private func count(
        _ step: Step,
        _ row: SlabRow,
        _ tick: Int64,
        _ traceLists: borrowing TraceLists
    ) -> (isTrue: Bool, change: Int64) {
        guard let entry = traceLists.find(Int(step.trace), in: row) else {
            return (step.holdsForNone, .max)
        }
        let isUnbounded = step.length == Step.unbounded
        let count = WindowCount(
            times: traceLists.times(entry),
            base: isUnbounded ? entry.base : 0,
            length: isUnbounded ? nil : step.length,
            offset: step.offset,
            tick: tick
        )
        let range =
            step.holed < 0
            ? CountRange(lowest: step.lowest, highest: step.highest) : holed[Int(step.holed)]
        return (range.contains(count.count), count.nextFlip(of: range))
    }

    private func holds(
        _ range: Range<Int>,
        _ row: SlabRow,
        at tick: EventTime,
        in lists: borrowing PropertyLists
    ) -> Bool {
        // Lent, since a copy would count the references inside.
        lookUps.withUnsafeBufferPointer { lookUps in
            for index in range {
                if !lookUps[index].holds(row, at: tick, in: lists) { return false }
            }
            return true
        }
    }

    private func firstSeen(
        _ time: Int64,
        _ step: Step,
        at tick: Int64
    ) -> (isIn: Bool, change: Int64) {
        let never = Self.never
        if time == never { return (false, never) }
        if step.length == Step.unbounded { return time <= tick ? (true, never) : (false, time) }
        let enters = time + step.offset
        let leaves = enters + step.length
        if tick < enters { return (false, enters) }
        return tick < leaves ? (true, leaves) : (false, never)
    }

    /// Works out the cohorts that a changed condition decides.
    ///
    /// On a stack of bits: depth is bounded by the language's 32 levels.
    mutating func runPrograms() {
        for word in 0..<affected.count {
            while affected[word] != 0 {
                let place = word * 64 + affected[word].trailingZeroBitCount
                affected[word] &= affected[word] - 1
                run(place)
            }
        }
    }

    /// Runs the program of the cohort at a place of ``order``.
    private mutating func run(_ place: Int) {
        let cohort = order[place]
        let bit: UInt64 = 1 << UInt64(cohort % 64)
        var stack: UInt64 = 0
        for index in programs[place] {
            switch instructions[index] {
            case .condition(let index):
                stack = stack << 1 | (truth[Int(index) / 64] >> UInt64(index % 64) & 1)
            case .member(let index):
                stack = stack << 1 | (members[Int(index) / 64] >> UInt64(index % 64) & 1)
            case .and: stack = (stack >> 2) << 1 | (stack & (stack >> 1) & 1)
            case .or: stack = (stack >> 2) << 1 | ((stack | stack >> 1) & 1)
            case .not: stack ^= 1
            }
        }
        if stack & 1 != 0 {
            members[cohort / 64] |= bit
        } else {
            members[cohort / 64] &= ~bit
        }
    }
}

extension Evaluator.Instruction {
    fileprivate init(_ instruction: CohortPlan.Instruction) {
        switch instruction {
        case .condition(let index): self = .condition(Int32(index))
        case .member(let index): self = .member(Int32(index))
        case .and: self = .and
        case .or: self = .or
        case .not: self = .not
        }
    }
}

extension Evaluator.Step {
    fileprivate mutating func setWindow(_ window: Condition.CountWindow) {
        guard case .last(let length, let offset) = window else { return }
        self.length = length
        self.offset = offset
    }
}
