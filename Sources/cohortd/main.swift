import Arguments
import Basics
import Configuration
import Daemon
import Destinations
import Glibc
import InputFiles
import Telemetry
import Threads

/// Writes to a descriptor, all of it; nobody is left to tell if that fails.
@Sendable func write(_ bytes: [UInt8], to descriptor: Int32) {
    _ = DescriptorWriter.writeAll(bytes, to: descriptor)
}

/// Knows every secret that the daemon fetched; whatever goes to stderr passes through it.
let redactor = Redactor()

@Sendable func writeLog(_ bytes: [UInt8]) {
    write(redactor.redact(bytes), to: STDERR_FILENO)
}

@Sendable func printError(_ line: String) {
    writeLog(Array((line + "\n").utf8))
}

/// Tells why nothing goes on; in the journal as an error.
func printFailure(_ line: String) {
    printError(JournalStream.isStandardError ? "<\(LogLevel.error.priority)>\(line)" : line)
}

func usage(_ text: String) -> DaemonError {
    DaemonError(status: DaemonError.Status.usage, "\(text); see cohortd --help")
}

func overrides(_ arguments: ParsedArguments) throws(DaemonError) -> [Override] {
    var overrides: [Override] = []
    for text in arguments.values("--set") {
        do throws(OverrideError) {
            overrides.append(try Override(argument: text))
        } catch {
            throw usage("--set \(text): \(error.text)")
        }
    }
    return overrides
}

func read(_ arguments: ParsedArguments, _ overrides: [Override]) -> LoadedConfiguration {
    LoadedConfiguration.read(
        path: arguments.value("--config") ?? "/etc/cohortd/cohortd.yaml",
        environment: ProcessEnvironment.all,
        overrides: overrides,
        acceptHistory: arguments.values("--accept-history")
    )
}

func load(
    _ arguments: ParsedArguments,
    _ overrides: [Override]
) throws(DaemonError) -> LoadedConfiguration {
    let loaded = read(arguments, overrides)
    if loaded.problems.isEmpty { return loaded }
    printWarnings(of: loaded)
    for problem in loaded.problems { printFailure(problem) }
    let count = loaded.problems.count
    throw DaemonError(
        status: DaemonError.Status.configuration,
        "\(count) \(count == 1 ? "problem" : "problems") in the configuration; nothing was started"
    )
}

func printWarnings(of loaded: LoadedConfiguration) {
    for warning in loaded.warnings { printError("cohortd: warning: \(warning)") }
}

func logger(_ configuration: DaemonConfiguration.Log) -> Logger {
    let format: LogFormat =
        switch configuration.format {
        case .auto: JournalStream.isStandardError ? .journald : .text
        case .text: .text
        case .json: .json
        }
    return Logger(
        level: LogLevel(rawValue: configuration.level.rawValue) ?? .info,
        format: format,
        clock: SystemClock(),
        sink: writeLog
    )
}

func number(
    _ arguments: ParsedArguments,
    _ option: String,
    in range: ClosedRange<Int>
) throws(DaemonError) -> Int? {
    guard let text = arguments.value(option) else { return nil }
    guard let number = Int(text), range.contains(number) else {
        throw usage(
            "\(option) \(text): a number from \(range.lowerBound) to \(range.upperBound) is expected"
        )
    }
    return number
}

func run(_ arguments: ParsedArguments) throws(DaemonError) {
    switch arguments.command.first {
    case "run":
        let overrides = try overrides(arguments)
        let loaded = try load(arguments, overrides)
        let logger = logger(loaded.daemon.log)
        for warning in loaded.warnings { logger.warning("variable_ignored", warning) }
        ReloadSignal.install()
        let service = DaemonService(
            loaded,
            logger: logger,
            redactor: redactor,
            reload: ReloadRequests(
                take: ReloadSignal.take,
                read: { read(arguments, overrides) }
            ),
            manager: .ofProcess
        ) { StopSignal.isWanted }
        defer { logger.flush(all: true) }
        try service.run()
    case "check":
        let loaded = try load(arguments, try overrides(arguments))
        printWarnings(of: loaded)
        write(Array(loaded.summary.utf8), to: STDOUT_FILENO)
    case "demo":
        let rate = try number(arguments, "--rate", in: 1...100_000) ?? 2000
        let port = try number(arguments, "--http-port", in: 0...65_535) ?? 0
        let seconds = try number(arguments, "--seconds", in: 1...86_400)
        let logger = Logger(
            level: .warning,
            format: .text,
            clock: SystemClock(),
            sink: writeLog
        )
        try Demo(rate: rate, port: UInt16(port), seconds: seconds).run(
            logger: logger,
            redactor: redactor,
            say: printError,
            delta: { write($0, to: STDOUT_FILENO) },
            isStopWanted: { StopSignal.isWanted }
        )
    default:
        write(Array("cohortd \(Version.text)\n".utf8), to: STDOUT_FILENO)
    }
}

StopSignal.install()
umask(0o077)
do {
    switch try CommandTable.program.parse(Array(CommandLine.arguments.dropFirst())) {
    case .show(let text): write(Array(text.utf8), to: STDOUT_FILENO)
    case .run(let arguments): try run(arguments)
    }
} catch let error as UsageError {
    printError(error.description)
    exit(DaemonError.Status.usage)
} catch let error as DaemonError {
    printFailure("cohortd: \(error.text)")
    exit(error.status)
}
exit(0)
