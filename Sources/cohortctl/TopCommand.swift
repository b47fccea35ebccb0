import Arguments
import Basics
import Threads

/// `cohortctl top`: looks at the daemon again and again, and shows how fast things go.
struct TopCommand {
    private let client: DaemonClient
    private let asJSON: Bool
    private let isOnce: Bool
    private let intervalMilliseconds: Int64
    private let clock = SystemClock()

    private static let intervals: ClosedRange<Int64> = 100...3_600_000

    /// Reads the arguments.
    init(_ arguments: ParsedArguments) throws(ExitStatus) {
        client = try DaemonClient(arguments)
        asJSON = try arguments.asksForJSON()
        isOnce = arguments.flag("--once")
        let text = arguments.value("--interval") ?? "2s"
        guard let interval = DurationText.milliseconds(text), Self.intervals.contains(interval)
        else {
            printError("cohortctl: --interval \(text): a duration from 100ms to 1h is expected")
            throw .usage
        }
        intervalMilliseconds = interval
    }

    func run() throws(ExitStatus) {
        let first = try lookOrEnd()
        if isOnce {
            wait()
            return try printLook(try lookOrEnd(), since: first)
        }
        if !asJSON, TopScreen.isThere { return try showOnScreen(first) }
        var last = first
        try printLook(last, since: nil)
        while true {
            wait()
            let next = try lookOrEnd()
            try printLook(next, since: last)
            last = next
        }
    }

    /// Goes on until a signal ends it; a daemon that is away for a while is waited for.
    private func showOnScreen(_ first: TopLook) throws(ExitStatus) {
        let screen = TopScreen()
        var last = first
        var lines = TopTables.lines(TopFigures(first, since: nil), address: client.address.text)
        var trouble = ""
        while screen.show(lines + ["", trouble + "Ctrl-C ends this"]) {
            wait()
            do throws(DaemonClient.Failure) {
                let next = try look()
                lines = TopTables.lines(
                    TopFigures(next, since: last),
                    address: client.address.text
                )
                last = next
                trouble = ""
            } catch {
                let age = Double(clock.monotonicMilliseconds - last.monotonic) / 1000
                trouble =
                    "\(TextTable.shown(error.text)); the above is \(TextTable.age(seconds: age)) old; "
            }
        }
        throw .outputFailed
    }

    private func printLook(_ look: TopLook, since earlier: TopLook?) throws(ExitStatus) {
        let figures = TopFigures(look, since: earlier)
        let address = client.address.text
        var output = Output.standard
        if asJSON {
            try output.write(TopTables.json(figures, address: address, at: look.wall))
        } else {
            let lines = TopTables.lines(figures, address: address) + (isOnce ? [] : [""])
            try output.write(TextTable.joined(lines))
        }
        try output.finish()
    }

    private func look() throws(DaemonClient.Failure) -> TopLook {
        // Two of what is counted must be as far apart as the clock says.
        let text = try client.fetch("/metrics")
        let monotonic = clock.monotonicMilliseconds
        guard let metrics = MetricsText(text) else { throw client.stranger("/metrics") }
        return TopLook(
            status: try client.look(StatusReply.self, "/v1/status"),
            readiness: try client.look(ReadinessReply.self, "/readyz", orStatus: 503),
            metrics: metrics,
            monotonic: monotonic,
            wall: clock.now
        )
    }

    /// As ``look()``; what went wrong is said, and ends the program.
    private func lookOrEnd() throws(ExitStatus) -> TopLook {
        do throws(DaemonClient.Failure) {
            return try look()
        } catch {
            printError("cohortctl: " + error.text)
            throw error.status
        }
    }

    private func wait() {
        _ = Mailbox<Void>(capacity: 1).takeAll(timeoutMilliseconds: intervalMilliseconds)
    }
}
