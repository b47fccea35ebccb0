import Foundation
import HTTPAPI
import Testing

extension DaemonTests {
    @Suite("with addresses it may not go to")
    struct AddressTests {
        private static let metadata = "http://169.254.169.254/latest/meta-data/"

        @Test("a redirect into the inner network is told, not followed, and loses nobody")
        func redirects() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            let shop = try Shop(key: "key")
            let inside = try Receiver()
            receiver.answer { _ in .status(307, headers: [("Location", Self.metadata)]) }
            shop.answer { _ in HTTPResponse(status: 302, headers: [("Location", Self.metadata)]) }
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.shop(url: shop.url, key: "key")
            // A name that is innocent until somebody connects to it.
            let port = try #require(URL(string: inside.url)?.port)
            try daemon.write(
                "destinations/inside.yaml",
                "id: inside\ntemplate: webhook\nsettings: "
                    + "{url: \"https://localhost:\(port)/hook\", secret: \"file:\(daemon.path)/secret\"}\n"
            )
            try daemon.cohorts([DaemonUnderTest.guests], to: ["receiver", "shop", "inside"])
            let publisher = try Publisher(broker.address)
            for number in 0..<10 {
                try await publisher.event(
                    "view",
                    of: "user-\(number)",
                    userProperties: #"{"email":"user-\#(number)@example.com"}"#
                )
            }
            try await publisher.flush()
            try await daemon.startReady()
            for id in ["guests-receiver", "guests-shop", "guests-inside"] {
                try await eventually("\(id) says why, and ten wait") {
                    guard let sync = try daemon.sync(id) else { return false }
                    return sync.reason != nil && sync.pending == 10
                }
                let sync = try #require(try daemon.sync(id))
                let reason = try #require(sync.reason)
                if id == "guests-inside" {
                    #expect(reason.contains("allow_private"), "\(reason)")
                } else {
                    #expect(reason.contains("redirects to 169.254.169.254"), "\(reason)")
                    #expect(reason.contains("not followed"), "\(reason)")
                }
                #expect(sync.skipped == 0 && sync.acknowledged == 0, "\(sync)")
                #expect(sync.since_start.unknown == 0, "\(sync)")
            }
            receiver.answer { _ in .ok }
            shop.answer { _ in nil }
            try await eventually("the others are told once they answer themselves") {
                shop.members.count == 10
                    && receiver.deliveries.members()["guests"]?.count == 10
            }
            #expect(inside.deliveries.isEmpty && inside.problems.isEmpty)
            #expect(try daemon.sync("guests-inside")?.pending == 10)
            try await daemon.stop()
            try await broker.stop()
        }

        @Test(
            "check refuses private addresses without allow_private, and says so",
            arguments: [
                (
                    "template: webhook\nsettings: {url: \"https://169.254.169.254/hook\", SECRET}",
                    "169.254.169.254"
                ),
                ("template: shop\nsettings: {url: \"https://10.1.2.3/v1\", KEY}", "10.1.2.3"),
                ("template: shop\nsettings: {url: \"https://[::1]/v1\", KEY}", "::1"),
                (
                    "template: s3-csv\nsettings: {endpoint: \"https://192.168.1.5:9000\", "
                        + "region: eu, bucket: exports, KEYS}", "192.168.1.5"
                ),
            ]
        )
        func refused(destination: String, address: String) async throws {
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: "127.0.0.1:1")
            try daemon.template("shop", Shop.template)
            let secret = "\"file:\(daemon.path)/secret\""
            let text =
                destination
                .replacingOccurrences(of: "SECRET", with: "secret: \(secret)")
                .replacingOccurrences(
                    of: "KEYS",
                    with: "access_key: \(secret), secret_key: \(secret)"
                )
                .replacingOccurrences(of: "KEY", with: "key: \(secret)")
            try daemon.write("destinations/inner.yaml", "id: inner\n\(text)\n")
            let check = try await daemon.run("check")
            #expect(check.ending == .exited(78))
            let line = check.errors.split(separator: "\n").first { $0.contains("inner.yaml:") }
            #expect(line?.contains(address) ?? false, "\(check.errors)")
            #expect(line?.contains("allow_private") ?? false, "\(check.errors)")
        }
    }
}
