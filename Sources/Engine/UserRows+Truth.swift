import Basics

// Truth of every user's conditions as the last tick that looked at them found it, 64 a word, and of which of them it is
// known what the clock alone does.
//
// A condition is *decided* where the clock changes it once more at most: to what it is of a user of whom nothing
// happened, when its deadline has passed. A count of at least three is decided while it is true, until the third event
// from the end leaves, and has no deadline behind that. So nothing of the user has to be read when the time comes. An
// event that has to do with the condition leaves it open again, unless there is no deadline.

extension UserRows {
    /// Asks for a word of a user's truth, and of what is decided.
    @inline(__always)
    func prefetchTruth(_ slot: UserSlot, word: Int) {
        let row = truth(slot)
        Prefetch.line(row + word)
        Prefetch.line(row + truthWords + word)
    }

    /// A word of a user's truth.
    @inline(__always)
    func truth(_ slot: UserSlot, word: Int) -> UInt64 { truth(slot)[checked(word)] }

    /// Sets a word of a user's truth.
    mutating func setTruth(_ slot: UserSlot, word: Int, to bits: UInt64) {
        truth(slot)[checked(word)] = bits
    }

    /// Makes every condition of a user false and open.
    mutating func clearTruth(_ slot: UserSlot) {
        truth(slot).update(repeating: 0, count: 2 * truthWords)
    }

    /// Begins with a user who has no deadlines, and whose truth will be that of one of whom nothing happened.
    mutating func decideAll(_ slot: UserSlot) {
        (truth(slot) + truthWords).update(repeating: ~0, count: truthWords)
    }

    /// Leaves conditions open that have to do with an event, but for those without a deadline.
    @inline(__always)
    mutating func leaveOpen(_ conditions: UInt64, _ slot: UserSlot, word: Int) {
        let row = truth(slot)
        row[truthWords + word] &= ~(conditions & (row[word] ^ rest[word]))
    }

    /// Those of some conditions that may have a deadline.
    @inline(__always)
    func withDeadline(_ conditions: UInt64, _ slot: UserSlot, word: Int) -> UInt64 {
        let row = truth(slot)
        return conditions & (~row[truthWords + word] | (row[word] ^ rest[word]))
    }

    /// Whether a condition turns when its deadline has passed, and has none from then on.
    @inline(__always)
    func turns(_ condition: Int, _ slot: UserSlot) -> Bool {
        let word = condition / 64
        let row = truth(slot)
        let turning = row[truthWords + word] & (row[word] ^ rest[word])
        return turning >> UInt64(condition % 64) & 1 != 0
    }

    /// Turns a condition whose deadline has passed; it is decided as before, without one.
    @inline(__always)
    mutating func turn(_ condition: Int, _ slot: UserSlot) {
        truth(slot)[checked(condition / 64)] ^= 1 << UInt64(condition % 64)
    }

    @inline(__always)
    private func checked(_ word: Int) -> Int {
        precondition(word >= 0 && word < truthWords, "word \(word) of \(truthWords) of truth")
        return word
    }
}
