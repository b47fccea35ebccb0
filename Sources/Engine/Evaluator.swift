import Basics
import Cohorts
import Events

/// Works out which conditions and cohorts hold for one user at one tick, and when that may change by the
/// clock alone.
///
/// The plan is laid out flat for it: steps and instructions without references inside, so that an evaluation
/// neither allocates nor counts references. Owns the buffers for the results.
struct Evaluator {
    /// One condition.
    fileprivate struct Step {
        enum Kind {
            case count, firstSeen, properties, general
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
    }

    /// One step of a program over a stack of bits.
    private enum Instruction {
        case condition(Int32)
        case member(Int32)
        case and, or, not
        /// Pops the result of a cohort.
        case result(Int32)
    }

    private let steps: [Step]
    private let holed: [CountRange]
    private let lookUps: [PropertyLookUp]
    /// The programs of all cohorts in the plan's order of evaluation, one behind the other.
    private let instructions: [Instruction]

    private var general: GeneralEvaluator
    private let readsProperties: Bool
    private var truth: [Bool]
    /// Bits by cohort.
    private var members: [UInt64]
    /// Index of the user's entry of each trace, −1 = none; only valid during an evaluation.
    private var entryOfTrace: [Int32]

    init(plan: Plan, names: inout PropertyNames) {
        var steps: [Step] = []
        var holed: [CountRange] = []
        var lookUps: [PropertyLookUp] = []
        var generalCount = 0
        for condition in plan.conditions {
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
                lookUps += tests.map { PropertyLookUp($0, names: &names) }
                steps.append(Step(kind: .properties, lookUps: start..<lookUps.count))
            case .general:
                steps.append(Step(kind: .general, general: generalCount))
                generalCount += 1
            }
        }
        self.steps = steps
        self.holed = holed
        self.lookUps = lookUps
        general = GeneralEvaluator(plan: plan, names: &names)
        readsProperties = !lookUps.isEmpty || general.readsProperties
        instructions = Self.instructions(of: plan)
        truth = [Bool](repeating: false, count: plan.conditions.count)
        members = [UInt64](repeating: 0, count: (plan.cohorts.count + 63) / 64)
        entryOfTrace = [Int32](repeating: -1, count: plan.traces.count)
    }

    private static func instructions(of plan: Plan) -> [Instruction] {
        var instructions: [Instruction] = []
        for cohort in plan.evaluationOrder {
            for instruction in plan.cohorts[cohort].program {
                switch instruction {
                case .condition(let index): instructions.append(.condition(Int32(index)))
                case .member(let index): instructions.append(.member(Int32(index)))
                case .and: instructions.append(.and)
                case .or: instructions.append(.or)
                case .not: instructions.append(.not)
                }
            }
            instructions.append(.result(Int32(cohort)))
        }
        return instructions
    }

    /// Numbers of the names whose whole history the plan looks at.
    var historicNames: Set<UInt32> { general.historicNames }

    /// Readies what a tick's evaluations share.
    mutating func prepare(_ tick: EventTime) {
        general.prepare(tick)
    }

    /// Which cohorts the user last evaluated is in, 64 a word, by index.
    func memberBits(word: Int) -> UInt64 { members[word] }

    /// Evaluates every condition and cohort for a user who is known at `tick`.
    ///
    /// - Returns: An instant after `tick` that is not later than the first change by the clock alone; far
    ///   future where the clock alone changes nothing.
    mutating func evaluate(
        _ record: Shard.UserRecord,
        slot: UserSlot,
        at tick: EventTime,
        traceLists: borrowing TraceLists,
        recordLists: borrowing RecordLists,
        propertyLists: borrowing PropertyLists,
        uploads: borrowing Uploads
    ) -> EventTime {
        // In milliseconds: this is the hottest loop there is, and `min` of a type of another module is a call.
        var deadline = EventTime.distantFuture.milliseconds
        if readsProperties, let change = propertyLists.nextChange(record.properties, after: tick) {
            deadline = change.milliseconds
        }
        let entries = traceLists.entries(record.traces)
        for index in 0..<entries.count { entryOfTrace[entries[index].trace] = Int32(index) }
        for index in 0..<steps.count {
            let step = steps[index]
            switch step.kind {
            case .count:
                let position = Int(entryOfTrace[step.trace])
                guard position >= 0 else {
                    truth[index] = step.holdsForNone
                    continue
                }
                let entry = entries[position]
                let count = WindowCount(
                    times: traceLists.times(entry),
                    base: entry.base,
                    length: step.length,
                    offset: step.offset,
                    tick: tick.milliseconds
                )
                let range =
                    step.holed < 0
                    ? CountRange(lowest: step.lowest, highest: step.highest) : holed[step.holed]
                truth[index] = range.contains(count.count)
                let flip = count.nextFlip(of: range)
                if flip < deadline { deadline = flip }
            case .firstSeen:
                let (isIn, change) = firstSeen(
                    record.firstSeen.milliseconds,
                    step,
                    at: tick.milliseconds
                )
                truth[index] = isIn
                if change < deadline { deadline = change }
            case .properties:
                truth[index] = holds(step.lookUps, record.properties, at: tick, in: propertyLists)
            case .general:
                let outcome = general.evaluate(
                    step.general,
                    record,
                    slot: slot,
                    recordLists: recordLists,
                    propertyLists: propertyLists,
                    uploads: uploads
                )
                truth[index] = outcome.isTrue
                if outcome.change < deadline { deadline = outcome.change }
            }
        }
        for index in 0..<entries.count { entryOfTrace[entries[index].trace] = -1 }
        runPrograms()
        return EventTime(milliseconds: deadline)
    }

    private func holds(
        _ range: Range<Int>,
        _ row: PropertyLists.Row,
        at tick: EventTime,
        in lists: borrowing PropertyLists
    ) -> Bool {
        for index in range {
            let value = lookUps[index].value(row, at: tick, in: lists)
            if !lookUps[index].test.matches(value) { return false }
        }
        return true
    }

    private func firstSeen(
        _ time: Int64,
        _ step: Step,
        at tick: Int64
    ) -> (isIn: Bool, change: Int64) {
        let never = EventTime.distantFuture.milliseconds
        if time == never { return (false, never) }
        guard let length = step.length else { return time <= tick ? (true, never) : (false, time) }
        let enters = time + step.offset
        let leaves = enters + length
        if tick < enters { return (false, enters) }
        return tick < leaves ? (true, leaves) : (false, never)
    }

    /// Runs the programs on a stack of bits: depth is bounded by the language's 32 levels.
    private mutating func runPrograms() {
        var stack: UInt64 = 0
        for index in 0..<instructions.count {
            switch instructions[index] {
            case .condition(let index): stack = stack << 1 | (truth[Int(index)] ? 1 : 0)
            case .member(let index):
                stack = stack << 1 | (members[Int(index) / 64] >> UInt64(index % 64) & 1)
            case .and: stack = (stack >> 2) << 1 | (stack & (stack >> 1) & 1)
            case .or: stack = (stack >> 2) << 1 | ((stack | stack >> 1) & 1)
            case .not: stack ^= 1
            case .result(let index):
                let bit: UInt64 = 1 << UInt64(index % 64)
                if stack & 1 != 0 {
                    members[Int(index) / 64] |= bit
                } else {
                    members[Int(index) / 64] &= ~bit
                }
                stack >>= 1
            }
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
