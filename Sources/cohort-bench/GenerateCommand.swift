import Arguments
import Basics
import Kafka
import Threads
import Traffic

/// `cohort-bench generate`.
struct GenerateCommand {
    private var settings: TrafficSettings
    private let limit: Int?
    private let isPaced: Bool
    private let topic: TopicTarget?
    private let asJSON: Bool
    private let clock = SystemClock()

    /// How many events are made between two looks at the clock.
    private static let batch = 500
    private static let durations: ClosedRange<Int64> = 1...365 * 86_400_000

    /// Reads the arguments.
    init(_ arguments: ParsedArguments) throws(BenchStatus) {
        settings = TrafficSettings(start: clock.now)
        settings.users = try arguments.number("--users", settings.users, in: 1...1_000_000_000)
        settings.rate = try arguments.number("--rate", settings.rate, in: 1...10_000_000)
        settings.skew = try arguments.share("--skew", settings.skew, in: 0...10)
        settings.lateShare = try arguments.share("--late", 0, in: 0...1)
        settings.lateMax = try arguments.duration("--late-max", in: Self.durations) ?? 3_600_000
        settings.duplicateShare = try arguments.share("--duplicates", 0, in: 0...1)
        settings.seed = UInt64(try arguments.number("--seed", 1, in: 0...Int.max))
        settings.mix = try arguments.mix("--types") ?? .shop
        limit = try Self.limit(arguments, rate: settings.rate)
        isPaced = !arguments.flag("--fast")
        if let start = try arguments.instant("--start") {
            settings.start = start
        } else if !isPaced, let limit {
            // None is to be ahead of its time when it is read.
            settings.start = settings.start - settings.milliseconds(of: limit)
        }
        topic = try TopicTarget(arguments)
        asJSON = try arguments.asksForJSON()
        if asJSON, topic == nil {
            throw arguments.usage("--output json: with --bootstrap only, stdout is for the events")
        }
    }

    private static func limit(
        _ arguments: ParsedArguments,
        rate: Int
    ) throws(BenchStatus) -> Int? {
        let duration = try arguments.duration("--duration", in: durations)
        guard arguments.value("--count") != nil else {
            return duration.map { TrafficPace(rate: rate, began: 0).owed(now: $0) }
        }
        if duration != nil { throw arguments.usage("either --count or --duration is expected") }
        return try arguments.number("--count", 0, in: 1...Int.max)
    }

    func run() throws(BenchStatus) {
        StopSignal.install()
        if let topic {
            let records = try TopicSink(topic)
            let report = try send(to: records)
            try say(report)
            if report.failed > 0 { throw .outputFailed }
        } else {
            try say(try send(to: LineSink()))
        }
    }

    private func send(to sink: some TrafficSink) throws(BenchStatus) -> GenerateReport {
        var generator = TrafficGenerator(settings)
        var report = GenerateReport(began: clock.monotonicMilliseconds)
        let pace = TrafficPace(rate: settings.rate, began: report.began)
        var progress = GenerateProgress(began: report.began, limit: limit)
        let pause = Mailbox<Void>(capacity: 1)
        while !StopSignal.isWanted, generator.count != limit {
            let now = clock.monotonicMilliseconds
            let most = min(limit ?? .max, generator.count + Self.batch)
            let owed = isPaced ? min(most, pace.owed(now: now)) : most
            while generator.count < owed, !StopSignal.isWanted {
                let event = generator.next()
                while !(try sink.take(event)) {
                    // The broker is slower than the rate: everything waits for it, nothing is left out.
                    if StopSignal.isWanted {
                        report.leftOut += 1
                        break
                    }
                    progress.show(generator.count, sink.pending, now: clock.monotonicMilliseconds)
                    _ = pause.takeAll(timeoutMilliseconds: 2)
                }
                report.late += event.isLate && !event.isDuplicate ? 1 : 0
                report.duplicates += event.isDuplicate ? 1 : 0
            }
            progress.show(generator.count, sink.pending, now: now)
            guard isPaced, generator.count != limit, pace.owed(now: now) <= generator.count else {
                continue
            }
            try sink.flush()
            _ = pause.takeAll(timeoutMilliseconds: 5)
        }
        report.failed = report.leftOut + (try finish(sink, generator.count, &progress))
        report.failure = sink.failure
        report.sent = generator.count - report.failed
        report.ended = clock.monotonicMilliseconds
        return report
    }

    /// Waits until all is there; after a signal for ten seconds more.
    ///
    /// - Returns: How much is not.
    private func finish(
        _ sink: some TrafficSink,
        _ count: Int,
        _ progress: inout GenerateProgress
    ) throws(BenchStatus) -> Int {
        try sink.flush()
        var deadline: Int64?
        while sink.pending > 0 {
            let now = clock.monotonicMilliseconds
            if StopSignal.isWanted { deadline = deadline ?? now + 10_000 }
            if let deadline, now >= deadline { break }
            progress.show(count, sink.pending, now: now)
            sink.wait(milliseconds: 200)
        }
        return sink.end()
    }

    /// The last line; on stdout only where that is asked for.
    private func say(_ report: GenerateReport) throws(BenchStatus) {
        if asJSON { return try printOutput(report.json) }
        printError(report.text)
    }
}

/// Where made-up events go.
protocol TrafficSink {
    /// Takes an event; false where there is no room for it at the moment.
    func take(_ event: TrafficGenerator.Event) throws(BenchStatus) -> Bool
    /// Lets what was taken go.
    func flush() throws(BenchStatus)
    /// Events that were taken and of which is not known whether they are there.
    var pending: Int { get }
    /// Waits so long at most for some of them.
    func wait(milliseconds: Int)
    /// Ends it, and says how many events are not there.
    func end() -> Int
    /// Why the first of them is not.
    var failure: String? { get }
}

extension ParsedArguments {
    fileprivate func instant(_ option: String) throws(BenchStatus) -> EventTime? {
        guard let text = value(option) else { return nil }
        guard let instant = EventTime(argument: text) else {
            throw usage("\(option) \(text): an instant is expected, such as 2026-01-05T00:00:00Z")
        }
        return instant
    }

    fileprivate func duration(
        _ option: String,
        in range: ClosedRange<Int64>
    ) throws(BenchStatus) -> Int64? {
        guard let text = value(option) else { return nil }
        guard let duration = DurationText.milliseconds(text), range.contains(duration) else {
            throw usage("\(option) \(text): a duration of at most 365d is expected, such as 10m")
        }
        return duration
    }

    fileprivate func share(
        _ option: String,
        _ fallback: Double,
        in range: ClosedRange<Double>
    ) throws(BenchStatus) -> Double {
        guard let text = value(option) else { return fallback }
        guard let share = Double(text), range.contains(share) else {
            throw usage(
                "\(option) \(text): a number from \(Int(range.lowerBound)) to \(Int(range.upperBound))"
                    + " is expected, such as 0.05"
            )
        }
        return share
    }

    fileprivate func mix(_ option: String) throws(BenchStatus) -> TrafficMix? {
        let texts = values(option)
        if texts.isEmpty { return nil }
        var shares: [TrafficMix.Share] = []
        for text in texts {
            guard let equals = text.lastIndex(of: "="), equals > text.startIndex,
                let weight = Int(text[text.index(after: equals)...]),
                (1...1_000_000).contains(weight)
            else {
                throw usage(
                    "\(option) \(text): TYPE=WEIGHT is expected, with a weight from 1 to 1000000"
                )
            }
            shares.append(TrafficMix.Share(type: String(text[..<equals]), weight: weight))
        }
        if shares.count > 1000 { throw usage("\(option): at most 1000 types are expected") }
        return TrafficMix(shares)
    }
}
