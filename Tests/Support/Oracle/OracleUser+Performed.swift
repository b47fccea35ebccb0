extension OracleUser {
    /// Whether the clause `performed` holds, at each tick.
    func holds(_ performed: OraclePerformed, _ around: Surroundings) -> [Bool] {
        let matching = matching(performed.filter, around.tally)
        if case .relative(let op, let filter) = performed.mode {
            let others = self.matching(filter, around.tally)
            return ticks.map { tick in
                let counts = [matching, others].map {
                    inside(performed.window, of: $0, at: tick, around.zone).count
                }
                let test = OracleTest(op, [.number(String(counts[1]))])
                return OracleTest.allHold([test], for: counts[0])
            }
        }
        return ticks.map { tick in
            guard !performed.same.isEmpty else {
                return holds(performed.mode, of: matching, performed.window, tick, around)
            }
            var groups: [[[UInt8]]: [Entry]] = [:]
            for entry in matching {
                guard let key = group(of: entry, by: performed.same) else { continue }
                groups[key, default: []].append(entry)
            }
            return groups.values.contains { group in
                !inside(performed.window, of: group, at: tick, around.zone).isEmpty
                    && holds(performed.mode, of: group, performed.window, tick, around)
            }
        }
    }

    /// Whether a mode holds of the matching events, or of those of one group.
    private func holds(
        _ mode: OracleMode,
        of matching: [Entry],
        _ window: OracleWindow,
        _ tick: Int64,
        _ around: Surroundings
    ) -> Bool {
        let inside = inside(window, of: matching, at: tick, around.zone)
        switch mode {
        case .count(let tests):
            return around.tally.numberHolds(tests, for: inside.count)
        case .reduced(let reduction, let property, let tests):
            return reduced(reduction, property, inside).map {
                around.tally.numberHolds(tests, forMillionths: $0.sum, over: $0.count)
            } ?? false
        case .distinct(let property, let tests):
            var values: Set<[UInt8]> = []
            for entry in inside {
                switch eventProperty(property, of: entry.event.line) {
                case .array(let elements): values.formUnion(elements.compactMap(\.canonical))
                case let value: if let text = value?.canonical { values.insert(text) }
                }
            }
            return around.tally.numberHolds(tests, for: values.count)
        case .nth(let place):
            let all = visible(matching, at: tick)
            let sorted = mistake == .lateAppended ? all : all.sorted { $0.time < $1.time }
            guard sorted.count >= place, let bounds = bounds(window, at: tick, around.zone) else {
                return false
            }
            return bounds.contains(sorted[place - 1].time)
        case .onDistinct(let interval, let count, let tests):
            var counts: [Int: Int] = [:]
            for entry in inside {
                counts[number(of: interval, entry.time, window, tick, around.zone), default: 0] += 1
            }
            let intervals = counts.values.filter {
                count.isEmpty || OracleTest.allHold(count, for: $0)
            }
            return around.tally.numberHolds(tests, for: intervals.count)
        case .relative:
            preconditionFailure("two filters are no one's own")
        }
    }

    /// A sum in millionths and by what to divide it; nil where there is no value of which it could be said.
    private func reduced(
        _ reduction: OracleMode.Reduction,
        _ property: String,
        _ entries: [Entry]
    ) -> (sum: Int128, count: Int)? {
        let values = entries.compactMap { eventProperty(property, of: $0.event.line)?.number }
            .filter { !$0.isBeyondSums }.map(\.millionths)
        switch reduction {
        case .sum: return (values.reduce(0, +), 1)
        case .average: return values.isEmpty ? nil : (values.reduce(0, +), values.count)
        case .minimum: return values.min().map { ($0, 1) }
        case .maximum: return values.max().map { ($0, 1) }
        }
    }

    /// Which interval an instant lies in; equal numbers are the same interval.
    private func number(
        of interval: OracleMode.Interval,
        _ time: Int64,
        _ window: OracleWindow,
        _ tick: Int64,
        _ zone: OracleZone
    ) -> Int {
        switch interval {
        case .day: return zone.day(of: time)
        case .week: return OracleDate.floor(Int64(zone.day(of: time) - 4), 7)
        case .month:
            let date = OracleDate.date(ofDay: zone.day(of: time))
            return date.year * 12 + date.month
        case .duration(let length):
            var end = tick
            if case .last(_, let offset?) = window, mistake != .offsetIgnored { end -= offset }
            return OracleDate.floor(end - time, length)
        }
    }
}
