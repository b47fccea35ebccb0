import Basics
import Foundation
import Glibc
import Testing

// Starting a daemon is mostly waiting for its group, so two rows of tests run beside each other, each one test
// at a time.

/// What a daemon does once it runs.
@Suite("The daemon", .serialized)
enum DaemonTests {}

/// What of a daemon survives.
@Suite("The daemon's state", .serialized)
enum DaemonStateTests {}

extension DaemonStateTests {
    @Suite("killed and stopped")
    struct CrashTests {
        private static let cohorts: [(id: String, users: String)] = [
            ("three-views", "{performed: {event: view, last: 1h, count: {gte: 3}}}"),
            (
                "left-behind",
                "{all: [{performed: {event: cart, last: 1h}}, {not: {performed: {event: buy, last: 1h}}}]}"
            ),
            ("just-now", #"{performed: {event: "*", last: 4s}}"#),
            ("big", "{performed: {event: buy, where: {price: {gte: 50}}, last: 1h}}"),
        ]

        @Test(
            "killed five times under load, the receiver ends with what a replay of all events says"
        )
        func kills() async throws {
            let seed: UInt64 = 20_260_105
            print("seed \(seed)")
            var generator = SeededGenerator(seed: seed)
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url, timeout: "1s")
            try daemon.cohorts(Self.cohorts)
            let publisher = try Publisher(broker.address)
            var lines = ""
            for round in 0..<6 {
                let program = try daemon.start()
                // From the first kill on, one hits the start, the joining, the catching up or the steady flow.
                let life =
                    Double(generator.number(in: round == 0 ? 6000...9000 : 500...9000)) / 1000
                let end = ProcessInfo.processInfo.systemUptime + life
                repeat {
                    for _ in 0..<100 {
                        let type = generator.pick(["view", "view", "cart", "buy"])
                        lines += try await publisher.event(
                            type,
                            of: "user-\(generator.below(400))",
                            properties: #"{"price":\#(generator.below(60))}"#
                        )
                        lines += "\n"
                    }
                    try await Task.sleep(for: .milliseconds(100))
                } while ProcessInfo.processInfo.systemUptime < end
                if round < 5 {
                    try #require(program.isRunning, "\(program.errorLines.suffix(5))")
                    try await program.killHard()
                }
            }
            try await publisher.flush()
            // After a quiet time nobody is in `just-now`, and nothing else moves any more.
            let quiet = wallClock() + 6000
            try await daemon.ready()
            try await sleep(until: quiet)
            try await daemon.settled(at: wallClock())
            let tick = try #require(try daemon.status()?.tickMilliseconds)
            let deliveries = receiver.deliveries
            let found = deliveries.members()
            let expected = try await replay(lines, at: tick, daemon)
            for (id, _) in Self.cohorts {
                #expect((found[id] ?? []).sorted() == expected[id] ?? [], "\(id)")
                #expect(try daemon.members(of: id) == expected[id] ?? [], "\(id)")
            }
            #expect(!(expected["three-views"] ?? []).isEmpty)
            #expect(deliveries.contains { $0.cohort == "just-now" })
            #expect(found["just-now"] == [])
            #expect(receiver.problems == [])
            #expect(deliveries.contradictions == [])
            try await daemon.stop()
            try await broker.stop()
        }

        /// What the same engine says of the same events read from a file.
        private func replay(
            _ lines: String,
            at tick: Int64,
            _ daemon: DaemonUnderTest
        ) async throws -> [String: [String]] {
            try daemon.write("events.jsonl", lines)
            let program = try Program(
                "cohortctl",
                [
                    "replay", "--cohorts", "\(daemon.path)/cohorts", "--events",
                    "\(daemon.path)/events.jsonl", "--at", "\(tick)", "--members", "-",
                ],
                folder: daemon.path
            )
            #expect(try await program.end(within: 60) == .exited(0), "\(program.errors)")
            struct Line: Decodable {
                var cohort: String
                var users: [String]
            }
            var members: [String: [String]] = [:]
            for text in program.output.split(separator: "\n") {
                let line = try JSONDecoder().decode(Line.self, from: Data(text.utf8))
                members[line.cohort] = line.users
            }
            return members
        }

        @Test("SIGTERM ends it in good order, and the next start goes on where it stopped")
        func terminated() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            // No snapshot falls due by itself: the one at the end has it all.
            try daemon.configure(
                kafka: broker.address,
                snapshot: "1h",
                properties: broker.properties
            )
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([("viewers", "{performed: {event: view, last: 1h}}")])
            let publisher = try Publisher(broker.address)
            for number in 0..<500 { try await publisher.event("view", of: "user-\(number)") }
            try await publisher.flush()
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["viewers"]?.count == 500)
            let before = try #require(try daemon.status())
            #expect(before.partitions.map(\.offset).reduce(0, +) == 500)

            let program = try #require(daemon.program)
            let began = ProcessInfo.processInfo.systemUptime
            program.signal(SIGTERM)
            #expect(try await program.end(within: 60) == .exited(0))
            #expect(ProcessInfo.processInfo.systemUptime - began < 30)

            let sent = receiver.deliveries.count
            for number in 500..<510 { try await publisher.event("view", of: "user-\(number)") }
            try await publisher.flush()
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            let after = try #require(try daemon.status())
            #expect(after.partitions.map(\.offset).reduce(0, +) == 510)
            #expect(after.users == 510)
            var applied = 0.0
            for partition in 0..<4 {
                applied +=
                    try daemon.metric(
                        "cohortd_events_total{partition=\"\(partition)\",outcome=\"applied\"}"
                    ) ?? 0
            }
            #expect(applied == 10)
            // Only who is new is told.
            let later = receiver.deliveries[sent...]
            #expect(Set(later.flatMap(\.users)) == Set((500..<510).map { "user-\($0)" }))
            #expect(later.allSatisfy { $0.isEnter })
            #expect(receiver.deliveries.contradictions == [])
            try await daemon.stop()
            try await broker.stop()
        }
    }
}
