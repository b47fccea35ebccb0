extension OracleUser {
    /// What a clause is evaluated in.
    struct Surroundings {
        /// The definition it stands in.
        var cohort: String
        var zone: OracleZone
        var definitions: [OracleDefinition]
        var tally: OracleTally
    }

    /// Whether a clause holds, at each tick; as if the user were always known.
    func holds(_ clause: OracleClause, _ around: Surroundings) -> [Bool] {
        let truths = truths(of: clause, around)
        for tick in ticks.indices where isKnown[tick] {
            for construct in clause.constructs { around.tally.note(construct, truths[tick]) }
        }
        return truths
    }

    private func truths(of clause: OracleClause, _ around: Surroundings) -> [Bool] {
        let zone = around.zone
        switch clause {
        case .all(let parts):
            let truths = parts.map { holds($0, around) }
            return ticks.indices.map { tick in truths.allSatisfy { $0[tick] } }
        case .any(let parts):
            let truths = parts.map { holds($0, around) }
            return ticks.indices.map { tick in truths.contains { $0[tick] } }
        case .not(let part):
            return holds(part, around).map { !$0 }
        case .performed(let performed):
            return holds(performed, around)
        case .sequence(let sequence):
            return holds(sequence, around)
        case .active(let window):
            let active = entries.filter { isActive($0) }
            return ticks.map { !inside(window, of: active, at: $0, zone).isEmpty }
        case .inactive(let window):
            return truths(of: .active(window), around).map { !$0 }
        case .new(let window):
            return ticks.map { tick in
                guard let first = firstSeen(at: tick) else { return false }
                return bounds(window, at: tick, zone)?.contains(first) ?? false
            }
        case .retained(let retained):
            return holds(retained, around)
        case .property(let properties):
            return ticks.map { tick in
                properties.allSatisfy {
                    around.tally.holds(
                        $0.tests,
                        for: current($0.name, at: tick, arrivedBy: tick)
                    )
                }
            }
        case .hadProperty(let had):
            return holds(had, around)
        case .memberOf(let id):
            guard let other = around.definitions.first(where: { $0.id == id }) else {
                preconditionFailure("no cohort \(id)")
            }
            return holds(other, around)
        case .uploaded:
            return ticks.map { _ in uploads.contains(around.cohort) }
        }
    }

    /// Whether a definition holds, at each tick.
    func holds(_ definition: OracleDefinition, _ around: Surroundings) -> [Bool] {
        var around = around
        around.cohort = definition.id
        around.zone = .named(definition.zone ?? settings.zone)
        return holds(definition.users, around)
    }

    private func holds(_ retained: OracleRetained, _ around: Surroundings) -> [Bool] {
        let starts = retained.start.map { matching($0, around.tally) }
        let ends = matching(retained.end, around.tally)
        let day: Int64 = 86_400_000
        return ticks.map { tick in
            let from: [Int64]
            if let starts {
                from = inside(retained.window, of: starts, at: tick, around.zone).map(\.time)
            } else if let first = firstSeen(at: tick),
                bounds(retained.window, at: tick, around.zone)?.contains(first) ?? false
            {
                from = [first]
            } else {
                from = []
            }
            let to = visible(ends, at: tick).map(\.time)
            return from.contains { start in
                to.contains { end in
                    end > start && end - start >= Int64(retained.days.first) * day
                        && end - start < Int64(retained.days.second) * day
                }
            }
        }
    }

    private func holds(_ had: OracleHadProperty, _ around: Surroundings) -> [Bool] {
        if !had.isMostRecent {
            let carrying = entries.filter { entry in
                had.properties.allSatisfy { property in
                    guard let value = carried(property.name, by: entry.event.line) else {
                        return false
                    }
                    return around.tally.holds(property.tests, for: value)
                }
            }
            return ticks.map { !inside(had.window, of: carrying, at: $0, around.zone).isEmpty }
        }
        let active = entries.filter { isActive($0) }
        return ticks.map { tick in
            let times = inside(had.window, of: active, at: tick, around.zone).map(\.time)
            guard let newest = times.max() else { return false }
            return had.properties.allSatisfy {
                around.tally.holds(
                    $0.tests,
                    for: current($0.name, at: newest, arrivedBy: tick)
                )
            }
        }
    }

    private func holds(_ sequence: OracleSequence, _ around: Surroundings) -> [Bool] {
        let steps = sequence.steps.map { matching($0, around.tally) }
        return ticks.map { tick in
            var groups: [[[UInt8]]: [[Entry]]] = [:]
            for (index, step) in steps.enumerated() {
                for entry in inside(sequence.window, of: step, at: tick, around.zone) {
                    guard let key = group(of: entry, by: sequence.same) else { continue }
                    groups[key, default: steps.map { _ in [] }][index].append(entry)
                }
            }
            return groups.values.contains { hasChain($0, within: sequence.within) }
        }
    }

    /// From every first step on, each next one as early as it can be.
    private func hasChain(_ steps: [[Entry]], within: Int64?) -> Bool {
        steps[0].contains { first in
            var last = first
            for step in steps.dropFirst() {
                let later = step.filter { entry in
                    entry.time > last.time
                        || mistake == .tiesByArrival && entry.time == last.time
                            && entry.place > last.place
                }
                guard let next = later.min(by: { ($0.time, $0.place) < ($1.time, $1.place) }) else {
                    return false
                }
                last = next
            }
            return within.map { last.time - first.time <= $0 } ?? true
        }
    }

    /// The canonical values of the properties of `same`; nil where one of them is no scalar.
    func group(of entry: Entry, by names: [String]) -> [[UInt8]]? {
        var key: [[UInt8]] = []
        for name in names {
            guard let value = eventProperty(name, of: entry.event.line)?.canonical else {
                return nil
            }
            if mistake != .sameAcrossValues { key.append(value) }
        }
        return key
    }
}
