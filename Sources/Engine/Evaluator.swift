import Basics
import Cohorts
import Events

/// Works out which conditions and cohorts hold for one user at one tick, and when that may change by the
/// clock alone: of the conditions only those that it is told to look at, of the cohorts those they decide.
///
/// The plan is laid out flat for it: steps and instructions without references inside, so that an evaluation
/// neither allocates nor counts references. Owns the buffers for the results.
struct Evaluator {
    /// One condition.
    fileprivate struct Step {
        enum Kind {
            case count, firstSeen, properties, synced, general
        }

        var kind: Kind
        var trace = 0
        /// Milliseconds; nil = no lower bound.
        var length: Int64?
        var offset: Int64 = 0
        var lowest: Int64 = 0
        var highest: Int64 = 0
        /// Place in ``holed`` of a range with holes, −1 = it has none.
        var holed = -1
        /// Whether no event at all satisfies it.
        var holdsForNone = false
        /// Places in ``lookUps``.
        var lookUps = 0..<0
        /// Number among the general conditions.
        var general = 0
        /// Whether it changes with a property value that is still ahead.
        var readsProperties = false
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
    private var dirty: [UInt64]
    /// Truth of the conditions, 64 a word.
    private var truth: [UInt64]
    /// The cohorts to look at, by their places in ``order``.
    private var affected: [UInt64]
    /// Bits by cohort.
    private var members: [UInt64]
    /// ``truth`` and ``members`` of a user of whom nothing happened.
    private var truthOfNothing: [UInt64]
    private var membersOfNothing: [UInt64]
    /// When the conditions that were looked at may change by the clock alone.
    private(set) var deadlines: [ConditionDeadline] = []

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
                var step = Step(
                    kind: .count,
                    trace: trace,
                    lowest: range.lowest,
                    highest: range.highest
                )
                step.setWindow(window)
                step.holdsForNone = range.contains(0)
                if !range.isPlain {
                    step.holed = holed.count
                    holed.append(CountRange(range))
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
                var step = Step(kind: .properties, lookUps: start..<lookUps.count)
                step.readsProperties = true
                steps.append(step)
            case .synced(let properties):
                readNames[steps.count] = properties.flatMap {
                    PropertyLookUp($0, names: &names).names
                }
                steps.append(Step(kind: .synced))
            case .general(let condition):
                var step = Step(kind: .general, general: generalCount)
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
            readNames[condition] = general.names(of: step.general)
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
        dirty = [UInt64](repeating: 0, count: feeds.words)
        truth = dirty
        affected = [UInt64](repeating: 0, count: feeds.cohortWords)
        members = affected
        truthOfNothing = truth
        membersOfNothing = members
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
        case .count: return .times(step.trace)
        case .general: return general.source(of: step.general)
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
            for word in 0..<dirty.count {
                dirty[word] |= feeds.trace(entry.trace, listed: .max, word: word)
            }
        }
        recordLists.forEachTrace(record.records) { trace in
            for word in 0..<dirty.count {
                dirty[word] |= feeds.recordTrace(trace, listed: .max, word: word)
            }
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
        truthOfNothing = truth
        membersOfNothing = members
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
    var looksAtAny: Bool { dirty.contains { $0 != 0 } }

    /// Truth of the conditions of the user last evaluated, 64 a word.
    func truthBits(word: Int) -> UInt64 { truth[word] }

    /// Which cohorts the user last evaluated is in, 64 a word, by index.
    func memberBits(word: Int) -> UInt64 { members[word] }

    /// Says in which cohorts the user is as yet.
    mutating func setMemberBits(_ bits: UInt64, word: Int) { members[word] = bits }

    /// Evaluates the conditions to look at for a user who is known at `tick`, which was prepared.
    ///
    /// Leaves their deadlines in ``deadlines``; where the clock alone changes nothing there is none.
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
        deadlines.removeAll(keepingCapacity: true)
        for word in 0..<affected.count { affected[word] = 0 }
        // Asked at most once for all conditions that read properties; 0 = not yet.
        var propertyChange: Int64 = 0
        let entries = traceLists.entries(record.traces)
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
                case .count:
                    (isTrue, change) = count(step, entries, at: tick.milliseconds, in: traceLists)
                case .firstSeen:
                    (isTrue, change) = firstSeen(
                        record.firstSeen.milliseconds,
                        step,
                        at: tick.milliseconds
                    )
                case .properties:
                    isTrue = holds(step.lookUps, record.properties, at: tick, in: propertyLists)
                case .synced:
                    isTrue = false
                    let next = propertyLists.nextChange(record.properties, after: tick) { name in
                        conditions(reading: name, word: word) >> UInt64(bit) & 1 != 0
                    }
                    change = next?.milliseconds ?? .max
                case .general:
                    let outcome = general.evaluate(
                        step.general,
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
                    deadlines.append(ConditionDeadline(condition: index, instant: change))
                }
                if isTrue != (truth[word] >> UInt64(bit) & 1 != 0) {
                    truth[word] ^= 1 << UInt64(bit)
                    isFlipped = true
                    for word in 0..<affected.count {
                        affected[word] |= feeds.cohorts(of: index, word: word)
                    }
                }
            }
        }
        return isFlipped
    }

    /// No change comes this late.
    private static let never = EventTime.distantFuture.milliseconds

    private func count(
        _ step: Step,
        _ entries: UnsafeMutableBufferPointer<TraceLists.Entry>,
        at tick: Int64,
        in traceLists: borrowing TraceLists
    ) -> (isTrue: Bool, change: Int64) {
        guard let position = entries.firstIndex(where: { $0.trace == step.trace }) else {
            return (step.holdsForNone, .max)
        }
        let entry = entries[position]
        let count = WindowCount(
            times: traceLists.times(entry),
            base: step.length == nil ? traceLists.base(entry) : 0,
            length: step.length,
            offset: step.offset,
            tick: tick
        )
        let range =
            step.holed < 0
            ? CountRange(lowest: step.lowest, highest: step.highest) : holed[step.holed]
        return (range.contains(count.count), count.nextFlip(of: range))
    }

    private func holds(
        _ range: Range<Int>,
        _ row: SlabRow,
        at tick: EventTime,
        in lists: borrowing PropertyLists
    ) -> Bool {
        for index in range {
            if !lookUps[index].holds(row, at: tick, in: lists) { return false }
        }
        return true
    }

    private func firstSeen(
        _ time: Int64,
        _ step: Step,
        at tick: Int64
    ) -> (isIn: Bool, change: Int64) {
        let never = Self.never
        if time == never { return (false, never) }
        guard let length = step.length else { return time <= tick ? (true, never) : (false, time) }
        let enters = time + step.offset
        let leaves = enters + length
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
