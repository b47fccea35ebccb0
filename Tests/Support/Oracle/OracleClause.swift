/// A clause of a definition, as the oracle evaluates it.
package indirect enum OracleClause: Sendable {
    case all([OracleClause])
    case any([OracleClause])
    case not(OracleClause)
    case performed(OraclePerformed)
    case sequence(OracleSequence)
    case active(OracleWindow)
    case inactive(OracleWindow)
    case new(OracleWindow)
    case retained(OracleRetained)
    case property([OracleProperty])
    case hadProperty(OracleHadProperty)
    case memberOf(String)
    case uploaded

    /// Its key in a definition.
    var name: String {
        switch self {
        case .all: "all"
        case .any: "any"
        case .not: "not"
        case .performed: "performed"
        case .sequence: "sequence"
        case .active: "active"
        case .inactive: "inactive"
        case .new: "new"
        case .retained: "retained"
        case .property: "property"
        case .hadProperty(let had):
            "had_property " + (had.isMostRecent ? "most_recent" : "any_time")
        case .memberOf: "member_of"
        case .uploaded: "uploaded"
        }
    }

    /// All names.
    static let names = [
        "all", "any", "not", "performed", "sequence", "active", "inactive", "new", "retained",
        "property", "had_property most_recent", "had_property any_time", "member_of", "uploaded",
    ]

    /// Its window, where it can have one.
    var window: OracleWindow? {
        switch self {
        case .performed(let performed): performed.window
        case .sequence(let sequence): sequence.window
        case .active(let window), .inactive(let window), .new(let window): window
        case .retained(let retained): retained.window
        case .hadProperty(let had): had.window
        case .all, .any, .not, .property, .memberOf, .uploaded: nil
        }
    }

    /// The clauses inside.
    package var parts: [OracleClause] {
        switch self {
        case .all(let parts), .any(let parts): parts
        case .not(let part): [part]
        default: []
        }
    }

    /// Ids of the cohorts it names.
    package var references: Set<String> {
        if case .memberOf(let id) = self { return [id] }
        return parts.reduce(into: []) { $0.formUnion($1.references) }
    }

    /// Whether `uploaded` stands in it.
    var asksForUploads: Bool {
        if case .uploaded = self { true } else { parts.contains { $0.asksForUploads } }
    }

    /// As a flow mapping of YAML.
    package var yaml: String {
        switch self {
        case .all(let parts): "{all: [\(parts.map(\.yaml).joined(separator: ", "))]}"
        case .any(let parts): "{any: [\(parts.map(\.yaml).joined(separator: ", "))]}"
        case .not(let part): "{not: \(part.yaml)}"
        case .performed(let performed): "{performed: \(performed.yaml)}"
        case .sequence(let sequence): "{sequence: \(sequence.yaml)}"
        case .active(let window): "{active: {\(window.keys.joined(separator: ", "))}}"
        case .inactive(let window): "{inactive: {\(window.keys.joined(separator: ", "))}}"
        case .new(let window): "{new: {\(window.keys.joined(separator: ", "))}}"
        case .retained(let retained): "{retained: \(retained.yaml)}"
        case .property(let tests): "{property: \(tests.yaml)}"
        case .hadProperty(let had): "{had_property: \(had.yaml)}"
        case .memberOf(let id): "{member_of: \(id)}"
        case .uploaded: "{uploaded: true}"
        }
    }
}

extension [OracleProperty] {
    var yaml: String {
        "{" + keys.joined(separator: ", ") + "}"
    }

    var keys: [String] { map { OracleValue.quoted($0.name) + ": " + $0.tests.yaml } }
}

extension [OracleTest] {
    /// A single `is` in its short form, else a map of the keys.
    var yaml: String {
        if count == 1, self[0].op == .equal { return self[0].operandText }
        return "{" + map { "\($0.op.rawValue): \($0.operandText)" }.joined(separator: ", ") + "}"
    }
}

extension OracleTest {
    fileprivate var operandText: String {
        let texts = operands.map(\.json)
        return texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
    }
}
