import Foundation
import Testing

extension DaemonTests {
    @Suite("with destinations that fail")
    struct DeliveryTests {
        private let viewers = (id: "viewers", users: "{performed: {event: view, last: 1h}}")

        private func daemon(_ broker: Broker) async throws -> DaemonUnderTest {
            try await broker.createTopic(partitions: 4)
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            return daemon
        }

        private func publish(_ range: Range<Int>, to broker: Broker) async throws {
            let publisher = try Publisher(broker.address)
            for number in range { try await publisher.event("view", of: "user-\(number)") }
            try await publisher.flush()
        }

        private func users(_ range: Range<Int>) -> Set<String> {
            Set(range.map { "user-\($0)" })
        }

        @Test(
            "a receiver that fails, is overloaded and redirects loses nobody once it answers again"
        )
        func failing() async throws {
            let broker = try Broker()
            let daemon = try await daemon(broker)
            let receiver = try Receiver()
            let elsewhere = try Receiver()
            let count = Locked(0)
            let redirect = elsewhere.url
            receiver.answer { _ in
                let number = count.withLock { count -> Int in
                    count += 1
                    return count
                }
                switch number {
                case 1: return .status(500)
                case 2: return .status(503, headers: [("Retry-After", "2")])
                case 3: return .status(301, headers: [("Location", redirect)])
                default: return .ok
                }
            }
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([viewers])
            try await publish(0..<50, to: broker)
            try await daemon.startReady()
            try await eventually("it says why nothing gets through") {
                try daemon.sync("viewers-receiver")?.reason != nil
            }
            // It is degraded only after a day of this.
            #expect(try daemon.status()?.state(of: "viewers-receiver") == "initial")
            try await publish(50..<60, to: broker)
            try await eventually("everyone is told", within: 120) {
                receiver.deliveries.members()["viewers"] == users(0..<60)
            }
            try await daemon.settled(at: wallClock())
            #expect(try daemon.status()?.state(of: "viewers-receiver") == "live")
            let deliveries = receiver.deliveries
            #expect(deliveries.prefix(3).map(\.status) == [500, 503, 301])
            // What was refused comes again as it was.
            #expect(Set(deliveries.prefix(4).map(\.messageID)).count == 1)
            // Retry-After in whole seconds.
            if deliveries.count > 2 { #expect(deliveries[2].at - deliveries[1].at >= 1900) }
            #expect(elsewhere.deliveries.isEmpty && elsewhere.problems.isEmpty)
            #expect(receiver.problems == [])
            #expect(deliveries.contradictions == [])
            try await daemon.stop()
            try await broker.stop()
        }

        @Test(
            "a refusal holds the sync, also over a restart, which tries once",
            arguments: [(401, "paused"), (410, "failed")]
        )
        func refusing(status: Int, state: String) async throws {
            let broker = try Broker()
            let daemon = try await daemon(broker)
            let receiver = try Receiver()
            let other = try Receiver()
            receiver.answer { _ in .status(status) }
            try daemon.webhook(url: receiver.url)
            try daemon.webhook("other", url: other.url)
            try daemon.cohorts([viewers], to: ["receiver", "other"])
            try await publish(0..<20, to: broker)
            try await daemon.startReady()
            try await eventually("it is \(state)") {
                try daemon.status()?.state(of: "viewers-receiver") == state
            }
            #expect(daemon.program?.errors.contains("viewers-receiver") ?? false)
            try await publish(20..<30, to: broker)
            try await eventually("the other goes on") {
                other.deliveries.members()["viewers"] == users(0..<30)
            }
            let attempts = receiver.deliveries.count
            try await daemon.stop()
            #expect(receiver.deliveries.count == attempts)

            try await daemon.startReady()
            try await eventually("it is tried once and \(state) again") {
                try receiver.deliveries.count > attempts
                    && daemon.status()?.state(of: "viewers-receiver") == state
            }
            let tick = wallClock() + 2000
            try await publish(30..<40, to: broker)
            try await eventually("two more ticks") {
                (try daemon.status()?.tickMilliseconds ?? 0) > tick
            }
            #expect(receiver.deliveries.count == attempts + 1)
            try await daemon.stop()

            receiver.answer { _ in .ok }
            try await daemon.startReady()
            try await eventually("everyone is told") {
                receiver.deliveries.members()["viewers"] == users(0..<40)
            }
            try await eventually("it is live") {
                try daemon.status()?.state(of: "viewers-receiver") == "live"
            }
            #expect(other.deliveries.members()["viewers"] == users(0..<40))
            #expect(receiver.deliveries.contradictions == [])
            try await daemon.stop()
            try await broker.stop()
        }

        @Test("a receiver that never answers delays no other destination and no stop")
        func hanging() async throws {
            let broker = try Broker()
            let daemon = try await daemon(broker)
            let receiver = try Receiver()
            receiver.answer { _ in .silence(seconds: 30) }
            try daemon.webhook(url: receiver.url, timeout: "1s")
            let file = "\(daemon.path)/deltas.jsonl"
            try daemon.write(
                "destinations/file.yaml",
                "id: file\ntemplate: file\nsettings: {path: \(file)}\n"
            )
            try daemon.cohorts([viewers], to: ["receiver", "file"])
            try await publish(0..<30, to: broker)
            try await daemon.startReady()
            try await eventually("the file has everyone") {
                try Set(records(file).map(\.user)) == users(0..<30)
            }
            try await eventually("the request times out") {
                try daemon.sync("viewers-receiver")?.since_start.unknown ?? 0 > 0
            }
            try await publish(30..<40, to: broker)
            try await eventually("the file goes on") {
                try Set(records(file).map(\.user)) == users(0..<40)
            }
            let lines = try records(file)
            #expect(lines.count == 40)
            #expect(lines.allSatisfy { $0.cohort == "viewers" && $0.op == "enter" })
            #expect(lines.allSatisfy { milliseconds($0.tick).map { $0 % 1000 == 0 } ?? false })
            // The bytes of a line are fixed: keys in this order, no spaces.
            let first = try #require(lines.first)
            #expect(
                first.text
                    == #"{"tick":"\#(first.tick)","cohort":"viewers","user":"\#(first.user)","op":"enter"}"#
            )
            let attributes = try FileManager.default.attributesOfItem(atPath: file)
            #expect(attributes[.posixPermissions] as? Int == 0o640)
            let began = ProcessInfo.processInfo.systemUptime
            try await daemon.stop()
            #expect(ProcessInfo.processInfo.systemUptime - began < 30)
            receiver.stop()
            try await broker.stop()
        }

        private struct Record: Decodable {
            var tick: String
            var cohort: String
            var user: String
            var op: String
            var text = ""

            private enum CodingKeys: CodingKey {
                case tick, cohort, user, op
            }
        }

        /// The delta records of a file; none while there is no file.
        private func records(_ path: String) throws -> [Record] {
            guard FileManager.default.fileExists(atPath: path) else { return [] }
            let text = String(
                decoding: try Data(contentsOf: URL(fileURLWithPath: path)),
                as: UTF8.self
            )
            let whole = text[..<(text.lastIndex(of: "\n") ?? text.startIndex)]
            return try whole.split(separator: "\n").map {
                var record = try JSONDecoder().decode(Record.self, from: Data($0.utf8))
                record.text = String($0)
                return record
            }
        }
    }
}
