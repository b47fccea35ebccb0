import Basics
import Foundation
import Glibc
import TestKit
import Testing

/// What must hold whatever is killed, on Apache Kafka and under load: the receiver has who the oracle says.
@Suite("Under load", .serialized, .enabled(if: Broker.kafkaHome != nil, "KAFKA_HOME is not set"))
struct ProofTests {
    /// Runs a test with a broker, a receiver and a daemon of its own.
    private func prove(
        seed: UInt64,
        properties: [String: String] = [:],
        _ body: (Broker, DaemonUnderTest, Receiver, OracleLoad) async throws -> Void
    ) async throws {
        print("seed \(seed)")
        let broker = try await Broker.apache()
        do {
            try await broker.createTopic(partitions: 4)
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            try daemon.configure(kafka: broker.address, properties: properties)
            try daemon.webhook(url: receiver.url, timeout: "1s")
            try daemon.cohorts(OracleLoad.cohorts)
            let load = OracleLoad(
                try Publisher(broker.address, properties: ["reconnect.backoff.max.ms": "500"]),
                seed: seed
            )
            try await body(broker, daemon, receiver, load)
            // From here on no event is ahead any more, so that ticks change nothing but who was in just now.
            let end = wallClock() + OracleLoad.aheadMax
            try await load.settled(daemon, receiver, at: end)
            for (id, members) in load.members(at: [end])[end] ?? [:] where id != "just-now" {
                #expect(Set(try daemon.members(of: id)) == members, "\(id)")
            }
            try await daemon.stop()
            let deliveries = receiver.deliveries
            #expect(load.falsehoods(deliveries) == [])
            // Were the oracle blind, the contrary would be as true.
            let contrary = deliveries.prefix(20).map {
                var delivery = $0
                delivery.isEnter.toggle()
                return delivery
            }
            #expect(!load.falsehoods(contrary).isEmpty)
            #expect(deliveries.contradictions == [])
            #expect(receiver.problems == [])
            // Or the load asked nothing.
            for (id, _) in OracleLoad.cohorts {
                #expect(deliveries.contains { $0.cohort == id && $0.isEnter }, "\(id)")
            }
            for id in ["left-behind", "just-now"] {
                #expect(deliveries.contains { $0.cohort == id && !$0.isEnter }, "\(id)")
            }
            print(
                "\(load.eventCount) events, \(load.late.count) users late, \(deliveries.count) messages"
            )
        } catch {
            try await broker.stop()
            throw error
        }
        try await broker.stop()
    }

    /// Twenty kills of a normal run are a hundred of a nightly one.
    @Test(
        "killed twenty times at random moments, the daemon's receiver has who the oracle says every time",
        arguments: Array(Seeds(1, from: 20_261_122))
    )
    func daemonKilled(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        try await prove(seed: seed) { broker, daemon, receiver, load in
            for kill in 1...20 {
                let program = try daemon.start()
                if kill > 1, generator.chance(percent: 40) {
                    // While it starts, joins, or catches up.
                    try await load.run(milliseconds: generator.number(in: 20...1500))
                } else {
                    while try daemon.readiness()?.ready != true {
                        try #require(program.isRunning, "\(program.errorLines.suffix(5))")
                        try await load.step()
                    }
                    try await load.settled(daemon, receiver, at: wallClock())
                    try await load.run(milliseconds: generator.number(in: 100...2000))
                }
                try #require(program.isRunning, "kill \(kill): \(program.errorLines.suffix(5))")
                if generator.chance(percent: 20) {
                    // While it stops.
                    program.signal(SIGTERM)
                    usleep(UInt32(generator.number(in: 0...300_000)))
                }
                try await program.killHard()
            }
            try await daemon.startReady()
        }
    }

    @Test("its broker killed three times, the daemon loses and repeats nothing")
    func brokerKilled() async throws {
        let seed: UInt64 = 20_261_123
        var generator = SeededGenerator(seed: seed)
        try await prove(seed: seed) { broker, daemon, receiver, load in
            try await daemon.startReady()
            let process = try #require(daemon.program).process
            for _ in 1...3 {
                try await load.run(milliseconds: generator.number(in: 500...2000))
                try await load.settled(daemon, receiver, at: wallClock())
                let before = try await load.publish()
                try await broker.killHard()
                // Producers wait with what they have; only of some users, or all would be late.
                let meanwhile = try await load.publish(of: 0..<40)
                usleep(UInt32(generator.number(in: 0...1_000_000)))
                try await broker.resume()
                try await load.publisher.flush()
                load.noteLate(before + meanwhile)
                try await daemon.ready()
            }
            #expect(daemon.program?.process == process)
            #expect(daemon.program?.isRunning == true)
            try await load.settled(daemon, receiver, at: wallClock())
            #expect(receiver.deliveries.repetitions == [])
        }
    }

    @Test(
        "a member that slips into the group and leaves, and a stop longer than the session, cost no false exit and no delta"
    )
    func guest() async throws {
        let quick = ["session.timeout.ms": "6000", "heartbeat.interval.ms": "500"]
        try await prove(seed: 20_261_124, properties: quick) { broker, daemon, receiver, load in
            try await daemon.startReady()
            // One that leaves in good order, and one that dies.
            for instance in [nil, "another-daemon"] {
                try await load.run(milliseconds: 500)
                try await load.settled(daemon, receiver, at: wallClock())
                let guest = try Guest(broker.address, instance: instance)
                try await eventually("a partition is taken away") {
                    guest.poll()
                    guard guest.hasPartitions, let status = try daemon.status() else {
                        return false
                    }
                    return status.partitions.contains { $0.state == "assigned" }
                }
                // Time goes by for users whose partition is away.
                try await load.run(milliseconds: 5500) { guest.poll() }
                #expect(try daemon.readiness()?.ready == false)
                guest.leave()
                try await load.run(milliseconds: 500)
                try await daemon.ready()
                try await load.settled(daemon, receiver, at: wallClock())
                #expect(receiver.deliveries.repetitions == [])
            }
            // Thrown out of the group while it stands still, it sends nothing that is not so when it goes on.
            let program = try #require(daemon.program)
            program.signal(SIGSTOP)
            try await load.run(milliseconds: 8000)
            program.signal(SIGCONT)
            try await load.run(milliseconds: 500)
            try await daemon.ready()
            try await load.settled(daemon, receiver, at: wallClock())
            #expect(!program.errors.contains("rebuild"))
        }
    }
}
