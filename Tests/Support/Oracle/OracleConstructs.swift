// What coverage is counted by: each construct of the language has a name.

extension OracleClause {
    /// The constructs whose truth is the truth of this very clause.
    var constructs: [String] {
        var names = ["clause " + name]
        if let window { names.append("window " + window.form) }
        switch self {
        case .performed(let performed):
            names.append("mode " + performed.mode.name)
            if !performed.same.isEmpty { names.append("performed same") }
        case .sequence(let sequence):
            if !sequence.same.isEmpty { names.append("sequence same") }
            if sequence.within != nil { names.append("sequence within") }
        case .retained(let retained):
            if retained.start == nil { names.append("retained new") }
        default: break
        }
        return names
    }

    /// The predicates in it, once for each place.
    var predicates: [String] {
        switch self {
        case .performed(let performed):
            var names = performed.filter.predicates + performed.mode.tests.map(\.numberName)
            if case .relative(_, let filter) = performed.mode { names += filter.predicates }
            return names
        case .sequence(let sequence): return sequence.steps.flatMap(\.predicates)
        case .retained(let retained):
            return (retained.start?.predicates ?? []) + retained.end.predicates
        case .property(let properties): return properties.predicates
        case .hadProperty(let had): return had.properties.predicates
        default: return []
        }
    }

    /// All constructs in it and in the clauses inside.
    package var allConstructs: Set<String> {
        parts.reduce(into: Set(constructs + predicates)) { $0.formUnion($1.allConstructs) }
    }

    /// Every construct that there is.
    package static let allConstructs: [String] =
        names.map { "clause " + $0 } + OracleMode.names.map { "mode " + $0 }
        + ["performed same", "sequence same", "sequence within", "retained new"]
        + OracleWindow.forms.map { "window " + $0 }
        + OracleTest.Operator.allCases.map { "predicate " + $0.rawValue }
        + ["is", "is_not", "gt", "gte", "lt", "lte", "between"].map { "number " + $0 }
}

extension OracleFilter {
    fileprivate var predicates: [String] { whereEvent.predicates + whereUser.predicates }
}

extension [OracleProperty] {
    fileprivate var predicates: [String] { flatMap { $0.tests.map(\.name) } }
}

extension OracleTest {
    /// Its name among the predicates on values.
    var name: String { "predicate " + op.rawValue }

    /// Its name among the predicates on numbers.
    var numberName: String { "number " + op.rawValue }
}
