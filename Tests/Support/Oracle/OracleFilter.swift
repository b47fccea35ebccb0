/// Which events a clause looks at.
package struct OracleFilter: Sendable {
    /// What `event` names.
    package enum Events: Sendable {
        case named([String])
        case any
        case active
    }

    /// Which types.
    package var events: Events
    /// On event properties.
    package var whereEvent: [OracleProperty] = []
    /// On the user properties that the event carries.
    package var whereUser: [OracleProperty] = []

    /// Events of some types, whatever they carry.
    package init(_ events: Events) {
        self.events = events
    }

    /// The keys of a flow mapping of YAML.
    var keys: [String] {
        var keys: [String] = []
        switch events {
        case .named(let names):
            let quoted = names.map { OracleValue.quoted($0) }
            keys.append(
                quoted.count == 1
                    ? "event: \(quoted[0])" : "event: [\(quoted.joined(separator: ", "))]"
            )
        case .any: keys.append("event: \"*\"")
        case .active: keys.append("event: _active")
        }
        if !whereEvent.isEmpty { keys.append("where: \(whereEvent.yaml)") }
        if !whereUser.isEmpty { keys.append("where_user: \(whereUser.yaml)") }
        return keys
    }

    /// As a flow mapping of YAML.
    var yaml: String { "{" + keys.joined(separator: ", ") + "}" }
}
