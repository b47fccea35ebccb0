package import Basics
package import Events

/// What the engine runs: every cohort compiled to conditions over shared traces. Immutable, made once per
/// change of the definitions and shared by all shards.
///
/// ```
/// event type ─► traces      which traces an event of this type may touch, with their `where`
/// trace                     what is remembered per user; equal ones are shared by all conditions
/// condition                 trace + window + predicate ─► truth at T; equal ones are evaluated once
/// cohort                    a program over conditions and earlier cohorts
/// ```
package struct Plan: Sendable {
    /// Which properties the decoder picks out of events; traces refer to them by index.
    package internal(set) var extraction = Extraction()
    /// What is remembered per user.
    package internal(set) var traces: [Trace] = []
    /// What is evaluated per user.
    package internal(set) var conditions: [Condition] = []
    /// The cohorts, by bytes of their ids.
    package internal(set) var cohorts: [CohortPlan] = []
    /// Indices of ``cohorts`` in an order in which every cohort comes after those it refers to.
    package internal(set) var evaluationOrder: [Int] = []
    /// Which traces an event of a type touches.
    package internal(set) var routes = EventRoutes()
    /// Names of user properties whose whole history is kept, for `had_property` with `mode: most_recent`.
    package internal(set) var historicProperties: [String] = []

    /// A plan without cohorts.
    package init() {}
}

/// Events of one user that pass a filter, each with what conditions need of it, sorted by time.
///
/// A record is its time and then, as far as the trace has them, which filters it passed, the hash of its group
/// (`same`), and a number or the hash of a value.
package struct Trace: Sendable {
    /// Predicates on what events carry, by index in ``Plan/extraction``.
    package struct Test: Sendable {
        /// Index in the extraction's list.
        package var property: Int
        /// The predicate.
        package var test: CompiledPropertyTest
    }

    /// What an event must carry to pass; its type is looked at before, by ``EventRoutes``.
    package struct Filter: Sendable {
        /// Predicates on event properties; all must hold.
        package var whereEvent: [Test]
        /// Predicates on the user properties that the event carries; all must hold.
        package var whereUser: [Test]
        /// Whether the properties of ``whereUser`` must be there, not null, as `had_property` wants it.
        package var mustCarry: Bool
    }

    /// What a record holds of a property.
    package enum Value: Hashable, Sendable {
        /// The number in millionths; events without one are not kept.
        case number(property: Int)
        /// The hash of a canonical text; an array gives a record for each scalar, other events none.
        case distinct(property: Int)
    }

    /// How far back records are kept.
    package struct Retention: Hashable, Sendable {
        /// Milliseconds before any coming tick; nil = everything.
        package var horizon: Int64? = 0
        /// From this instant on, however old.
        package var since: EventTime?

        /// Takes in what a further window needs.
        mutating func widen(for window: PlanWindow) {
            if case .between(let from, _) = window {
                since = min(since ?? from, from)
            } else if let needed = window.horizon {
                horizon = horizon.map { max($0, needed) }
            } else {
                horizon = nil
            }
        }

        /// Whether what was kept by `other` is enough for this.
        package func isContained(in other: Retention) -> Bool {
            if other.horizon == nil { return true }
            guard let horizon, let kept = other.horizon, horizon <= kept else { return false }
            guard let since else { return true }
            return other.since.map { $0 <= since } ?? false
        }
    }

    /// Alternatives; an event that passes one is kept. At most 16.
    package var filters: [Filter]
    /// Event properties whose values make an event's group; an event that lacks one is not kept.
    package var group: [Int]
    /// What is kept of a property.
    package var value: Value?
    /// Whether a record says which filters its event passed.
    package var keepsMask: Bool
    /// How far back records are kept. Older ones only count (``TraceLists``).
    package internal(set) var retention = Retention()
    /// Hash of all that decides what is kept, but for how far back: a snapshot keeps traces by it.
    package let identity: UInt64

    /// Words of 64 bits in a record.
    package var recordWords: Int {
        1 + (keepsMask ? 1 : 0) + (group.isEmpty ? 0 : 2) + (value == nil ? 0 : 2)
    }

    /// Which word of a record says the filters passed.
    package var maskWord: Int { 1 }
    /// Which word of a record begins the hash of its group.
    package var groupWord: Int { 1 + (keepsMask ? 1 : 0) }
    /// Which word of a record begins its value.
    package var valueWord: Int { groupWord + (group.isEmpty ? 0 : 2) }
}

/// From event types to traces.
package struct EventRoutes: Sendable {
    /// A trace that an event may touch, and which of its filters take events of that type.
    package struct Route: Sendable {
        /// Index in ``Plan/traces``.
        package var trace: Int
        /// One bit per filter.
        package var filters: UInt16
    }

    /// Routes of types that the plan names, by the index the type has in ``table``.
    private var named: [[Route]] = []
    /// Routes of every other type.
    private var others: [Route] = []
    /// Routes of `$identify`.
    package let identify: [Route]
    private var table = ByteKeyTable()

    init() {
        identify = []
    }

    init(named: [(type: String, routes: [Route])], others: [Route], identify: [Route]) {
        self.others = others
        self.identify = identify
        for (type, routes) in named {
            type.withByteView { (bytes: ByteView) -> Void in _ = table.insert(bytes) }
            self.named.append(routes)
        }
    }

    /// The traces an event of this type may touch. Complexity: one hash look-up, no allocation.
    package func routes(of type: ByteView) -> [Route] {
        guard let index = table.find(type) else { return others }
        return named[index]
    }
}

/// One cohort of a plan.
package struct CohortPlan: Sendable {
    /// One step of a program over a stack of truth values.
    package enum Instruction: Sendable {
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
    package enum Reach: Equatable, Sendable {
        /// Only at what is kept for everyone: first seen and property values.
        case nothing
        /// This many milliseconds before a tick.
        case milliseconds(Int64)
        /// Any event ever, or since an instant that does not move.
        case everything
    }

    /// The cohort's id.
    package let id: String
    /// The cohort's name.
    package let name: String
    /// Leaves one truth value, which holds for known users only.
    package let program: [Instruction]
    /// How far back it looks, other cohorts it refers to included.
    package let reach: Reach
    /// Traces it reads, other cohorts it refers to included.
    package let traces: Set<Int>
    /// Hash of the id and of everything that decides membership: equal in every run for an equal cohort.
    package let identity: UInt64
}
