import Arguments
import Glibc

/// Runs the command that the arguments ask for.
func run() throws(ExitStatus) {
    let request: Request
    do throws(UsageError) {
        request = try CommandTable.program.parse(Array(CommandLine.arguments.dropFirst()))
    } catch {
        printError(error.description)
        throw .usage
    }
    switch request {
    case .show(let text):
        var output = Output.standard
        try output.write(text)
        try output.finish()
    case .run(let arguments):
        switch arguments.command.first {
        case "validate": try ValidateCommand.run(arguments)
        case "import": try ImportCommand.run(arguments)
        case "destinations": try DestinationTestCommand(arguments).run()
        case "replay": try ReplayCommand(arguments).run()
        case "top": try TopCommand(arguments).run()
        default: try DaemonCommand(arguments).run()
        }
    }
}

signal(SIGPIPE, SIG_IGN)
do throws(ExitStatus) {
    try run()
    exit(ExitStatus.success.rawValue)
} catch {
    exit(error.rawValue)
}
