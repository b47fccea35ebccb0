import Basics
import Foundation
import Kafka
import Testing

extension DaemonTests {
    @Suite("given bad records")
    struct RejectTests {
        @Test("every bad record is counted by its reason, and what follows it is applied")
        func reasons() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            try daemon.configure(
                kafka: broker.address,
                properties: broker.properties,
                kafkaMore: "event_bytes_max: 64KiB",
                more: "limits: {users_max: 3}"
            )
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([("viewers", "{performed: {event: view, last: 1h}}")])
            let now = wallClock()
            let deep = String(repeating: "[", count: 70) + String(repeating: "]", count: 70)
            let bad: [(reason: String, value: [UInt8])] = [
                ("too_large", Array(repeating: 0x20, count: 70_000)),
                ("not_utf8", Array(#"{"user_id":"a","event_type":"view"}"#.utf8) + [0xff]),
                ("not_json", Array(#"{"user_id":"a","event_type":"view""#.utf8)),
                ("not_json", []),
                ("not_json", [0x1f, 0x8b, 0x08, 0x00, 0x00]),
                ("too_deep", Array(#"{"user_id":"a","event_type":"view","x":\#(deep)}"#.utf8)),
                (
                    "duplicate_key",
                    Array(#"{"user_id":"a","user_id":"a","event_type":"view"}"#.utf8)
                ),
                ("not_object", Array("[1]".utf8)),
                ("bad_type", Array(#"{"user_id":{},"event_type":"view"}"#.utf8)),
                ("missing_event_type", Array(#"{"user_id":"a"}"#.utf8)),
                ("missing_id", Array(#"{"event_type":"view"}"#.utf8)),
                ("bad_time", Array(#"{"user_id":"a","event_type":"view","time":"soon"}"#.utf8)),
                (
                    "future",
                    Array(
                        #"{"user_id":"a","event_type":"view","time":\#(now + 8 * 86_400_000)}"#.utf8
                    )
                ),
                // Of a batch, each element for itself.
                (
                    "missing_event_type",
                    Array(
                        #"{"events":[{"user_id":"batch","event_type":"view"},{"user_id":"b"}]}"#
                            .utf8
                    )
                ),
            ]
            let publisher = try Publisher(broker.address)
            for (_, value) in bad { try await publisher.send(key: "k", value: value, partition: 0) }
            // Tombstones are no rejects.
            try await publisher.send(key: "k", value: nil, partition: 0)
            try await publisher.send(key: nil, value: nil, partition: 0)
            for user in ["one", "two", "beyond"] {
                try await publisher.event("view", of: user, partition: 0)
            }
            // In another partition whatever bytes come.
            let seed: UInt64 = 7
            print("seed \(seed)")
            var generator = SeededGenerator(seed: seed)
            let fragments = [
                "{", "}", "[", "]", "\"", ":", ",", "user_id", "events", "\\u", "1e9", "\u{0}",
            ]
            for _ in 0..<400 {
                var value: [UInt8] = []
                for _ in 0..<generator.below(60) {
                    if generator.chance(percent: 50) {
                        value += Array(generator.pick(fragments).utf8)
                    } else {
                        value.append(UInt8(generator.below(256)))
                    }
                }
                try await publisher.send(key: nil, value: value, partition: 1)
            }
            try await publisher.event("view", of: "after", partition: 1)
            try await publisher.flush()

            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            var expected: [String: Double] = ["users_max": 1]
            for (reason, _) in bad { expected[reason, default: 0] += 1 }
            expected["not_json"] = nil
            for (reason, count) in expected where reason != "not_utf8" && reason != "not_object" {
                #expect(
                    try daemon.metric("cohortd_rejects_total{reason=\"\(reason)\"}") == count,
                    "\(reason)"
                )
            }
            let text = String(
                decoding: try #require(try daemon.get("/metrics")).body,
                as: UTF8.self
            )
            let sum = text.split(separator: "\n").filter { $0.hasPrefix("cohortd_rejects_total{") }
                .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
            func events(_ partition: Int, _ outcome: String) throws -> Double {
                try daemon.metric(
                    "cohortd_events_total{partition=\"\(partition)\",outcome=\"\(outcome)\"}"
                ) ?? 0
            }
            #expect(try events(0, "rejected") == Double(bad.count + 1))
            #expect(try events(0, "filtered") == 2)
            #expect(try events(0, "applied") == 3)
            #expect(try events(1, "rejected") == 400)
            #expect(try events(1, "applied") == 1)
            #expect(sum == Double(bad.count + 1 + 400))
            #expect(receiver.deliveries.members()["viewers"] == ["batch", "one", "two", "after"])
            // Said once a reason, without what the events hold.
            let lines = try #require(daemon.program).errorLines.filter {
                $0.contains("event_rejected")
            }
            #expect(lines.filter { $0.contains("reason=too_deep") }.count == 1)
            #expect(lines.filter { $0.contains("reason=users_max") }.count == 1)
            try await daemon.stop()
            try await broker.stop()
        }

        @Test(
            "records of odd shapes are read as any: no key, an empty one, a long one, a thousand headers"
        )
        func shapes() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 1)
            let daemon = try DaemonUnderTest()
            try daemon.configure(
                kafka: broker.address,
                properties: broker.properties,
                kafkaMore: "event_bytes_max: 64KiB"
            )
            try daemon.cohorts([("viewers", "{performed: {event: view, last: 1h}}")], to: [])
            let publisher = try Publisher(
                broker.address,
                compression: "none",
                properties: ["message.max.bytes": "4000000"]
            )
            /// An event of exactly so many bytes.
            func event(_ user: String, bytes: Int? = nil) -> [UInt8] {
                let head = #"{"user_id":"\#(user)","event_type":"view","pad":""#
                let length = max(0, (bytes ?? 0) - head.utf8.count - 2)
                return Array((head + String(repeating: "x", count: length) + #""}"#).utf8)
            }
            try await publisher.send(key: nil, value: event("no-key"))
            try await publisher.send(key: "", value: event("empty-key"))
            try await publisher.send(
                key: String(repeating: "k", count: 1 << 20),
                value: event("long-key")
            )
            try await publisher.send(
                key: "k",
                value: event("headers"),
                headers: (0..<1000).map { RecordHeader(name: "h\($0)", text: "v") }
            )
            try await publisher.send(key: "k", value: event("at-limit", bytes: 65_536))
            try await publisher.send(key: "k", value: event("beyond", bytes: 65_537))
            // More than one fetch takes of a partition.
            try await publisher.send(key: "k", value: event("far-beyond", bytes: 2 << 20))
            try await publisher.send(key: "", value: nil)
            try await publisher.send(key: "k", value: event("after"))
            try await publisher.flush()
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            #expect(
                try daemon.members(of: "viewers") == [
                    "after", "at-limit", "empty-key", "headers", "long-key", "no-key",
                ]
            )
            #expect(try daemon.metric(#"cohortd_rejects_total{reason="too_large"}"#) == 2)
            try await daemon.stop()
            try await broker.stop()
        }
    }
}
