/// A row of a command's table: one `--name`.
package struct Option: Sendable {
    /// What may follow the name.
    package enum Arity: Sendable {
        /// Nothing: it is there or not.
        case flag
        /// One value; given twice is an error.
        case one
        /// One value; may be given again.
        case repeated
        /// All arguments up to the next option, at least one; may be given again.
        case several
    }

    /// With its dashes: `--cohorts`.
    package var name: String
    /// What the value is, in capitals: `PATH`; empty for a flag.
    package var value: String
    /// What may follow.
    package var arity: Arity
    /// Whether a command without it is an error.
    package var isRequired: Bool
    /// One or two sentences, with the default.
    package var help: String

    /// An option that is there or not.
    package static func flag(_ name: String, _ help: String) -> Option {
        Option(name: name, value: "", arity: .flag, isRequired: false, help: help)
    }

    /// An option with one value.
    package static func one(
        _ name: String,
        _ value: String,
        required: Bool = false,
        _ help: String
    ) -> Option {
        Option(name: name, value: value, arity: .one, isRequired: required, help: help)
    }

    /// An option with one value that may be given again.
    package static func repeated(_ name: String, _ value: String, _ help: String) -> Option {
        Option(name: name, value: value, arity: .repeated, isRequired: false, help: help)
    }

    /// An option that takes all arguments up to the next option and may be given again.
    package static func several(
        _ name: String,
        _ value: String,
        required: Bool = false,
        _ help: String
    ) -> Option {
        Option(name: name, value: value, arity: .several, isRequired: required, help: help)
    }
}

/// A row of a command's table: an argument that is no option.
package struct Operand: Sendable {
    /// What it is, in capitals: `PATH`.
    package var name: String
    /// How many there must be, and may be.
    package var count: ClosedRange<Int>
    /// One sentence.
    package var help: String

    /// Exactly one.
    package static func one(_ name: String, _ help: String) -> Operand {
        Operand(name: name, count: 1...1, help: help)
    }

    /// None or one.
    package static func optional(_ name: String, _ help: String) -> Operand {
        Operand(name: name, count: 0...1, help: help)
    }

    /// One or more; only as the last operand.
    package static func several(_ name: String, _ help: String) -> Operand {
        Operand(name: name, count: 1...Int.max, help: help)
    }
}
