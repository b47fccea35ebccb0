import Basics

// Who is in which cohort: bits by cohort, and of each cohort how many members it has.
//
// A list of members is read off the rows: seldom asked for, and a table by cohort would cost every enter and exit another
// line of memory.

extension UserRows {
    /// Calls `body` with every member of some cohorts: which of them, by its place in `cohorts`, and who, in the order
    /// in which users were first seen.
    ///
    /// - Complexity: O(users × words of a row that have one of the cohorts), however many cohorts that are.
    func forEachMember(of cohorts: [Int], _ body: (_ place: Int, _ slot: UserSlot) -> Void) {
        var places = [Int](repeating: 0, count: membershipWords * 64)
        var masks = BitRows(rows: 1, words: membershipWords)
        for (place, cohort) in cohorts.enumerated() where memberCounts[cohort] > 0 {
            places[cohort] = place
            masks.set(0, cohort)
        }
        let words = (0..<membershipWords).filter { masks.bits[$0] != 0 }
        if words.isEmpty { return }
        for slot in 0..<UserSlot(count) {
            let row = memberships(slot)
            for word in words {
                var bits = row[word] & masks.bits[word]
                while bits != 0 {
                    body(places[word * 64 + bits.trailingZeroBitCount], slot)
                    bits &= bits - 1
                }
            }
        }
    }

    /// Whether a user is in a cohort.
    @inline(__always)
    func isMember(_ slot: UserSlot, cohort: Int) -> Bool {
        memberships(slot, word: cohort >> 6) &>> UInt64(cohort & 63) & 1 != 0
    }

    /// Bits 64 × `word` and up of the user's memberships.
    @inline(__always)
    func memberships(_ slot: UserSlot, word: Int) -> UInt64 { memberships(slot)[checked(word)] }

    /// Puts a user into the cohorts of a word of bits and out of its others.
    mutating func setMemberships(_ slot: UserSlot, word: Int, to bits: UInt64) {
        let row = memberships(slot)
        var changed = row[checked(word)] ^ bits
        row[word] = bits
        while changed != 0 {
            let bit = changed.trailingZeroBitCount
            changed &= changed - 1
            memberCounts[word * 64 + bit] += bits >> UInt64(bit) & 1 != 0 ? 1 : -1
        }
    }

    /// Puts a user in or out.
    mutating func setMember(_ slot: UserSlot, cohort: Int, to isIn: Bool) {
        guard isMember(slot, cohort: cohort) != isIn else { return }
        flipMember(slot, cohort: cohort)
        memberCounts[cohort] += isIn ? 1 : -1
    }

    /// Puts a user in who is out, or out who is in; ``memberCounts`` has to be told.
    @inline(__always)
    mutating func flipMember(_ slot: UserSlot, cohort: Int) {
        memberships(slot)[checked(cohort >> 6)] ^= 1 &<< UInt64(cohort & 63)
    }

    @inline(__always)
    private func checked(_ word: Int) -> Int {
        precondition(word >= 0 && word < membershipWords, "word \(word) of \(membershipWords)")
        return word
    }
}
