import Sync

/// A tick that was begun and is not over: what it does is told when it is, as if it had been done at once.
struct TickUnderWay {
    /// Where both logs stood when it began; what was applied since is of the next one.
    let cut: Cut
    /// When it began, by the clock that never jumps.
    let began: Int64
    /// What it did until now to the cohorts that some sync sends; nil where there was no tick before.
    var changes: MembershipChanges?
    /// Its enters and exits until now.
    var flips: FlipCounts
}
