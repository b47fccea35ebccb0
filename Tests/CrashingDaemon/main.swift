// cohortd with a bug, for the tests: an event whose time cannot be read ends the process.
//
// The bug is in what writes the log, which is handed in, and runs on the engine thread while the event is in hand.
// So the daemon itself has no switch for it.
import Basics
import Daemon
import Destinations
import Glibc
import InputFiles
import Telemetry
import Threads

let redactor = Redactor()
let logger = Logger(level: .debug, format: .text, clock: SystemClock()) { line in
    _ = DescriptorWriter.writeAll(line, to: STDERR_FILENO)
    let text = String(decoding: line, as: UTF8.self)
    precondition(!text.contains("reason=bad_time"), "the bug")
}
let loaded = LoadedConfiguration.read(
    // The words of cohortd: run --config PATH.
    path: CommandLine.arguments.last ?? "",
    overrides: [],
    acceptHistory: []
)
do {
    try DaemonService(loaded, logger: logger, redactor: redactor) { false }.run()
} catch {
    _ = DescriptorWriter.writeAll(Array("\(error.text)\n".utf8), to: STDERR_FILENO)
    exit(error.status)
}
