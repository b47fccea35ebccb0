/// A definition.
package struct OracleDefinition: Sendable {
    /// The id.
    package var id: String
    /// The zone; nil = that of the settings.
    package var zone: String?
    /// What `users` holds.
    package var users: OracleClause

    /// A definition.
    package init(id: String, zone: String? = nil, users: OracleClause) {
        self.id = id
        self.zone = zone
        self.users = users
    }

    /// As a YAML document.
    package var yaml: String {
        "id: \(id)\n" + (zone.map { "timezone: \($0)\n" } ?? "") + "users: \(users.yaml)\n"
    }
}
