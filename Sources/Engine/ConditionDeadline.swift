import Basics

/// A condition of a user, and when the clock alone may change its truth: one word.
///
/// The instant is rounded down to 32 ms, which is as good: a deadline is a lower bound, and a look too early finds
/// nothing changed.
struct ConditionDeadline: BitwiseCopyable {
    private static let conditionBits: UInt64 = 20
    private static let roundedBits: UInt64 = 5
    /// Later than no instant of an event, so that what is stored is never negative.
    private static let origin: Int64 = 1 << 46
    /// The most conditions of a plan.
    static let conditionsMax = 1 << Int(conditionBits)

    /// The instant above, the condition below: words sort by instant.
    let word: UInt64

    /// What ``word`` gave.
    @inline(__always)
    init(word: UInt64) { self.word = word }

    /// - `instant`: In milliseconds, of the years 0001…9999 or some hundred years later.
    init(condition: Int, instant: Int64) {
        let units = UInt64(bitPattern: instant + Self.origin) >> Self.roundedBits
        word = units << Self.conditionBits | UInt64(condition)
    }

    /// Which condition.
    var condition: Int { Int(word & (1 << Self.conditionBits - 1)) }

    /// Whether it is at `instant`, in milliseconds, or before.
    @inline(__always)
    func isDue(at instant: Int64) -> Bool {
        word >> Self.conditionBits <= UInt64(bitPattern: instant + Self.origin) >> Self.roundedBits
    }

    /// Whether it is before `instant`, in milliseconds, however it was rounded.
    @inline(__always)
    func isPast(at instant: Int64) -> Bool {
        word >> Self.conditionBits < UInt64(bitPattern: instant + Self.origin) >> Self.roundedBits
    }

    /// When, in milliseconds.
    var instant: Int64 {
        Int64(bitPattern: (word >> Self.conditionBits) << Self.roundedBits) - Self.origin
    }
}
