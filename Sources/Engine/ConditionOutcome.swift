/// What an evaluation of a condition found.
struct ConditionOutcome: BitwiseCopyable {
    var isTrue: Bool
    /// An instant after the tick, in milliseconds, not later than the first change by the clock alone; `Int64.max`
    /// where there is none.
    var change = Int64.max
    /// Whether the clock alone turns it at ``change`` and never again, where nothing happens.
    var isDecided = false
}
