package import Basics
package import Events
package import YAML

/// One checked cohort definition: the tree of docs/cohorts.md, every rule of the language held.
///
/// Windows, thresholds and operands are in range, references exist and have no cycle, calendar zones exist.
/// What a tree means is said by ``Clause``; how it is computed is the compiler's business.
package struct Definition: Sendable {
    /// `[a-z0-9][a-z0-9_-]{0,63}`, unique in its set.
    package var id: String
    /// Free text; the id where none is given.
    package var name: String
    /// Free text, empty where none is given.
    package var description: String
    /// An IANA zone, nil for that of the configuration.
    package var timezone: String?
    /// Who is in.
    package var users: Clause
    /// The file it came from, as named on the command line or found in a folder.
    package var file: String
    /// Where the document begins in the file.
    package var mark: Mark
    /// The document as read; the API shows it.
    package var document: Node

    /// A definition from its parts.
    package init(
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
package struct Clause: Sendable {
    /// The clauses of the language.
    package indirect enum Kind: Sendable {
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
    package var kind: Kind
    /// Where its key stands.
    package var mark: Mark

    /// A clause from its parts.
    package init(kind: Kind, mark: Mark) {
        self.kind = kind
        self.mark = mark
    }
}

/// Which events a clause looks at, by type.
package enum EventSelector: Hashable, Sendable {
    /// Any of these names; not empty.
    case named([String])
    /// `"*"`: any event.
    case any
    /// `"_active"`: any event whose type is not listed in `inactive_events`.
    case active
}

/// Events of a selector that carry what `where` and `where_user` ask for.
package struct EventFilter: Hashable, Sendable {
    /// Which types.
    package var event: EventSelector
    /// Predicates on event properties.
    package var whereEvent: [PropertyTest]
    /// Predicates on user properties that the event itself carries.
    package var whereUser: [PropertyTest]

    /// A filter from its parts.
    package init(
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
package struct NumberPredicate: Hashable, Sendable {
    /// Not empty.
    package var tests: [PredicateTest]

    /// A predicate from its tests.
    package init(tests: [PredicateTest]) {
        self.tests = tests
    }
}

/// Which instants count at a tick T; always those with t ≤ T.
package struct Window: Hashable, Sendable {
    /// The local calendar unit of `align`.
    package enum Unit: Sendable {
        case day
        case week
    }

    /// A local date; its instants depend on the definition's zone.
    package struct LocalDate: Hashable, Sendable {
        /// Days since 1970-01-01 of the calendar.
        package var daysSince1970: Int64

        /// A date from its day number.
        package init(daysSince1970: Int64) {
            self.daysSince1970 = daysSince1970
        }
    }

    /// The forms of a window.
    package enum Form: Hashable, Sendable {
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
    package var form: Form
    /// Where its first key stands, or the clause's where there is none; no part of equality.
    package var mark: Mark

    /// A window from its parts.
    package init(form: Form, mark: Mark) {
        self.form = form
        self.mark = mark
    }

    package static func == (left: Window, right: Window) -> Bool { left.form == right.form }

    package func hash(into hasher: inout Hasher) { hasher.combine(form) }
}

/// The clause `performed`.
package struct Performed: Sendable {
    /// What is computed from the matching events.
    package enum Mode: Sendable {
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
    package enum Interval: Hashable, Sendable {
        case day
        case week
        case month
        case milliseconds(Int64)
    }

    /// Which events.
    package var filter: EventFilter
    /// Properties whose values split the events into groups; empty where `same` is not given.
    package var same: [String]
    /// The mode; `count: {gte: 1}` where none is given.
    package var mode: Mode
    /// Where the mode's key stands, or the clause's.
    package var modeMark: Mark
    /// Where `same` stands, or the clause's.
    package var sameMark: Mark
    /// The window.
    package var window: Window

    /// A clause from its parts.
    package init(
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
package struct Sequence: Sendable {
    /// 2…10.
    package var steps: [EventFilter]
    /// Milliseconds between the first and the last step; nil = no limit.
    package var within: Int64?
    /// Properties that every step carries with equal values.
    package var same: [String]
    /// The window.
    package var window: Window

    /// A clause from its parts.
    package init(steps: [EventFilter], within: Int64?, same: [String], window: Window) {
        self.steps = steps
        self.within = within
        self.same = same
        self.window = window
    }
}

/// The clause `retained`.
package struct Retained: Sendable {
    /// Where retention starts.
    package enum Start: Sendable {
        case event(EventFilter)
        /// `{new: true}`: the user's first-seen event.
        case firstSeen
    }

    /// The start.
    package var start: Start
    /// The return.
    package var end: EventFilter
    /// Whole days: 0 ≤ first < second ≤ 36500.
    package var days: (first: Int64, second: Int64)
    /// The window of the start.
    package var window: Window

    /// A clause from its parts.
    package init(
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
package struct HadProperty: Sendable {
    /// Predicates, all of which must hold.
    package var tests: [PropertyTest]
    /// `mode: most_recent` instead of `any_time`.
    package var mostRecent: Bool
    /// The window.
    package var window: Window

    /// A clause from its parts.
    package init(tests: [PropertyTest], mostRecent: Bool, window: Window) {
        self.tests = tests
        self.mostRecent = mostRecent
        self.window = window
    }
}

/// The clause `predicted`.
package struct Predicted: Sendable {
    /// Id of a prediction.
    package var prediction: String
    /// Whether the predicate is on the percentile instead of the probability.
    package var byPercentile: Bool
    /// The predicate.
    package var predicate: NumberPredicate

    /// A clause from its parts.
    package init(prediction: String, byPercentile: Bool, predicate: NumberPredicate) {
        self.prediction = prediction
        self.byPercentile = byPercentile
        self.predicate = predicate
    }
}
