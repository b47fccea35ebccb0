/// The clause `retained`.
package struct OracleRetained: Sendable {
    /// What starts it; nil = the first-seen event.
    package var start: OracleFilter?
    /// What must follow.
    package var end: OracleFilter
    /// From how many days after the start, and before how many.
    package var days: (first: Int, second: Int)
    /// When the start is.
    package var window = OracleWindow.anyTime

    var yaml: String {
        let keys = [
            "start: \(start?.yaml ?? "{new: true}")", "return: \(end.yaml)",
            "days: [\(days.first), \(days.second)]",
        ]
        return "{" + (keys + window.keys).joined(separator: ", ") + "}"
    }
}
