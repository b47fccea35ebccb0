/// What callers ask of the definitions of a running daemon.
package enum DefinitionRequest: Sendable, Equatable {
    /// Makes a cohort of the API, or another one of it: a definition in YAML or JSON.
    ///
    /// `fromNow` lets it begin without history that is gone.
    case apply(cohort: String, body: [UInt8], fromNow: Bool)
    /// Deletes a cohort of the API.
    case delete(cohort: String)
    /// Lets the next definition of a cohort, of a file, begin without history that is gone.
    case accept(cohort: String)
    /// Reads the files of the configuration again.
    case reload

    /// The cohort that is meant; empty where none is.
    var cohort: String {
        switch self {
        case .apply(let cohort, _, _), .delete(let cohort), .accept(let cohort): cohort
        case .reload: ""
        }
    }
}
