/// A clause of a definition, as the oracle evaluates it.
package indirect enum OracleClause: Sendable {
    case all([OracleClause])
    case any([OracleClause])
    case not(OracleClause)
    case performed(OraclePerformed)
    case active(OracleWindow)
    case inactive(OracleWindow)
    case new(OracleWindow)
    case property([OracleProperty])
    case memberOf(String)
}

/// The clause `performed` in its mode `count`.
package struct OraclePerformed: Sendable {
    /// What `event` names.
    package enum Events: Sendable {
        case named([String])
        case any
        case active
    }

    /// Which events.
    package var events: Events
    /// On event properties.
    package var whereEvent: [OracleProperty] = []
    /// On the user properties that the event carries.
    package var whereUser: [OracleProperty] = []
    /// On the number of matching events; empty = at least one.
    package var count: [OracleTest] = []
    /// When.
    package var window: OracleWindow = .anyTime

    /// At least one of these events at any time.
    package init(_ events: Events) {
        self.events = events
    }
}

/// Which instants count; milliseconds, whole seconds.
package enum OracleWindow: Sendable {
    case anyTime
    case last(Int64, offset: Int64?)
}

/// A definition.
package struct OracleDefinition: Sendable {
    /// The id.
    package var id: String
    /// What `users` holds.
    package var users: OracleClause

    /// A definition.
    package init(id: String, users: OracleClause) {
        self.id = id
        self.users = users
    }

    /// As a YAML document.
    package var yaml: String { "id: \(id)\nusers: \(users.yaml)\n" }
}

extension OracleClause {
    /// As a flow mapping of YAML.
    package var yaml: String {
        switch self {
        case .all(let parts): "{all: [\(parts.map(\.yaml).joined(separator: ", "))]}"
        case .any(let parts): "{any: [\(parts.map(\.yaml).joined(separator: ", "))]}"
        case .not(let part): "{not: \(part.yaml)}"
        case .performed(let performed): "{performed: \(performed.yaml)}"
        case .active(let window): "{active: {\(window.keys.joined(separator: ", "))}}"
        case .inactive(let window): "{inactive: {\(window.keys.joined(separator: ", "))}}"
        case .new(let window): "{new: {\(window.keys.joined(separator: ", "))}}"
        case .property(let tests): "{property: \(tests.yaml)}"
        case .memberOf(let id): "{member_of: \(id)}"
        }
    }
}

extension OraclePerformed {
    var yaml: String {
        var parts: [String] = []
        switch events {
        case .named(let names):
            let quoted = names.map { OracleValue.quoted($0) }
            parts.append(
                quoted.count == 1
                    ? "event: \(quoted[0])" : "event: [\(quoted.joined(separator: ", "))]"
            )
        case .any: parts.append("event: \"*\"")
        case .active: parts.append("event: _active")
        }
        if !whereEvent.isEmpty { parts.append("where: \(whereEvent.yaml)") }
        if !whereUser.isEmpty { parts.append("where_user: \(whereUser.yaml)") }
        if !count.isEmpty { parts.append("count: \(count.yaml)") }
        return "{" + (parts + window.keys).joined(separator: ", ") + "}"
    }
}

extension OracleWindow {
    var keys: [String] {
        switch self {
        case .anyTime: []
        case .last(let length, nil): ["last: \(Self.text(length))"]
        case .last(let length, let offset?):
            ["last: \(Self.text(length))", "offset: \(Self.text(offset))"]
        }
    }

    private static func text(_ milliseconds: Int64) -> String {
        milliseconds % 60_000 == 0 ? "\(milliseconds / 60_000)m" : "\(milliseconds / 1000)s"
    }
}

extension [OracleProperty] {
    var yaml: String {
        "{"
            + map { OracleValue.quoted($0.name) + ": " + $0.tests.yaml }.joined(separator: ", ")
            + "}"
    }
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
