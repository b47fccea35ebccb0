import Basics

/// Who is in which cohort, twice: a column for each cohort to list its members, a row for each user to see
/// with one access what an evaluation changed.
struct MembershipTable: ~Copyable {
    private var columns: [BitSet]
    /// Bits by cohort, ``wordsPerUser`` words a user.
    private var rows = RecordTable<UInt64>()

    /// How many words a row has.
    let wordsPerUser: Int

    init(cohorts: Int) {
        columns = [BitSet](repeating: BitSet(), count: cohorts)
        wordsPerUser = (cohorts + 63) / 64
    }

    /// How many cohorts there are.
    var cohortCount: Int { columns.count }

    /// Bytes of memory held.
    var bytesReserved: Int {
        rows.bytesReserved + columns.reduce(0) { $0 + $1.bytesReserved }
    }

    /// Makes room for one more user, who is in no cohort.
    mutating func addUser() {
        for _ in 0..<wordsPerUser { rows.append(0) }
    }

    /// Asks for a user's row.
    @inline(__always)
    func prefetch(_ slot: UserSlot) {
        if wordsPerUser > 0 { rows.prefetch(Int(slot) * wordsPerUser) }
    }

    /// How many members a cohort has.
    func count(cohort: Int) -> Int { columns[cohort].count }

    /// Calls `body` with every member, in no meaningful order.
    func forEachMember(cohort: Int, _ body: (UserSlot) -> Void) {
        columns[cohort].forEach(body)
    }

    /// Whether a user is in a cohort.
    func contains(_ slot: UserSlot, cohort: Int) -> Bool {
        rows[Int(slot) * wordsPerUser + cohort / 64] & 1 << UInt64(cohort % 64) != 0
    }

    /// Bits 64 × `word` and up of the user's row.
    func row(_ slot: UserSlot, word: Int) -> UInt64 { rows[Int(slot) * wordsPerUser + word] }

    /// Puts a user in or out.
    mutating func set(_ slot: UserSlot, cohort: Int, to isIn: Bool) {
        let index = Int(slot) * wordsPerUser + cohort / 64
        let bit: UInt64 = 1 << UInt64(cohort % 64)
        if isIn {
            rows[index] |= bit
            columns[cohort].insert(slot)
        } else {
            rows[index] &= ~bit
            columns[cohort].remove(slot)
        }
    }
}
