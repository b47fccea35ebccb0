import Arguments
import Basics
import Cohorts
import Configuration
import Daemon
import Engine
import Glibc
import InputFiles
import Replay
import Synchronization

/// `cohort-bench kafka-engine`: one run over a topic that holds everything already.
struct KafkaEngineCommand {
    private let bootstrap: String
    private let topic: String
    private let cohorts: [String]
    private let config: String?
    private let ticks: CatchUp.Ticks
    private let properties: [String: String]
    private let threads: Int
    private let preloads: Bool
    private let isDurable: Bool
    private let deltas: String?
    private let dataParent: String
    private let asJSON: Bool

    /// Reads the arguments.
    init(_ arguments: ParsedArguments) throws(BenchStatus) {
        bootstrap = arguments.value("--bootstrap") ?? ""
        topic = arguments.value("--topic") ?? "events"
        cohorts = arguments.values("--cohorts")
        config = arguments.value("--config")
        ticks = try arguments.ticks()
        properties = try arguments.properties()
        threads = try arguments.number("--threads", 1, in: 1...256)
        preloads = arguments.flag("--preload")
        isDurable = arguments.flag("--durable")
        deltas = arguments.value("--deltas")
        dataParent = arguments.value("--data-in") ?? "/tmp"
        asJSON = try arguments.asksForJSON()
    }

    func run() throws(BenchStatus) {
        let definitions = try BenchInput.definitions(cohorts, skipping: false)
        let replay = try BenchInput.settings(config)
        let plan = PlanCompiler.compile(
            definitions,
            PlanSettings(
                for: definitions,
                inactiveEvents: replay.inactiveEvents,
                defaultZone: replay.timezone
            )
        )
        let report: KafkaEngineReport
        do {
            let folder = try ScratchFolder(named: "cohort-bench", in: dataParent)
            defer { folder.remove() }
            report = try measure(plan, replay, in: folder.path)
        } catch {
            printError("cohort-bench kafka-engine: \(KafkaFailure.text(error))")
            throw .outputFailed
        }
        try printOutput(asJSON ? report.json : report.text)
    }

    private func measure(
        _ plan: Plan,
        _ replay: ReplayConfiguration,
        in folder: String
    ) throws -> KafkaEngineReport {
        var properties = properties
        properties["bootstrap.servers"] = bootstrap
        if preloads {
            // Room for all of it.
            properties["queued.min.messages"] = "10000000"
            properties["queued.max.messages.kbytes"] = "2097151"
        }
        var settings = CatchUp.Settings(
            plan: plan,
            replay: replay,
            ticks: ticks,
            properties: properties,
            topic: topic,
            directory: folder
        )
        settings.threads = threads
        settings.isDurable = isDurable
        // The in-process broker keeps the place of a member that is gone for a while.
        settings.group = "cohort-bench-\(getpid())"
        let publisher = try deltas.map { try DeltaPublisher(bootstrap, topic: $0) }
        if let publisher {
            settings.ticked = { shard, tick, deltas in
                publisher.publish(deltas, of: shard, at: tick)
            }
        }
        let assigned = Mutex<KafkaMeter?>(nil)
        let catchUp = try CatchUp(settings) { assigned.withLock { $0 = KafkaMeter.read() } }
        try catchUp.open()
        let total = Int(catchUp.offsets.values.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) })
        if preloads {
            catchUp.join { $0 >= total }
            try printOutput("preloaded\n")
            _ = readLine()
            assigned.withLock { $0 = KafkaMeter.read() }
            catchUp.attach()
        } else {
            catchUp.attach()
            catchUp.join { _ in assigned.withLock { $0 != nil } }
        }
        try catchUp.finish()
        if isDurable { try catchUp.stop() }
        try publisher?.flush()
        let end = KafkaMeter.read()
        let outcome = catchUp.outcome
        if !isDurable { try catchUp.stop() }
        catchUp.close()
        guard let start = assigned.withLock({ $0 }), outcome.events == total else {
            throw KafkaPublisher.Failure(
                text: "\(outcome.events) events were applied, the topic holds \(total) records"
            )
        }
        return KafkaEngineReport(
            outcome: outcome,
            threads: threads,
            published: publisher?.count,
            cpuSeconds: end.process.cpuSeconds - start.process.cpuSeconds,
            clientSeconds: end.clientSeconds - start.clientSeconds,
            wallSeconds: end.process.wallSeconds - start.process.wallSeconds,
            cohorts: plan.cohorts.map(\.id)
        )
    }
}

/// What the process has used up to now, and what of it librdkafka's own threads.
struct KafkaMeter {
    let process: Meter
    let clientSeconds: Double

    static func read() -> KafkaMeter {
        KafkaMeter(process: Meter.read(), clientSeconds: ThreadTimes.seconds(named: "rdk:"))
    }
}

extension ParsedArguments {
    /// The ticks that `--tick`, `--until` and `--tick-at-end` ask for.
    func ticks() throws(BenchStatus) -> CatchUp.Ticks {
        var until: EventTime?
        if let text = value("--until") {
            guard let instant = EventTime(rfc3339: text) else {
                throw usage(
                    "--until \(text): an instant is expected, such as 2026-01-05T00:00:00Z"
                )
            }
            until = instant
        }
        if flag("--tick-at-end") {
            guard let until else { throw usage("--tick-at-end: --until says at which instant") }
            return .atEnd(until)
        }
        var width: Int64 = 60_000
        if let text = value("--tick") {
            guard let milliseconds = DurationText.milliseconds(text), milliseconds >= 1000,
                milliseconds <= 36_500 * 86_400_000
            else {
                throw usage("--tick \(text): a duration of at least 1s is expected, such as 60s")
            }
            width = milliseconds
        }
        return .byEventTime(.every(width: width, from: nil, until: until))
    }

    /// What `--property` gives to librdkafka.
    func properties() throws(BenchStatus) -> [String: String] {
        var properties: [String: String] = [:]
        for text in values("--property") {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else {
                throw usage("--property \(text): NAME=VALUE is expected")
            }
            properties[String(parts[0])] = String(parts[1])
        }
        return properties
    }
}
