/// The clause `had_property`.
package struct OracleHadProperty: Sendable {
    /// What must hold.
    package var properties: [OracleProperty]
    /// `mode: most_recent`, else any time.
    package var isMostRecent = false
    /// When.
    package var window = OracleWindow.anyTime

    var yaml: String {
        let mode = isMostRecent ? ["mode: most_recent"] : []
        return "{" + (properties.keys + mode + window.keys).joined(separator: ", ") + "}"
    }
}
