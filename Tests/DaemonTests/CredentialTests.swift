import Foundation
import Testing

extension DaemonStateTests {
    @Suite("with a credential that the partner refuses")
    struct CredentialTests {
        private static let viewers = (
            id: "viewers", users: "{performed: {event: view, last: 1h}}"
        )

        private func publish(_ range: Range<Int>, to broker: Broker) async throws {
            let publisher = try Publisher(broker.address)
            for number in range {
                try await publisher.event(
                    "view",
                    of: "user-\(number)",
                    userProperties: #"{"email":"user-\#(number)@example.com"}"#
                )
            }
            try await publisher.flush()
        }

        // Lets the daemon be refused, once for nothing and once while the secret's file is replaced: files are looked
        // at each minute and after a refusal, and the second is waited for here. `attempts` says how many requests
        // came; from `replaceAtRefusal` on whoever refuses a request first replaces the file.
        private func beRefused(
            _ daemon: DaemonUnderTest,
            _ broker: Broker,
            sync: String,
            attempts: () -> Int,
            replaceAtRefusal: () -> Void
        ) async throws {
            try await publish(0..<20, to: broker)
            try await daemon.startReady()
            try await eventually("it is paused") { try daemon.sync(sync)?.state == "paused" }
            let paused = try #require(try daemon.sync(sync))
            #expect(paused.reason?.contains("answers 401") ?? false, "\(paused)")
            #expect(paused.skipped == 0 && paused.acknowledged == 0)
            try await publish(20..<25, to: broker)
            try await eventually("the new ones wait as well") {
                try daemon.sync(sync)?.pending == 25
            }
            try await daemon.ticks(2)
            #expect(attempts() == 1)

            replaceAtRefusal()
            let resume = try await daemon.ask("syncs", "resume", sync)
            #expect(resume.ending == .exited(0), "\(resume.errors)")
            try await eventually("everyone is told") { try daemon.sync(sync)?.acknowledged == 25 }
            try await daemon.settled(at: wallClock())
            let live = try #require(try daemon.sync(sync))
            #expect(live.state == "live" && live.reason == nil && live.skipped == 0, "\(live)")
            #expect(daemon.program?.errors.contains("secret_changed") ?? false)
        }

        @Test(
            "a template's key that is replaced in its file is used at once, and nobody is skipped"
        )
        func template() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let shop = try Shop(key: "key-two")
            let daemon = try DaemonUnderTest.telling(
                shop,
                key: "key-one",
                of: Self.viewers,
                through: broker
            )
            let replacement = Replacement("\(daemon.path)/shop-key", "key-two")
            try await beRefused(
                daemon,
                broker,
                sync: "viewers-shop",
                attempts: { shop.requests.count },
                replaceAtRefusal: {
                    shop.answer { request in
                        if request.authorization == "Bearer key-one" { replacement.perform() }
                        return nil
                    }
                }
            )
            #expect(shop.members == Set((0..<25).map { "user-\($0)@example.com" }))
            let requests = shop.requests
            #expect(
                requests.prefix(2).map(\.authorization) == ["Bearer key-one", "Bearer key-one"]
            )
            #expect(requests.dropFirst(2).allSatisfy { $0.authorization == "Bearer key-two" })
            #expect(requests.dropFirst(2).allSatisfy { $0.status < 300 })
            try await daemon.stop()
            try await broker.stop()
        }

        @Test("a webhook's secret that is replaced in its file signs at once, and nobody is lost")
        func webhook() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let daemon = try DaemonUnderTest()
            let other = "whsec_" + Data((0..<32).map { UInt8($0 * 5 + 1) }).base64EncodedString()
            let receiver = try Receiver(secrets: [Receiver.secret, other])
            receiver.answer { $0.signer == 0 ? .status(401) : .ok }
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([Self.viewers])
            let replacement = Replacement("\(daemon.path)/secret", other)
            try await beRefused(
                daemon,
                broker,
                sync: "viewers-receiver",
                attempts: { receiver.deliveries.count },
                replaceAtRefusal: {
                    receiver.answer { delivery in
                        guard delivery.signer == 0 else { return .ok }
                        replacement.perform()
                        return .status(401)
                    }
                }
            )
            let deliveries = receiver.deliveries
            #expect(deliveries.members()["viewers"] == Set((0..<25).map { "user-\($0)" }))
            #expect(deliveries.prefix(2).map(\.signer) == [0, 0])
            #expect(deliveries.dropFirst(2).allSatisfy { $0.signer == 1 })
            #expect(receiver.problems == [])
            #expect(deliveries.contradictions == [])
            try await daemon.stop()
            try await broker.stop()
        }

        /// Another content of a file, put in its place by whoever answers requests.
        private struct Replacement: Sendable {
            private let path: String
            private let text: String

            init(_ path: String, _ text: String) {
                self.path = path
                self.text = text
            }

            func perform() {
                do {
                    try text.write(toFile: path, atomically: true, encoding: .utf8)
                } catch {
                    Issue.record("\(path) cannot be replaced: \(error)")
                }
            }
        }
    }
}
