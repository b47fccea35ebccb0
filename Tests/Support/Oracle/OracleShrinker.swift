/// Makes a failing case small: leaves out, one after the other, whatever it also fails without.
package struct OracleShrinker {
    private let fails: (OracleCase) -> Bool
    private var best: OracleCase

    /// A case of which the rest still fails as `fails` says.
    package static func shrink(
        _ history: OracleCase,
        while fails: @escaping (OracleCase) -> Bool
    ) -> OracleCase {
        var shrinker = OracleShrinker(fails: fails, best: history)
        shrinker.run()
        return shrinker.best
    }

    private mutating func run() {
        // Ticks one by one, so that they can be left out.
        try0 { $0.fixTicks() }
        try0 { $0.batches = [Int](repeating: 1, count: $0.lines.count) }
        var isSmaller = true
        while isSmaller {
            isSmaller = false
            isSmaller = drop(\.definitions) || isSmaller
            isSmaller = drop(\.lines) || isSmaller
            isSmaller = drop(\.settings.uploads) || isSmaller
            isSmaller = drop(\.fixedTicks) || isSmaller
            isSmaller = simplifyDefinitions() || isSmaller
            isSmaller = simplifyLines() || isSmaller
        }
    }

    /// Changes the case where it then still fails.
    @discardableResult
    private mutating func try0(_ change: (inout OracleCase) -> Void) -> Bool {
        var changed = best
        change(&changed)
        guard fails(changed) else { return false }
        best = changed
        return true
    }

    /// Leaves out elements, large runs first.
    private mutating func drop<Element>(
        _ path: WritableKeyPath<OracleCase, [Element]>
    ) -> Bool {
        var isSmaller = false
        var length = max(1, best[keyPath: path].count / 2)
        while true {
            var start = 0
            while start < best[keyPath: path].count {
                let end = min(start + length, best[keyPath: path].count)
                let isDropped = try0 { history in
                    history[keyPath: path].removeSubrange(start..<end)
                    history.batches = [Int](repeating: 1, count: history.lines.count)
                }
                if isDropped { isSmaller = true } else { start = end }
            }
            if length == 1 { return isSmaller }
            length /= 2
        }
    }

    private mutating func simplifyDefinitions() -> Bool {
        var isSmaller = false
        for index in best.definitions.indices {
            if best.definitions[index].zone != nil {
                isSmaller = try0 { $0.definitions[index].zone = nil } || isSmaller
            }
            var candidates = best.definitions[index].users.simpler[...]
            while let candidate = candidates.popFirst() {
                if try0({ $0.definitions[index].users = candidate }) {
                    isSmaller = true
                    candidates = best.definitions[index].users.simpler[...]
                }
            }
        }
        return isSmaller
    }

    private mutating func simplifyLines() -> Bool {
        var isSmaller = false
        for index in best.lines.indices {
            var candidates = best.lines[index].simpler[...]
            while let candidate = candidates.popFirst() {
                if try0({ $0.lines[index] = candidate }) {
                    isSmaller = true
                    candidates = best.lines[index].simpler[...]
                }
            }
        }
        return isSmaller
    }
}

extension OracleCase {
    /// The ticks as they come out, each on its own.
    fileprivate mutating func fixTicks() {
        settings.ticks = .at(Oracle([], lines, settings).ticks.map(\.instant))
    }

    /// The ticks where they are given one by one.
    fileprivate var fixedTicks: [Int64] {
        get { if case .at(let instants) = settings.ticks { instants } else { [] } }
        set { settings.ticks = .at(newValue) }
    }
}

extension OracleLine {
    /// The line with one thing less each.
    fileprivate var simpler: [OracleLine] {
        var lines: [OracleLine] = []
        func without(_ change: (inout OracleLine) -> Void) {
            var line = self
            change(&line)
            lines.append(line)
        }
        if insertID != nil { without { $0.insertID = nil } }
        if device != nil { without { $0.device = nil } }
        if eventProperties != nil { without { $0.eventProperties = nil } }
        if userProperties != nil { without { $0.userProperties = nil } }
        for index in topLevel.indices { without { $0.topLevel.remove(at: index) } }
        for index in (eventProperties ?? []).indices {
            without { $0.eventProperties?.remove(at: index) }
        }
        for (index, member) in (userProperties ?? []).enumerated() {
            without { $0.userProperties?.remove(at: index) }
            guard case .object(let inner) = member.value, inner.count > 1 else { continue }
            for part in inner.indices {
                var rest = inner
                rest.remove(at: part)
                without { $0.userProperties?[index].value = .object(rest) }
            }
        }
        return lines
    }
}
