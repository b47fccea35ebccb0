/// Where a sync is in sending everyone again, because a partner may have dropped users in silence.
struct Reassert: Sendable {
    /// The next slot to look at.
    var slot: UInt32 = 0
    /// When the next few users are due, in milliseconds of the clock that never jumps.
    var dueAt = Int64.max
    /// Users times milliseconds that have not made a whole user of an interval yet.
    var owed: Int64 = 0
    /// How many users an asked for pass has still to look at; 0 for none.
    var askedSlots: UInt32 = 0

    /// How often a few users are taken.
    static let stepMilliseconds: Int64 = 60_000
    /// The most users that wait on its account.
    static let waitingMax = 4096
}
