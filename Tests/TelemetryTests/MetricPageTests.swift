import Foundation
import Telemetry
import TestKit
import Testing
import YAML

/// Metrics as they are promised to whoever watches a daemon: their names and labels, the page that explains
/// them, the alerts and the board made of them.
@Suite("What metrics promise")
struct MetricPageTests {
    /// The names and labels that dashboards elsewhere rely on: an entry is only ever added.
    private static let promised: [String: [String]] = [
        "cohortd_build_info": ["version"],
        "cohortd_events_total": ["partition", "outcome"],
        "cohortd_commands_total": ["partition", "outcome"],
        "cohortd_rejects_total": ["reason"],
        "cohortd_lag_records": ["partition"],
        "cohortd_commands_lag_records": ["partition"],
        "cohortd_tick_timestamp_seconds": ["partition"],
        "cohortd_tick_duration_seconds": [],
        "cohortd_ticks_held": ["cause"],
        "cohortd_users": [],
        "cohortd_users_approximate": [],
        "cohortd_properties_ignored_total": ["partition"],
        "cohortd_operations_ignored_total": ["partition"],
        "cohortd_users_split": [],
        "cohortd_dedupe_window_shortened_total": ["partition"],
        "cohortd_cohort_members": ["cohort"],
        "cohortd_deltas_total": ["cohort", "op"],
        "cohortd_snapshot_age_seconds": ["partition"],
        "cohortd_store_bytes": ["kind"],
        "cohortd_memory_bytes": [],
        "cohortd_memory_max_bytes": [],
        "cohortd_consumption_paused": ["cause"],
        "cohortd_partition_state": ["partition", "state"],
        "cohortd_sync_pending_users": ["sync"],
        "cohortd_sync_oldest_pending_seconds": ["sync"],
        "cohortd_sync_users_total": ["sync", "outcome"],
        "cohortd_destination_up": ["destination"],
        "cohortd_config_reload_successful": [],
    ]

    private static let closed: [String: [String]] = [
        "cohortd_events_total": ["applied", "deduplicated", "filtered", "rejected"],
        "cohortd_ticks_held": ["broker", "lag", "clock"],
        "cohortd_consumption_paused": ["memory"],
        "cohortd_deltas_total": ["enter", "exit"],
        "cohortd_store_bytes": ["wal", "segments", "journal", "quarantine"],
        "cohortd_partition_state": [
            "assigned", "restoring", "replaying", "live", "building", "degraded", "halted",
        ],
        "cohortd_sync_users_total": ["delivered", "accepted", "skipped", "unknown"],
    ]

    private func file(_ path: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// Every name of a metric that a text uses, without the suffixes of a histogram.
    private func metrics(in text: String) -> Set<String> {
        Set(
            text.matches(of: /cohortd_[a-z_]+/).map {
                String($0.output.replacing(/(_bucket|_sum|_count)$/, with: ""))
            }
        )
    }

    @Test("every metric has its name and labels, and every promised one is there")
    func names() {
        let families = Dictionary(
            uniqueKeysWithValues: Metric.allCases.map {
                ($0.family.name, $0.family.labels.map(\.name))
            }
        )
        #expect(families == Self.promised)
        for metric in Metric.allCases {
            guard let values = Self.closed[metric.family.name] else { continue }
            #expect(metric.family.labels.last?.values == values)
        }
        #expect(Metric.tickBounds.first == 0.001)
        #expect(Metric.tickBounds.last == 10)
    }

    @Test("what is rendered is in the format, with every family in it")
    func format() throws {
        let registry = MetricRegistry()
        registry.update { values in
            for metric in Metric.allCases {
                let labels = metric.family.labels.map { $0.values?.first ?? "a\"b\\c\nd" }
                if case .histogram = metric.family.kind {
                    for value in [0.0005, 0.3, 99] {
                        values.observe(metric, labels, value: value)
                    }
                } else {
                    values.set(metric, labels, to: 1.5)
                }
            }
        }
        let text = try ExpositionText(String(decoding: registry.rendered(), as: UTF8.self))
        #expect(text.families.map(\.name) == Metric.allCases.map(\.family.name))
        for family in text.families { #expect(family.labelNames == Self.promised[family.name]) }
        #expect(
            text.family("cohortd_cohort_members")?.samples.first?.label("cohort") == "a\"b\\c\nd"
        )
    }

    @Test("docs/operations.md explains every metric with its labels, and no other")
    func documented() throws {
        let page = try file("docs/operations.md")
        let rows = page.matches(
            of: /\n\| `([a-z_]+)(?:\{([a-z,]+)\})?` \| [^\n]+ \| [^\n]+ \| [^\n]+ \|/
        )
        var told: [String: [String]] = [:]
        for row in rows where Self.promised["cohortd_\(row.1)"] != nil {
            told["cohortd_\(row.1)"] = row.2?.split(separator: ",").map(String.init) ?? []
        }
        #expect(told == Self.promised)
    }

    @Test(
        "alerts are YAML of metrics that exist, with severity, summary, action and a heading in docs/operations.md"
    )
    func alerts() throws {
        let path = "deploy/prometheus/cohortd.rules.yml"
        let text = try file(path)
        let page = try file("docs/operations.md")
        let (documents, problems) = DocumentReader.read(Array(text.utf8))
        try #require(problems.isEmpty && documents.count == 1)
        let groups = try #require(documents[0]["groups"]?.elements)
        let rules = groups.flatMap { $0["rules"]?.elements ?? [] }
        #expect(rules.count == text.matches(of: /alert: [A-Z]/).count)
        let names = rules.compactMap { $0["alert"]?.text }
        #expect(Set(names).count == rules.count)
        for rule in rules {
            let name = try #require(rule["alert"]?.text)
            let expression = try #require(rule["expr"]?.text)
            let used = metrics(in: expression)
            #expect(used.isSubset(of: Self.promised.keys), "\(name) uses \(used)")
            #expect(!used.isEmpty || expression.contains("up{job=\"cohortd\"}"))
            #expect(rule["for"]?.text?.wholeMatch(of: /\d+[mh]/) != nil, "\(name)")
            let severity = rule["labels"]?["severity"]?.text ?? ""
            #expect(["critical", "warning"].contains(severity))
            let notes = rule["annotations"]
            for note in ["summary", "action"] {
                #expect(notes?[note]?.text?.isEmpty == false, "\(name) has no \(note)")
            }
            #expect(notes?["runbook"]?.text == "docs/operations.md#\(name.lowercased())")
            // The section says how serious it is, as the rule does.
            #expect(page.contains("\n### \(name)\n\n\(severity.capitalized). "), "\(name)")
        }
        let headings = page.matches(of: /\n### (Cohortd\w+)\n/).map { String($0.1) }
        #expect(Set(headings) == Set(names))
        // Labels that an expression compares are those of the metric, and their values are of the closed set.
        for match in text.matches(of: /(cohortd_[a-z_]+)\{([a-z]+)="([a-z]+)"\}/) {
            #expect(Self.promised[String(match.1)]?.contains(String(match.2)) == true)
            #expect(Self.closed[String(match.1)]?.contains(String(match.3)) == true)
        }
    }

    @Test(
        "the board is JSON, and its panels ask for metrics and labels that exist; every metric is on it"
    )
    func board() throws {
        let text = try file("deploy/grafana/cohortd.json")
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        )
        let panels = try #require(object["panels"] as? [[String: Any]])
        var ids: Set<Int> = []
        var used: Set<String> = []
        for panel in panels {
            #expect(ids.insert(try #require(panel["id"] as? Int)).inserted)
            guard panel["type"] as? String != "row" else { continue }
            let title = try #require(panel["title"] as? String)
            #expect((panel["description"] as? String)?.isEmpty == false, "\(title)")
            let targets = try #require(panel["targets"] as? [[String: Any]])
            for target in targets {
                let expression = try #require(target["expr"] as? String)
                let metrics = metrics(in: expression)
                #expect(!metrics.isEmpty && metrics.isSubset(of: Self.promised.keys), "\(title)")
                used.formUnion(metrics)
                let labels = metrics.flatMap { Self.promised[$0] ?? [] } + ["instance", "le"]
                let asked =
                    expression.matches(of: /by \(([a-z, ]+)\)/)
                    .flatMap { $0.1.split(separator: ", ") }
                    + expression.matches(of: /[{,]([a-z]+)=/).map(\.1)
                    + (target["legendFormat"] as? String ?? "").matches(of: /\{\{([a-z]+)\}\}/)
                    .map(\.1)
                for label in asked {
                    #expect(labels.contains(String(label)), "\(title): \(label)")
                }
            }
        }
        #expect(used == Set(Self.promised.keys))
    }

    @Test("docs/operations.md explains every event and field of the log that the daemon writes")
    func log() throws {
        let page = try file("docs/operations.md")
        let start = try #require(page.range(of: "\n## Log\n")).upperBound
        let told = Set(
            page[start...].split(separator: "\n")
                .filter { $0.hasPrefix("| `") }
                .compactMap { $0.split(separator: "|").first }
                .flatMap { $0.matches(of: /`([a-z_]+)`/).map { String($0.1) } }
        )
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Sources")
        var written: Set<String> = []
        let files = try ["Daemon", "cohortd"].flatMap {
            try FileManager.default.contentsOfDirectory(
                at: sources.appendingPathComponent($0),
                includingPropertiesForKeys: nil
            )
        }
        for file in files where file.pathExtension == "swift" {
            let source = try String(contentsOf: file, encoding: .utf8)
            let calls = source.matches(
                of: /logger\.(?:error|warning|notice|info|debug)\(\s*"([a-z_]+)"/
            )
            written.formUnion(calls.map { String($0.1) })
            written.formUnion(source.matches(of: /"([a-z_]+)": LogValue\(/).map { String($0.1) })
        }
        // Were the scan blind, nothing would be missing.
        #expect(written.isSuperset(of: ["started", "event_rejected", "partition", "kafka_first"]))
        #expect(written.subtracting(told).isEmpty)
        let own: Set<String> = ["at", "level", "event", "text", "repeated"]
        let levels: Set<String> = ["error", "warning", "notice", "info", "debug"]
        #expect(told.subtracting(written).subtracting(own).subtracting(levels).isEmpty)
    }
}

extension Node {
    fileprivate subscript(key: String) -> Node? {
        guard case .mapping(let pairs) = value else { return nil }
        return pairs.first { $0.key == key }?.value
    }

    fileprivate var elements: [Node]? {
        if case .sequence(let nodes) = value { nodes } else { nil }
    }

    fileprivate var text: String? {
        if case .text(let text) = value { text } else { nil }
    }
}
