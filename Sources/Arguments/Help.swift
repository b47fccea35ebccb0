/// The help of a program, a group or a command, made from the table alone.
struct Help {
    /// Lines are at most this wide, where words allow it.
    static let width = 100

    let program: Program
    let path: [Command]

    var text: String {
        guard let command = path.last else { return programText }
        return command.commands.isEmpty ? commandText(command) : groupText(command)
    }

    private var words: String { ([program.name] + path.map(\.name)).joined(separator: " ") }

    private var programText: String {
        var sections = [
            "\(program.name): \(program.summary)", "Usage: \(program.name) COMMAND [OPTIONS]",
        ]
        sections.append(titled("Commands", list(program.commands, prefix: "")))
        sections.append(optionsSection(program.options, title: "Options"))
        sections.append("'\(program.name) COMMAND --help' says more about a command.")
        return joined(sections)
    }

    private func groupText(_ group: Command) -> String {
        var sections = ["\(words): \(group.summary)", "Usage: \(words) COMMAND [OPTIONS]"]
        if !group.details.isEmpty { sections.append(paragraphs(group.details)) }
        sections.append(titled("Commands", list(group.commands, prefix: "")))
        sections.append(optionsSection(inherited, title: "Options"))
        sections.append(examples(group))
        return joined(sections)
    }

    private func commandText(_ command: Command) -> String {
        var sections = ["\(words): \(command.summary)", usage(command)]
        if !command.details.isEmpty { sections.append(paragraphs(command.details)) }
        if !command.operands.isEmpty {
            sections.append(titled("Arguments", table(command.operands.map { ($0.name, $0.help) })))
        }
        sections.append(optionsSection(inherited, title: "Options"))
        sections.append(examples(command))
        return joined(sections)
    }

    /// The options of the command, then those of its groups and of the program.
    private var inherited: [Option] {
        path.reversed().flatMap(\.options) + program.options
    }

    private func usage(_ command: Command) -> String {
        var parts: [String] = []
        for operand in command.operands {
            switch (operand.count.lowerBound, operand.count.upperBound) {
            case (0, _): parts.append("[\(operand.name)]")
            case (_, Int.max): parts.append("\(operand.name)…")
            default: parts.append(operand.name)
            }
        }
        for option in command.options {
            let form = signature(option)
            parts.append(option.isRequired ? form : "[\(form)]")
        }
        let head = "Usage: \(words) "
        let indent = String(repeating: " ", count: 8)
        return wrapped(parts, first: head, other: indent).joined(separator: "\n")
    }

    private func signature(_ option: Option) -> String {
        switch option.arity {
        case .flag: option.name
        case .one, .repeated: "\(option.name) \(option.value)"
        case .several: "\(option.name) \(option.value)…"
        }
    }

    private func optionsSection(_ options: [Option], title: String) -> String {
        let rows =
            options.map { option in
                let notes =
                    (option.isRequired ? " Required." : "")
                    + (option.arity == .repeated || option.arity == .several ? " Repeatable." : "")
                return (signature(option), option.help + notes)
            } + [("--help", "Print this help."), ("--version", "Print the version.")]
        return titled(title, table(rows))
    }

    private func examples(_ command: Command) -> String {
        guard !command.examples.isEmpty else { return "" }
        let title = command.examples.count == 1 ? "Example" : "Examples"
        return titled(title, command.examples.map { "  \($0)" })
    }

    private func list(_ commands: [Command], prefix: String) -> [String] {
        var rows: [(String, String)] = []
        for command in commands {
            if command.commands.isEmpty {
                rows.append((prefix + command.name, command.summary))
            } else {
                rows += command.commands.map { ("\(prefix)\(command.name) \($0.name)", $0.summary) }
            }
        }
        return table(rows)
    }

    /// Two columns; a left side that is too long stands on a line of its own.
    private func table(_ rows: [(String, String)]) -> [String] {
        let columnMax = 26
        let column = min(columnMax, rows.map { $0.0.count }.max() ?? 0)
        let indent = String(repeating: " ", count: column + 4)
        var lines: [String] = []
        for (left, right) in rows {
            var first = "  \(left)"
            if left.count > column {
                lines.append(first)
                first = indent
            } else {
                first += String(repeating: " ", count: column + 4 - first.count)
            }
            lines += wrapped(
                right.split(separator: " ").map(String.init),
                first: first,
                other: indent
            )
        }
        return lines
    }

    private func paragraphs(_ text: String) -> String {
        text.split(separator: "\n\n").map { paragraph in
            wrapped(
                paragraph.split { $0 == " " || $0 == "\n" }.map(String.init),
                first: "",
                other: ""
            ).joined(separator: "\n")
        }.joined(separator: "\n\n")
    }

    /// Fills lines with words; the first line begins with `first`, the others with `other`.
    private func wrapped(_ words: [String], first: String, other: String) -> [String] {
        var lines: [String] = []
        var line = first
        var isEmpty = true
        for word in words {
            if !isEmpty, line.count + 1 + word.count > Self.width {
                lines.append(line)
                line = other
                isEmpty = true
            }
            line += isEmpty ? word : " " + word
            isEmpty = false
        }
        lines.append(line)
        return lines
    }

    private func titled(_ title: String, _ lines: [String]) -> String {
        "\(title):\n" + lines.joined(separator: "\n")
    }

    private func joined(_ sections: [String]) -> String {
        sections.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }
}
