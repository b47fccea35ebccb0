import Basics
import Cohorts
import Events

/// Turns an event into the records that the plan's record traces keep of it.
struct RecordFilters {
    private let traces: [RecordTrace]
    private let routes: RecordRoutes
    private let retentions: [RecordTrace.Retention]
    private let flat: [Flat]

    /// What a record of a trace is made of, in the order of its words: reading one copies no references.
    private struct Flat {
        enum Value {
            case none, number, distinct
        }

        var keepsMask: Bool
        var isGrouped: Bool
        var value = Value.none
        /// Place of the event property behind ``value``.
        var property = 0

        init(_ trace: RecordTrace) {
            keepsMask = trace.keepsMask
            isGrouped = !trace.group.isEmpty
            switch trace.value {
            case nil: break
            case .number(let property): (value, self.property) = (.number, property)
            case .distinct(let property): (value, self.property) = (.distinct, property)
            }
        }
    }

    init(plan: Plan) {
        traces = plan.recordTraces
        routes = plan.recordRoutes
        retentions = plan.recordTraces.map(\.retention)
        flat = plan.recordTraces.map(Flat.init)
    }

    /// Appends every record of the event: its trace and where its words lie.
    func appendRecords(
        of event: EventView,
        to records: inout [StagedEvents.Record],
        words: inout [UInt64]
    ) {
        if traces.isEmpty { return }
        let candidates =
            event.kind == .identify ? routes.identify : routes.routes(of: event.eventType)
        for route in candidates {
            let mask = passed(event, route)
            guard mask != 0 else { continue }
            append(event, route.trace, mask: mask, to: &records, words: &words)
        }
    }

    /// What of a trace no tick from `floor` on can need.
    func bound(_ trace: Int, floor: EventTime) -> Int64 {
        retentions[trace].bound(floor: floor)
    }

    /// One bit for each filter that the event passes.
    private func passed(_ event: EventView, _ route: RecordRoutes.Route) -> UInt16 {
        var mask: UInt16 = 0
        for (index, filter) in traces[route.trace].filters.enumerated()
        where route.filters >> UInt16(index) & 1 != 0 && passes(event, filter) {
            mask |= 1 << UInt16(index)
        }
        return mask
    }

    private func passes(_ event: EventView, _ filter: RecordTrace.Filter) -> Bool {
        for part in filter.whereEvent
        where !part.test.matches(event.eventProperties[part.property]) {
            return false
        }
        for part in filter.whereUser {
            let value = event.userProperties[part.property]
            if filter.mustCarry, value.isMissingOrNull { return false }
            if !part.test.matches(value) { return false }
        }
        return true
    }

    private func append(
        _ event: EventView,
        _ trace: Int,
        mask: UInt16,
        to records: inout [StagedEvents.Record],
        words: inout [UInt64]
    ) {
        let kept = flat[trace]
        var group: (high: UInt64, low: UInt64) = (0, 0)
        if kept.isGrouped {
            guard let found = self.group(event, traces[trace].group) else { return }
            group = found
        }
        func append(_ high: UInt64, _ low: UInt64) {
            records.append(StagedEvents.Record(trace: trace, words: words.count))
            words.append(UInt64(bitPattern: event.time.milliseconds))
            if kept.keepsMask { words.append(UInt64(mask)) }
            if kept.isGrouped {
                words.append(group.high)
                words.append(group.low)
            }
            if kept.value != .none {
                words.append(high)
                words.append(low)
            }
        }
        switch kept.value {
        case .none: append(0, 0)
        case .number:
            guard let number = event.eventProperties[kept.property].micro() else { return }
            append(UInt64(truncatingIfNeeded: number), UInt64(truncatingIfNeeded: number >> 64))
        case .distinct: event.eventProperties[kept.property].forEachScalarHash(append)
        }
    }

    /// The hash of the values of the group's properties; nil where one is no scalar.
    private func group(
        _ event: EventView,
        _ properties: [Int]
    ) -> (high: UInt64, low: UInt64)? {
        var high: UInt64 = 0
        var low: UInt64 = 1
        for property in properties {
            guard let hash = event.eventProperties[property].canonicalHash() else { return nil }
            high = Hashing.combine(high, hash.high)
            low = Hashing.combine(low, hash.low)
        }
        return (high, low)
    }
}
