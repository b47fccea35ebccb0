import Cohorts

/// What must hold of the records in a window, laid out flat: reading one copies no references.
struct RecordTest: BitwiseCopyable {
    enum Mode: BitwiseCopyable {
        case count, sum, average, minimum, maximum, distinct, nth, intervals, durations, sequence
    }

    var mode: Mode
    /// Whether it is computed for each group alone and must hold for one.
    var isGrouped: Bool
    var maskWord: Int
    var groupWord: Int
    var valueWord: Int
    /// Of a number of records, values or intervals.
    var lowest = Int64.min
    var highest = Int64.max
    /// Place among the reducer's ranges of the range of records, −1 = ``lowest`` and ``highest`` say all.
    var holed = -1
    /// The same of how many records an interval must have.
    var lowestInside = Int64.min
    var highestInside = Int64.max
    var holedInside = -1
    /// Place among the reducer's predicates.
    var predicate = 0
    /// Place among the reducer's calendar intervals.
    var interval = 0
    /// Milliseconds of an interval that moves with the tick, or within which a sequence must be over.
    var length = Int64.max
    /// Whether more records can make it true and never false.
    var isMonotone = false
    /// How many steps a sequence has, or which record is the Nth.
    var number = 0

    /// Whether every number from ``lowest`` on holds.
    var isAtLeast: Bool { holed < 0 && highest == .max }

    /// Whether an interval counts as soon as it has a record.
    var countsAnyInside: Bool { holedInside < 0 && lowestInside <= 1 && highestInside == .max }
}
