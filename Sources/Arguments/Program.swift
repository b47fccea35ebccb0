import Basics

/// A program's table of commands: what parses its arguments and prints its help.
package struct Program: Sendable {
    /// The name typed.
    package var name: String
    /// One line, without a full stop at the end.
    package var summary: String
    /// The version that `--version` prints.
    package var version: String
    /// Options that every command takes; they may also stand before the command.
    package var options: [Option]
    /// The commands, in the order in which help shows them.
    package var commands: [Command]

    /// A program from its table.
    package init(
        _ name: String,
        summary: String,
        version: String,
        options: [Option] = [],
        commands: [Command]
    ) {
        self.name = name
        self.summary = summary
        self.version = version
        self.options = options
        self.commands = commands
    }

    /// Reads the arguments after the program's name.
    ///
    /// `--name VALUE` and `--name=VALUE` are the same; `--` ends the options; `-` is an ordinary value. A value
    /// may begin with one dash (`-1000`), and with two only in the form `--name=--value`.
    ///
    /// - Parameter arguments: The command line without its first word.
    /// - Returns: A command to run, or a text to print.
    /// - Throws: What is wrong with the line; the caller prints it on stderr and exits 64.
    package func parse(_ arguments: [String]) throws(UsageError) -> Request {
        var parser = ArgumentParser(program: self, arguments: arguments)
        return try parser.parse()
    }
}

/// One pass over the arguments.
private struct ArgumentParser {
    let program: Program
    let arguments: [String]
    var position = 0
    var path: [Command] = []
    var options: [Option]
    var given: [String: [String]] = [:]
    var operands: [String] = []

    init(program: Program, arguments: [String]) {
        self.program = program
        self.arguments = arguments
        options = program.options
    }

    var words: [String] { path.map(\.name) }

    /// The commands that may come next; empty once a command is complete.
    var candidates: [Command] { path.isEmpty ? program.commands : path[path.count - 1].commands }

    mutating func parse() throws(UsageError) -> Request {
        while position < arguments.count {
            let argument = arguments[position]
            position += 1
            if argument == "--" {
                for rest in arguments[position...] { try take(word: rest) }
                break
            }
            if argument == "--help" { return .show(Help(program: program, path: path).text) }
            if argument == "--version" {
                return .show("\(program.name) \(program.version)\n")
            }
            if argument.hasPrefix("-"), argument != "-" {
                try take(option: argument)
            } else {
                try take(word: argument)
            }
        }
        return .run(try finished())
    }

    mutating func take(word: String) throws(UsageError) {
        guard !candidates.isEmpty else {
            operands.append(word)
            return
        }
        guard let command = candidates.first(where: { $0.name == word }) else {
            throw error(
                "unknown command \"\(word)\""
                    + hint(Suggestion.nearest(to: word, among: candidates.map(\.name)))
                    + "; commands: \(candidates.map(\.name).joined(separator: " "))"
            )
        }
        path.append(command)
        options += command.options
    }

    mutating func take(option argument: String) throws(UsageError) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let option = options.first(where: { $0.name == name }) else {
            throw unknown(name)
        }
        if option.arity == .one, given[name] != nil { throw error("\(name) is given twice") }
        if parts.count == 2 {
            guard option.arity != .flag else { throw error("\(name) takes no value") }
            given[name, default: []].append(String(parts[1]))
            return
        }
        switch option.arity {
        case .flag: given[name] = []
        case .one, .repeated:
            guard position < arguments.count, isValue(arguments[position], of: option) else {
                throw missingValue(option)
            }
            given[name, default: []].append(arguments[position])
            position += 1
        case .several:
            let start = position
            while position < arguments.count, isValue(arguments[position], of: option) {
                given[name, default: []].append(arguments[position])
                position += 1
            }
            if start == position { throw missingValue(option) }
        }
    }

    /// Whether an argument is a value rather than the next option.
    ///
    /// `-` is stdin or stdout and `-5` a number before 1970; any other dash begins an option, so that a
    /// forgotten value is noticed.
    func isValue(_ argument: String, of option: Option) -> Bool {
        guard argument.hasPrefix("-"), argument != "-" else { return true }
        return argument.dropFirst().first.map { $0.isASCII && $0.isNumber } ?? false
    }

    func finished() throws(UsageError) -> ParsedArguments {
        guard candidates.isEmpty else {
            throw error("a command is missing: \(candidates.map(\.name).joined(separator: " "))")
        }
        for option in options where option.isRequired && given[option.name] == nil {
            throw error("\(option.name) \(option.value) is missing")
        }
        let wanted = path.last?.operands ?? []
        let least = wanted.reduce(0) { $0 + $1.count.lowerBound }
        if operands.count < least {
            // Operands fill up from the left, so the first that is left without one is named.
            var left = operands.count
            for operand in wanted {
                left -= operand.count.lowerBound
                if left < 0 { throw error("\(operand.name) is missing") }
            }
        }
        let isOpen = wanted.contains { $0.count.upperBound == Int.max }
        if !isOpen, operands.count > wanted.reduce(0, { $0 + $1.count.upperBound }) {
            let first = operands[wanted.reduce(0) { $0 + $1.count.upperBound }]
            throw error("\"\(first)\" is one argument too many")
        }
        return ParsedArguments(
            command: words,
            valuesByOption: given,
            operands: operands,
            knownOptions: Set(options.map(\.name))
        )
    }

    func missingValue(_ option: Option) -> UsageError {
        let next = position < arguments.count ? " before \(arguments[position])" : ""
        return error("\(option.name) needs a value (\(option.value))\(next)")
    }

    func unknown(_ name: String) -> UsageError {
        if name == "-h" { return error("unknown option -h (did you mean --help?)") }
        let known = options.map(\.name) + ["--help", "--version"]
        var text = "unknown option \(name)" + hint(Suggestion.nearest(to: name, among: known))
        if path.isEmpty, program.takesSomewhere(name) { text += "; it stands after the command" }
        return error(text)
    }

    func hint(_ suggestion: String?) -> String {
        suggestion.map { " (did you mean \($0)?)" } ?? ""
    }

    func error(_ text: String) -> UsageError {
        let command = ([program.name] + words).joined(separator: " ")
        return UsageError("\(command): \(text)\nSee '\(command) --help'.")
    }
}

extension Program {
    /// Whether some command takes an option of this name.
    fileprivate func takesSomewhere(_ name: String) -> Bool {
        func takes(_ command: Command) -> Bool {
            command.options.contains { $0.name == name } || command.commands.contains(where: takes)
        }
        return commands.contains(where: takes)
    }
}
