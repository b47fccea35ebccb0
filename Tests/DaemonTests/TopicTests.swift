import Basics
import Foundation
import Testing

extension DaemonStateTests {
    @Suite("with topics as destinations")
    struct TopicTests {
        /// The value of a record of `kafka-topic`.
        private struct Change: Decodable, Equatable {
            var tick: String
            var cohort: String
            var user: String
            var op: String
            var partition: Int
            var seq: Int
        }

        private func publish(
            _ range: Range<Int>,
            _ broker: Broker,
            event: String = "view"
        ) async throws {
            let publisher = try Publisher(broker.address)
            for number in range { try await publisher.event(event, of: "user-\(number)") }
            try await publisher.flush()
        }

        @Test(
            "records are numbered without a gap, a killed daemon repeats one batch at most, and the table ends as the cohort"
        )
        func killed() async throws {
            let broker = try Broker()
            for topic in ["events", "changes", "members"] {
                try await broker.createTopic(topic, partitions: 4)
            }
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.write(
                "destinations/topics.yaml",
                """
                id: topic
                template: kafka-topic
                settings: {topic: changes}
                ---
                id: table
                template: kafka-table
                settings: {topic: members}
                """
            )
            try daemon.cohorts([DaemonUnderTest.guests], to: ["topic", "table"])
            try await publish(0..<300, broker)
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())

            // Killed as soon as the first of the next changes may be on their way.
            try await publish(300..<400, broker)
            try await publish(0..<50, broker, event: "leave")
            try await eventually("some of them leave") {
                try daemon.sync("guests-topic").map {
                    $0.pending > 0 || $0.since_start.delivered > 300
                } ?? false
            }
            try await #require(daemon.program).killHard()
            try await publish(400..<420, broker)
            try await publish(50..<60, broker, event: "leave")
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            let members = Set(try daemon.members(of: "guests"))
            #expect(members == Set((60..<420).map { "user-\($0)" }))
            try await daemon.stop()

            let topics = try await TopicReader(broker, ("changes", "members"), partitions: 4)
            try expectNumbered(topics.first, members)
            expectTable(topics.second, members)
            try await broker.stop()
        }

        /// What a reader of the changes relies on.
        private func expectNumbered(_ records: [TopicReader.Record], _ members: Set<String>) throws
        {
            var changes: [Int: [Int: Change]] = [:]
            var last: [String: Change] = [:]
            var repeated = 0
            for record in records {
                let value = try #require(record.value)
                let change = try JSONDecoder().decode(Change.self, from: Data(value.utf8))
                #expect(record.key == "guests|\(change.user)")
                #expect(change.cohort == "guests")
                #expect(milliseconds(change.tick).map { $0 % 1000 == 0 } ?? false)
                if let known = changes[change.partition]?[change.seq] {
                    // The number of a record names one record for ever.
                    #expect(known == change)
                    repeated += 1
                } else {
                    changes[change.partition, default: [:]][change.seq] = change
                }
                // As the page tells readers to: what is not above the last number of a key is dropped.
                if let known = last[record.key], known.seq >= change.seq { continue }
                last[record.key] = change
            }
            #expect(changes.keys.sorted() == [0, 1, 2, 3])
            for (partition, numbered) in changes {
                #expect(
                    numbered.keys.sorted() == Array(1...numbered.count),
                    "partition \(partition)"
                )
            }
            // Everyone came and sixty left. Who is told twice is told the same: a batch of which nobody knows what
            // became of it is planned anew where one of its users changed.
            var stories: [String: [String]] = [:]
            for change in changes.values.flatMap({ $0.values }).sorted(by: { $0.seq < $1.seq })
            where stories[change.user]?.last != change.op {
                stories[change.user, default: []].append(change.op)
            }
            #expect(stories.count == 420)
            let odd = stories.filter { $0.value != ["enter"] && $0.value != ["enter", "exit"] }
            #expect(
                odd.isEmpty,
                "\(odd.count) users come and go, such as \(odd.first?.value ?? [])"
            )
            #expect(repeated <= 150, "\(repeated) records repeat")
            let told = Set(last.values.filter { $0.op == "enter" }.map(\.user))
            #expect(told == members)
        }

        /// What a reader of the table has when it read all of it.
        private func expectTable(_ records: [TopicReader.Record], _ members: Set<String>) {
            var table: [String: String] = [:]
            var places: [String: Int32] = [:]
            for record in records {
                table[record.key] = record.value
                #expect(places[record.key] ?? record.partition == record.partition)
                places[record.key] = record.partition
            }
            #expect(Set(table.keys) == Set(members.map { "guests|\($0)" }))
            #expect(table.values.allSatisfy { $0.hasPrefix(#"{"tick":""#) })
            #expect(records.contains { $0.value == nil })
        }
    }
}
