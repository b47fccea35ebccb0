public import Basics
import Events

/// Events of one user that pass a filter, each with what conditions need of it, sorted by time.
///
/// A record is its time and then, as far as the trace has them, which filters its event passed, the hash of its
/// group (`same`), and a number or the hash of a value, in words of 64 bits:
/// ```
/// [ time ][ mask ]?[ group high, low ]?[ value, two words ]?
/// ```
public struct RecordTrace: Sendable {
    /// What an event must carry to pass; its type is looked at before, by ``RecordRoutes``.
    public struct Filter: Sendable {
        /// Predicates on event properties; all must hold.
        public var whereEvent: [Trace.Test]
        /// Predicates on the user properties that the event carries; all must hold.
        public var whereUser: [Trace.Test]
        /// Whether the properties of ``whereUser`` must be there, not null, as `had_property` wants it.
        public var mustCarry: Bool
    }

    /// What a record holds of a property.
    public enum Value: Hashable, Sendable {
        /// The number in millionths, low word first; events without one are not kept.
        case number(property: Int)
        /// The hash of a canonical text; an array gives a record for each scalar, other events none.
        case distinct(property: Int)
    }

    /// How far back records are kept.
    public struct Retention: Hashable, Sendable {
        /// Milliseconds before any coming tick; nil = everything.
        public var horizon: Int64? = 0
        /// From this instant on, however old.
        public var since: EventTime?

        /// What needs nothing yet.
        public init() {}

        /// Takes in what a further window needs; nil = everything.
        mutating func widen(for window: PlanWindow?) {
            if case .between(let from, _)? = window {
                since = min(since ?? from, from)
            } else if let needed = window?.horizon {
                horizon = horizon.map { max($0, needed) }
            } else {
                horizon = nil
            }
        }

        /// Whether what was kept by `other` is enough for this.
        public func isContained(in other: Retention) -> Bool {
            guard let kept = other.horizon else { return true }
            guard let horizon, horizon <= kept else { return false }
            guard let since else { return true }
            return other.since.map { $0 <= since } ?? false
        }

        /// The last instant, in milliseconds, that no tick from `floor` on can need.
        public func bound(floor: EventTime) -> Int64 {
            guard let horizon else { return .min }
            let bound = floor.milliseconds - horizon
            return since.map { min(bound, $0.milliseconds - 1) } ?? bound
        }
    }

    /// Alternatives; an event that passes one is kept.
    ///
    /// At most 16.
    public var filters: [Filter]
    /// Event properties whose values make an event's group; an event that lacks one is not kept.
    public var group: [Int]
    /// What is kept of a property.
    public var value: Value?
    /// Whether a record says which filters its event passed.
    public var keepsMask: Bool
    /// How far back records are kept.
    public internal(set) var retention = Retention()
    /// Hash of all that decides what is kept, but for how far back: a snapshot keeps traces by it.
    public let identity: UInt64

    /// Words in a record.
    public var words: Int { valueWord + (value == nil ? 0 : 2) }
    /// Which word says the filters passed.
    public var maskWord: Int { 1 }
    /// Which word begins the hash of the group.
    public var groupWord: Int { 1 + (keepsMask ? 1 : 0) }
    /// Which word begins the value.
    public var valueWord: Int { groupWord + (group.isEmpty ? 0 : 2) }
}

/// From event types to record traces.
public struct RecordRoutes: Sendable {
    /// A trace that an event may touch, and which of its filters take events of that type.
    public struct Route: Sendable {
        /// Index in ``Plan/recordTraces``.
        public var trace: Int
        /// One bit per filter.
        public var filters: UInt16
    }

    private var named: [[Route]] = []
    private var others: [Route] = []
    private var table = ByteKeyTable()
    /// Routes of `$identify` lines.
    public private(set) var identify: [Route] = []

    init() {}

    init(named: [(type: String, routes: [Route])], others: [Route], identify: [Route]) {
        self.others = others
        self.identify = identify
        for (type, routes) in named {
            type.withByteView { (bytes: ByteView) -> Void in _ = table.insert(bytes) }
            self.named.append(routes)
        }
    }

    /// The types that the plan names for record traces.
    public var types: [[UInt8]] { (0..<table.count).map { table[$0] } }

    /// The record traces an event of this type may touch.
    ///
    /// No allocation.
    public func routes(of type: ByteView) -> [Route] {
        guard let index = table.find(type) else { return others }
        return named[index]
    }
}
