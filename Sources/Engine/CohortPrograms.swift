import Basics
import Cohorts

/// Works out cohorts from conditions: of a user of whom few conditions changed at once, of others up to 64 together, with a
/// column of bits for each condition and cohort, a bit for each user.
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

    /// A cohort by its place in the order of evaluation, all of it in one line of memory.
    private struct Placed: BitwiseCopyable {
        let cohort: Int32
        /// The same as the program, where that is small.
        let small: SmallProgram
    }

    /// The most users at once.
    static let usersMax = 64
    /// Deeper no program nests: the language has 32 levels.
    ///
    /// So a word has a bit for each level.
    private static let stackMax = 64
    /// So many conditions of a user touch so few cohorts that columns for all of them cost more.
    private static let fewMax = 16

    /// The programs of all cohorts in the plan's order of evaluation, one behind the other.
    private let instructions: [Instruction]
    /// Where the program of each cohort, by its place in ``order``, stands in ``instructions``.
    private let programs: [Range<Int>]
    /// Cohorts, each behind those it refers to.
    private let order: [Placed]
    /// Which cohorts' columns of enters are asked for.
    private let reported: [Int]

    private let slots = WordBuffer(count: CohortPrograms.usersMax)
    /// How many users are to be worked out.
    private(set) var count = 0
    /// Whether some user's cohorts are to be worked out all.
    private var isAnew = false
    /// Conditions that changed of the user in hand: how many there are, and their bits, a word with its number each.
    private var ownCount = 0
    private var ownWords = 0
    private let own: WordBuffer
    /// Conditions that changed of some user who was added.
    private let flipped: WordBuffer
    /// The cohorts to work out, by their places in ``order``.
    private let affected: WordBuffer
    /// Those that are not worked out whatever changes.
    private let muted: WordBuffer
    /// Cohorts of the user in hand to work out, by their places in ``order``.
    private var places = RecordTable<Int32>()
    /// Memory for what changes: of the user in hand, or of those of a cohort.
    private var turning = RecordTable<Delta>()
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
        order = plan.evaluationOrder.map {
            Placed(cohort: Int32($0), small: SmallProgram(plan.cohorts[$0].program))
        }
        self.reported = reported
        own = WordBuffer(count: 2 * Self.fewMax)
        flipped = WordBuffer(count: feeds.words)
        affected = WordBuffer(count: feeds.cohortWords)
        muted = WordBuffer(count: feeds.cohortWords)
        turning.reserve(max(plan.cohorts.count, Self.usersMax))
        conditions = WordBuffer(count: feeds.words * 64)
        members = WordBuffer(count: feeds.cohortWords * 64)
        entered = WordBuffer(count: feeds.cohortWords * 64)
        conditionBlocks = WordBuffer(count: (feeds.words + 63) / 64)
        memberBlocks = WordBuffer(count: (feeds.cohortWords + 63) / 64)
    }

    /// Leaves the memberships of these cohorts, and of no others, as they are from now on.
    mutating func mute(_ cohorts: Set<Int>) {
        for word in 0..<muted.count { muted[word] = 0 }
        for place in order.indices where cohorts.contains(Int(order[place].cohort)) {
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
        forEachOwn { flipped[$0] |= $1 }
        forgetOwn()
    }

    /// Notes that conditions of a word changed of the user who is added next.
    @inline(__always)
    mutating func note(flipped bits: UInt64, word: Int) {
        ownCount += bits.nonzeroBitCount
        if ownCount <= Self.fewMax {
            own[2 * ownWords] = UInt64(word)
            own[2 * ownWords + 1] = bits
            ownWords += 1
        } else {
            flipped[word] |= bits
        }
    }

    /// Works out the user of whom conditions were noted and who was not added, where they are few; else changes nothing and
    /// gives nil.
    ///
    /// Gives whether a membership changed.
    mutating func runAlone(
        _ slot: UserSlot,
        feeds: ConditionFeeds,
        rows: inout UserRows,
        deltas: inout [Delta]
    ) -> Bool? {
        // What enters is reported of users who were added.
        guard ownCount <= Self.fewMax, reported.isEmpty else { return nil }
        defer { forgetOwn() }
        if ownCount == 1 {
            let condition = Int(own[0]) << 6 | own[1].trailingZeroBitCount
            return feeds.withCohorts(of: condition) {
                workOut($0, slot, &rows, &deltas)
            }
        }
        places.removeAll()
        listAffected(feeds)
        return workOut(
            UnsafeBufferPointer(start: places.start, count: places.count),
            slot,
            &rows,
            &deltas
        )
    }

    /// Puts the cohorts that the conditions that were noted decide into ``places``.
    private mutating func listAffected(_ feeds: ConditionFeeds) {
        forEachOwn { word, bits in
            var bits = bits
            while bits != 0 {
                affect(word << 6 | bits.trailingZeroBitCount, feeds)
                bits &= bits - 1
            }
        }
        let affected = affected.start
        for word in 0..<self.affected.count {
            var bits = affected[word]
            if bits == 0 { continue }
            affected[word] = 0
            while bits != 0 {
                places.append(Int32(truncatingIfNeeded: word << 6 | bits.trailingZeroBitCount))
                bits &= bits - 1
            }
        }
    }

    /// Works out cohorts of a user by their places, each given once, and reports what changed.
    @inline(__always)
    private func workOut(
        _ places: UnsafeBufferPointer<Int32>,
        _ slot: UserSlot,
        _ rows: inout UserRows,
        _ deltas: inout [Delta]
    ) -> Bool {
        // Each is written down, one behind those that change, so there is room for them.
        precondition(places.count <= order.count, "\(places.count) of \(order.count) cohorts")
        let row = UnsafePointer(rows.truth(slot))
        let turning = turning.start
        var count = 0
        var isChanged = false
        order.withUnsafeBufferPointer { order in
            for place in places {
                let place = Int(place)
                if muted[place >> 6] &>> UInt64(place & 63) & 1 != 0 { continue }
                let placed = order[place]
                let isMember: Bool
                if placed.small.isSmall {
                    isMember = placed.small.holds(row)
                } else {
                    // It may ask for the user's other memberships.
                    report(count, slot, &rows, &deltas)
                    isChanged = isChanged || count > 0
                    count = 0
                    isMember = holds(programs[place], slot, rows)
                }
                // Whether it changes is not to be guessed.
                let cohort = Int(placed.cohort)
                turning[count] = Delta(cohort: cohort, slot: slot, entered: isMember)
                let wasMember = rows.isMember(slot, cohort: cohort)
                count += isMember == wasMember ? 0 : 1
            }
        }
        report(count, slot, &rows, &deltas)
        return isChanged || count > 0
    }

    /// Changes the first memberships of ``turning``, and reports them.
    @inline(__always)
    private func report(
        _ count: Int,
        _ slot: UserSlot,
        _ rows: inout UserRows,
        _ deltas: inout [Delta]
    ) {
        for place in 0..<count {
            let delta = turning.start[place]
            rows.flipMember(slot, cohort: delta.cohort)
            rows.memberCounts[delta.cohort] += delta.entered ? 1 : -1
        }
        deltas.append(contentsOf: UnsafeBufferPointer(start: turning.start, count: count))
    }

    @inline(__always)
    private func forEachOwn(_ body: (_ word: Int, _ bits: UInt64) -> Void) {
        for place in 0..<ownWords { body(Int(own[2 * place]), own[2 * place + 1]) }
    }

    /// Forgets the conditions that changed of the user in hand.
    @inline(__always)
    private mutating func forgetOwn() {
        ownCount = 0
        ownWords = 0
    }

    /// Works out the users that were added, whose rows say which conditions hold, and reports what changed.
    ///
    /// The users stay until ``removeAll()``.
    ///
    /// Gives whose membership changed, a bit a user.
    mutating func run(
        feeds: ConditionFeeds,
        rows: inout UserRows,
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
                let cohort = Int(order[place].cohort)
                load(memberBlocks, members, cohort / 64) { rows.memberships($0, word: $1) }
                let column = column(of: programs[place], feeds, rows) & everyone
                var changed = column ^ members[cohort]
                if changed == 0 { continue }
                members[cohort] = column
                entered[cohort] = changed & column
                changedUsers |= changed
                rows.memberCounts[cohort] +=
                    column.nonzeroBitCount - (column ^ changed).nonzeroBitCount
                var count = 0
                while changed != 0 {
                    let user = changed.trailingZeroBitCount
                    changed &= changed - 1
                    let slot = slot(user)
                    rows.flipMember(slot, cohort: cohort)
                    turning.start[count] = Delta(
                        cohort: cohort,
                        slot: slot,
                        entered: column &>> UInt64(user) & 1 != 0
                    )
                    count += 1
                }
                deltas.append(contentsOf: UnsafeBufferPointer(start: turning.start, count: count))
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

    /// Adds the cohorts that a condition decides to those to work out.
    @inline(__always)
    private func affect(_ condition: Int, _ feeds: ConditionFeeds) {
        let affected = affected.start
        feeds.withCohorts(of: condition) { places in
            for place in places {
                affected[Int(place >> 6)] |= 1 &<< UInt64(truncatingIfNeeded: place & 63)
            }
        }
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
                affect(condition, feeds)
            }
        }
    }

    /// Runs a program.
    @inline(__always)
    private func column(
        of program: Range<Int>,
        _ feeds: ConditionFeeds,
        _ rows: borrowing UserRows
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
                    rows.truth($0, word: $1)
                }
                top = conditions[Int(condition)]
            case .member(let cohort):
                stack[depth] = top
                depth += 1
                load(memberBlocks, members, Int(cohort) / 64) { rows.memberships($0, word: $1) }
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

    /// Runs a program for one user.
    @inline(__always)
    private func holds(
        _ program: Range<Int>,
        _ slot: UserSlot,
        _ rows: borrowing UserRows
    ) -> Bool {
        // The top is the lowest bit.
        var stack: UInt64 = 0
        for index in program {
            switch instructions[index] {
            case .condition(let condition):
                let word = rows.truth(slot, word: Int(condition) / 64)
                stack = stack << 1 | word >> UInt64(condition % 64) & 1
            case .member(let cohort):
                let word = rows.memberships(slot, word: Int(cohort) / 64)
                stack = stack << 1 | word >> UInt64(cohort % 64) & 1
            case .and: stack = stack >> 1 & (stack | ~1)
            case .or: stack = stack >> 1 | stack & 1
            case .not: stack ^= 1
            }
        }
        return stack & 1 != 0
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
