public import Basics
public import Events
public import YAML

/// One checked cohort definition: the tree of docs/cohorts.md, every rule of the language held.
///
/// Windows, thresholds and operands are in range, references exist and have no cycle, calendar zones exist.
/// What a tree means is said by ``Clause``; how it is computed is the compiler's business.
public struct Definition: Sendable {
    /// `[a-z0-9][a-z0-9_-]{0,63}`, unique in its set.
    public var id: String
    /// Free text; the id where none is given.
    public var name: String
    /// Free text, empty where none is given.
    public var description: String
    /// An IANA zone, nil for that of the configuration.
    public var timezone: String?
    /// Who is in.
    public var users: Clause
    /// The file it came from, as named on the command line or found in a folder.
    public var file: String
    /// Where the document begins in the file.
    public var mark: Mark
    /// The document as read; the API shows it.
    public var document: Node

    /// A definition from its parts.
    public init(
        id: String,
        name: String,
        description: String,
        timezone: String?,
        users: Clause,
        file: String,
        mark: Mark,
        document: Node
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.timezone = timezone
        self.users = users
        self.file = file
        self.mark = mark
        self.document = document
    }
}

/// A condition on a user, with its place in the file.
public struct Clause: Sendable {
    /// The clauses of the language.
    public indirect enum Kind: Sendable {
        case all([Clause])
        case any([Clause])
        case not(Clause)
        case performed(Performed)
        case sequence(Sequence)
        case active(Window)
        case inactive(Window)
        case new(Window)
        case retained(Retained)
        case property([PropertyTest])
        case hadProperty(HadProperty)
        case memberOf(String)
        case predicted(Predicted)
        case uploaded
    }

    /// What it says.
    public var kind: Kind
    /// Where its key stands.
    public var mark: Mark

    /// A clause from its parts.
    public init(kind: Kind, mark: Mark) {
        self.kind = kind
        self.mark = mark
    }
}

/// Which events a clause looks at, by type.
public enum EventSelector: Hashable, Sendable {
    /// Any of these names; not empty.
    case named([String])
    /// `"*"`: any event.
    case any
    /// `"_active"`: any event whose type is not listed in `inactive_events`.
    case active
}

/// Events of a selector that carry what `where` and `where_user` ask for.
public struct EventFilter: Hashable, Sendable {
    /// Which types.
    public var event: EventSelector
    /// Predicates on event properties.
    public var whereEvent: [PropertyTest]
    /// Predicates on user properties that the event itself carries.
    public var whereUser: [PropertyTest]

    /// A filter from its parts.
    public init(
        event: EventSelector,
        whereEvent: [PropertyTest] = [],
        whereUser: [PropertyTest] = []
    ) {
        self.event = event
        self.whereEvent = whereEvent
        self.whereUser = whereUser
    }
}

/// A predicate on a number: all tests must hold.
///
/// Operands are `.integer` or `.double`; operators are
/// `is is_not gt gte lt lte between`.
public struct NumberPredicate: Hashable, Sendable {
    /// Not empty.
    public var tests: [PredicateTest]

    /// A predicate from its tests.
    public init(tests: [PredicateTest]) {
        self.tests = tests
    }
}

/// Which instants count at a tick T; always those with t ≤ T.
public struct Window: Hashable, Sendable {
    /// The local calendar unit of `align`.
    public enum Unit: Sendable {
        case day
        case week
    }

    /// A local date; its instants depend on the definition's zone.
    public struct LocalDate: Hashable, Sendable {
        /// Days since 1970-01-01 of the calendar.
        public var daysSince1970: Int64

        /// A date from its day number.
        public init(daysSince1970: Int64) {
            self.daysSince1970 = daysSince1970
        }
    }

    /// The forms of a window.
    public enum Form: Hashable, Sendable {
        /// No bound.
        case anyTime
        /// `last: W, offset: O`: T − O − W < t ≤ T − O; milliseconds, `offset` 0 where none is given.
        case last(milliseconds: Int64, offset: Int64)
        /// `last: N units, align`, computed for T − offset; `count` is N.
        case aligned(unit: Unit, count: Int64, excludeCurrent: Bool, offset: Int64)
        /// `since` (to = nil) or `between` local dates, both days inside.
        case dates(from: LocalDate, to: LocalDate?)
        /// `since` (to = nil) or `between` instants: from ≤ t ≤ to.
        case instants(from: EventTime, to: EventTime?)
        /// first seen ≤ t < first seen + milliseconds.
        case withinFirst(milliseconds: Int64)
    }

    /// Which form.
    public var form: Form
    /// Where its first key stands, or the clause's where there is none; no part of equality.
    public var mark: Mark

    /// A window from its parts.
    public init(form: Form, mark: Mark) {
        self.form = form
        self.mark = mark
    }

    /// Whether both are the same window, wherever they are written.
    public static func == (left: Window, right: Window) -> Bool { left.form == right.form }

    /// Hashes what ``==(_:_:)`` compares.
    public func hash(into hasher: inout Hasher) { hasher.combine(form) }
}

/// The clause `performed`.
public struct Performed: Sendable {
    /// What is computed from the matching events.
    public enum Mode: Sendable {
        case count(NumberPredicate)
        /// `op` is one of `is is_not gt gte lt lte`.
        case relative(op: PredicateOperator, to: EventFilter)
        case sum(property: String, NumberPredicate)
        case average(property: String, NumberPredicate)
        case minimum(property: String, NumberPredicate)
        case maximum(property: String, NumberPredicate)
        case distinct(property: String, NumberPredicate)
        /// 1…5.
        case nth(Int)
        case onDistinct(interval: Interval, count: NumberPredicate, NumberPredicate)
    }

    /// What `on_distinct` counts.
    public enum Interval: Hashable, Sendable {
        case day
        case week
        case month
        case milliseconds(Int64)
    }

    /// Which events.
    public var filter: EventFilter
    /// Properties whose values split the events into groups; empty where `same` is not given.
    public var same: [String]
    /// The mode; `count: {gte: 1}` where none is given.
    public var mode: Mode
    /// Where the mode's key stands, or the clause's.
    public var modeMark: Mark
    /// Where `same` stands, or the clause's.
    public var sameMark: Mark
    /// The window.
    public var window: Window

    /// A clause from its parts.
    public init(
        filter: EventFilter,
        same: [String],
        mode: Mode,
        modeMark: Mark,
        sameMark: Mark,
        window: Window
    ) {
        self.filter = filter
        self.same = same
        self.mode = mode
        self.modeMark = modeMark
        self.sameMark = sameMark
        self.window = window
    }
}

/// The clause `sequence`.
public struct Sequence: Sendable {
    /// 2…10.
    public var steps: [EventFilter]
    /// Milliseconds between the first and the last step; nil = no limit.
    public var within: Int64?
    /// Properties that every step carries with equal values.
    public var same: [String]
    /// The window.
    public var window: Window

    /// A clause from its parts.
    public init(steps: [EventFilter], within: Int64?, same: [String], window: Window) {
        self.steps = steps
        self.within = within
        self.same = same
        self.window = window
    }
}

/// The clause `retained`.
public struct Retained: Sendable {
    /// Where retention starts.
    public enum Start: Sendable {
        case event(EventFilter)
        /// `{new: true}`: the user's first-seen event.
        case firstSeen
    }

    /// The start.
    public var start: Start
    /// The return.
    public var end: EventFilter
    /// Whole days: 0 ≤ first < second ≤ 36500.
    public var days: (first: Int64, second: Int64)
    /// The window of the start.
    public var window: Window

    /// A clause from its parts.
    public init(
        start: Start,
        end: EventFilter,
        days: (first: Int64, second: Int64),
        window: Window
    ) {
        self.start = start
        self.end = end
        self.days = days
        self.window = window
    }
}

/// The clause `had_property`.
public struct HadProperty: Sendable {
    /// Predicates, all of which must hold.
    public var tests: [PropertyTest]
    /// `mode: most_recent` instead of `any_time`.
    public var mostRecent: Bool
    /// The window.
    public var window: Window

    /// A clause from its parts.
    public init(tests: [PropertyTest], mostRecent: Bool, window: Window) {
        self.tests = tests
        self.mostRecent = mostRecent
        self.window = window
    }
}

/// The clause `predicted`.
public struct Predicted: Sendable {
    /// Id of a prediction.
    public var prediction: String
    /// Whether the predicate is on the percentile instead of the probability.
    public var byPercentile: Bool
    /// The predicate.
    public var predicate: NumberPredicate

    /// A clause from its parts.
    public init(prediction: String, byPercentile: Bool, predicate: NumberPredicate) {
        self.prediction = prediction
        self.byPercentile = byPercentile
        self.predicate = predicate
    }
}
