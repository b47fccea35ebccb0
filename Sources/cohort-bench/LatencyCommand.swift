import Arguments
import Basics
import Daemon
import Destinations
import Glibc
import HTTPAPI
import Kafka
import Synchronization
import Telemetry
import Threads

/// `cohort-bench latency`.
struct LatencyCommand {
    private let rate: Int
    private let seconds: Int
    private let asJSON: Bool

    /// Reads the arguments.
    init(_ arguments: ParsedArguments) throws(BenchStatus) {
        rate = try arguments.number("--rate", 50_000, in: 100...1_000_000)
        seconds = try arguments.number("--seconds", 20, in: 5...3600)
        asJSON = try arguments.asksForJSON()
    }

    /// Runs broker, producer, daemon and receiver in this process and prints how long users took.
    func run() throws(BenchStatus) {
        let report: LatencyReport
        do {
            report = try measure()
        } catch {
            printError("cohort-bench latency: \(Self.text(error))")
            throw .outputFailed
        }
        try printOutput(asJSON ? report.json : report.text)
    }

    private func measure() throws -> LatencyReport {
        let broker = try EmbeddedBroker()
        try broker.createTopic("events", partitions: LatencyFolder.partitionCount)
        let secret = "whsec_" + Base64.encode(SecureRandom.bytes(count: 32))
        let times = PublishTimes(capacity: rate * seconds / LatencyTraffic.markedEach + 1)
        let clock = SystemClock()
        let server = try HTTPServer(listen: ListenAddress(port: 0)) { request in
            times.received(request.body, at: clock.monotonicMilliseconds)
            return .text("ok\n")
        }
        defer { server.stop() }
        let folder = try LatencyFolder(
            broker: broker.bootstrapServers,
            receiver: "http://\(server.address)/hook",
            secret: secret
        )
        defer { folder.remove() }
        let configuration = LoadedConfiguration.read(
            path: folder.configurationPath,
            overrides: [],
            acceptHistory: []
        )
        if let problem = configuration.problems.first {
            throw DaemonError(status: DaemonError.Status.software, problem)
        }
        let redactor = Redactor()
        let logger = Logger(
            level: .warning,
            format: .text,
            clock: clock,
            sink: { printError(String(decoding: $0.dropLast(), as: UTF8.self)) }
        )
        let traffic = try LatencyTraffic(
            broker: broker.bootstrapServers,
            rate: rate,
            seconds: seconds,
            times: times
        )
        let isReady = Atomic(false)
        let service = DaemonService(configuration, logger: logger, redactor: redactor) {
            // The daemon joins its group first; what is published then is what a running service sees.
            if isReady.exchange(true, ordering: .relaxed) == false { traffic.begin() }
            return traffic.isOver && (times.isComplete || traffic.isLongOver)
        }
        let producing = traffic.start()
        try service.run()
        producing.join()
        return LatencyReport(
            rate: rate,
            seconds: seconds,
            published: traffic.publishedCount,
            refused: traffic.refusedCount,
            marked: traffic.markedCount,
            missing: times.missing,
            milliseconds: times.latencies.sorted()
        )
    }

    private static func text(_ error: any Error) -> String {
        if let error = error as? DaemonError { return error.text }
        return "\(error)"
    }
}
