import Basics
import Foundation
import Glibc
import Testing

@testable import Daemon

extension DaemonStateTests {
    /// What happens to a topic, not what a broker of some version says of it: once is enough.
    @Suite(
        "on bad days of its topic",
        .enabled(if: Broker.kafkaHome != nil, "KAFKA_HOME is not set")
    )
    struct TopicLifeTests {
        @Test(
            "a topic that is missing, deleted or made anew halts what it must, until a person says how it goes on"
        )
        func topicLife() async throws {
            let broker = try await Broker.apache()
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            try daemon.configure(kafka: broker.address)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([(id: "viewers", users: "{performed: {event: view, last: 1h}}")])
            func publish(_ name: String, _ count: Int, partition: Int32 = 0) async throws {
                let publisher = try Publisher(broker.address)
                for number in 0..<count {
                    try await publisher.event("view", of: "\(name)-\(number)", partition: partition)
                }
                try await publisher.flush()
            }
            func reasons() throws -> String {
                try daemon.readiness()?.reasons.joined(separator: "\n") ?? ""
            }

            func errors() -> String { "\(daemon.program?.errorLines.suffix(4) ?? [])" }

            // Missing at the start: waited for, never made.
            let program = try daemon.start()
            try await eventually("it waits for the topic") {
                try reasons().contains("topic events does not exist")
            }
            let early = try await daemon.ask("kafka", "rebase", "events")
            #expect(early.ending == .exited(69))
            try await broker.createTopic(partitions: 1)
            try await daemon.ready()
            try await publish("old", 3)
            try await daemon.settled(at: wallClock())
            let idle = try await daemon.ask("kafka", "rebase", "events/0")
            #expect(idle.ending == .exited(1))
            #expect(idle.errors.contains("events/0 is not halted"))
            #expect(try await daemon.ask("kafka", "rebase", "others").ending == .exited(1))

            // Partitions that are added are not read before a person says so.
            try await broker.addPartitions(to: "events", count: 2)
            try await eventually("the new partition is told") {
                try reasons().contains("events/1 came after the state was made")
            }
            #expect(program.errors.contains("partitions_added"))
            // One of those who are looked at for being in two partitions.
            let twin = try #require(
                (0...100_000).lazy.map { "twin\($0)" }.first {
                    "\($0)-0".withByteView { SplitUsers.sampled($0) } != nil
                }
            )
            try await publish("moved", 2, partition: 1)
            try await publish(twin, 1, partition: 1)
            try await publish(twin, 1, partition: 0)
            try await publish("stayed", 1, partition: 0)
            #expect(try daemon.metric("cohortd_users_split") == 0)
            try await eventually("the old partition goes on") {
                receiver.deliveries.members()["viewers"]?.contains("stayed-0") ?? false
            }
            #expect(!receiver.deliveries.contains { $0.users.contains("moved-0") })
            try await daemon.stop()
            try daemon.start()
            try await eventually("it is not read after a restart either") {
                try reasons().contains("events/1 came after the state was made")
            }
            try await eventually("the old partition is live") {
                try daemon.status()?.partitions.map(\.state) == ["live"]
            }
            let begun = try await daemon.ask("kafka", "rebase", "events/1")
            #expect(begun.output == "events/1 goes on at offset 0\n", "\(begun.errors)")
            try await daemon.ready()
            try await eventually("the new partition is read") {
                receiver.deliveries.members()["viewers"]?.contains("moved-1") ?? false
            }

            try await eventually("a user in two partitions is noticed") {
                try daemon.metric("cohortd_users_split") == 256
            }
            #expect(try #require(daemon.program).errors.contains("users_split: about 256 users"))

            // Deleted while it runs, and made anew with more records than there were.
            try await broker.deleteTopic("events")
            try await eventually("it is halted: \(errors())") {
                try reasons().contains("partition 0 halted")
            }
            #expect(try await daemon.ask("kafka", "rebase", "events/0").ending == .exited(1))
            try await broker.createTopic(partitions: 2)
            try await publish("new", 20)
            try await eventually("it is told that the log is another one: \(errors())") {
                try reasons().contains("partition 0 halted: log_diverged")
            }
            #expect(!receiver.deliveries.contains { $0.users.contains("new-0") || !$0.isEnter })
            let rebased = try await daemon.ask("kafka", "rebase", "events")
            #expect(rebased.ending == .exited(0), "\(rebased.errors)")
            #expect(rebased.output.contains("events/0 goes on at offset 0; it stood at 5\n"))
            try await daemon.ready()
            try await eventually("the new log is read, and nobody of the old one left") {
                receiver.deliveries.members()["viewers"]?.count == 27
            }
            #expect(try daemon.status()?.partitions.map(\.state) == ["degraded", "degraded"])
            #expect(!receiver.deliveries.contains { !$0.isEnter })

            // What was decided is durable.
            try await daemon.program?.killHard()
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["viewers"]?.count == 27)
            try await daemon.stop()
            try await broker.stop()
        }

        @Test("on_gap: accept goes on behind what Kafka deleted while the daemon was away")
        func acceptedGap() async throws {
            let broker = try await Broker.apache()
            try await broker.createTopic(partitions: 1, settings: ["cleanup.policy=compact,delete"])
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            try daemon.configure(kafka: broker.address, kafkaMore: "on_gap: accept")
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([
                (id: "hour", users: "{performed: {event: view, last: 1h}}"),
                (id: "ever", users: "{performed: {event: view}}"),
            ])
            let publisher = try Publisher(broker.address)
            for number in 0..<20 {
                if number == 10 {
                    try await publisher.flush()
                    try await daemon.startReady()
                    try await daemon.settled(at: wallClock())
                    let program = try #require(daemon.program)
                    #expect(program.errors.contains("topic_compacted"))
                    try await daemon.stop()
                }
                try await publisher.event("view", of: "user-\(number)")
            }
            try await publisher.flush()
            try await broker.deleteRecords(topic: "events", partition: 0, before: 15)
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            let program = try #require(daemon.program)
            let line = try #require(program.errorLines.first { $0.contains("are lost") })
            #expect(line.contains("offsets 10 to 14 of events/0"))
            #expect(line.contains("hour until") && line.contains("ever for good"))
            let members = receiver.deliveries.members()
            #expect(members["hour"]?.count == 15)
            #expect(try daemon.status()?.partitions.map(\.state) == ["degraded"])
            #expect(!receiver.deliveries.contains { !$0.isEnter })
            try await daemon.stop()
            try await broker.stop()
        }
    }
}
