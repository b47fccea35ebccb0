import Arguments
import Glibc

/// Runs the benchmark that the arguments ask for.
func run() throws(BenchStatus) {
    let request: Request
    do throws(UsageError) {
        request = try BenchTable.program.parse(Array(CommandLine.arguments.dropFirst()))
    } catch {
        printError(error.description)
        throw .usage
    }
    switch request {
    case .show(let text): try printOutput(text)
    case .run(let arguments):
        switch arguments.command.first {
        case "sync": try SyncCommand(arguments).run()
        case "latency": try LatencyCommand(arguments).run()
        case "cohorts": try CohortsCommand(arguments).run()
        case "memory": try MemoryCommand(arguments).run()
        case "tick": try TickCommand(arguments).run()
        case "kafka": try KafkaCommand(arguments).run()
        case "kafka-publish": try KafkaPublishCommand(arguments).run()
        case "kafka-engine": try KafkaEngineCommand(arguments).run()
        case "restore": try RestoreCommand(arguments).run()
        case "generate": try GenerateCommand(arguments).run()
        default: try IngestCommand(arguments).run()
        }
    }
}

signal(SIGPIPE, SIG_IGN)
do throws(BenchStatus) {
    try run()
} catch {
    exit(error.rawValue)
}
