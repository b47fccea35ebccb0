public import Basics
import Events
import YAML

/// Compiles checked definitions to a ``Plan``.
///
/// Equal leaves of all definitions become one condition, and conditions that differ only in window or
/// threshold share one trace, so that a thousand cohorts over forty events cost little more than forty.
public struct PlanCompiler {
    var plan = Plan()
    let settings: PlanSettings
    /// The id of the definition in hand.
    var cohortID = ""
    /// The zone of the definition in hand.
    var zone = TimeZoneRules.utc
    private var traceNumbers: [EventFilter: Int] = [:]
    private var recordTraceNumbers: [RecordKey: Int] = [:]
    private var conditionNumbers: [[UInt8]: Int] = [:]
    var conditionIdentities: [UInt64] = []
    /// To be raised whenever a condition that was compiled before means something else, or changes at another instant:
    /// a snapshot of an earlier program then keeps no truth, and everyone is looked at once.
    private static let evaluation: UInt64 = 2
    private var eventPropertyNumbers: [String: Int] = [:]
    private var userPropertyNumbers: [String: Int] = [:]

    /// What a record trace keeps; equal ones are one trace.
    struct RecordKey: Hashable {
        var filters: [FilterKey]
        var group: [String] = []
        var value: ValueKey?
        var keepsMask = false
    }

    /// A filter with the lines it is asked about.
    struct FilterKey: Hashable {
        var filter: EventFilter
        /// Whether the user properties must be there, and `$identify` lines count.
        var carries = false
    }

    /// What is kept of a property, by name.
    enum ValueKey: Hashable {
        case number(String)
        case distinct(String)
    }

    /// Compiles a whole set.
    ///
    /// - `definitions`: Checked together: references exist and have no cycle, ids are unique, and
    ///   ``unsupported(in:)`` found nothing.
    /// - `settings`: What definitions read of the configuration.
    public static func compile(_ definitions: [Definition], _ settings: PlanSettings) -> Plan {
        var compiler = PlanCompiler(settings: settings)
        return compiler.compile(definitions)
    }

    private init(settings: PlanSettings) {
        self.settings = settings
    }

    private mutating func compile(_ definitions: [Definition]) -> Plan {
        let sorted = definitions.sorted { $0.id.precedesByBytes($1.id) }
        let indices = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1.id, $0) })
        var cohorts = [CohortPlan?](repeating: nil, count: sorted.count)
        // Without recursion: a chain of references may be as long as there are cohorts.
        for start in sorted.indices where cohorts[start] == nil {
            var path = [start]
            while let index = path.last {
                let open = sorted[index].users.references.lazy
                    .compactMap { indices[$0] }.first { cohorts[$0] == nil }
                if let open {
                    path.append(open)
                    continue
                }
                if cohorts[index] == nil {
                    cohorts[index] = cohort(
                        sorted[index],
                        number: index,
                        indices: indices,
                        earlier: cohorts
                    )
                    plan.evaluationOrder.append(index)
                }
                path.removeLast()
            }
        }
        plan.cohorts = cohorts.compactMap { $0 }
        precondition(plan.cohorts.count == sorted.count, "a cohort was not compiled")
        orderConditions()
        plan.conditionsIdentity = conditionIdentities.reduce(Self.evaluation, Hashing.combine)
        plan.routes = routes()
        plan.recordRoutes = recordRoutes()
        return plan
    }

    private mutating func cohort(
        _ definition: Definition,
        number: Int,
        indices: [String: Int],
        earlier: [CohortPlan?]
    ) -> CohortPlan {
        zone = settings.zone(definition.timezone)
        cohortID = definition.id
        var program: [CohortPlan.Instruction] = []
        emit(definition.users, cohort: number, indices: indices, into: &program)
        var reach = CohortPlan.Reach.nothing
        var traces: Set<Int> = []
        var recordTraces: Set<Int> = []
        var calendarConditions: Set<Int> = []
        for instruction in program {
            switch instruction {
            case .condition(let index):
                traces.formUnion(plan.conditions[index].traces)
                recordTraces.formUnion(plan.conditions[index].recordTraces)
                reach = reach.joined(plan.conditions[index].reach)
                if plan.conditions[index].calendarWindow != nil { calendarConditions.insert(index) }
            case .member(let index):
                guard let target = earlier[index] else { continue }
                traces.formUnion(target.traces)
                recordTraces.formUnion(target.recordTraces)
                reach = reach.joined(target.reach)
                calendarConditions.formUnion(target.calendarConditions)
            case .and, .or, .not: continue
            }
        }
        return CohortPlan(
            id: definition.id,
            name: definition.name,
            program: program,
            reach: reach,
            traces: traces,
            recordTraces: recordTraces,
            calendarConditions: calendarConditions,
            synced: synced(settings.syncedProperties[definition.id] ?? []),
            identity: identity(of: definition.id, program, earlier)
        )
    }

    private func identity(
        of id: String,
        _ program: [CohortPlan.Instruction],
        _ earlier: [CohortPlan?]
    ) -> UInt64 {
        var hash = id.withByteView { Hashing.hash64($0) }
        for instruction in program {
            switch instruction {
            case .condition(let index):
                hash = Hashing.combine(hash, conditionIdentities[index])
            case .member(let index):
                hash = Hashing.combine(hash, earlier[index]?.identity ?? 0)
            case .and: hash = Hashing.combine(hash, 1)
            case .or: hash = Hashing.combine(hash, 2)
            case .not: hash = Hashing.combine(hash, 3)
            }
        }
        return hash
    }

    // MARK: Sharing

    /// The number of a condition; `key` tells it from every other one.
    mutating func number(of condition: Condition, key: ByteWriter) -> Int {
        if let number = conditionNumbers[key.bytes] { return number }
        let number = plan.conditions.count
        conditionNumbers[key.bytes] = number
        conditionIdentities.append(key.bytes.withByteView { Hashing.hash64($0) })
        plan.conditions.append(condition)
        return number
    }

    /// The number of a plain trace, which is told how far back a window looks.
    mutating func traceNumber(_ filter: EventFilter, horizon: Int64) -> Int {
        let number = traceNumber(filter.normalised)
        plan.traces[number].horizon = max(plan.traces[number].horizon, horizon)
        return number
    }

    private mutating func traceNumber(_ filter: EventFilter) -> Int {
        if let number = traceNumbers[filter] { return number }
        let number = plan.traces.count
        traceNumbers[filter] = number
        plan.traces.append(
            Trace(
                whereEvent: eventTests(filter),
                whereUser: userTests(filter),
                horizon: 0,
                identity: identity(of: RecordKey(filters: [FilterKey(filter: filter)]))
            )
        )
        return number
    }

    /// The number of a record trace, which is told to keep what a window needs; nil = everything.
    mutating func traceNumber(_ key: RecordKey, for window: PlanWindow?) -> Int {
        let number = traceNumber(key.normalised)
        plan.recordTraces[number].retention.widen(for: window)
        return number
    }

    private mutating func traceNumber(_ key: RecordKey) -> Int {
        if let number = recordTraceNumbers[key] { return number }
        var filters: [RecordTrace.Filter] = []
        for part in key.filters {
            filters.append(
                RecordTrace.Filter(
                    whereEvent: eventTests(part.filter),
                    whereUser: userTests(part.filter),
                    mustCarry: part.carries
                )
            )
        }
        let value: RecordTrace.Value? =
            switch key.value {
            case .number(let name): .number(property: eventProperty(name))
            case .distinct(let name): .distinct(property: eventProperty(name))
            case nil: nil
            }
        let group = key.group.map { eventProperty($0) }
        let number = plan.recordTraces.count
        recordTraceNumbers[key] = number
        plan.recordTraces.append(
            RecordTrace(
                filters: filters,
                group: group,
                value: value,
                keepsMask: key.keepsMask,
                identity: identity(of: key)
            )
        )
        return number
    }

    private mutating func eventTests(_ filter: EventFilter) -> [Trace.Test] {
        filter.whereEvent.map {
            Trace.Test(property: eventProperty($0.name), test: CompiledPropertyTest($0.tests))
        }
    }

    private mutating func userTests(_ filter: EventFilter) -> [Trace.Test] {
        filter.whereUser.map {
            Trace.Test(property: userProperty($0.name), test: CompiledPropertyTest($0.tests))
        }
    }

    private mutating func eventProperty(_ name: String) -> Int {
        if let index = eventPropertyNumbers[name] { return index }
        let index = plan.extraction.eventProperties.count
        eventPropertyNumbers[name] = index
        plan.extraction.eventProperties.append(name)
        return index
    }

    private mutating func userProperty(_ name: String) -> Int {
        if let index = userPropertyNumbers[name] { return index }
        let index = plan.extraction.userProperties.count
        userPropertyNumbers[name] = index
        plan.extraction.userProperties.append(name)
        return index
    }

    private func routes() -> EventRoutes {
        var types: Set<String> = settings.inactiveEvents
        for filter in traceNumbers.keys { types.formUnion(filter.event.names) }
        func traces(_ type: String?) -> [Int] {
            traceNumbers.filter { settings.takes($0.key.event, type) }.map(\.value).sorted()
        }
        return EventRoutes(
            named: types.sorted { $0.precedesByBytes($1) }.map { ($0, traces($0)) },
            others: traces(nil)
        )
    }

    private func recordRoutes() -> RecordRoutes {
        var types: Set<String> = settings.inactiveEvents
        for key in recordTraceNumbers.keys {
            for part in key.filters { types.formUnion(part.filter.event.names) }
        }
        let traces = recordTraceNumbers.sorted { $0.value < $1.value }
        func routes(_ takes: (FilterKey) -> Bool) -> [RecordRoutes.Route] {
            traces.compactMap { key, number in
                var bits: UInt16 = 0
                for (index, part) in key.filters.enumerated() where takes(part) {
                    bits |= 1 << UInt16(index)
                }
                return bits == 0 ? nil : RecordRoutes.Route(trace: number, filters: bits)
            }
        }
        return RecordRoutes(
            named: types.sorted { $0.precedesByBytes($1) }.map { type in
                (type, routes { settings.takes($0.filter.event, type) })
            },
            others: routes { settings.takes($0.filter.event, nil) },
            identify: routes { $0.carries }
        )
    }

    /// Structural hash of what a trace keeps: the same in every run and for every spelling of the same.
    func identity(of key: RecordKey) -> UInt64 {
        let key = key.normalised
        var writer = ByteWriter()
        writer.write(UInt8(key.keepsMask ? 1 : 0))
        for part in key.filters {
            writer.write(UInt8(part.carries ? 1 : 0))
            switch part.filter.event {
            case .named(let names):
                writer.write(UInt8(1))
                for name in names { writer.write(prefixed: name) }
            case .any:
                writer.write(UInt8(2))
            case .active:
                writer.write(UInt8(3))
                for name in settings.inactiveEvents.sorted() { writer.write(prefixed: name) }
            }
            for tests in [part.filter.whereEvent, part.filter.whereUser] {
                writer.write(UInt8(9))
                tests.write(to: &writer)
            }
        }
        for name in key.group { writer.write(prefixed: name) }
        switch key.value {
        case .number(let name):
            writer.write(UInt8(4))
            writer.write(prefixed: name)
        case .distinct(let name):
            writer.write(UInt8(5))
            writer.write(prefixed: name)
        case nil:
            writer.write(UInt8(6))
        }
        return writer.bytes.withByteView { Hashing.hash64($0) }
    }
}

/// What definitions read of the configuration.
public struct PlanSettings: Sendable {
    /// Event types that do not make a user active.
    public var inactiveEvents: Set<String>
    /// The zone of definitions that name none.
    public var defaultZone: String
    /// Rules by name, for every zone that is named.
    public var zones: [String: TimeZoneRules]
    /// User properties that syncs send of a cohort's members, by its id, in the order in which values are handed
    /// out.
    public var syncedProperties: [String: [String]] = [:]

    /// Settings from their parts.
    public init(
        inactiveEvents: Set<String> = [],
        defaultZone: String = "UTC",
        zones: [String: TimeZoneRules] = [:]
    ) {
        self.inactiveEvents = inactiveEvents
        self.defaultZone = defaultZone
        self.zones = zones
    }

    func zone(_ name: String?) -> TimeZoneRules {
        zones[name ?? defaultZone] ?? .utc
    }

    /// Whether a selector takes events of a type; nil = a type that nothing names.
    func takes(_ selector: EventSelector, _ type: String?) -> Bool {
        switch selector {
        case .named(let names): type.map { names.contains($0) } ?? false
        case .any: true
        case .active: type.map { !inactiveEvents.contains($0) } ?? true
        }
    }
}

extension EventSelector {
    /// The types it names.
    fileprivate var names: [String] {
        if case .named(let names) = self { names } else { [] }
    }
}

extension EventFilter {
    /// The same for every spelling of the same: names sorted and each once.
    fileprivate var normalised: EventFilter {
        guard case .named(let names) = event else { return self }
        var filter = self
        filter.event = .named(Set(names).sorted { $0.precedesByBytes($1) })
        return filter
    }
}

extension PlanCompiler.RecordKey {
    /// The same for every spelling of the same.
    fileprivate var normalised: PlanCompiler.RecordKey {
        var key = self
        for index in key.filters.indices {
            key.filters[index].filter = filters[index].filter.normalised
        }
        key.group = Set(group).sorted { $0.precedesByBytes($1) }
        return key
    }
}

extension [PropertyTest] {
    /// Appends what tells these tests from others.
    func write(to writer: inout ByteWriter) {
        for test in sorted(by: { $0.name.precedesByBytes($1.name) }) {
            writer.write(prefixed: test.name)
            for part in test.tests.sorted(by: { $0.op.rawValue < $1.op.rawValue }) {
                writer.write(prefixed: part.op.rawValue)
                for operand in part.operands { writer.write(prefixed: operand.identity) }
            }
        }
    }
}

extension Operand {
    /// Text that differs for operands that differ.
    fileprivate var identity: String {
        switch self {
        case .text(let text): "t\(text)"
        case .integer(let number): "i\(number)"
        case .double(let number): "d\(number.bitPattern)"
        case .boolean(let flag): "b\(flag)"
        }
    }
}

extension Clause {
    /// Ids of the cohorts it refers to.
    fileprivate var references: [String] {
        switch kind {
        case .all(let parts), .any(let parts): parts.flatMap(\.references)
        case .not(let part): part.references
        case .memberOf(let id): [id]
        default: []
        }
    }
}

extension CohortPlan.Reach {
    fileprivate func joined(_ other: CohortPlan.Reach) -> CohortPlan.Reach {
        switch (self, other) {
        case (.everything, _), (_, .everything): .everything
        case (.nothing, let reach), (let reach, .nothing): reach
        case (.milliseconds(let left), .milliseconds(let right)): .milliseconds(max(left, right))
        }
    }
}

extension Condition {
    /// The plain traces it reads.
    fileprivate var traces: [Int] {
        switch self {
        case .count(let trace, _, _): [trace]
        case .general(.times(let condition)): [condition.trace]
        case .general(.sequence(let condition)): condition.traces
        default: []
        }
    }

    /// The record traces it reads.
    fileprivate var recordTraces: [Int] {
        guard case .general(let general) = self else { return [] }
        switch general {
        case .records(let condition):
            if case .relative(_, let other) = condition.mode { return [condition.trace, other] }
            return [condition.trace]
        case .retained(let condition): return [condition.trace]
        case .hadMostRecent(let active, _, _): return [active]
        case .firstSeen, .times, .sequence, .uploaded: return []
        }
    }

    /// How far back it looks.
    fileprivate var reach: CohortPlan.Reach {
        switch self {
        case .count(_, let window, _): .init(horizon: window.horizon)
        case .firstSeen, .properties, .synced: .nothing
        case .general(let general): general.reach
        }
    }
}

extension GeneralCondition {
    fileprivate var reach: CohortPlan.Reach {
        switch self {
        case .records(let condition):
            if case .nth = condition.mode { .everything } else { condition.window.reach }
        case .times(let condition): condition.window.reach
        case .sequence(let condition): condition.window.reach
        case .retained(let condition):
            condition.startsAtFirstSeen ? .everything : condition.window.reach
        // Values in force at an event may have been set long before it.
        case .hadMostRecent: .everything
        case .firstSeen, .uploaded: .nothing
        }
    }
}

extension PlanWindow {
    fileprivate var reach: CohortPlan.Reach { .init(horizon: horizon) }
}

extension CohortPlan.Reach {
    /// - Parameter horizon: Milliseconds; nil where nothing is too old.
    fileprivate init(horizon: Int64?) {
        self = horizon.map { .milliseconds($0) } ?? .everything
    }
}

extension PlanCompiler {
    /// Compiles a set of which no definition looks at local days.
    public static func compile(_ definitions: [Definition], inactiveEvents: [String]) -> Plan {
        compile(definitions, PlanSettings(inactiveEvents: Set(inactiveEvents)))
    }
}
