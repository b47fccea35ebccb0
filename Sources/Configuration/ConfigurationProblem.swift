package import YAML

/// Something in the configuration that cannot be taken, with its place: status 78.
package struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
    /// The kinds of problems of our own; problems of YAML bring their codes.
    ///
    /// The raw values are the stable words of docs/errors.md.
    package enum Code: String, CaseIterable, Sendable {
        /// No such key here.
        case unknownKey = "unknown_key"
        /// A key without a default is not given.
        case missingKey = "missing_key"
        /// Another type than the key takes: a list for a text.
        case badType = "bad_type"
        /// The right type, but nothing the key takes.
        case badValue = "bad_value"
        /// A number, duration or size beyond its bounds.
        case outOfRange = "out_of_range"
        /// A feature that a later version brings.
        case notYet = "not_yet"
        /// Something that would break what the daemon promises.
        case refused
        /// Two values that do not go together.
        case conflict
        /// An id that names nothing.
        case unknownID = "unknown_id"
        /// An id given twice.
        case duplicateID = "duplicate_id"
        /// A secret that stands in the file instead of being referred to.
        case plainSecret = "plain_secret"
        /// More than one document in a file that holds one.
        case severalDocuments = "several_documents"
    }

    /// Where a value came from.
    package enum Place: Hashable, Sendable, CustomStringConvertible {
        /// A place in a file.
        case file(String, Mark)
        /// What goes over the file: `--set PATH`, or the name of a variable of the environment.
        case override(String)
        /// The command line, another flag.
        case flag(String)

        /// `FILE:LINE:COL`, `--set PATH`, or `COHORTD_…`.
        package var description: String {
            switch self {
            case .file(let file, let mark): "\(file):\(mark.line):\(mark.column)"
            case .override(let name): name
            case .flag(let flag): flag
            }
        }
    }

    /// Where.
    package var place: Place
    /// A lower_snake word.
    package var code: String
    /// What is wrong and what to do, one sentence without a full stop.
    package var text: String

    /// A problem from its parts.
    package init(place: Place, code: Code, text: String) {
        self.place = place
        self.code = code.rawValue
        self.text = text
    }

    /// A problem of a file that is no YAML.
    package init(file: String, problem: DocumentProblem) {
        place = .file(file, problem.mark)
        code = problem.code.rawValue
        text = problem.text
    }

    /// `FILE:LINE:COL: error[code]: text`; `--set PATH` or the name of a variable is a place as well.
    package var description: String {
        "\(place): error[\(code)]: \(text)"
    }
}

/// What was read and what is wrong with it.
package struct ConfigurationReading<Value: Sendable>: Sendable {
    /// What was read; to be used only if there are no problems, but complete enough to go on checking.
    package var value: Value
    /// Every problem, in the order of the file, those of variables and of `--set` last.
    package var problems: [ConfigurationProblem]
    /// Of a folder: the ids of all objects, also of those with problems, so that a reference to one is not
    /// reported as well.
    package var ids: [String]

    /// A reading from its parts.
    package init(value: Value, problems: [ConfigurationProblem], ids: [String] = []) {
        self.value = value
        self.problems = problems
        self.ids = ids
    }
}
