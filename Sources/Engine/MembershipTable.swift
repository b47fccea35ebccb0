import Basics

/// Who is in which cohort: a row of bits for each user, and of each cohort how many members it has.
///
/// A list of members is read off the rows: seldom asked for, and a table by cohort would cost every enter and exit
/// another line of memory.
struct MembershipTable: ~Copyable {
    private var counts = RecordTable<Int>()
    /// Bits by cohort, ``wordsPerUser`` words a user.
    private var rows = RecordTable<UInt64>()
    private var userCount = 0

    /// How many words a row has.
    let wordsPerUser: Int

    init(cohorts: Int) {
        counts.append(0, count: cohorts)
        wordsPerUser = (cohorts + 63) / 64
    }

    /// How many cohorts there are.
    var cohortCount: Int { counts.count }

    /// Bytes of memory held.
    var bytesReserved: Int { rows.bytesReserved }

    /// Makes room for one more user, who is in no cohort.
    mutating func addUser() {
        rows.append(0, count: wordsPerUser)
        userCount += 1
    }

    /// Asks for a user's row.
    @inline(__always)
    func prefetch(_ slot: UserSlot) {
        rows.prefetch(Int(slot) * wordsPerUser, count: wordsPerUser)
    }

    /// How many members a cohort has.
    func count(cohort: Int) -> Int { counts[cohort] }

    /// Calls `body` with every member of some cohorts: which of them, by its place in `cohorts`, and who, in the order
    /// in which users were first seen.
    ///
    /// - Complexity: O(users × words of a row that have one of the cohorts), however many cohorts that are.
    func forEachMember(of cohorts: [Int], _ body: (_ place: Int, _ slot: UserSlot) -> Void) {
        var places = [Int](repeating: 0, count: wordsPerUser * 64)
        var masks = BitRows(rows: 1, words: wordsPerUser)
        for (place, cohort) in cohorts.enumerated() where counts[cohort] > 0 {
            places[cohort] = place
            masks.set(0, cohort)
        }
        let words = (0..<wordsPerUser).filter { masks.bits[$0] != 0 }
        if words.isEmpty { return }
        for slot in 0..<UserSlot(userCount) {
            for word in words {
                var bits = row(slot, word: word) & masks.bits[word]
                while bits != 0 {
                    body(places[word * 64 + bits.trailingZeroBitCount], slot)
                    bits &= bits - 1
                }
            }
        }
    }

    /// Whether a user is in a cohort.
    @inline(__always)
    func contains(_ slot: UserSlot, cohort: Int) -> Bool {
        rows[Int(slot) * wordsPerUser + cohort >> 6] &>> UInt64(cohort & 63) & 1 != 0
    }

    /// Bits 64 × `word` and up of the user's row.
    @inline(__always)
    func row(_ slot: UserSlot, word: Int) -> UInt64 { rows[Int(slot) * wordsPerUser + word] }

    /// Takes memory for so many users in all.
    mutating func reserve(_ users: Int) { rows.reserve(users * wordsPerUser) }

    /// Puts a user into the cohorts of a word of bits and out of its others.
    mutating func setRow(_ slot: UserSlot, word: Int, to bits: UInt64) {
        let index = Int(slot) * wordsPerUser + word
        var changed = rows[index] ^ bits
        rows[index] = bits
        while changed != 0 {
            let bit = changed.trailingZeroBitCount
            changed &= changed - 1
            add(bits >> UInt64(bit) & 1 != 0 ? 1 : -1, to: word * 64 + bit)
        }
    }

    /// Puts a user in or out.
    mutating func set(_ slot: UserSlot, cohort: Int, to isIn: Bool) {
        guard contains(slot, cohort: cohort) != isIn else { return }
        flip(slot, cohort: cohort)
        add(isIn ? 1 : -1, to: cohort)
    }

    /// Puts a user in who is out, or out who is in; ``add(_:to:)`` has to say how many more members that makes.
    @inline(__always)
    mutating func flip(_ slot: UserSlot, cohort: Int) {
        rows[Int(slot) * wordsPerUser + cohort >> 6] ^= 1 &<< UInt64(cohort & 63)
    }

    /// Counts more members of a cohort, or fewer.
    mutating func add(_ more: Int, to cohort: Int) { counts[cohort] += more }
}
