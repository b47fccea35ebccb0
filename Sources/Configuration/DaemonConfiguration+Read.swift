import Basics
import YAML

extension DaemonConfiguration {
    /// What reading gives: the configuration and where its values stand.
    package struct Document: Sendable {
        /// The configuration.
        package var configuration: DaemonConfiguration
        /// Where its values stand.
        package var places: Places
    }

    /// Reads `cohortd.yaml` with the overrides over it.
    ///
    /// - Parameters:
    ///   - file: The file; nil = the defaults alone.
    ///   - overrides: Of the environment, then each `--set`, in order; the last of one path wins.
    ///   - zoneExists: Whether the zone database knows a name.
    /// - Returns: The configuration and every problem; status 78 if there is one.
    package static func read(
        _ file: ConfigurationFile?,
        overrides: [Override] = [],
        zoneExists: @escaping (String) -> Bool = { _ in true }
    ) -> ConfigurationReading<Document> {
        var problems: [ConfigurationProblem] = []
        let name = file?.name ?? "(no file)"
        let start = Mark(line: 1, column: 1)
        var node = Node(value: .mapping([]), mark: start)
        if let file {
            let (documents, documentProblems) = DocumentReader.read(file.bytes)
            problems = documentProblems.map { ConfigurationProblem(file: name, problem: $0) }
            if let first = documents.first { node = first }
            if documents.count > 1 {
                problems.append(
                    ConfigurationProblem(
                        place: .file(name, documents[1].mark),
                        code: .severalDocuments,
                        text: "a second document: the configuration is one, without ---"
                    )
                )
            }
            // Without its document a file has no keys that overrides could go over.
            if documents.isEmpty, !problems.isEmpty {
                let places = Places(file: name, overrideNames: [], start: start)
                return ConfigurationReading(
                    value: Document(configuration: DaemonConfiguration(), places: places),
                    problems: problems
                )
            }
        }
        let findings = Findings(
            places: Places(file: name, overrideNames: overrides.map(\.name), start: node.mark),
            keys: ConfigurationKey.daemon + ConfigurationKey.httpKey
        )
        var configuration = DaemonConfiguration()
        let layered = Override.layer(overrides, over: node) { mark, text in
            findings.report(.badType, mark, text)
        }
        configuration.read(
            Section(path: "", node: layered, findings: findings),
            zoneExists: zoneExists
        )
        problems += findings.sortedProblems
        return ConfigurationReading(
            value: Document(configuration: configuration, places: findings.places),
            problems: problems
        )
    }

    private mutating func read(_ top: consuming Section, zoneExists: @escaping (String) -> Bool) {
        top.read("data_dir", into: &dataDirectory, .text("a path"))
        top.read("timezone", into: &timezone, .timezone(exists: zoneExists))
        top.read("tick", into: &tickMilliseconds, .tick)
        top.list("inactive_events", into: &inactiveEvents, .text("an event type"))
        top.read("identify", into: &identify, .word)
        dedupe.read(top.section("dedupe"))
        kafka.read(top.section("kafka"))
        snapshot.read(top.section("snapshot"))
        archive.read(top.section("archive"))
        history.read(top.section("history"))
        deltaLog.read(top.section("delta_log"))
        top.read("memory_max", into: &memoryMax, .size(0...1 << 60))
        limits.read(top.section("limits"))
        include.read(top.section("include"))
        top.list("accept_history", into: &acceptHistory, .identifier)
        http.read(top.section("http"))
        log.read(top.section("log"))
        top.finish()
    }
}

extension ValueReader where Value == Int64 {
    /// 1 s … 1 h, divides a day, so that ticks fall on the same times every day.
    fileprivate static var tick: ValueReader<Int64> {
        duration(1000...3_600_000).map { milliseconds throws(Refusal) in
            guard 86_400_000 % milliseconds == 0 else {
                throw Refusal(
                    .outOfRange,
                    "does not divide 24h (expected such as 10s, 60s, 5m, 1h)"
                )
            }
            return milliseconds
        }
    }

    /// Up to the longest duration there is.
    fileprivate static func duration(from least: Int64) -> ValueReader<Int64> {
        duration(least...36_500 * 86_400_000)
    }
}

extension DaemonConfiguration.Dedupe {
    fileprivate mutating func read(_ section: consuming Section) {
        section.read("window", into: &windowMilliseconds, .duration(from: 0))
        section.read("entries_max", into: &entriesMax, .integer(1...1_000_000_000_000))
        section.finish()
    }
}

extension DaemonConfiguration.Snapshot {
    fileprivate mutating func read(_ section: consuming Section) {
        section.read("interval", into: &intervalMilliseconds, .duration(100...86_400_000))
        section.read("bytes", into: &bytes, .size(4096...1 << 40))
        section.finish()
    }
}

extension DaemonConfiguration.Retention {
    fileprivate mutating func read(_ section: consuming Section) {
        section.read("retention", into: &retentionMilliseconds, .duration(from: 3_600_000))
        section.read("bytes_max", into: &bytesMax, .size(0...1 << 60))
        section.finish()
    }
}

extension DaemonConfiguration.Limits {
    fileprivate mutating func read(_ section: consuming Section) {
        section.read("users_max", into: &usersMax, .integer(1...4_000_000_000))
        section.read("events_per_trace_max", into: &eventsPerTraceMax, .integer(1...1_000_000_000))
        section.read(
            "properties_per_user_max",
            into: &propertiesPerUserMax,
            .integer(1...1_000_000)
        )
        section.read("future_max", into: &futureMaxMilliseconds, .duration(from: 0))
        section.finish()
    }
}

extension DaemonConfiguration.Include {
    fileprivate mutating func read(_ section: consuming Section) {
        section.read("cohorts", into: &cohorts, .text("a folder"))
        section.read("destinations", into: &destinations, .text("a folder"))
        section.read("syncs", into: &syncs, .text("a folder"))
        section.read("templates", into: &templates, .text("a folder"))
        section.finish()
    }
}

extension DaemonConfiguration.Log {
    fileprivate mutating func read(_ section: consuming Section) {
        section.read("level", into: &level, .word)
        section.read("format", into: &format, .word)
        section.finish()
    }
}
