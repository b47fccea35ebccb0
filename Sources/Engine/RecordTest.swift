import Cohorts

/// What must hold of the records in a window, laid out flat and small: reading one copies no
/// references.
struct RecordTest: BitwiseCopyable {
    enum Mode: BitwiseCopyable {
        case count, sum, average, minimum, maximum, distinct, nth, intervals, durations, sequence
    }

    var mode: Mode
    /// Whether it is computed for each group alone and must hold for one.
    var isGrouped: Bool
    private let words: (mask: UInt8, group: UInt8, value: UInt8)
    /// Of a number of records, values or intervals.
    var lowest = Int64.min
    var highest = Int64.max
    /// Place among the reducer's ranges of the range of records, −1 = ``lowest`` and ``highest`` say all.
    var holed: Int32 = -1
    /// The same of how many records an interval must have.
    var lowestInside = Int64.min
    var highestInside = Int64.max
    var holedInside: Int32 = -1
    /// Place among the reducer's predicates.
    var predicate: Int32 = 0
    /// Place among the reducer's calendar intervals.
    var interval: Int32 = 0
    /// Milliseconds of an interval that moves with the tick, or within which a sequence must be over.
    var length = Int64.max
    /// Whether more records can make it true and never false.
    var isMonotone = false
    /// Whether it wants a sum of at least something, which further numbers that are not negative cannot make false.
    var isAtLeastSum = false
    /// How many steps a sequence has, or which record is the Nth.
    var number: Int32 = 0

    /// - `trace`: What its records are made of; nil where they are plain times.
    init(isGrouped: Bool, of trace: RecordTrace?) {
        mode = .count
        self.isGrouped = isGrouped
        words = (
            UInt8(trace?.maskWord ?? 0), UInt8(trace?.groupWord ?? 0), UInt8(trace?.valueWord ?? 0)
        )
    }

    /// Which words of a record say what it is made of.
    var maskWord: Int { Int(words.mask) }
    var groupWord: Int { Int(words.group) }
    var valueWord: Int { Int(words.value) }

    /// Whether every number from ``lowest`` on holds.
    var isAtLeast: Bool { holed < 0 && highest == .max }

    /// Whether an interval counts as soon as it has a record.
    var countsAnyInside: Bool { holedInside < 0 && lowestInside <= 1 && highestInside == .max }
}
