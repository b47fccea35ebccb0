import Basics
import Foundation
import Glibc
import Testing

extension Publisher {
    /// Queues an upload to a cohort's list, or a removal from it.
    func upload(_ user: String, to cohort: String, isIn: Bool = true) async throws {
        try await command(
            #"{"type":"upload","cohort":"\#(cohort)","op":"\#(isIn ? "add" : "remove")"}"#,
            of: user
        )
    }

    /// Queues a command.
    func command(_ json: String, of user: String?) async throws {
        try await send(topic: "cohortd.commands", key: user, value: Array(json.utf8))
    }
}

extension DaemonStateTests {
    @Suite("given commands")
    struct UploadTests {
        private let list = (id: "list", users: "{uploaded: true}")
        private let viewers = (
            id: "viewers",
            users: "{all: [{uploaded: true}, {performed: {event: view, last: 1h}}]}"
        )
        private let pro = (id: "pro", users: "{property: {plan: pro}}")

        @Test(
            "lists follow uploads through kills, and what new definitions need is read again (in-process broker)"
        )
        func inProcess() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 3)
            // It makes no topic of three partitions by itself.
            try await broker.createTopic("cohortd.commands", partitions: 3)
            try await life(broker)
            try await broker.stop()
        }

        @Test(
            "lists follow uploads through kills, and what new definitions need is read again (Apache Kafka)",
            .enabled(if: Broker.kafkaHome != nil, "KAFKA_HOME is not set")
        )
        func apacheKafka() async throws {
            let broker = try await Broker.apache()
            do {
                try await broker.createTopic(partitions: 3)
                try await life(broker)
                try await deleted(broker)
            } catch {
                try await broker.stop()
                throw error
            }
            try await broker.stop()
        }

        private func life(_ broker: Broker) async throws {
            let seed: UInt64 = 20_260_107
            print("seed \(seed)")
            var generator = SeededGenerator(seed: seed)
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([list, viewers, pro])
            // The first start makes the topic where the broker lets it.
            try await daemon.startReady()
            let publisher = try Publisher(broker.address)
            var lists: [String: Set<String>] = ["list": [], "viewers": [], "later": []]
            var viewed: Set<String> = []
            for round in 0..<3 {
                let end = ProcessInfo.processInfo.systemUptime + 4
                repeat {
                    for _ in 0..<10 {
                        let user = "user-\(generator.below(60))"
                        let cohort = generator.pick(["list", "viewers", "later"])
                        let isIn = generator.chance(percent: 60)
                        try await publisher.upload(user, to: cohort, isIn: isIn)
                        if isIn {
                            lists[cohort]?.insert(user)
                        } else {
                            lists[cohort]?.remove(user)
                        }
                        if generator.chance(percent: 30) {
                            let viewer = "user-\(generator.below(60))"
                            try await publisher.event("view", of: viewer)
                            viewed.insert(viewer)
                        }
                    }
                    try await Task.sleep(for: .milliseconds(100))
                } while ProcessInfo.processInfo.systemUptime < end
                if round < 2 {
                    try await daemon.program?.killHard()
                    try daemon.start()
                }
            }
            for number in 0..<10 {
                try await publisher.command(
                    #"{"type":"identify","user_properties":{"plan":"pro"}}"#,
                    of: "user-\(number)"
                )
            }
            try await publisher.flush()
            try await daemon.ready()
            try await daemon.settled(at: wallClock())
            let pros = Set((0..<10).map { "user-\($0)" })
            var members = receiver.deliveries.members()
            #expect(members["list"] == lists["list"])
            #expect(members["viewers"] == lists["viewers"]?.intersection(viewed))
            #expect(members["pro"] == pros)
            #expect(receiver.deliveries.contradictions == [])
            #expect(daemon.program?.errors.contains("upload_without_cohort") ?? false)
            let status = try #require(try daemon.status())
            #expect(status.partitions.allSatisfy { $0.commands_lag == 0 })
            #expect(status.partitions.reduce(0) { $0 + ($1.commands_offset ?? 0) } > 100)
            try await daemon.stop()

            // A cohort that takes the uploads nobody waited for, and one that looks at what identifies carry.
            try daemon.cohorts([
                list, viewers, pro, ("later", "{uploaded: true}"),
                ("had", "{had_property: {plan: pro, last: 1h}}"),
                ("buyers", "{performed: {event: buy, last: 1h}}"),
            ])
            let sent = receiver.deliveries.count
            // A kill in the middle of it changes nothing.
            let program = try daemon.start()
            try await eventually("it reads again") { program.errors.contains("rebuild_started") }
            try await program.killHard()
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            members = receiver.deliveries.members()
            #expect(members["later"] == lists["later"])
            #expect(members["had"] == pros)
            #expect(members["list"] == lists["list"])
            #expect(members["pro"] == pros)
            #expect(
                Set(receiver.deliveries[sent...].map(\.cohort)).isSubset(of: ["later", "had"])
            )
            try await daemon.stop()

            // With a list more only the commands are read again.
            try daemon.cohorts([
                list, viewers, pro, ("later", "{uploaded: true}"),
                ("had", "{had_property: {plan: pro, last: 1h}}"),
                ("buyers", "{performed: {event: buy, last: 1h}}"),
                ("last", "{uploaded: true}"),
            ])
            try await daemon.startReady()
            try await publisher.upload("somebody", to: "last")
            try await publisher.upload("user-1", to: "list", isIn: false)
            lists["list"]?.remove("user-1")
            try await publisher.flush()
            try await daemon.settled(at: wallClock())
            #expect(daemon.program?.errors.contains("commands_from=0") ?? false)
            #expect(!(daemon.program?.errors.contains(" from=0 ") ?? true))
            members = receiver.deliveries.members()
            #expect(members["last"] == ["somebody"])
            #expect(members["list"] == lists["list"])
            #expect(try daemon.members(of: "later") == (lists["later"] ?? []).sorted())
            try await daemon.stop()
            try await daemon.startReady()
            #expect(!(daemon.program?.errors.contains("rebuild_started") ?? true))
            #expect(try daemon.members(of: "last") == ["somebody"])
            try await daemon.stop()
        }

        /// A new list whose oldest commands are gone asks to be accepted.
        private func deleted(_ broker: Broker) async throws {
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            try daemon.configure(
                kafka: broker.address,
                kafkaMore: "group: other"
            )
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([list])
            for partition in 0..<3 {
                try await broker.deleteRecords(
                    topic: "cohortd.commands",
                    partition: partition,
                    before: 2
                )
            }
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            let warnings = daemon.program?.errorLines.filter { $0.contains("history_incomplete") }
            #expect(warnings?.count == 3)
            try await daemon.stop()
            try daemon.cohorts([list, ("later", "{uploaded: true}")])
            let refused = try daemon.start()
            #expect(try await refused.end(within: 90) == .exited(78))
            #expect(refused.errors.contains("--accept-history later"))
            try await daemon.startReady(["--accept-history", "later"])
            try await daemon.stop()
            // What is gone before our offset matters to nobody; what is gone behind it halts.
            for partition in 0..<3 {
                try await broker.deleteRecords(
                    topic: "cohortd.commands",
                    partition: partition,
                    before: 3
                )
            }
            try await daemon.startReady()
            try await daemon.stop()
        }

        @Test("what is wrong with a command is said, counted and kept; the next one is applied")
        func bad() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            try daemon.configure(
                kafka: broker.address,
                properties: broker.properties,
                kafkaMore: "dead_letter_topic: none"
            )
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([list])
            let publisher = try Publisher(broker.address)
            let rows: [(reason: String, value: String, key: String?)] = [
                ("not_json", "{", "u"), ("not_object", "[]", "u"),
                ("unknown_command", #"{"type":"forget"}"#, "u"),
                ("not_yet", #"{"type":"delete"}"#, "u"),
                ("bad_type", #"{"type":"upload","cohort":"list","op":"put"}"#, "u"),
                ("missing_id", #"{"type":"upload","cohort":"list","op":"add"}"#, nil),
            ]
            for row in rows { try await publisher.command(row.value, of: row.key) }
            try await publisher.send(topic: "cohortd.commands", key: "u", value: nil)
            try await publisher.upload("after", to: "list")
            try await publisher.flush()
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["list"] == ["after"])
            var outcomes: [String: Double] = [:]
            for partition in 0..<4 {
                for outcome in ["applied", "filtered", "rejected"] {
                    outcomes[outcome, default: 0] +=
                        try daemon.metric(
                            #"cohortd_commands_total{partition="\#(partition)",outcome="\#(outcome)"}"#
                        ) ?? -1
                }
            }
            #expect(outcomes == ["applied": 1, "filtered": 1, "rejected": 6])
            for row in rows {
                #expect(
                    try daemon.metric(#"cohortd_rejects_total{reason="\#(row.reason)"}"#) == 1,
                    "\(row.reason)"
                )
                let sample = try String(
                    contentsOfFile: "\(daemon.dataDirectory)/rejects/\(row.reason).jsonl",
                    encoding: .utf8
                )
                #expect(sample.contains(#""topic":"cohortd.commands""#))
            }
            try await daemon.stop()
            try await broker.stop()
        }

        @Test("a commands topic that comes later is read from its first record")
        func late() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 3)
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([pro])
            let publisher = try Publisher(broker.address)
            try await publisher.event("view", of: "before")
            try await publisher.flush()
            try await daemon.startReady()
            #expect(
                try daemon.status()?.partitions.allSatisfy { $0.commands_offset == nil } ?? false
            )
            try await broker.createTopic("cohortd.commands", partitions: 3)
            try await publisher.command(
                #"{"type":"identify","user_properties":{"plan":"pro"}}"#,
                of: "u"
            )
            try await publisher.flush()
            try await eventually("it is read") {
                receiver.deliveries.members()["pro"] == ["u"]
            }
            try await publisher.event(
                "$identify",
                of: "v",
                properties: "{}"
            )
            try await publisher.flush()
            try await daemon.settled(at: wallClock())
            #expect(try daemon.metric("cohortd_users") == 3)
            try await daemon.stop()
            try await daemon.startReady()
            #expect(try daemon.members(of: "pro") == ["u"])
            try await daemon.stop()
            try await broker.stop()
        }

        @Test("a commands topic with another number of partitions is not read, and that is said")
        func mismatch() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 2)
            try await broker.createTopic("cohortd.commands", partitions: 3)
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.cohorts([list], to: [])
            let program = try daemon.start()
            try await eventually("/readyz says so") {
                try daemon.readiness()?.reasons.contains {
                    $0.contains("cohortd.commands has 3 partitions") && $0.contains("events 2")
                } ?? false
            }
            #expect(program.errors.contains("commands_topic"))
            try await daemon.stop()
            try await broker.stop()
        }
    }
}
