import Basics
import Cohorts

/// Works out cohorts from conditions, of up to 64 users at once: a column of bits for each condition and cohort, a bit
/// for each user.
///
/// A program of `and`, `or` and `not` takes the same few instructions for 64 users as for one. Columns are made of the
/// users' rows where a program asks for them, 64 conditions or cohorts at a time; where a cohort's new column differs
/// from its old one are the enters and exits.
struct CohortPrograms: ~Copyable {
    /// One step of a program over a stack of columns.
    fileprivate enum Instruction {
        case condition(Int32)
        case member(Int32)
        case and, or, not
    }

    /// The most users at once.
    static let usersMax = 64
    /// Deeper no program nests: the language has 32 levels.
    private static let stackMax = 64

    /// The programs of all cohorts in the plan's order of evaluation, one behind the other.
    private let instructions: [Instruction]
    /// Where the program of each cohort, by its place in ``order``, stands in ``instructions``.
    private let programs: [Range<Int>]
    /// Cohorts, each behind those it refers to.
    private let order: [Int]
    /// Which cohorts' columns of enters are asked for.
    private let reported: [Int]

    private let slots = WordBuffer(count: CohortPrograms.usersMax)
    /// How many users are to be worked out.
    private(set) var count = 0
    /// Whether some user's cohorts are to be worked out all.
    private var isAnew = false
    /// Conditions that changed of some user.
    private let flipped: WordBuffer
    /// The cohorts to work out, by their places in ``order``.
    private let affected: WordBuffer
    /// Those that are not worked out whatever changes.
    private let muted: WordBuffer
    /// A column for each condition, and one for each cohort as it is known so far.
    private let conditions: WordBuffer
    private let members: WordBuffer
    /// Who entered, by cohort; valid for the cohorts in ``reported``.
    private let entered: WordBuffer
    /// Blocks of 64 columns that were made, of conditions and of cohorts.
    private let conditionBlocks: WordBuffer
    private let memberBlocks: WordBuffer
    private let stack = WordBuffer(count: CohortPrograms.stackMax)

    /// - `reported`: The cohorts of which ``hasEntered(_:cohort:)`` will be asked.
    init(plan: Plan, feeds: ConditionFeeds, reported: [Int]) {
        var instructions: [Instruction] = []
        var programs: [Range<Int>] = []
        for cohort in plan.evaluationOrder {
            let start = instructions.count
            instructions += plan.cohorts[cohort].program.map(Instruction.init)
            programs.append(start..<instructions.count)
            precondition(
                Self.depth(plan.cohorts[cohort].program) <= Self.stackMax,
                "\(plan.cohorts[cohort].id) nests deeper than the language allows"
            )
        }
        self.instructions = instructions
        self.programs = programs
        order = plan.evaluationOrder
        self.reported = reported
        flipped = WordBuffer(count: feeds.words)
        affected = WordBuffer(count: feeds.cohortWords)
        muted = WordBuffer(count: feeds.cohortWords)
        conditions = WordBuffer(count: feeds.words * 64)
        members = WordBuffer(count: feeds.cohortWords * 64)
        entered = WordBuffer(count: feeds.cohortWords * 64)
        conditionBlocks = WordBuffer(count: (feeds.words + 63) / 64)
        memberBlocks = WordBuffer(count: (feeds.cohortWords + 63) / 64)
    }

    /// Leaves the memberships of these cohorts, and of no others, as they are from now on.
    mutating func mute(_ cohorts: Set<Int>) {
        for word in 0..<muted.count { muted[word] = 0 }
        for place in order.indices where cohorts.contains(order[place]) {
            muted[place / 64] |= 1 << UInt64(place % 64)
        }
    }

    /// Whether there is no room for a further user.
    var isFull: Bool { count == Self.usersMax }

    /// The user at a place, 0..<``count``.
    func slot(_ place: Int) -> UserSlot { UserSlot(truncatingIfNeeded: slots[place]) }

    /// Adds a user whose conditions were evaluated; ``isFull`` must be false.
    ///
    /// - `isAnew`: Nothing is known of the user's cohorts, so all are worked out.
    @inline(__always)
    mutating func add(_ slot: UserSlot, isAnew: Bool) {
        slots[count] = UInt64(slot)
        count += 1
        if isAnew { self.isAnew = true }
    }

    /// Notes that conditions of a word changed of a user who is, or will be, among those to be worked out.
    @inline(__always)
    mutating func note(flipped bits: UInt64, word: Int) { flipped[word] |= bits }

    /// Works out the users that were added, whose rows in `truth` say which conditions hold, and reports what changed.
    ///
    /// The users stay until ``removeAll()``.
    ///
    /// Gives whose membership changed, a bit a user.
    mutating func run(
        feeds: ConditionFeeds,
        truth: borrowing RecordTable<UInt64>,
        membership: inout MembershipTable,
        deltas: inout [Delta]
    ) -> UInt64 {
        for cohort in reported { entered[cohort] = 0 }
        findAffected(feeds)
        for word in 0..<conditionBlocks.count { conditionBlocks[word] = 0 }
        for word in 0..<memberBlocks.count { memberBlocks[word] = 0 }
        let everyone: UInt64 = count == 64 ? ~0 : 1 << UInt64(count) - 1
        var changedUsers: UInt64 = 0
        for word in 0..<affected.count {
            var bits = affected[word] & ~muted[word]
            affected[word] = 0
            while bits != 0 {
                let place = word * 64 + bits.trailingZeroBitCount
                bits &= bits - 1
                let cohort = order[place]
                load(memberBlocks, members, cohort / 64) { membership.row($0, word: $1) }
                let column = column(of: programs[place], feeds, truth, membership) & everyone
                var changed = column ^ members[cohort]
                if changed == 0 { continue }
                members[cohort] = column
                entered[cohort] = changed & column
                changedUsers |= changed
                membership.add(
                    column.nonzeroBitCount - (column ^ changed).nonzeroBitCount,
                    to: cohort
                )
                while changed != 0 {
                    let user = changed.trailingZeroBitCount
                    changed &= changed - 1
                    let slot = slot(user)
                    membership.flip(slot, cohort: cohort)
                    deltas.append(
                        Delta(
                            cohort: cohort,
                            slot: slot,
                            entered: column >> UInt64(user) & 1 != 0
                        )
                    )
                }
            }
        }
        return changedUsers
    }

    /// Whether the user at a place entered a cohort by the last run, one of those that are reported.
    func hasEntered(_ place: Int, cohort: Int) -> Bool {
        entered[cohort] >> UInt64(place) & 1 != 0
    }

    /// Forgets the users.
    mutating func removeAll() {
        count = 0
        isAnew = false
    }

    /// From the conditions that changed to the cohorts they decide.
    private func findAffected(_ feeds: ConditionFeeds) {
        if isAnew {
            for place in order.indices { affected[place / 64] |= 1 << UInt64(place % 64) }
        }
        for word in 0..<flipped.count {
            var bits = flipped[word]
            flipped[word] = 0
            if isAnew { continue }
            while bits != 0 {
                let condition = word * 64 + bits.trailingZeroBitCount
                bits &= bits - 1
                feeds.forEachWord(ofCohortsOf: condition) { affected[$0] |= $1 }
            }
        }
    }

    /// Runs a program.
    @inline(__always)
    private func column(
        of program: Range<Int>,
        _ feeds: ConditionFeeds,
        _ truth: borrowing RecordTable<UInt64>,
        _ membership: borrowing MembershipTable
    ) -> UInt64 {
        let stack = stack.start
        // Below the top, which is here.
        var depth = 0
        var top: UInt64 = 0
        for index in program {
            switch instructions[index] {
            case .condition(let condition):
                stack[depth] = top
                depth += 1
                load(conditionBlocks, conditions, Int(condition) / 64) {
                    truth[Int($0) * feeds.words + $1]
                }
                top = conditions[Int(condition)]
            case .member(let cohort):
                stack[depth] = top
                depth += 1
                load(memberBlocks, members, Int(cohort) / 64) { membership.row($0, word: $1) }
                top = members[Int(cohort)]
            case .and:
                depth -= 1
                top &= stack[depth]
            case .or:
                depth -= 1
                top |= stack[depth]
            case .not: top = ~top
            }
        }
        return top
    }

    /// Makes a block of 64 columns of the users' rows, of which `word` gives one, unless `made` has its bit.
    @inline(__always)
    private func load(
        _ made: WordBuffer,
        _ columns: WordBuffer,
        _ block: Int,
        word: (_ slot: UserSlot, _ block: Int) -> UInt64
    ) {
        let bit: UInt64 = 1 << UInt64(block % 64)
        if made[block / 64] & bit != 0 { return }
        made[block / 64] |= bit
        let columns = columns.start + block * 64
        for user in 0..<count { columns[user] = word(slot(user), block) }
        BitMatrix.transpose(columns, rows: count)
    }

    /// How many columns a program needs at once.
    private static func depth(_ program: [CohortPlan.Instruction]) -> Int {
        var depth = 0
        var deepest = 0
        for instruction in program {
            switch instruction {
            case .condition, .member: depth += 1
            case .and, .or: depth -= 1
            case .not: break
            }
            deepest = max(deepest, depth)
        }
        return deepest
    }
}

extension CohortPrograms.Instruction {
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
