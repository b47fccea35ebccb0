import Basics
import Cohorts
import Events

/// Turns an event into the records that the plan's record traces keep of it.
struct RecordFilters {
    private let traces: [RecordTrace]
    private let routes: RecordRoutes

    init(plan: Plan) {
        traces = plan.recordTraces
        routes = plan.recordRoutes
    }

    /// Whether there is anything to do at all.
    var isEmpty: Bool { traces.isEmpty }

    /// Calls `body` with every record of the event: its trace and its words, borrowed.
    func forEachRecord(
        of event: EventView,
        _ body: (Int, UnsafePointer<UInt64>) -> Void
    ) {
        let candidates =
            event.kind == .identify ? routes.identify : routes.routes(of: event.eventType)
        for route in candidates {
            let mask = passed(event, route)
            guard mask != 0 else { continue }
            forEachRecord(of: event, route.trace, mask: mask, body)
        }
    }

    /// What of a trace no tick from `floor` on can need.
    func bound(_ trace: Int, floor: EventTime) -> Int64 {
        traces[trace].retention.bound(floor: floor)
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

    private func forEachRecord(
        of event: EventView,
        _ trace: Int,
        mask: UInt16,
        _ body: (Int, UnsafePointer<UInt64>) -> Void
    ) {
        let kept = traces[trace]
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 6) { words in
            words.initialize(repeating: 0)
            guard let start = words.baseAddress else { return }
            words[0] = UInt64(bitPattern: event.time.milliseconds)
            if kept.keepsMask { words[kept.maskWord] = UInt64(mask) }
            if !kept.group.isEmpty {
                guard let group = group(event, kept.group) else { return }
                words[kept.groupWord] = group.high
                words[kept.groupWord + 1] = group.low
            }
            switch kept.value {
            case nil: body(trace, start)
            case .number(let property):
                guard let number = event.eventProperties[property].micro() else { return }
                words[kept.valueWord] = UInt64(truncatingIfNeeded: number)
                words[kept.valueWord + 1] = UInt64(truncatingIfNeeded: number >> 64)
                body(trace, start)
            case .distinct(let property):
                event.eventProperties[property].forEachScalarHash { high, low in
                    words[kept.valueWord] = high
                    words[kept.valueWord + 1] = low
                    body(trace, start)
                }
            }
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
