import Foundation
import Glibc
import Testing

extension DaemonTests {
    @Suite("with a destination that hangs")
    struct IsolationTests {
        /// Takes connections and never says a word.
        private final class Mute {
            private let listener: Int32
            let port: Int

            init() throws {
                port = try freePort()
                listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = UInt16(port).bigEndian
                address.sin_addr.s_addr = inet_addr("127.0.0.1")
                let descriptor = listener
                let status = withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                            | listen(descriptor, 64)
                    }
                }
                try #require(status == 0, "\(String(cString: strerror(errno)))")
            }

            deinit {
                close(listener)
            }

            /// Whether the kernel has a connection for it that nobody accepted.
            var hasCaller: Bool {
                var entry = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
                return poll(&entry, 1, 0) == 1
            }
        }

        @Test("the three others get every change of every later tick")
        func others() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let daemon = try DaemonUnderTest()
            let mute = try Mute()
            let receiver = try Receiver()
            let shop = try Shop(key: "key")
            let file = "\(daemon.path)/deltas.jsonl"
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook("mute", url: "http://127.0.0.1:\(mute.port)/hook", timeout: "120s")
            try daemon.webhook(url: receiver.url)
            try daemon.shop(url: shop.url, key: "key")
            try daemon.write(
                "destinations/file.yaml",
                "id: file\ntemplate: file\nsettings: {path: \(file)}\n"
            )
            try daemon.cohorts([DaemonUnderTest.guests], to: ["mute", "receiver", "shop", "file"])
            let publisher = try Publisher(broker.address)
            try await daemon.startReady()
            for round in 0..<6 {
                let users = (round * 10)..<(round * 10 + 10)
                for number in users {
                    try await publisher.event(
                        "view",
                        of: "user-\(number)",
                        userProperties: #"{"email":"user-\#(number)@example.com"}"#
                    )
                }
                try await publisher.flush()
                let all = 0..<users.upperBound
                try await eventually("the others have round \(round)") {
                    receiver.deliveries.flatMap(\.users).count == all.count
                        && shop.additions.count == all.count
                        && lines(file) == all.count
                }
                if round == 0 {
                    try await eventually("it is being called") { mute.hasCaller }
                }
            }
            // Nobody was told twice, and the mute one has not said a word yet.
            try await daemon.ticks(1)
            let everyone = Set((0..<60).map { "user-\($0)" })
            #expect(receiver.deliveries.members()["guests"] == everyone)
            #expect(receiver.deliveries.flatMap(\.users).count == 60)
            #expect(Set(receiver.deliveries.map(\.tick)).count >= 6)
            #expect(shop.members == Set(everyone.map { "\($0)@example.com" }))
            #expect(shop.additions.values.allSatisfy { $0 == 1 })
            #expect(lines(file) == 60)
            let held = try #require(try daemon.sync("guests-mute"))
            #expect(held.pending == 60 && held.acknowledged == 0, "\(held)")
            for id in ["receiver", "shop", "file"] {
                let sync = try #require(try daemon.sync("guests-\(id)"))
                #expect(sync.state == "live" && sync.pending == 0, "\(id): \(sync)")
            }
            try await #require(daemon.program).killHard()
            try await broker.stop()
        }

        /// How many whole lines a file has; none while there is no file.
        private func lines(_ path: String) -> Int {
            FileManager.default.contents(atPath: path)?.count { $0 == UInt8(ascii: "\n") } ?? 0
        }
    }
}
