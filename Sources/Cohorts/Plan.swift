public import Basics
public import Events

/// What the engine runs: every cohort compiled to conditions over shared traces.
///
/// Immutable, made once per change of the definitions and shared by all shards.
///
/// ```
/// event type ─► traces      which traces an event of this type may touch, with their `where`
/// trace                     what is remembered per user; equal ones are shared by all conditions
/// condition                 trace + window + predicate ─► truth at T; equal ones are evaluated once
/// cohort                    a program over conditions and earlier cohorts
/// ```
public struct Plan: Sendable {
    /// Which properties the decoder picks out of events; traces refer to them by index.
    public internal(set) var extraction = Extraction()
    /// What is remembered per user.
    public internal(set) var traces: [Trace] = []
    /// What is evaluated per user.
    public internal(set) var conditions: [Condition] = []
    /// Hash of all conditions in their order, and of how they are evaluated: a snapshot keeps their truth by it.
    public internal(set) var conditionsIdentity: UInt64 = 0
    /// The cohorts, by bytes of their ids.
    public internal(set) var cohorts: [CohortPlan] = []
    /// Indices of ``cohorts`` in an order in which every cohort comes after those it refers to.
    public internal(set) var evaluationOrder: [Int] = []
    /// Which traces an event of a type touches.
    public internal(set) var routes = EventRoutes()
    /// What is remembered per user beside ``traces``, for conditions that need more than times.
    public internal(set) var recordTraces: [RecordTrace] = []
    /// Which record traces an event of a type touches.
    public internal(set) var recordRoutes = RecordRoutes()
    /// Names of user properties whose whole history is kept, for `had_property` with `mode: most_recent`.
    public internal(set) var historicProperties: [String] = []

    /// A plan without cohorts.
    public init() {}

    /// Whether property values decide what leaves for a cohort: it looks at some, itself or through other
    /// cohorts, or its syncs send some.
    public func readsProperties(cohort: Int) -> Bool {
        cohorts[cohort].synced != nil || looksAtProperties(cohort: cohort)
    }

    /// Whether property values decide who is in, here or in another cohort it refers to.
    public func looksAtProperties(cohort: Int) -> Bool {
        cohorts[cohort].program.contains { instruction in
            switch instruction {
            case .condition(let index):
                switch conditions[index] {
                case .properties, .general(.hadMostRecent): true
                default: false
                }
            case .member(let other): looksAtProperties(cohort: other)
            case .and, .or, .not: false
            }
        }
    }

    /// Whether a calendar window of a cohort, its own or that of a cohort it refers to, begins anew at an instant
    /// in (`previous`, `tick`].
    ///
    /// Many may leave at once then although nobody did anything: yesterday's events all stop counting.
    ///
    /// - Complexity: O(its calendar windows), however far apart the instants are.
    public func isCalendarBound(
        cohort: Int,
        after previous: EventTime,
        upTo tick: EventTime
    ) -> Bool {
        cohorts[cohort].calendarConditions.contains { index in
            conditions[index].calendarWindow?.beginsAnew(after: previous, upTo: tick) ?? false
        }
    }

    /// Whether a list of uploaded users decides who is in, here or in another cohort it refers to.
    public func looksAtUploads(cohort: Int) -> Bool {
        cohorts[cohort].program.contains { instruction in
            switch instruction {
            case .condition(let index):
                if case .general(.uploaded) = conditions[index] { true } else { false }
            case .member(let other): looksAtUploads(cohort: other)
            case .and, .or, .not: false
            }
        }
    }

    /// The cohorts that have a list of uploaded users, ascending.
    ///
    /// - Complexity: O(conditions).
    public var uploadLists: [Int] {
        let cohorts = conditions.compactMap { condition -> Int? in
            if case .general(.uploaded(let cohort)) = condition { cohort } else { nil }
        }
        return Set(cohorts).sorted()
    }
}

/// Sorted event times of one user, of the events that pass a filter.
public struct Trace: Sendable {
    /// Predicates on what events carry, by index in ``Plan/extraction``.
    public struct Test: Sendable {
        /// Index in the extraction's list.
        public var property: Int
        /// The predicate.
        public var test: CompiledPropertyTest
    }

    /// Predicates on event properties; all must hold.
    public var whereEvent: [Test]
    /// Predicates on the user properties that the event carries; all must hold.
    public var whereUser: [Test]
    /// How far back a condition on this trace can look, in milliseconds: the largest `last` +
    /// `offset`.
    ///
    /// 0 where only conditions without a window use it. Older times are kept as a mere count.
    public internal(set) var horizon: Int64
    /// Hash of the filter and of the settings it reads: a snapshot keeps traces by it.
    public let identity: UInt64
}

/// A statement about one user that is true or false at a tick.
public enum Condition: Sendable {
    /// The number of times of a trace in a window satisfies a predicate.
    case count(trace: Int, window: CountWindow, range: NumberRange)
    /// The user's first event lies in the window.
    case firstSeen(CountWindow)
    /// Current property values satisfy every predicate.
    case properties([PropertyCondition])
    /// Of no program and never true: it is looked at whenever the value of one of these user properties may
    /// differ from the one at the last look.
    case synced(properties: [String])
    /// Everything else.
    case general(GeneralCondition)

    /// Which instants count at a tick T.
    public enum CountWindow: Hashable, Sendable {
        /// Every t ≤ T.
        case anyTime
        /// T − offset − length < t ≤ T − offset, in milliseconds.
        case last(length: Int64, offset: Int64)

        /// How far back from a tick it reaches, in milliseconds; nil where nothing is too old for it.
        public var horizon: Int64? {
            switch self {
            case .anyTime: nil
            case .last(let length, let offset): length + offset
            }
        }
    }
}

/// A predicate on a current user property.
public struct PropertyCondition: Sendable {
    /// The name as the definition wrote it.
    public var name: String
    /// The predicate.
    public var test: CompiledPropertyTest
}

/// One cohort of a plan.
public struct CohortPlan: Sendable {
    /// One step of a program over a stack of truth values.
    public enum Instruction: Sendable {
        /// Pushes a condition's truth.
        case condition(Int)
        /// Pushes the membership in another cohort, which was evaluated before.
        case member(Int)
        /// Pops two, pushes both-true.
        case and
        /// Pops two, pushes one-true.
        case or
        /// Turns the top round.
        case not
    }

    /// How far into the past a cohort looks.
    public enum Reach: Equatable, Sendable {
        /// Only at what is kept for everyone: first seen and property values.
        case nothing
        /// This many milliseconds before a tick.
        case milliseconds(Int64)
        /// Any event ever, or all since an instant that does not move.
        case everything
    }

    /// The cohort's id.
    public let id: String
    /// The cohort's name.
    public let name: String
    /// Leaves one truth value, which holds for known users only.
    public let program: [Instruction]
    /// How far back it looks, other cohorts it refers to included.
    public let reach: Reach
    /// Traces it reads, other cohorts it refers to included.
    public let traces: Set<Int>
    /// Record traces it reads, other cohorts it refers to included.
    public let recordTraces: Set<Int>
    /// Conditions of calendar windows it reads, other cohorts it refers to included.
    let calendarConditions: Set<Int>
    /// The properties that syncs send of its members; nil where there are none.
    public let synced: SyncedProperties?
    /// Hash of the id and of everything that decides membership: equal in every run for an equal cohort.
    public let identity: UInt64
}

/// User properties whose current values leave with a cohort's members.
public struct SyncedProperties: Sendable {
    /// The names as predicates on user properties write them, in the order in which values are handed out.
    public let names: [String]
    /// The ``Condition/synced(properties:)`` that is looked at when a value may differ.
    public let condition: Int
}

/// From event types to traces.
public struct EventRoutes: Sendable {
    /// Traces by route: those of types that the plan names, by the index the type has in ``table``, then
    /// those of every other type.
    private var routes: [[Int]] = [[]]
    private var table = ByteKeyTable()

    init() {}

    init(named: [(type: String, traces: [Int])], others: [Int]) {
        for (type, _) in named {
            type.withByteView { (bytes: ByteView) -> Void in _ = table.insert(bytes) }
        }
        routes = named.map(\.traces) + [others]
    }

    /// How many routes there are.
    public var count: Int { routes.count }

    /// The types that the plan names, each of which has a route of its own.
    public var types: [[UInt8]] { (0..<table.count).map { table[$0] } }

    /// The route of events of this type.
    ///
    /// Complexity: one hash look-up, no allocation.
    public func route(of type: ByteView) -> Int { table.find(type) ?? routes.count - 1 }

    /// The traces that events on a route, 0..<``count``, may touch.
    public func traces(of route: Int) -> [Int] { routes[route] }
}
