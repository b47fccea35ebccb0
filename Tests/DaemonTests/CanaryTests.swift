import Basics
import Foundation
import HTTPAPI
import Testing

extension DaemonStateTests {
    @Suite("with secrets and users that nobody may read")
    struct CanaryTests {
        /// What every secret, user id and e-mail of this test holds, in any case.
        private static let canary = "canary"
        private static let key = "canary-key-of-the-shop"
        private static let hookSecret = "whsec_CANARYcanaryCANARYcanaryCANARYcanary"
        private static let hookPath = "canary-token-in-a-path"
        private static let accessKey = "CANARYACCESSKEY"
        private static let secretKey = "canary/secret+key"

        /// A partner that answers with the status its path names, and repeats what it was told and what it knows.
        private final class Parrot: Sendable {
            private let server: HTTPServer
            private let heard: Locked<String>

            var address: String { "http://\(server.address)" }
            var text: String { heard.withLock { $0 } }

            init() throws {
                let heard = Locked("")
                self.heard = heard
                server = try HTTPServer(listen: ListenAddress(port: 0)) { request in
                    let said =
                        "\(request.target) \(request.headers.fields) "
                        + String(decoding: request.body, as: UTF8.self)
                    heard.withLock { $0 += said }
                    // Lists can be made, or users would never be named.
                    if request.path.last == "lists" {
                        return HTTPResponse(status: 201, body: Array(#"{"list":{"id":"7"}}"#.utf8))
                    }
                    let known: [String]
                    switch request.headers["authorization"] {
                    case nil: known = [hookSecret, hookPath]
                    case let text? where text.hasPrefix("Bearer "): known = [key]
                    default: known = [accessKey, secretKey]
                    }
                    let secrets = known.joined(separator: " ")
                    return HTTPResponse(
                        status: request.path.first.flatMap { Int($0) } ?? 403,
                        headers: [
                            ("X-Reason", secrets), ("Location", "https://\(key)/\(hookPath)"),
                        ],
                        body: Array(
                            "<Error><Code>AccessDenied</Code><Message>\(secrets) \(said)</Message></Error>"
                                .utf8
                        )
                    )
                }
            }

            deinit {
                server.stop()
            }
        }

        private func configure(_ daemon: DaemonUnderTest, _ parrot: Parrot, _ broker: Broker) throws
        {
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.write("secret", Self.hookSecret)
            for status in [302, 401, 500] {
                try daemon.write("url-\(status)", "\(parrot.address)/\(status)/\(Self.hookPath)")
                try daemon.webhook("hook-\(status)", url: "file:\(daemon.path)/url-\(status)")
                try daemon.shop(
                    "shop-\(status)",
                    url: "\(parrot.address)/\(status)",
                    key: Self.key
                )
            }
            try daemon.shop("nowhere", url: "https://shop.invalid/v1", key: Self.key)
            try daemon.write("access", Self.accessKey)
            try daemon.write("secret-key", Self.secretKey)
            try daemon.write(
                "destinations/objects.yaml",
                """
                id: objects
                template: s3-csv
                settings:
                  endpoint: \(parrot.address)
                  region: eu-central-1
                  bucket: exports
                  access_key: "file:\(daemon.path)/access"
                  secret_key: "file:\(daemon.path)/secret-key"
                allow_private: [127.0.0.0/8]
                ---
                id: topic
                template: kafka-topic
                settings:
                  topic: changes
                  properties:
                    security.protocol: sasl_plaintext
                    sasl.mechanisms: PLAIN
                    sasl.username: cohortd
                    sasl.password: "file:\(daemon.path)/secret-key"
                """
            )
            try daemon.cohorts(
                [DaemonUnderTest.guests],
                to: Self.failing.map { String($0.dropFirst("guests-".count)) } + ["topic"]
            )
            try daemon.write(
                "syncs/objects.yaml",
                "id: objects\nitem: {cohort: guests}\ndestination: objects\ncadence: on_demand\n"
            )
        }

        private static let failing =
            [302, 401, 500].flatMap { ["guests-hook-\($0)", "guests-shop-\($0)"] }
            + ["guests-nowhere"]

        @Test(
            "they are in no line of the log, no metric, no answer of the API and no output",
            arguments: ["text", "json"]
        )
        func hidden(format: String) async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let daemon = try DaemonUnderTest()
            let parrot = try Parrot()
            try configure(daemon, parrot, broker)
            let publisher = try Publisher(broker.address)
            for number in 0..<10 {
                try await publisher.event(
                    "view",
                    of: "Canary-user-\(number)",
                    userProperties: #"{"email":"canary-\#(number)@example.com"}"#
                )
            }
            // One that is rejected.
            try await publisher.send(
                key: "canary",
                value: Array(#"{"user_id":"canary","event_type":"view","time":"canary"}"#.utf8)
            )
            try await publisher.flush()
            let program = try daemon.start(["--set=log.format=\(format)"])
            try await daemon.ready()
            try await eventually("ten wait for a run") { try daemon.sync("objects")?.pending == 10 }
            let run = try await daemon.ask("syncs", "run", "objects")
            #expect(run.ending == .exited(0), "\(run.errors)")
            try await eventually("each of them fails") {
                try (Self.failing + ["objects"]).allSatisfy { try daemon.sync($0)?.reason != nil }
            }
            try await daemon.ticks(1)

            var texts = [
                "syncs run": run.output + run.errors
            ]
            for target in [
                "/metrics", "/readyz", "/v1/status", "/v1/syncs", "/v1/syncs/objects",
                "/v1/syncs/guests-hook-500", "/v1/syncs/guests-shop-401", "/v1/syncs/guests-topic",
            ] {
                let answer = try #require(try daemon.get(target))
                texts[target] = String(decoding: answer.body, as: UTF8.self)
            }
            for words in [
                ["syncs", "list"], ["syncs", "show", "objects"],
                ["syncs", "show", "guests-shop-302"], ["syncs", "list", "--output", "json"],
                ["status"],
            ] {
                let asked = try await daemon.ask(words)
                #expect(asked.ending == .exited(0), "\(asked.errors)")
                texts["\(words)"] = asked.output + asked.errors
            }
            for id in ["hook-500", "shop-401", "shop-302"] {
                let tried = try Program(
                    "cohortctl",
                    [
                        "destinations", "test", id, "--send", "--config",
                        "\(daemon.path)/cohortd.yaml",
                    ],
                    folder: daemon.path
                )
                #expect(try await tried.end(within: 60) == .exited(1), "\(tried.errors)")
                texts["test \(id)"] = tried.output + tried.errors
            }
            // In good order it would wait for the topic that does not answer.
            try await program.killHard()
            texts["stdout"] = program.output
            texts["stderr"] = program.errors

            for (name, text) in texts {
                #expect(!text.isEmpty || name == "stdout", "\(name)")
                let found = text.split(separator: "\n").first {
                    $0.lowercased().contains(Self.canary)
                }
                #expect(found == nil, "\(name)")
            }
            // All of it was there to be told.
            for secret in [Self.key, Self.hookPath, Self.accessKey, "Canary-user-3", "canary-3@"] {
                #expect(parrot.text.contains(secret), "\(secret)")
            }
            let list = try #require(texts["/v1/syncs"])
            for text in ["answers 401", "answers 500", "answers 302", "***"] {
                #expect(list.contains(text), "\(text): \(list)")
            }
            #expect(program.errors.contains("answers 500"))
            #expect(
                program.errorLines.allSatisfy { $0.hasPrefix("{") == (format == "json") },
                "\(program.errorLines.prefix(3))"
            )
            try await broker.stop()
        }

        @Test("a secret that stands in the configuration itself is refused and not repeated")
        func plain() async throws {
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: "127.0.0.1:1")
            try daemon.template("shop", Shop.template)
            try daemon.write(
                "destinations/plain.yaml",
                """
                id: hook
                template: webhook
                settings: {url: "https://hooks.example.com/a", secret: "\(Self.hookSecret)"}
                ---
                id: shop
                template: shop
                settings: {url: "https://shop.example.com/v1", key: "\(Self.key)"}
                ---
                id: objects
                template: s3-csv
                settings:
                  endpoint: https://s3.example.com
                  region: eu-central-1
                  bucket: exports
                  access_key: \(Self.accessKey)
                  secret_key: \(Self.secretKey)
                """
            )
            let check = try await daemon.run("check")
            #expect(check.ending == .exited(78))
            let text = check.output + check.errors
            for key in ["settings.secret", "settings.key", "settings.access_key"] {
                #expect(text.contains(key), "\(key): \(text)")
            }
            #expect(text.contains("file:"), "\(text)")
            #expect(!text.lowercased().contains(Self.canary))
        }
    }
}
