extension OracleUser {
    /// The instants that a window lets count at a tick, both ends inside; nil = none.
    func bounds(
        _ window: OracleWindow,
        at tick: Int64,
        _ zone: OracleZone
    ) -> ClosedRange<Int64>? {
        var from = Int64.min
        var to = Int64.max
        switch window {
        case .anyTime: break
        case .last(let length, let offset):
            to = tick - (mistake == .offsetIgnored ? 0 : offset ?? 0)
            from = to - length + 1
            if mistake == .windowOpenAtTheRight { to -= 1 }
            if mistake == .windowClosedAtTheLeft { from -= 1 }
            if mistake == .bucketAtTheBound { from = Int64(OracleDate.floor(from, 1000)) * 1000 }
        case .aligned(let unit, let count, let excludesCurrent, let offset):
            to = tick - (mistake == .offsetIgnored ? 0 : offset ?? 0)
            var first = zone.day(of: to)
            let length = unit == .day ? 1 : 7
            // 1970-01-05 was a Monday.
            if unit == .week { first = OracleDate.floor(Int64(first - 4), 7) * 7 + 4 }
            if excludesCurrent {
                from = zone.start(ofDay: first - count * length)
                to = zone.start(ofDay: first - (mistake == .excludeCurrentADayOff ? 1 : 0)) - 1
            } else {
                from = zone.start(ofDay: first - (count - 1) * length)
            }
        case .dates(let first, let last):
            from = zone.start(ofDay: first)
            if let last { to = zone.start(ofDay: last + 1) - 1 }
        case .instants(let first, let last):
            from = first
            to = last ?? .max
        case .withinFirst(let length):
            guard let first = firstSeen(at: tick) else { return nil }
            from = first
            to = first + length - 1
        }
        return from <= to ? from...to : nil
    }

    /// What of some events counts at a tick and lies in a window, in log order.
    func inside(
        _ window: OracleWindow,
        of entries: [Entry],
        at tick: Int64,
        _ zone: OracleZone
    ) -> [Entry] {
        guard let bounds = bounds(window, at: tick, zone) else { return [] }
        let visible = visible(entries, at: tick)
        if mistake == .lateAppended {
            return visible.reversed().prefix { $0.time >= bounds.lowerBound }
                .filter { bounds.contains($0.time) }
        }
        return visible.filter { bounds.contains($0.time) }
    }
}
