import Basics
import Cohorts
import Events

/// Turns an event into the records that the plan's record traces keep of it; laid out flat, so that finding out
/// neither allocates nor counts references.
struct RecordFilters {
    /// What a record of a trace is made of, in the order of its words.
    private struct Flat: BitwiseCopyable {
        enum Value: BitwiseCopyable {
            case none, number, distinct
        }

        var keepsMask: Bool
        var value = Value.none
        /// Place of the event property behind ``value``.
        var property = 0
        /// Which word of a record begins it.
        var valueWord = 0
        /// Places in ``groupProperties``.
        var group: Stretch
        /// Places in ``filters``.
        var filters: Stretch
    }

    private struct Filter: BitwiseCopyable {
        /// Places in ``tests``.
        var ofEvent: Stretch
        var ofUser: Stretch
        var mustCarry: Bool
    }

    private let flat: [Flat]
    private let filters: [Filter]
    private let tests: [Trace.Test]
    private let groupProperties: [Int]
    private let retentions: [RecordTrace.Retention]
    private let routes: [RecordRoutes.Route]
    /// Where the routes of each type, by its number, stand in ``routes``; last those of `$identify`.
    private let routeRanges: [Stretch]

    init(plan: Plan, types: EventTypes) {
        var flat: [Flat] = []
        var filters: [Filter] = []
        var tests: [Trace.Test] = []
        var groupProperties: [Int] = []
        for trace in plan.recordTraces {
            let start = filters.count
            for filter in trace.filters {
                filters.append(
                    Filter(
                        ofEvent: tests.appendStretch(filter.whereEvent),
                        ofUser: tests.appendStretch(filter.whereUser),
                        mustCarry: filter.mustCarry
                    )
                )
            }
            var kept = Flat(
                keepsMask: trace.keepsMask,
                group: groupProperties.appendStretch(trace.group),
                filters: Stretch(start, filters.count)
            )
            switch trace.value {
            case nil: break
            case .number(let property):
                (kept.value, kept.property, kept.valueWord) = (.number, property, trace.valueWord)
            case .distinct(let property): (kept.value, kept.property) = (.distinct, property)
            }
            flat.append(kept)
        }
        var routes: [RecordRoutes.Route] = []
        // The empty name is no type, so it takes the way of all others.
        var routeRanges = (0..<types.count).map { type in
            let found = (types.name(type) ?? []).withByteView { plan.recordRoutes.routes(of: $0) }
            return routes.appendStretch(found)
        }
        routeRanges.append(routes.appendStretch(plan.recordRoutes.identify))
        self.flat = flat
        self.filters = filters
        self.tests = tests
        self.groupProperties = groupProperties
        self.routes = routes
        self.routeRanges = routeRanges
        retentions = plan.recordTraces.map(\.retention)
    }

    /// Appends every record of the event, whose type has that number: its trace and where its words lie.
    func appendRecords(
        of event: EventView,
        type: Int,
        to records: inout RecordTable<StagedEvents.Record>,
        words: inout RecordTable<UInt64>
    ) {
        let candidates = routeRanges[event.kind == .identify ? routeRanges.count - 1 : type]
        for place in candidates.range {
            let route = routes[place]
            let mask = passed(event, route)
            guard mask != 0 else { continue }
            append(event, route.trace, mask: mask, to: &records, words: &words)
        }
    }

    /// Whether no sum becomes less by a record.
    @inline(__always)
    func isGain(_ words: UnsafePointer<UInt64>, trace: Int) -> Bool {
        let kept = flat[trace]
        return kept.value != .number || Int64(bitPattern: words[kept.valueWord + 1]) >= 0
    }

    /// What of a trace no tick from `floor` on can need.
    func bound(_ trace: Int, floor: EventTime) -> Int64 {
        retentions[trace].bound(floor: floor)
    }

    /// One bit for each filter that the event passes.
    private func passed(_ event: EventView, _ route: RecordRoutes.Route) -> UInt16 {
        var mask: UInt16 = 0
        let filters = flat[route.trace].filters.range
        var wanted = route.filters
        while wanted != 0 {
            let index = wanted.trailingZeroBitCount
            wanted &= wanted - 1
            if passes(event, self.filters[filters.lowerBound + index]) {
                mask |= 1 << UInt16(index)
            }
        }
        return mask
    }

    private func passes(_ event: EventView, _ filter: Filter) -> Bool {
        for place in filter.ofEvent.range
        where !tests[place].test.matches(event.eventProperties[tests[place].property]) {
            return false
        }
        for place in filter.ofUser.range {
            let value = event.userProperties[tests[place].property]
            if filter.mustCarry, value.isMissingOrNull { return false }
            if !tests[place].test.matches(value) { return false }
        }
        return true
    }

    private func append(
        _ event: EventView,
        _ trace: Int,
        mask: UInt16,
        to records: inout RecordTable<StagedEvents.Record>,
        words: inout RecordTable<UInt64>
    ) {
        let kept = flat[trace]
        var group: (high: UInt64, low: UInt64) = (0, 0)
        if !kept.group.isEmpty {
            guard let found = self.group(event, kept.group) else { return }
            group = found
        }
        let value: (high: UInt64, low: UInt64)
        switch kept.value {
        case .none: value = (0, 0)
        case .number:
            guard let number = event.eventProperties[kept.property].micro() else { return }
            value = (
                UInt64(truncatingIfNeeded: number), UInt64(truncatingIfNeeded: number >> 64)
            )
        case .distinct:
            event.eventProperties[kept.property].forEachScalarHash { high, low in
                Self.put(event, trace, kept, mask, group, (high, low), &records, &words)
            }
            return
        }
        Self.put(event, trace, kept, mask, group, value, &records, &words)
    }

    /// Appends a record, word by word.
    ///
    /// No function inside another: its captures would be memory for each event.
    @inline(__always)
    private static func put(
        _ event: EventView,
        _ trace: Int,
        _ kept: Flat,
        _ mask: UInt16,
        _ group: (high: UInt64, low: UInt64),
        _ value: (high: UInt64, low: UInt64),
        _ records: inout RecordTable<StagedEvents.Record>,
        _ words: inout RecordTable<UInt64>
    ) {
        records.append(StagedEvents.Record(trace: trace, words: words.count))
        words.append(UInt64(bitPattern: event.time.milliseconds))
        if kept.keepsMask { words.append(UInt64(mask)) }
        if !kept.group.isEmpty {
            words.append(group.high)
            words.append(group.low)
        }
        if kept.value != .none {
            words.append(value.high)
            words.append(value.low)
        }
    }

    /// The hash of the values of the group's properties; nil where one is no scalar.
    private func group(
        _ event: EventView,
        _ places: Stretch
    ) -> (high: UInt64, low: UInt64)? {
        var high: UInt64 = 0
        var low: UInt64 = 1
        for place in places.range {
            let property = groupProperties[place]
            guard let hash = event.eventProperties[property].canonicalHash() else { return nil }
            high = Hashing.combine(high, hash.high)
            low = Hashing.combine(low, hash.low)
        }
        return (high, low)
    }
}
