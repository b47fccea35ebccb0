import Configuration
import Foundation
import Glibc
import Testing

@testable import Daemon

extension DaemonStateTests {
    /// The configuration read again by a daemon that runs.
    @Suite("reloaded")
    struct ReloadTests {
        private let viewers = (id: "viewers", users: "{performed: {event: view, last: 1h}}")
        private let buyers = (id: "buyers", users: "{performed: {event: buy, last: 1h}}")

        /// A daemon with the viewers and their sync, not started yet.
        private func daemon(_ broker: Broker, _ receiver: Receiver) throws -> DaemonUnderTest {
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([viewers])
            return daemon
        }

        @Test("a new cohort and its sync are filled from history, and nothing else is sent again")
        func added() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let receiver = try Receiver()
            let daemon = try daemon(broker, receiver)
            let publisher = try Publisher(broker.address)
            for number in 0..<40 {
                try await publisher.event("view", of: "user-\(number)")
                if number % 4 == 0 { try await publisher.event("buy", of: "user-\(number)") }
            }
            try await publisher.flush()
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["viewers"]?.count == 40)
            let sent = receiver.deliveries.count

            try daemon.cohorts([viewers, buyers])
            try await daemon.reload(until: "rebuild_done")
            try await publisher.event("view", of: "late")
            try await publisher.flush()
            try await daemon.ready()
            try await daemon.settled(at: wallClock())
            let program = try #require(daemon.program)
            #expect(program.isRunning)
            #expect(
                program.errors.contains(
                    "the configuration was read again: cohorts +buyers; syncs +buyers-receiver"
                )
            )
            let later = receiver.deliveries[sent...]
            #expect(
                Set(later.filter { $0.cohort == "buyers" }.flatMap(\.users))
                    == Set((0..<40).filter { $0 % 4 == 0 }.map { "user-\($0)" })
            )
            #expect(later.filter { $0.cohort == "viewers" }.flatMap(\.users) == ["late"])
            #expect(try daemon.metric("cohortd_config_reload_successful") == 1)

            // What is gone from the configuration is gone from the API too.
            try daemon.cohorts([buyers])
            try await daemon.reload(until: "cohorts -viewers; syncs -viewers-receiver")
            try await eventually("only buyers is left") {
                try daemon.status()?.syncs.map(\.sync) == ["buyers-receiver"]
            }
            #expect(receiver.deliveries.members()["viewers"] == [])
            try await daemon.stop()
            try await broker.stop()
        }

        @Test("one with a problem is not used, and the log has each problem with its place")
        func refused() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 1)
            let receiver = try Receiver()
            let daemon = try daemon(broker, receiver)
            try await daemon.startReady()
            let program = try #require(daemon.program)
            #expect(try daemon.metric("cohortd_config_reload_successful") == 1)

            try daemon.cohorts([viewers, buyers])
            try daemon.write(
                "cohorts/bad.yaml",
                "id: bad\nusers: {performd: {event: view, last: 1h}}\n"
            )
            try await daemon.reload(until: "the one before runs on")
            #expect(program.errorLines.contains { $0.contains("bad.yaml:2:") })
            #expect(try daemon.metric("cohortd_config_reload_successful") == 0)
            #expect(try daemon.status()?.syncs.map(\.sync) == ["viewers-receiver"])

            try daemon.write("cohorts/bad.yaml", "")
            try daemon.configure(
                kafka: broker.address,
                topic: "others",
                properties: broker.properties
            )
            try await daemon.reload(until: "kafka.topic changed: that takes a restart")

            // It still does what it did.
            let publisher = try Publisher(broker.address)
            try await publisher.event("view", of: "somebody")
            try await publisher.flush()
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["viewers"] == ["somebody"])

            try daemon.configure(
                kafka: broker.address,
                properties: broker.properties,
                log: "{level: warning, format: text}"
            )
            try await daemon.reload(until: "cohorts +buyers")
            try await daemon.ready()
            #expect(try daemon.metric("cohortd_config_reload_successful") == 1)
            // With another level of the log: only the first run says that it started.
            #expect(program.errorLines.count { $0.contains("info started") } == 1)
            try await daemon.stop()
            try await broker.stop()
        }

        @Test("a definition whose history is gone is refused, before the change or after it")
        func historyGone() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 1)
            try await broker.overflow()
            let receiver = try Receiver()
            let daemon = try daemon(broker, receiver)
            try await daemon.startReady()
            let program = try #require(daemon.program)

            try daemon.cohorts([viewers, ("ever", "{performed: {event: gift}}")])
            try await daemon.reload(until: "the history that ever needs is gone from Kafka")
            #expect(try daemon.readiness()?.ready == true)

            // The in-process broker does not know which record is of which time, so it shows at the first record.
            try daemon.cohorts([viewers, ("monthly", "{performed: {event: gift, last: 30d}}")])
            try await daemon.reload(until: "reload_failed")
            #expect(
                program.errorLines.contains {
                    $0.contains("reload_failed")
                        && $0.contains("the history that monthly needs is gone")
                }
            )
            try await daemon.ready()
            #expect(try daemon.metric("cohortd_config_reload_successful") == 0)
            let publisher = try Publisher(broker.address)
            try await publisher.event("view", of: "somebody")
            try await publisher.flush()
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["viewers"] == ["somebody"])

            try daemon.configure(
                kafka: broker.address,
                properties: broker.properties,
                more: "accept_history: [monthly]"
            )
            try await daemon.reload(until: "rebuild_done")
            try await daemon.ready()
            #expect(try daemon.metric("cohortd_config_reload_successful") == 1)
            #expect(program.isRunning)
            try await daemon.stop()
            try await broker.stop()
        }

        @Test("a run that was never ready brings the configuration before back, once")
        func goingBack() throws {
            let daemon = try DaemonUnderTest()
            let names = ["first", "second", "third"]
            let read = try names.map { name in
                try daemon.configure(kafka: "127.0.0.1:9092", topic: name)
                return LoadedConfiguration.read(
                    path: "\(daemon.path)/cohortd.yaml",
                    overrides: [],
                    acceptHistory: []
                )
            }
            let error = DaemonError(status: DaemonError.Status.configuration, "no history")
            var plan = ReloadPlan(read[0])
            func topic() -> String { plan.current.daemon.kafka.topic }
            #expect(plan.goBack(after: error, wasReady: false) == nil)
            #expect(!plan.wentBack)
            plan.go(on: read[1])
            #expect(topic() == "second" && !plan.wentBack)
            #expect(plan.goBack(after: error, wasReady: true) == nil)
            #expect(plan.goBack(after: error, wasReady: false)?.hasSuffix(": no history") ?? false)
            #expect(topic() == "first" && plan.wentBack)
            #expect(plan.goBack(after: error, wasReady: false) == nil)
            plan.go(on: read[2])
            #expect(topic() == "third" && !plan.wentBack)
        }

        @Test("what changed is told by kind and id")
        func changes() throws {
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: "127.0.0.1:9092")
            try daemon.webhook(url: "https://hooks.example.com/a")
            try daemon.webhook("other", url: "https://hooks.example.com/b")
            try daemon.cohorts([viewers, buyers])
            func read() -> LoadedConfiguration {
                let read = LoadedConfiguration.read(
                    path: "\(daemon.path)/cohortd.yaml",
                    overrides: [],
                    acceptHistory: []
                )
                #expect(read.problems == [])
                return read
            }
            let before = read()
            #expect(
                ConfigurationChanges(from: before, to: read()).text
                    == "nothing changed but what references may lead to"
            )
            // A comment above moves everything and says nothing.
            try daemon.write(
                "destinations/other.yaml",
                "# Other.\nid: other\ntemplate: webhook\nsettings: {url: \"https://hooks.example.com/b\", "
                    + "secret: \"file:\(daemon.path)/secret\", timeout: 2s}\nallow_private: [127.0.0.0/8]\n"
            )
            try daemon.webhook(url: "https://hooks.example.com/c")
            try daemon.cohorts([
                (viewers.id, "{performed: {event: view, last: 2h}}"),
                ("gifts", "{performed: {event: gift, last: 1h}}"),
            ])
            try daemon.configure(kafka: "127.0.0.1:9093", tick: "10s", topic: "clicks")
            let changes = ConfigurationChanges(from: before, to: read())
            #expect(
                changes.text
                    == "cohorts +gifts ~viewers -buyers; destinations ~receiver; "
                    + "syncs +gifts-receiver -buyers-receiver; settings ~tick ~kafka.topic ~kafka"
            )
            #expect(changes.needingRestart == ["kafka.topic"])
        }
    }
}
