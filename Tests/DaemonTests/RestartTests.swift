import Foundation
import Glibc
import Testing

extension DaemonStateTests {
    /// Restarts whose definitions, or whose Kafka, are not what they were.
    @Suite("restarted")
    struct RestartTests {
        private let viewers = (id: "viewers", users: "{performed: {event: view, last: 1h}}")

        /// A daemon that knows of 40 users who viewed, of whom every fourth bought, and was stopped.
        private func stopped(_ broker: Broker, _ receiver: Receiver) async throws -> DaemonUnderTest
        {
            try await broker.createTopic(partitions: 4)
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([viewers])
            let publisher = try Publisher(broker.address)
            for number in 0..<40 {
                try await publisher.event("view", of: "user-\(number)")
                if number % 4 == 0 { try await publisher.event("buy", of: "user-\(number)") }
            }
            try await publisher.send(
                key: "user-1",
                value: Array(
                    (#"{"user_id":"user-1","event_type":"view","insert_id":"plan","#
                        + #""user_properties":{"plan":"pro"}}"#).utf8
                )
            )
            try await publisher.flush()
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["viewers"]?.count == 40)
            try await daemon.stop()
            return daemon
        }

        @Test(
            "a definition that needs history not kept is filled from Kafka, then the difference goes out"
        )
        func rebuild() async throws {
            let broker = try Broker()
            let receiver = try Receiver()
            let daemon = try await stopped(broker, receiver)
            // A longer window, and an event that was not looked at before.
            try daemon.cohorts([
                ("viewers", "{performed: {event: view, last: 2h}}"),
                ("buyers", "{performed: {event: buy, last: 1h}}"),
            ])
            let sent = receiver.deliveries.count
            for round in 0..<2 {
                let program = try daemon.start()
                try await eventually("history is read again") {
                    program.errors.contains("rebuild_started")
                }
                #expect(receiver.deliveries.count == sent)
                // A kill in the middle changes nothing.
                if round == 0 { try await program.killHard() }
            }
            try await daemon.ready()
            try await eventually("both cohorts are whole") {
                try ["viewers", "buyers"].allSatisfy {
                    try daemon.get("/v1/cohorts/\($0)/members")?.status == 200
                }
            }
            try await daemon.settled(at: wallClock())
            let later = receiver.deliveries[sent...]
            #expect(Set(later.map(\.cohort)) == ["buyers"])
            #expect(
                Set(receiver.deliveries.members()["buyers"] ?? [])
                    == Set((0..<40).filter { $0 % 4 == 0 }.map { "user-\($0)" })
            )
            #expect(later.flatMap(\.users).count == 10)
            #expect(try daemon.members(of: "viewers").count == 40)
            try await daemon.stop()
            // What was filled is kept.
            try await daemon.startReady()
            #expect(!(daemon.program?.errors.contains("rebuild_started") ?? true))
            #expect(try daemon.members(of: "buyers").count == 10)
            try await daemon.stop()
            try await broker.stop()
        }

        @Test("definitions that what is kept can answer need no history")
        func kept() async throws {
            let broker = try Broker()
            let receiver = try Receiver()
            let daemon = try await stopped(broker, receiver)
            try daemon.cohorts([
                viewers, ("pro", "{property: {plan: pro}}"), ("newcomers", "{new: {last: 1h}}"),
            ])
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            #expect(!(daemon.program?.errors.contains("rebuild_started") ?? true))
            let members = receiver.deliveries.members()
            #expect(members["pro"] == ["user-1"])
            #expect(members["newcomers"]?.count == 40)
            #expect(members["viewers"]?.count == 40)
            try await daemon.stop()
            try await broker.stop()
        }

        // MARK: History that is gone

        @Test(
            "a first start without the oldest records is a warning; a new definition later is refused until accepted"
        )
        func historyGone() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 1)
            try await broker.overflow()
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([
                ("monthly", "{performed: {event: view, last: 30d}}"),
                ("pro", "{property: {plan: pro}}"),
            ])
            try await daemon.startReady()
            let program = try #require(daemon.program)
            let warnings = program.errorLines.filter { $0.contains("history_incomplete") }
            #expect(warnings.count == 1)
            #expect(warnings.first?.contains("monthly") ?? false)
            // From then on: 30 days after the oldest record, which is of these minutes.
            let instant = try #require(
                warnings.first?.firstMatch(of: #/complete from (\S+Z)/#).map { String($0.1) }
            )
            let complete = try #require(milliseconds(instant))
            #expect(abs(complete - wallClock() - 30 * 86_400_000) < 600_000)
            try await daemon.stop()

            // A later start that needs history again.
            try daemon.cohorts([
                ("monthly", "{performed: {event: view, last: 30d}}"),
                ("buyers", "{performed: {event: buy, last: 7d}}"),
                ("ever", "{performed: {event: gift}}"),
                ("pro", "{property: {plan: pro}}"),
            ])
            let refused = try daemon.start()
            #expect(try await refused.end(within: 90) == .exited(78))
            let text = try #require(refused.errorLines.last)
            #expect(text.contains("--accept-history buyers"))
            #expect(text.contains("--accept-history ever"))
            #expect(text.contains("accept_history"))
            // Those that the state still has, and those that never look at events, are not asked for.
            #expect(!text.contains("monthly"))
            #expect(!text.contains("pro"))
            let halfway = try daemon.start(["--accept-history", "buyers"])
            #expect(try await halfway.end(within: 90) == .exited(78))
            #expect(halfway.errorLines.last?.contains("--accept-history ever") ?? false)
            #expect(!(halfway.errorLines.last?.contains("--accept-history buyers") ?? true))

            try await daemon.startReady(["--accept-history", "buyers", "--accept-history", "ever"])
            #expect(
                Set(
                    daemon.program?.errorLines.filter { $0.contains("history_incomplete") }
                        .compactMap {
                            $0.firstMatch(of: #/that cohort (\S+) looks/#).map { String($0.1) }
                        }
                        ?? []
                ) == ["buyers", "ever"]
            )
            try await daemon.stop()
            // Once filled, it needs no flag.
            try await daemon.startReady()
            try await daemon.stop()

            try daemon.cohorts([("gifts", "{performed: {event: gift, last: 7d}}")])
            try daemon.configure(
                kafka: broker.address,
                properties: broker.properties,
                more: "accept_history: [gifts]"
            )
            try await daemon.startReady()
            try await daemon.stop()
            try await broker.stop()
        }

        // MARK: Offsets that Kafka does not have

        @Test(
            "an offset gone from Kafka halts its partition; the others go on and none of its users leaves"
        )
        func offsetGone() async throws {
            let broker = try Broker()
            let receiver = try Receiver()
            try await broker.createTopic(partitions: 2)
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([("recent", "{performed: {event: view, last: 12s}}")])
            let publisher = try Publisher(broker.address)
            try await daemon.startReady()
            try await publisher.event("view", of: "left", partition: 0)
            try await publisher.event("view", of: "right", partition: 1)
            let viewed = wallClock()
            try await publisher.flush()
            try await eventually("both are told") {
                receiver.deliveries.members()["recent"] == ["left", "right"]
            }
            let offset = try #require(try daemon.status()?.partitions[0].offset)
            #expect(offset == 1)
            try await daemon.stop()

            try await broker.overflow()
            let program = try daemon.start()
            try await eventually("it is halted") {
                try daemon.readiness()?.reasons.contains { $0.contains("partition 0 halted") }
                    ?? false
            }
            let reason = try #require(
                try daemon.readiness()?.reasons.first { $0.contains("partition 0 halted") }
            )
            let numbers = reason.matches(of: #/\d+/#).compactMap { Int($0.0) }
            #expect(reason.contains("gone from Kafka"))
            #expect(reason.contains("cohortctl kafka rebase events/0"))
            // The partition, ours, Kafka's first and last.
            #expect(
                numbers.count > 4 && numbers[1] == 1 && numbers[2] > 1 && numbers[3] == 401,
                "\(reason)"
            )
            let line = try #require(program.errorLines.first { $0.contains("partition_halted") })
            #expect(line.contains("kafka_last=401"))
            // The other one goes on: it takes events, and time passes in it.
            try await publisher.event("view", of: "third", partition: 1)
            try await eventually("the other partition goes on") {
                receiver.deliveries.members()["recent"]?.contains("third") ?? false
            }
            try await sleep(until: viewed + 13_000)
            try await eventually("the other partition's user leaves") {
                !(receiver.deliveries.members()["recent"]?.contains("right") ?? true)
            }
            #expect(receiver.deliveries.members()["recent"]?.contains("left") ?? false)
            #expect(!receiver.deliveries.contains { !$0.isEnter && $0.users.contains("left") })
            let status = try #require(try daemon.status())
            #expect(status.partitions.map(\.state) == ["halted", "live"])
            #expect(try daemon.get("/v1/cohorts/recent/members")?.status == 503)
            #expect(
                try daemon.metric(#"cohortd_partition_state{partition="0",state="halted"}"#) == 1
            )
            #expect(program.isRunning)

            // Who left while nobody looked is held until what was lost is out of sight of the cohort.
            let asked = wallClock()
            let rebase = try await daemon.ask("kafka", "rebase", "events/0")
            #expect(rebase.ending == .exited(0), "\(rebase.errors)")
            #expect(rebase.output == "events/0 goes on at offset \(numbers[2]); it stood at 1\n")
            try await daemon.ready()
            #expect(try daemon.status()?.partitions.map(\.state) == ["degraded", "live"])
            try await eventually("the user leaves after all") {
                !(receiver.deliveries.members()["recent"]?.contains("left") ?? true)
            }
            let exit = try #require(
                receiver.deliveries.first { !$0.isEnter && $0.users.contains("left") }
            )
            #expect(exit.tick * 1000 >= asked + 12_000)
            #expect(try daemon.status()?.partitions.map(\.state) == ["live", "live"])
            try await daemon.stop()
            try await broker.stop()
        }

        @Test("an offset beyond Kafka's end halts its partition, and its state stays as it is")
        func offsetBeyond() async throws {
            let first = try Broker()
            let receiver = try Receiver()
            try await first.createTopic(partitions: 2)
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: first.address, properties: first.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([viewers])
            let publisher = try Publisher(first.address)
            for number in 0..<7 {
                try await publisher.event("view", of: "u\(number)", partition: 1)
            }
            try await publisher.flush()
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["viewers"]?.count == 7)
            try await daemon.stop()
            try await first.stop()

            // A Kafka of the same name with fewer records.
            let second = try Broker()
            try await second.createTopic(partitions: 2)
            let other = try Publisher(second.address)
            for number in 0..<3 { try await other.event("view", of: "v\(number)", partition: 1) }
            try await other.flush()
            try daemon.configure(kafka: second.address, properties: second.properties)
            try daemon.start()
            try await eventually("it is halted") {
                try daemon.readiness()?.reasons.contains {
                    $0.contains("partition 1 halted") && $0.contains("offset 7")
                        && $0.contains("beyond the end") && $0.contains("0 to 3")
                } ?? false
            }
            try await other.event("view", of: "zero", partition: 0)
            try await eventually("the other partition goes on") {
                receiver.deliveries.members()["viewers"]?.contains("zero") ?? false
            }
            #expect(!receiver.deliveries.contains { !$0.isEnter })
            #expect(!receiver.deliveries.contains { $0.users.contains("v0") })
            try await daemon.stop()

            // As long as the other was, it is still another one.
            for number in 3..<12 { try await other.event("view", of: "v\(number)", partition: 1) }
            try await other.flush()
            try daemon.start()
            try await eventually("it is halted") {
                try daemon.readiness()?.reasons.contains {
                    $0.contains("partition 1 halted: log_diverged") && $0.contains("0 to 12")
                } ?? false
            }
            let wrong = try await daemon.ask("kafka", "rebase", "events/1", "--at", "13")
            #expect(wrong.ending == .exited(1))
            let rebase = try await daemon.ask("kafka", "rebase", "events/1", "--at", "2")
            #expect(rebase.output == "events/1 goes on at offset 2; it stood at 7\n")
            try await daemon.ready()
            try await eventually("it goes on, and nobody left") {
                receiver.deliveries.members()["viewers"]?.count == 7 + 10 + 1
            }
            #expect(!receiver.deliveries.contains { !$0.isEnter })
            try await daemon.stop()
            try await second.stop()
        }
    }
}
