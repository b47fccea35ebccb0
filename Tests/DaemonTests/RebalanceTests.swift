import Foundation
import Testing

extension DaemonStateTests {
    @Suite("in a group with others")
    struct RebalanceTests {
        @Test("a rebuild whose partitions are taken away and given back applies nothing twice")
        func interruptedRebuild() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 2)
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            // Without dedupe an event applied twice would count twice. Small fetches make history last.
            let slowly = broker.properties.merging(["fetch.message.max.bytes": "2000"]) { $1 }
            try daemon.configure(
                kafka: broker.address,
                properties: slowly,
                more: "dedupe: {window: 0s}"
            )
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([("thrice", "{performed: {event: view, last: 1h, count: {gte: 3}}}")]
            )
            let publisher = try Publisher(broker.address, compression: "none")
            for number in 0..<1200 {
                let type = number % 3 == 2 ? "buy" : "view"
                try await publisher.event(
                    type,
                    of: "user-\(number / 3)",
                    partition: Int32(number / 3 % 2)
                )
                if number % 12 == 11 { try await publisher.flush() }
            }
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.isEmpty)
            let end = try #require(try daemon.status()).partitions.map(\.offset)
            #expect(end == [600, 600])
            try await daemon.stop()

            try daemon.cohorts([
                ("thrice", "{performed: {event: view, last: 1h, count: {gte: 3}}}"),
                ("buyers", "{performed: {event: buy, last: 1h}}"),
                ("twice", "{performed: {event: buy, last: 1h, count: {gte: 2}}}"),
            ])
            try daemon.start()
            try broker.setRoundTrip(milliseconds: 150)
            func isReadingHistory() throws -> Bool {
                guard let answer = try daemon.get("/v1/cohorts") else { return false }
                return String(decoding: answer.body, as: UTF8.self)
                    .contains(#""state":"building","percent""#)
            }
            try await eventually("history is being read") { try isReadingHistory() }
            let guest = try Guest(broker.address)
            try await eventually("a partition is taken away") {
                guest.poll()
                return try daemon.status()?.partitions.contains { $0.state == "assigned" } ?? false
            }
            #expect(try isReadingHistory(), "history was read before the other member came")
            try await eventually("the other member has its part") {
                guest.poll()
                return guest.hasPartitions
            }
            guest.leave()
            try broker.setRoundTrip(milliseconds: 0)
            try await daemon.ready()
            try await eventually("all of the history is read") { try !isReadingHistory() }
            try await daemon.settled(at: wallClock())
            let members = receiver.deliveries.members()
            #expect(members["buyers"]?.count == 400)
            #expect(members["twice"] == nil)
            #expect(members["thrice"] == nil)
            try await daemon.stop()
            try await broker.stop()
        }
    }
}
