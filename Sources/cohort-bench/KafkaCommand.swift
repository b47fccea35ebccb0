import Arguments
import Basics
import Daemon

/// `cohort-bench kafka`: the engine behind a broker, in turns with what it is measured against.
struct KafkaCommand {
    private let arguments: ParsedArguments
    private let against: String?
    private let partitions: Int
    private let threads: Int
    private let rounds: Int
    private let engineCore: Int?
    private let brokerCore: Int?
    private let asJSON: Bool

    /// Reads the arguments; what is wrong with them is said before anything is started.
    init(_ arguments: ParsedArguments) throws(BenchStatus) {
        self.arguments = arguments
        against = arguments.value("--against")
        threads = try arguments.number("--threads", 1, in: 1...256)
        partitions = try arguments.number("--partitions", threads > 1 ? 8 : 64, in: 1...10_000)
        rounds = try arguments.number("--rounds", 3, in: 1...1000)
        asJSON = try arguments.asksForJSON()
        _ = try arguments.ticks()
        _ = try arguments.properties()
        let last = ProcessorCore.count - 1
        let isPinned = threads == 1 && last > 0
        engineCore = isPinned ? try arguments.number("--core", last, in: 0...last) : nil
        brokerCore = engineCore.map { $0 == 0 ? 1 : 0 }
    }

    func run() throws(BenchStatus) {
        let report: KafkaReport
        do {
            report = try threads > 1 ? measureThreads() : measureAgainst()
        } catch {
            printError("cohort-bench kafka: \(KafkaFailure.text(error))")
            throw .outputFailed
        }
        try printOutput(asJSON ? report.json : report.text)
    }

    /// One thread and its client on one core, the broker on another, in turns with the program given.
    private func measureAgainst() throws -> KafkaReport {
        let (broker, topic) = try publish(compression: "lz4")
        var report = KafkaReport(topic: topic, against: against)
        for _ in 0..<rounds {
            if let against {
                let program = try ChildProgram(
                    against,
                    [topic.bootstrap, topic.name, "\(topic.partitions)", "\(topic.records)"],
                    core: engineCore
                )
                let output = try program.rest()
                guard let line = ConsumeDiscard(output: output), line.records >= topic.records
                else {
                    throw ChildProgram.Failure(text: "\(against) did not read all: \(output)")
                }
                report.denominators.append(line.recordsPerCPUSecond)
            }
            let engine = try ChildProgram(
                ChildProgram.itself,
                engineArguments(topic, threads: 1),
                core: engineCore
            )
            report.runs.append(try EngineRun(engine.rest()))
        }
        broker?.closeInput()
        return report
    }

    /// Many threads in turns with one; what they read is in the client's queues before the clock starts, and the
    /// broker stands still.
    private func measureThreads() throws -> KafkaReport {
        // With so few partitions lz4 would be too large for the in-process broker.
        let (broker, topic) = try publish(compression: "zstd")
        var report = KafkaReport(topic: topic, against: "1 thread", threads: threads)
        for _ in 0..<rounds {
            let one = try preloadedRun(topic, threads: 1, broker)
            report.denominators.append(one.eventsPerWallSecond)
            report.denominatorsByCPU.append(one.eventsPerCPUSecond)
            report.runs.append(try preloadedRun(topic, threads: threads, broker))
        }
        broker?.closeInput()
        return report
    }

    private func preloadedRun(
        _ topic: PublishedTopic,
        threads: Int,
        _ broker: ChildProgram?
    ) throws -> EngineRun {
        let engine = try ChildProgram(
            ChildProgram.itself,
            engineArguments(topic, threads: threads) + ["--preload"],
            core: nil
        )
        let line = try engine.line()
        guard line == "preloaded" else { throw ChildProgram.Failure(text: line) }
        broker?.freeze(true)
        defer { broker?.freeze(false) }
        engine.tell("go")
        return try EngineRun(engine.rest())
    }

    /// Starts a broker with the events in it, or fills the one that is there.
    private func publish(compression: String) throws -> (ChildProgram?, PublishedTopic) {
        var words = [
            "kafka-publish", "--events", arguments.value("--events") ?? "",
            "--partitions", "\(partitions)", "--compression", compression,
        ]
        for option in ["--bootstrap", "--topic", "--limit"] { words += passed(option) }
        let publisher = try ChildProgram(ChildProgram.itself, words, core: brokerCore)
        let topic = try PublishedTopic(publisher.line())
        return (arguments.value("--bootstrap") == nil ? publisher : nil, topic)
    }

    private func engineArguments(_ topic: PublishedTopic, threads: Int) -> [String] {
        var words = [
            "kafka-engine", "--bootstrap", topic.bootstrap, "--topic", topic.name,
            "--threads", "\(threads)", "--output", "json", "--cohorts",
        ]
        words += arguments.values("--cohorts")
        for option in ["--config", "--tick", "--until", "--deltas", "--data-in"] {
            words += passed(option)
        }
        for property in arguments.values("--property") { words += ["--property", property] }
        for flag in ["--durable", "--tick-at-end"] where arguments.flag(flag) { words.append(flag) }
        return words
    }

    private func passed(_ option: String) -> [String] {
        arguments.value(option).map { [option, $0] } ?? []
    }
}

/// What `kafka-publish` says of the topic it filled.
struct PublishedTopic {
    var bootstrap = ""
    var name = ""
    var partitions = 0
    var records = 0

    init(_ line: String) throws(ChildProgram.Failure) {
        let bytes = Array(line.utf8)
        bytes.withByteView { view in
            var members = JSONMembers(view)
            while let (key, value) = members.next() {
                let text = value.string
                switch key.string {
                case "bootstrap": bootstrap = String(text.dropFirst().dropLast())
                case "topic": name = String(text.dropFirst().dropLast())
                case "partitions": partitions = Int(text) ?? 0
                case "records": records = Int(text) ?? 0
                default: break
                }
            }
        }
        guard !bootstrap.isEmpty, records > 0 else {
            throw ChildProgram.Failure(text: "no events were published: \(line)")
        }
    }
}

/// What one `kafka-engine` says.
struct EngineRun {
    /// The whole of it, one JSON object.
    let json: String
    private(set) var eventsPerCPUSecond = 0.0
    private(set) var eventsPerWallSecond = 0.0
    private(set) var flips = 0

    init(_ output: String) throws(ChildProgram.Failure) {
        json = output.split(separator: "\n").last.map { String($0) } ?? ""
        var numbers: [String: Double] = [:]
        Array(json.utf8).withByteView { view in
            var members = JSONMembers(view)
            while let (key, value) = members.next() { numbers[key.string] = Double(value.string) }
        }
        guard let cpu = numbers["events_per_cpu_second"],
            let wall = numbers["events_per_wall_second"]
        else { throw ChildProgram.Failure(text: "an engine's run said: \(output)") }
        eventsPerCPUSecond = cpu
        eventsPerWallSecond = wall
        flips = Int(numbers["enters"] ?? 0) + Int(numbers["exits"] ?? 0)
    }
}
