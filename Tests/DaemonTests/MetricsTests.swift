import Basics
import Foundation
import Telemetry
import TestKit
import Testing

extension DaemonTests {
    @Suite("watched by Prometheus, and loaded by made-up traffic")
    struct MetricsTests {
        private func scrape(_ daemon: DaemonUnderTest) throws -> ExpositionText {
            let answer = try #require(try daemon.get("/metrics"))
            #expect(answer.status == 200)
            return try ExpositionText(String(decoding: answer.body, as: UTF8.self))
        }

        /// Metrics that nothing here gives a value to.
        private static let without: Set<String> = [
            // Nobody uploads anything.
            "cohortd_commands_total", "cohortd_commands_lag_records",
            // Depends on where the tests run.
            "cohortd_memory_max_bytes",
        ]

        @Test(
            "a daemon that generated traffic went through shows every metric, in the format, with true values"
        )
        func scraped() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 3)
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([
                ("viewers", "{performed: {event: page_view, last: 1h}}"),
                ("buyers", "{performed: {event: purchase, last: 1h, count: {gte: 2}}}"),
            ])
            let generate = try Program(
                "cohort-bench",
                [
                    "generate", "--bootstrap", broker.address, "--fast", "--count", "20000",
                    "--users", "3000", "--late", "0.1", "--late-max", "10m", "--duplicates", "0.05",
                    "--seed", "5", "--output", "json",
                ],
                folder: daemon.path
            )
            #expect(try await generate.end(within: 120) == .exited(0), "\(generate.errors)")
            struct Report: Decodable {
                var sent: Int
                var failed: Int
                var duplicates: Int
                var late: Int
            }
            let report = try JSONDecoder().decode(Report.self, from: Data(generate.output.utf8))
            #expect(report.sent == 20_000 && report.failed == 0)
            #expect((800...1200).contains(report.duplicates))
            #expect((1700...2100).contains(report.late))
            let publisher = try Publisher(broker.address)
            try await publisher.send(key: "x", value: Array("no JSON".utf8))
            try await publisher.flush()

            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            // The syncs tell their figures twice a second.
            var text = try scrape(daemon)
            let told = receiver.deliveries.members()
            try await eventually("the metrics say that all is sent and nothing is pending") {
                text = try scrape(daemon)
                let pending = text.family("cohortd_sync_pending_users")?.samples ?? []
                let sent = text.family("cohortd_sync_users_total")?.samples ?? []
                return pending.count == 2 && pending.allSatisfy { $0.value == 0 }
                    && sent.reduce(0) { $0 + $1.value }
                        >= Double(told.values.reduce(0) { $0 + $1.count })
            }
            #expect(
                Set(text.families.map(\.name)).union(Self.without)
                    == Set(Metric.allCases.map(\.family.name))
            )
            for family in text.families {
                let metric = try #require(Metric.allCases.first { $0.family.name == family.name })
                #expect(family.labelNames == metric.family.labels.map(\.name))
            }
            func sum(_ name: String, _ label: String? = nil, _ value: String = "") -> Double {
                (text.family("cohortd_" + name)?.samples ?? [])
                    .filter { label == nil || $0.label(label ?? "") == value }
                    .reduce(0) { $0 + $1.value }
            }
            #expect(sum("events_total") == 20_001)
            #expect(sum("events_total", "outcome", "deduplicated") == Double(report.duplicates))
            #expect(
                sum("events_total", "outcome", "applied") == Double(20_000 - report.duplicates)
            )
            #expect(sum("rejects_total") == 1)
            #expect(sum("rejects_total", "reason", "not_json") == 1)
            #expect(sum("lag_records") == 0)
            #expect(text.family("cohortd_lag_records")?.samples.count == 3)
            #expect(sum("ticks_held", "cause", "broker") == 0)
            #expect(sum("partition_state", "state", "live") == 3)
            #expect(sum("partition_state") == 3)
            for cohort in ["viewers", "buyers"] {
                let members = Double(try #require(told[cohort]).count)
                #expect(members > 3)
                #expect(sum("cohort_members", "cohort", cohort) == members)
                #expect(sum("sync_users_total", "sync", "\(cohort)-receiver") >= members)
            }
            #expect(sum("destination_up") == 1)
            #expect(sum("store_bytes", "kind", "wal") > 1000)
            #expect(sum("store_bytes", "kind", "journal") > 1000)
            #expect(sum("store_bytes", "kind", "quarantine") == 0)
            #expect(sum("memory_bytes") > 1_000_000)
            #expect(sum("users") <= 3000)
            let age = Double(wallClock()) / 1000 - sum("tick_timestamp_seconds") / 3
            #expect((-1...60).contains(age))

            // The same through cohortctl, which asks for it in its own way.
            let top = try Program(
                "cohortctl",
                [
                    "top", "--once", "--interval", "200ms", "--output", "json", "--address",
                    "http://127.0.0.1:\(daemon.port)",
                ],
                folder: daemon.path
            )
            #expect(try await top.end(within: 30) == .exited(0), "\(top.errors)")
            struct Look: Decodable {
                var lag: Int
                var rejected: Int
                var users: Int
                var memory_bytes: Int
                var tick_age_seconds: Double
                var events_per_second: [String: Double]
            }
            let look = try JSONDecoder().decode(Look.self, from: Data(top.output.utf8))
            #expect(look.lag == 0 && look.rejected == 1)
            #expect(Double(look.users) == sum("users"))
            #expect(look.memory_bytes > 1_000_000)
            #expect(look.tick_age_seconds < 60)
            #expect(look.events_per_second["applied"] == 0)

            // Without a broker no tick is held to be true.
            try broker.setDown(true)
            try await eventually("ticks are held") {
                try daemon.metric("cohortd_ticks_held{cause=\"broker\"}") == 3
            }
            try broker.setDown(false)
            try await eventually("ticks go on") {
                try daemon.metric("cohortd_ticks_held{cause=\"broker\"}") == 0
            }
            try await daemon.stop()
            try await broker.stop()
        }
    }
}
