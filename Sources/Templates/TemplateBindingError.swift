/// Why a template cannot be used with the settings of a destination.
package struct TemplateBindingError: Error, Equatable, CustomStringConvertible {
    /// Each names a setting, what is wrong with it and what to do; none holds a secret.
    package var problems: [String]

    /// An error of these problems.
    package init(problems: [String]) {
        self.problems = problems
    }

    /// The problems in one line.
    package var description: String { problems.joined(separator: "; ") }
}
