/// The arguments of a command that passed the table: required ones are there, counts are right.
package struct ParsedArguments: Equatable, Sendable {
    /// The words that name the command, without the program: `["cohorts", "list"]`.
    package var command: [String]
    var valuesByOption: [String: [String]] = [:]
    /// What stands besides the options, in order.
    package var operands: [String] = []
    var knownOptions: Set<String> = []

    /// Arguments of a command with no options known.
    package init(command: [String]) {
        self.command = command
    }

    init(
        command: [String],
        valuesByOption: [String: [String]],
        operands: [String],
        knownOptions: Set<String>
    ) {
        self.command = command
        self.valuesByOption = valuesByOption
        self.operands = operands
        self.knownOptions = knownOptions
    }

    /// Whether the option was given.
    package func flag(_ option: String) -> Bool {
        checkKnown(option)
        return valuesByOption[option] != nil
    }

    /// The value of an option that is given at most once; nil if it was not.
    package func value(_ option: String) -> String? {
        values(option).last
    }

    /// All values of an option, in order; empty if it was not given.
    package func values(_ option: String) -> [String] {
        checkKnown(option)
        return valuesByOption[option] ?? []
    }

    private func checkKnown(_ option: String) {
        precondition(knownOptions.contains(option), "\(command) has no option \(option)")
    }
}

/// What a command line asks for.
package enum Request: Equatable, Sendable {
    /// Run this.
    case run(ParsedArguments)
    /// Print this on stdout and exit 0: `--help` or `--version`.
    case show(String)
}

/// A command line that the table refuses: exit status 64.
package struct UsageError: Error, Equatable, CustomStringConvertible {
    /// What is wrong and how to see what is right, without a newline at the end.
    package var description: String

    /// An error with its text.
    package init(_ description: String) {
        self.description = description
    }
}
