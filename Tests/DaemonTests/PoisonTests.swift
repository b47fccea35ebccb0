import Basics
import Foundation
import Glibc
import Testing

extension DaemonTests {
    @Suite("given a record that ends the process")
    struct PoisonTests {
        private func letters(_ broker: Broker) async throws -> [TopicReader.Record] {
            try await TopicReader(broker, ("bad-ones", "nothing"), partitions: 1).first
        }

        @Test("the third time it is set aside, and the service recovers by itself")
        func recovers() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            try await broker.createTopic("bad-ones", partitions: 1)
            try await broker.createTopic("nothing", partitions: 1)
            let daemon = try DaemonUnderTest()
            // Every start reads all from the beginning.
            try daemon.configure(
                kafka: broker.address,
                snapshot: "1h",
                properties: broker.properties,
                kafkaMore: "dead_letter_topic: bad-ones"
            )
            try daemon.cohorts([("viewers", "{performed: {event: view, last: 1h}}")], to: [])
            let publisher = try Publisher(broker.address)
            for number in 0..<400 {
                try await publisher.event(
                    "view",
                    of: "user-\(number)",
                    partition: PartitionID(number % 4)
                )
            }
            try await publisher.flush()
            var program = try daemon.start(program: "crashing-daemon")
            try await daemon.ready()

            // The record that meets the bug, in the middle of good ones.
            let poison = #"{"user_id":"x","event_type":"view","time":"soon"}"#
            try await publisher.send(key: "x", value: Array(poison.utf8), partition: 1)
            for number in 400..<800 {
                try await publisher.event(
                    "view",
                    of: "user-\(number)",
                    partition: PartitionID(number % 4)
                )
            }
            try await publisher.flush()
            for time in 1...3 {
                if time > 1 { program = try daemon.start(program: "crashing-daemon") }
                guard case .killed = try await program.end(within: 90) else {
                    Issue.record("it did not crash: \(program.errorLines.suffix(5))")
                    return
                }
                #expect(program.errors.contains("reason=bad_time"))
            }

            program = try daemon.start(program: "crashing-daemon")
            try await daemon.ready()
            try await daemon.settled(at: wallClock())
            #expect(program.errors.contains("crash_set_aside"))
            #expect(program.errors.contains("topic=events partition=1 offset=100 times=3"))
            #expect(try daemon.members(of: "viewers").count == 800)
            #expect(try daemon.metric(#"cohortd_rejects_total{reason="crash"}"#) == 1)
            try await eventually("the dead letter") {
                program.errors.contains("reason=crash")
            }
            try await program.killHard()

            // It stays aside, although no snapshot is past it, and what is read again is rejected again.
            program = try daemon.start(program: "crashing-daemon")
            try await daemon.ready()
            try await daemon.settled(at: wallClock())
            #expect(try daemon.metric(#"cohortd_rejects_total{reason="crash"}"#) == 1)
            try await program.killHard()
            // At its end a daemon makes sure of its dead letters.
            try await daemon.startReady()
            try await daemon.stop()
            let letters = try await letters(broker)
            #expect(!letters.isEmpty)
            for letter in letters {
                #expect(letter.value == poison)
                #expect(letter.key == "x")
                #expect(letter.headers["cohortd-reason"] == "crash")
                #expect(letter.headers["cohortd-partition"] == "1")
                #expect(letter.headers["cohortd-offset"] == "100")
                #expect(letter.headers["cohortd-index"] == nil)
            }
            try await broker.stop()
        }
    }
}
