/// A row of a program's table: a command, or a group of commands that share their first word.
package struct Command: Sendable {
    /// One word: `replay`.
    package var name: String
    /// One line, without a full stop at the end.
    package var summary: String
    /// What else one must know; paragraphs are separated by empty lines.
    package var details: String
    /// What it takes.
    package var options: [Option]
    /// What it takes besides options.
    package var operands: [Operand]
    /// Complete command lines that work as they stand.
    package var examples: [String]
    /// The commands of a group; a group takes no operands of its own.
    package var commands: [Command]

    /// A command.
    package init(
        _ name: String,
        summary: String,
        details: String = "",
        options: [Option] = [],
        operands: [Operand] = [],
        examples: [String]
    ) {
        self.name = name
        self.summary = summary
        self.details = details
        self.options = options
        self.operands = operands
        self.examples = examples
        commands = []
    }

    /// A group of commands; its options are taken by all of them.
    package init(
        group name: String,
        summary: String,
        details: String = "",
        options: [Option] = [],
        examples: [String] = [],
        commands: [Command]
    ) {
        self.name = name
        self.summary = summary
        self.details = details
        self.options = options
        operands = []
        self.examples = examples
        self.commands = commands
    }
}
