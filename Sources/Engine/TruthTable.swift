import Basics

/// Truth of every user's conditions as the last tick that looked at them found it, 64 a word, and of which of them it is
/// known what the clock alone does.
///
/// A condition is *decided* where the clock changes it once more at most: to what it is of a user of whom nothing
/// happened, when its deadline has passed. A count of at least three is decided while it is true, until the third event
/// from the end leaves, and has no deadline behind that. So nothing of the user has to be read when the time comes. An
/// event that has to do with the condition leaves it open again, unless there is no deadline.
///
/// ```
/// user ──► [ truth, words ][ decided, words ]
/// ```
struct TruthTable: ~Copyable {
    private var rows = RecordTable<UInt64>()
    /// Words of each half of a row.
    private var words: Int { rest.count }
    /// Truth of a user of whom nothing happened.
    private let rest: WordBuffer

    /// - `rest`: Truth of a user of whom nothing happened, a bit for each condition.
    init(rest: WordBuffer) { self.rest = rest }

    /// Makes room for one more user, all of whose conditions are false and open.
    mutating func addUser() { rows.append(0, count: 2 * words) }

    /// Takes memory for so many users in all.
    mutating func reserve(_ users: Int) { rows.reserve(users * 2 * words) }

    /// Asks for a user's row.
    @inline(__always)
    func prefetch(_ slot: UserSlot) {
        rows.prefetch(Int(slot) * 2 * words, count: 2 * words)
    }

    /// Asks for a word of a user's truth, and of what is decided.
    @inline(__always)
    func prefetch(_ slot: UserSlot, word: Int) {
        let row = row(slot)
        Prefetch.line(row + word)
        Prefetch.line(row + words + word)
    }

    /// A word of a user's truth.
    @inline(__always)
    subscript(slot: UserSlot, word: Int) -> UInt64 { rows[Int(slot) * 2 * words + word] }

    /// A user's truth, and behind it what is decided; lent until a user is added.
    @inline(__always)
    func row(_ slot: UserSlot) -> UnsafeMutablePointer<UInt64> {
        rows.start + Int(slot) * 2 * words
    }

    /// Sets a word of a user's truth.
    mutating func set(_ bits: UInt64, _ slot: UserSlot, word: Int) {
        rows[Int(slot) * 2 * words + word] = bits
    }

    /// Makes every condition of a user false and open.
    mutating func clear(_ slot: UserSlot) {
        for word in 0..<2 * words { rows[Int(slot) * 2 * words + word] = 0 }
    }

    /// Begins with a user who has no deadlines, and whose truth will be that of one of whom nothing happened.
    mutating func decideAll(_ slot: UserSlot) {
        (row(slot) + words).update(repeating: ~0, count: words)
    }

    /// Leaves conditions open that have to do with an event, but for those without a deadline.
    @inline(__always)
    mutating func leaveOpen(_ conditions: UInt64, _ slot: UserSlot, word: Int) {
        let row = row(slot)
        row[words + word] &= ~(conditions & (row[word] ^ rest[word]))
    }

    /// Those of some conditions that may have a deadline.
    @inline(__always)
    func withDeadline(_ conditions: UInt64, _ slot: UserSlot, word: Int) -> UInt64 {
        let row = row(slot)
        return conditions & (~row[words + word] | (row[word] ^ rest[word]))
    }

    /// Whether a condition turns when its deadline has passed, and has none from then on.
    @inline(__always)
    func turns(_ condition: Int, _ slot: UserSlot) -> Bool {
        let word = condition / 64
        let row = row(slot)
        let turning = row[words + word] & (row[word] ^ rest[word])
        return turning >> UInt64(condition % 64) & 1 != 0
    }

    /// Turns a condition whose deadline has passed; it is decided as before, without one.
    @inline(__always)
    mutating func turn(_ condition: Int, _ slot: UserSlot) {
        row(slot)[condition / 64] ^= 1 << UInt64(condition % 64)
    }
}
