import Arguments

/// The command `cohortctl validate`.
enum ValidateCommand {
    static func run(_ arguments: ParsedArguments) throws(ExitStatus) {
        let files = try DefinitionInput.files(arguments.operands)
        _ = try DefinitionInput.settings(arguments.value("--config"))
        let definitions = try DefinitionInput.parse(files)
        try DefinitionInput.refuseUnsupported(definitions)
        var output = Output.standard
        let count = definitions.count
        try output.write("\(count) \(count == 1 ? "definition is" : "definitions are") valid\n")
        try output.finish()
    }
}
