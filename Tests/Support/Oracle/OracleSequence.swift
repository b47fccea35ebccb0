/// The clause `sequence`.
package struct OracleSequence: Sendable {
    /// 2…10.
    package var steps: [OracleFilter]
    /// Milliseconds from the first to the last; nil = no limit.
    package var within: Int64?
    /// Properties in which all steps are equal.
    package var same: [String] = []
    /// When.
    package var window = OracleWindow.anyTime

    var yaml: String {
        let steps = ["steps: [" + steps.map(\.yaml).joined(separator: ", ") + "]"]
        let within = within.map { ["within: \(OracleWindow.text($0))"] } ?? []
        return "{" + (steps + within + sameKeys(same) + window.keys).joined(separator: ", ") + "}"
    }
}
