// What a shrinker tries in the place of a clause.

extension OracleClause {
    /// Clauses that ask for less.
    var simpler: [OracleClause] {
        switch self {
        case .all(let parts):
            return parts + parts.without.map { .all($0) } + parts.replaced.map { .all($0) }
        case .any(let parts):
            return parts + parts.without.map { .any($0) } + parts.replaced.map { .any($0) }
        case .not(let part):
            return [part] + part.simpler.map { .not($0) }
        case .performed(let performed):
            return performed.simpler.map { .performed($0) }
        case .sequence(let sequence):
            return sequence.simpler.map { .sequence($0) }
        case .active(let window): return window.simpler.map { .active($0) }
        case .inactive(let window): return window.simpler.map { .inactive($0) }
        case .new(let window): return window.simpler.map { .new($0) }
        case .retained(let retained): return retained.simpler.map { .retained($0) }
        case .property(let properties): return properties.simpler.map { .property($0) }
        case .hadProperty(let had):
            return had.properties.simpler.map { .hadProperty(had.with(\.properties, $0)) }
                + had.window.simpler.map { .hadProperty(had.with(\.window, $0)) }
        case .memberOf, .uploaded: return [.active(.anyTime)]
        }
    }
}

/// A value with one part replaced.
protocol OracleReplaceable {}

extension OracleReplaceable {
    fileprivate func with<Value>(_ path: WritableKeyPath<Self, Value>, _ value: Value) -> Self {
        var changed = self
        changed[keyPath: path] = value
        return changed
    }
}

extension OraclePerformed: OracleReplaceable {
    fileprivate var simpler: [OraclePerformed] {
        filter.simpler.map { with(\.filter, $0) } + window.simpler.map { with(\.window, $0) }
            + same.without.map { with(\.same, $0) } + (same.isEmpty ? [] : [with(\.same, [])])
            + mode.simpler.map { with(\.mode, $0) }
    }
}

extension OracleMode {
    fileprivate var simpler: [OracleMode] {
        switch self {
        case .count(let tests):
            (tests.isEmpty ? [] : [.count([])]) + tests.without.map { .count($0) }
        case .relative(let op, let filter): filter.simpler.map { .relative(op, $0) }
        case .reduced(let reduction, let property, let tests):
            tests.without.map { .reduced(reduction, property, $0) }
        case .distinct(let property, let tests): tests.without.map { .distinct(property, $0) }
        case .nth(let place): place > 1 ? [.nth(place - 1)] : []
        case .onDistinct(let interval, let count, let tests):
            (count.isEmpty ? [] : [.onDistinct(interval, count: [], tests)])
                + tests.without.map { .onDistinct(interval, count: count, $0) }
        }
    }
}

extension OracleSequence: OracleReplaceable {
    fileprivate var simpler: [OracleSequence] {
        var simpler = window.simpler.map { with(\.window, $0) }
        if steps.count > 2 { simpler += steps.without.map { with(\.steps, $0) } }
        for (index, step) in steps.enumerated() {
            for candidate in step.simpler {
                var changed = self
                changed.steps[index] = candidate
                simpler.append(changed)
            }
        }
        if within != nil { simpler.append(with(\.within, nil)) }
        if !same.isEmpty { simpler += same.without.map { with(\.same, $0) } + [with(\.same, [])] }
        return simpler
    }
}

extension OracleRetained: OracleReplaceable {
    fileprivate var simpler: [OracleRetained] {
        (start.map { $0.simpler.map { with(\.start, $0) } } ?? [])
            + end.simpler.map { with(\.end, $0) } + window.simpler.map { with(\.window, $0) }
    }
}

extension OracleHadProperty: OracleReplaceable {}

extension OracleFilter: OracleReplaceable {
    fileprivate var simpler: [OracleFilter] {
        var simpler: [OracleFilter] = []
        if case .any = events {} else { simpler.append(with(\.events, .any)) }
        if !whereEvent.isEmpty { simpler.append(with(\.whereEvent, [])) }
        if !whereUser.isEmpty { simpler.append(with(\.whereUser, [])) }
        return simpler + whereEvent.simpler.map { with(\.whereEvent, $0) }
            + whereUser.simpler.map { with(\.whereUser, $0) }
    }
}

extension OracleWindow {
    fileprivate var simpler: [OracleWindow] {
        switch self {
        case .anyTime: []
        case .last(let length, _?): [.anyTime, .last(length, offset: nil)]
        case .aligned(let unit, let count, let excludesCurrent, let offset):
            [.anyTime]
                + (offset == nil
                    ? []
                    : [
                        .aligned(
                            unit,
                            count: count,
                            excludesCurrent: excludesCurrent,
                            offset: nil
                        )
                    ])
                + (excludesCurrent
                    ? [.aligned(unit, count: count, excludesCurrent: false, offset: offset)] : [])
        default: [.anyTime]
        }
    }
}

extension Array {
    /// The lists with one element less, but not the empty one.
    fileprivate var without: [[Element]] {
        count < 2
            ? []
            : indices.map { index in
                var rest = self
                rest.remove(at: index)
                return rest
            }
    }
}

extension [OracleClause] {
    /// The lists with one clause made simpler.
    fileprivate var replaced: [[OracleClause]] {
        indices.flatMap { index in
            self[index].simpler.map { candidate in
                var changed = self
                changed[index] = candidate
                return changed
            }
        }
    }
}

extension [OracleProperty] {
    fileprivate var simpler: [[OracleProperty]] {
        without
            + indices.flatMap { index in
                self[index].tests.without.map { tests in
                    var changed = self
                    changed[index].tests = tests
                    return changed
                }
            }
    }
}
