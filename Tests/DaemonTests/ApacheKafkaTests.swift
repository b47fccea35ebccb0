import Foundation
import Glibc
import Testing

@testable import Kafka

extension DaemonStateTests {
    /// What only Apache Kafka can show: records that are deleted, markers of transactions, static members.
    @Suite("on Apache Kafka", .enabled(if: Broker.kafkaHome != nil, "KAFKA_HOME is not set"))
    struct ApacheKafkaTests {
        private let viewers = (id: "viewers", users: "{performed: {event: view, last: 1h}}")

        /// Runs a test with a broker of its own.
        private func withBroker(_ body: (Broker) async throws -> Void) async throws {
            let broker = try await Broker.apache()
            do {
                try await body(broker)
            } catch {
                try await broker.stop()
                throw error
            }
            try await broker.stop()
        }

        @Test(
            "a partition whose next records are deleted while it runs is halted, with what Kafka has"
        )
        func deletedWhileRunning() async throws {
            try await withBroker { broker in
                try await broker.createTopic(partitions: 2)
                let daemon = try DaemonUnderTest()
                let receiver = try Receiver()
                try daemon.configure(kafka: broker.address)
                try daemon.webhook(url: receiver.url)
                try daemon.cohorts([viewers])
                let publisher = try Publisher(broker.address)
                for number in 0..<4 {
                    try await publisher.event("view", of: "early-\(number)", partition: 0)
                }
                try await publisher.flush()
                try await daemon.startReady()
                try await daemon.settled(at: wallClock())
                let program = try #require(daemon.program)
                // The records come and go while it cannot look.
                program.signal(SIGSTOP)
                // A fetch that waits at the broker is answered with the first; the rest is another batch.
                try await publisher.event("view", of: "unseen-0", partition: 0)
                try await publisher.flush()
                for number in 1..<6 {
                    try await publisher.event("view", of: "unseen-\(number)", partition: 0)
                }
                try await publisher.flush()
                try await broker.deleteRecords(topic: "events", partition: 0, before: 9)
                program.signal(SIGCONT)
                try await eventually("it is halted: \(program.errorLines.suffix(3))") {
                    try daemon.readiness()?.reasons.contains {
                        $0.contains("partition 0 halted") && $0.contains("9 to 10")
                    } ?? false
                }
                #expect(program.errors.contains("kafka_first=9"))
                try await publisher.event("view", of: "other", partition: 1)
                try await eventually("the other partition goes on") {
                    receiver.deliveries.members()["viewers"]?.contains("other") ?? false
                }
                #expect(!receiver.deliveries.contains { !$0.isEnter })
                // Whether a fetch waited when the daemon was stopped is not for the test to say.
                let stood = try #require(try daemon.status()?.partitions.first?.offset)
                #expect((4...5).contains(stood))
                let rebase = try await daemon.ask("kafka", "rebase", "events")
                #expect(rebase.output == "events/0 goes on at offset 9; it stood at \(stood)\n")
                try await daemon.ready()
                try await publisher.event("view", of: "next", partition: 0)
                try await eventually("it goes on behind the gap") {
                    receiver.deliveries.members()["viewers"]?.isSuperset(of: ["unseen-5", "next"])
                        ?? false
                }
                #expect(!receiver.deliveries.contains { !$0.isEnter })
                try await daemon.stop()
            }
        }

        @Test(
            "history deleted between two starts asks to be accepted, and a killed daemon is back at once"
        )
        func deletedBetween() async throws {
            try await withBroker { broker in
                try await broker.createTopic(partitions: 1)
                let daemon = try DaemonUnderTest()
                let receiver = try Receiver()
                try daemon.configure(kafka: broker.address)
                try daemon.webhook(url: receiver.url)
                try daemon.cohorts([viewers])
                let publisher = try Publisher(broker.address)
                for number in 0..<20 {
                    try await publisher.event(number < 10 ? "buy" : "view", of: "user-\(number)")
                }
                try await publisher.flush()
                try await daemon.startReady()
                try await daemon.settled(at: wallClock())
                try await eventually("a snapshot holds it") {
                    try daemon.metric(#"cohortd_snapshot_age_seconds{partition="0"}"#) != nil
                }
                try await daemon.program?.killHard()
                let began = ProcessInfo.processInfo.systemUptime
                try await daemon.startReady()
                // As a static member: the group does not wait for the dead one's session of 45 s.
                #expect(ProcessInfo.processInfo.systemUptime - began < 30)
                try await daemon.stop()

                try await broker.deleteRecords(topic: "events", partition: 0, before: 5)
                // Nothing that is kept depends on what Kafka still has.
                try await daemon.startReady()
                try await daemon.settled(at: wallClock())
                #expect(receiver.deliveries.members()["viewers"]?.count == 10)

                try daemon.cohorts([viewers, ("buyers", "{performed: {event: buy, last: 1h}}")])
                try await daemon.reload(until: "reload_refused")
                let program = try #require(daemon.program)
                #expect(program.errors.contains("the history that buyers needs is gone from Kafka"))
                #expect(!program.errors.contains("rebuild_started"))
                try await daemon.settled(at: wallClock())
                try await daemon.stop()

                let refused = try daemon.start()
                #expect(try await refused.end(within: 90) == .exited(78))
                #expect(refused.errors.contains("--accept-history buyers"))
                try await daemon.startReady(["--accept-history", "buyers"])
                try await daemon.settled(at: wallClock())
                let members = receiver.deliveries.members()
                #expect(members["buyers"] == Set((5..<10).map { "user-\($0)" }))
                #expect(members["viewers"]?.count == 10)
                try await daemon.stop()
            }
        }

        /// A daemon that the group forgets soon after it ended.
        private func member(
            of broker: Broker,
            _ receiver: Receiver
        ) throws -> DaemonUnderTest {
            let daemon = try DaemonUnderTest()
            try daemon.configure(
                kafka: broker.address,
                properties: ["session.timeout.ms": "6000"]
            )
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([viewers])
            return daemon
        }

        @Test("of two daemons started at once one reads the whole topic, and the other ends")
        func race() async throws {
            try await withBroker { broker in
                try await broker.createTopic(partitions: 2)
                let receiver = try Receiver()
                let publisher = try Publisher(broker.address)
                for number in 0..<4 { try await publisher.event("view", of: "user-\(number)") }
                try await publisher.flush()
                let daemons = try (0..<2).map { _ in try member(of: broker, receiver) }
                for daemon in daemons { try daemon.start() }
                try await eventually("one is gone", within: 120) {
                    daemons.count { $0.program?.isRunning == false } == 1
                }
                let gone = try #require(daemons.first { $0.program?.isRunning == false })
                let program = try #require(gone.program)
                #expect(try await program.end(within: 10) == .exited(75))
                #expect(program.errorLines.last?.contains("has another member") == true)
                let last = try #require(daemons.first { $0.program?.isRunning == true })
                try await last.ready()
                try await last.settled(at: wallClock())
                let states = try #require(try last.status()).partitions.map(\.state)
                #expect(states == ["live", "live"])
                #expect(receiver.deliveries.members()["viewers"]?.count == 4)
                #expect(receiver.deliveries.allSatisfy { $0.isEnter })
                try await last.stop()
            }
        }

        @Test("a second daemon is refused before it joins, and let in once the first is gone")
        func second() async throws {
            try await withBroker { broker in
                try await broker.createTopic(partitions: 2)
                let receiver = try Receiver()
                let first = try member(of: broker, receiver)
                let publisher = try Publisher(broker.address)
                for number in 0..<4 { try await publisher.event("view", of: "user-\(number)") }
                try await publisher.flush()
                try await first.startReady()
                try await first.settled(at: wallClock())
                let sent = receiver.deliveries.count

                let second = try member(of: broker, receiver)
                let refused = try second.start()
                #expect(try await refused.end(within: 60) == .exited(75))
                let text = try #require(refused.errorLines.last)
                #expect(
                    text.contains(
                        "consumer group cohortd has another member: cohortd of 127.0.0.1, instance cohortd-"
                    )
                )
                #expect(text.contains("wait 6 s"))
                // The first one never had to give anything away.
                try await first.settled(at: wallClock())
                let states = try #require(try first.status()).partitions.map(\.state)
                #expect(states == ["live", "live"])
                let errors = try #require(first.program).errors
                #expect(!errors.contains("kafka_partition_error") && !errors.contains("rebuild"))
                #expect(receiver.deliveries.count == sent)
                try await first.stop()

                // As a static member it is still in the group for its session.
                var program = try second.start()
                #expect(try await program.end(within: 60) == .exited(75))
                program = try second.start()
                try await eventually("it is let in", within: 60) {
                    if !program.isRunning { program = try second.start() }
                    return try second.readiness()?.ready ?? false
                }
                try await second.stop()
            }
        }

        @Test("markers of transactions at the end of history hide no record from a rebuild")
        func transactions() async throws {
            try await withBroker { broker in
                try await broker.createTopic(partitions: 1)
                let daemon = try DaemonUnderTest()
                let receiver = try Receiver()
                try daemon.configure(kafka: broker.address)
                try daemon.webhook(url: receiver.url)
                try daemon.cohorts([viewers])
                let producer = try Producer(
                    ProducerSettings(
                        properties: [
                            "bootstrap.servers": broker.address, "transactional.id": "shop",
                        ],
                        clientID: "tests"
                    ),
                    delivered: { _, _ in },
                    failed: { _ in },
                    log: { _ in }
                )
                try producer.initTransactions(timeoutMilliseconds: 30_000)
                /// One event in a transaction of its own; aborted ones never happened.
                func publish(_ type: String, of user: String, isAborted: Bool = false) throws {
                    try producer.beginTransaction()
                    let json =
                        #"{"user_id":"\#(user)","event_type":"\#(type)","insert_id":"\#(type)-\#(user)"}"#
                    try producer.send(
                        topic: "events",
                        key: Array(user.utf8),
                        value: Array(json.utf8)
                    )
                    try producer.flush(timeoutMilliseconds: 30_000)
                    if isAborted {
                        try producer.abortTransaction(timeoutMilliseconds: 30_000)
                    } else {
                        try producer.commitTransaction(timeoutMilliseconds: 30_000)
                    }
                }
                for number in 0..<5 { try publish("view", of: "user-\(number)") }
                try publish("buy", of: "user-0")
                try publish("view", of: "aborted", isAborted: true)
                try await daemon.startReady()
                try await daemon.settled(at: wallClock())
                #expect(receiver.deliveries.members()["viewers"]?.count == 5)
                // Seven records and a marker behind each.
                #expect(try daemon.status()?.partitions.first?.offset == 14)
                try await daemon.stop()

                try publish("view", of: "late")
                try daemon.cohorts([viewers, ("buyers", "{performed: {event: buy, last: 1h}}")])
                try await daemon.startReady()
                try await daemon.settled(at: wallClock())
                let members = receiver.deliveries.members()
                #expect(members["buyers"] == ["user-0"])
                #expect(members["viewers"]?.contains("late") ?? false)
                #expect(members["viewers"]?.count == 6)
                try await daemon.stop()
                _ = producer.close(timeoutMilliseconds: 10_000)
            }
        }
    }
}
