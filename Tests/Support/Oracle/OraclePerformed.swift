/// The clause `performed`.
package struct OraclePerformed: Sendable {
    /// Which events.
    package var filter: OracleFilter
    /// Properties whose values split the events into groups.
    package var same: [String] = []
    /// What is computed.
    package var mode = OracleMode.count([])
    /// When.
    package var window = OracleWindow.anyTime

    /// At least one of these events at any time.
    package init(_ events: OracleFilter.Events) {
        filter = OracleFilter(events)
    }

    var yaml: String {
        let keys = filter.keys + sameKeys(same) + mode.keys + window.keys
        return "{" + keys.joined(separator: ", ") + "}"
    }
}

/// The key `same`, where there is one.
func sameKeys(_ names: [String]) -> [String] {
    switch names.count {
    case 0: []
    case 1: ["same: \(OracleValue.quoted(names[0]))"]
    default: ["same: [" + names.map { OracleValue.quoted($0) }.joined(separator: ", ") + "]"]
    }
}
