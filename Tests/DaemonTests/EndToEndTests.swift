import Foundation
import Testing

@Suite("From the producer to the receiver", .serialized)
struct EndToEndTests {
    @Test(
        "a recorded day, with the daemon killed in the middle, ends as the oracle says (in-process broker)"
    )
    func inProcess() async throws {
        let broker = try Broker()
        try await recordedDay(broker)
        try await broker.stop()
    }

    @Test(
        "a recorded day, with the daemon killed in the middle, ends as the oracle says (Apache Kafka)",
        .enabled(if: Broker.kafkaHome != nil, "KAFKA_HOME is not set")
    )
    func apacheKafka() async throws {
        let broker = try await Broker.apache()
        do {
            try await recordedDay(broker)
        } catch {
            try await broker.stop()
            throw error
        }
        try await broker.stop()
    }

    /// Publishes the day moved in time, so that its end falls on a tick, and compares what the receiver knows
    /// at that tick with the oracle.
    private func recordedDay(_ broker: Broker) async throws {
        let daemon = try DaemonUnderTest()
        let wiki = try await Wiki.read(scratch: daemon.path)
        #expect(wiki.events.count == 39_244)
        try await broker.createTopic(partitions: 4)
        let receiver = try Receiver()
        try daemon.configure(
            kafka: broker.address,
            tick: "10s",
            snapshot: "2s",
            properties: broker.properties
        )
        try daemon.webhook(url: receiver.url, timeout: "2s")
        try daemon.cohorts(Wiki.cohorts)
        let publisher = try Publisher(broker.address)

        let tick = (wallClock() + 90_000 + 9999) / 10_000 * 10_000
        let moved = tick - wiki.end
        try await daemon.startReady(within: 60)
        // As a stream, not as one heap: half of the day in several pieces, with ticks and snapshots between.
        let half = wiki.events.count / 2
        for (number, event) in wiki.events[..<half].enumerated() {
            try await publisher.send(key: event.user, value: event.json(movedBy: moved))
            if number % 2000 == 1999 { try await Task.sleep(for: .milliseconds(700)) }
        }
        let first = try #require(daemon.program)
        try await eventually("the first half begins to arrive", within: 30) {
            (try daemon.status()?.users ?? 0) > 1000
        }
        for event in wiki.events[half..<(half + 3000)] {
            try await publisher.send(key: event.user, value: event.json(movedBy: moved))
        }
        try await first.killHard()
        for event in wiki.events[(half + 3000)..<(half + 6000)] {
            try await publisher.send(key: event.user, value: event.json(movedBy: moved))
        }
        try daemon.start()
        for event in wiki.events[(half + 6000)...] {
            try await publisher.send(key: event.user, value: event.json(movedBy: moved))
        }
        try await publisher.flush()
        try #require(wallClock() < tick, "this machine is too slow: published only after the tick")

        try await sleep(until: tick)
        try await daemon.settled(at: tick, within: 120)
        let deliveries = receiver.deliveries
        let members = deliveries.members(until: tick)
        for (id, _) in Wiki.cohorts {
            let expected = try #require(wiki.members[id])
            let found = members[id] ?? []
            #expect(found.count == expected.count, "\(id)")
            #expect(found.subtracting(expected).sorted().prefix(5) == [], "\(id): too many")
            #expect(expected.subtracting(found).sorted().prefix(5) == [], "\(id): missing")
        }
        #expect(receiver.problems == [])
        #expect(deliveries.contradictions == [])
        let status = try #require(try daemon.status())
        #expect(status.partitions.map(\.state) == ["live", "live", "live", "live"])
        #expect(status.users == 10_531)
        try await daemon.stop()
    }
}
