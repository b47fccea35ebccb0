public import Basics
public import Events

/// A statement about one user that needs more than a count of times in a sliding window.
public enum GeneralCondition: Sendable {
    /// The user's first event lies in the window.
    case firstSeen(PlanWindow)
    /// Something computed from the records of a trace in a window.
    case records(RecordsCondition)
    /// The same from the plain times of a trace, where a time is all that is needed of an event.
    case times(RecordsCondition)
    /// Events in the window that pass the filters of its traces, one strictly after the other.
    case sequence(SequenceCondition)
    /// Some start in the window and some return so long later.
    case retained(RetainedCondition)
    /// At the newest active event in the window (records of a trace), property values satisfy every predicate.
    case hadMostRecent(active: Int, window: PlanWindow, tests: [PropertyCondition])
    /// The user was uploaded to a cohort, by its index in the plan.
    case uploaded(cohort: Int)

    /// Its window; any time where it has none.
    public var window: PlanWindow {
        switch self {
        case .firstSeen(let window): window
        case .records(let condition), .times(let condition): condition.window
        case .sequence(let condition): condition.window
        case .retained(let condition): condition.window
        case .hadMostRecent(_, let window, _): window
        case .uploaded: .anyTime
        }
    }
}

extension Condition {
    /// Its window of local days or weeks; nil where it has none.
    var calendarWindow: PlanWindow.Aligned? {
        guard case .general(let general) = self, case .aligned(let window) = general.window else {
            return nil
        }
        return window
    }
}

/// A number computed from records of a window, and what must hold of it.
public struct RecordsCondition: Sendable {
    /// What is computed.
    public enum Mode: Sendable {
        /// How many records.
        case count(NumberRange)
        /// How many records, compared with how many of another trace in the same window.
        case relative(op: PredicateOperator, to: Int)
        case sum(MicroPredicate)
        case average(MicroPredicate)
        case minimum(MicroPredicate)
        case maximum(MicroPredicate)
        /// How many different values.
        case distinct(NumberRange)
        /// The Nth record of all time lies in the window.
        case nth(Int)
        /// In how many intervals `count` holds of the number of records.
        case onDistinct(PlanInterval, count: NumberRange, intervals: NumberRange)
        /// Records that pass the filters 0, 1, 2 … one after the other: where plain times do not do
        /// (``GeneralCondition/sequence(_:)``).
        case sequence(steps: Int, within: Int64?)
    }

    /// Which records: a record trace, or a plain one of ``GeneralCondition/times(_:)``.
    public var trace: Int
    /// Which of them.
    public var window: PlanWindow
    /// What is computed.
    public var mode: Mode
    /// Whether it is computed for each group alone and must hold for one.
    public var isGrouped: Bool
}

/// `sequence` without `same`: times of plain traces, which say all it takes, in ascending order.
public struct SequenceCondition: Sendable {
    /// The plain trace of each step; steps with one filter share theirs.
    public var traces: [Int]
    /// Which times count.
    public var window: PlanWindow
    /// Milliseconds from the first to the last at most; `.max` = no matter how many.
    public var within: Int64
}

/// Intervals that `on_distinct` counts.
public enum PlanInterval: Sendable {
    case day(TimeZoneRules)
    case week(TimeZoneRules)
    case month(TimeZoneRules)
    /// (E − (i+1)·D, E − i·D] with E = T − the window's offset.
    case milliseconds(Int64)
}

/// `retained`: a start in the window and a return so long after it.
public struct RetainedCondition: Sendable {
    /// Records whose filter 0 is a start and filter 1 a return.
    public var trace: Int
    /// Whether the start is the user's first event instead.
    public var startsAtFirstSeen: Bool
    /// The window of the start.
    public var window: PlanWindow
    /// Milliseconds from start to return: least ≤ … < end.
    public var least: Int64
    /// See ``least``.
    public var end: Int64
}
