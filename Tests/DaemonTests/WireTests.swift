import Basics
import BrokerKit
import Foundation
import Glibc
import Testing

extension RecordBatch {
    /// A view by each user, at an instant.
    static func views(of users: String..., at now: Int64 = wallClock()) -> RecordBatch {
        RecordBatch(
            users.map {
                Record(
                    key: $0,
                    value:
                        #"{"user_id":"\#($0)","event_type":"view","insert_id":"\#($0)","time":\#(now)}"#
                )
            },
            timestamp: now
        )
    }
}

extension DaemonTests {
    /// What neither the in-process broker nor a real one can be brought to do.
    @Suite("on a broker scripted down to the bytes")
    struct WireTests {
        private static let hour: Int64 = 3_600_000

        private let receiver: Receiver

        init() throws {
            receiver = try Receiver()
        }

        /// A daemon that tells the receiver who viewed in the last hour.
        private func daemon(
            _ broker: WireBroker,
            properties: [String: String] = [:]
        ) throws -> DaemonUnderTest {
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: broker.bootstrapServers, properties: properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([("viewers", "{performed: {event: view, last: 1h}}")])
            return daemon
        }

        /// Whom the receiver takes for a member.
        private var told: Set<String> { receiver.deliveries.members()["viewers"] ?? [] }

        /// Waits until one of the reasons of `/readyz` has a text.
        private func reason(
            _ daemon: DaemonUnderTest,
            _ text: String,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            var reasons: [String] = []
            try await eventually(
                "/readyz says \(text): \(reasons)",
                within: 90,
                sourceLocation: sourceLocation
            ) {
                reasons = try daemon.readiness()?.reasons ?? []
                return reasons.contains { $0.contains(text) }
            }
        }

        /// The most memory that a program had, in bytes.
        private func memoryPeak(_ program: Program) throws -> Int {
            let status = try String(
                contentsOfFile: "/proc/\(program.process)/status",
                encoding: .utf8
            )
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM") })
            return try #require(Int(line.filter(\.isNumber))) * 1024
        }

        @Test(
            "damaged batches and bombs halt their partitions alone, and take no memory to speak of"
        )
        func damage() async throws {
            let broker = try WireBroker()
            let codecs: [RecordBatch.Codec] = [.gzip, .snappy, .lz4, .zstd]
            // Wrong bytes of each codec, a bomb of each, a wrong checksum, and one that is well.
            broker.createTopic(partitions: 10)
            for index in 0..<10 {
                let partition = Int32(index)
                broker.append(.views(of: "first-\(index)", "second-\(index)"), partition: partition)
                var bad = RecordBatch.views(of: "bad-\(index)")
                if index < 8 {
                    bad.codec = codecs[index % 4]
                    bad.body =
                        index < 4
                        ? [UInt8](repeating: 0x5a, count: 100)
                        : CompressionBomb.bytes(bad.codec, of: 1 << 30)
                }
                bad.isChecksumWrong = index == 8
                broker.append(bad, partition: partition)
                broker.append(.views(of: "later-\(index)"), partition: partition)
            }
            let daemon = try daemon(broker)
            for _ in 0..<2 {
                let program = try daemon.start()
                try await eventually("nine are halted: \(program.errorLines.suffix(3))") {
                    try daemon.status()?.partitions.count { $0.state == "halted" } == 9
                }
                let began = wallClock()
                try await eventually("three ticks of the one that is well") {
                    try daemon.status()?.partitions.last?.tick.flatMap { milliseconds($0) } ?? 0
                        > began + 3000
                }
                let partitions = try #require(try daemon.status()).partitions
                #expect(partitions.map(\.offset) == [Int64](repeating: 2, count: 9) + [4])
                #expect(partitions.last?.state == "live")
                // Each is read some times more before it is given up.
                var reasons: [String] = []
                try await eventually("nine say why they are halted: \(reasons)") {
                    reasons = try daemon.readiness()?.reasons ?? []
                    return reasons.count == 9
                        && reasons.allSatisfy { $0.contains("halted: a batch cannot be read") }
                }
                // What a halted one had before is kept, and not told while it is halted.
                try await eventually("the one that is well is told: \(told)") {
                    told == ["first-9", "second-9", "bad-9", "later-9"]
                }
                #expect(try daemon.status()?.users == 22)
                // 225 MB were measured; without a bound 2 GB for the one of LZ4 alone.
                #expect(try memoryPeak(program) < 700_000_000)
                try await daemon.stop()
            }
            // Twice the daemon, and each a few times.
            for partition in Int32(0)..<9 {
                #expect(broker.fetchedOffsets(partition: partition).count < 40)
            }
        }

        @Test(
            "a port that is no Kafka's is said, dead connections are given up, and Kafka is found later"
        )
        func strangePorts() async throws {
            let broker = try WireBroker()
            broker.createTopic(partitions: 2)
            broker.append(.views(of: "ada"))
            broker.behave(.saying(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)))
            let daemon = try daemon(broker, properties: ["socket.timeout.ms": "3000"])
            let program = try daemon.start()
            try await reason(daemon, "an HTTP server answers there, not Kafka")
            #expect(try daemon.get("/healthz")?.status == 200)
            #expect(program.errors.contains("correct bootstrap.servers"))
            broker.behave(.answering)
            try await daemon.ready()
            try await eventually("ada is told") { told == ["ada"] }

            // Bytes of any kind.
            let began = ProcessInfo.processInfo.systemUptime
            let before = broker.connectionCount()
            broker.behave(.saying([0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
            try await reason(daemon, "kafka unreachable")
            let seconds = Int(ProcessInfo.processInfo.systemUptime - began)
            #expect(broker.connectionCount() - before < 20 + 10 * seconds)
            broker.behave(.answering)
            try await daemon.ready()
            try await daemon.ticks(1)
            // Connections that are dead without anybody knowing.
            broker.deafen()
            broker.append(.views(of: "bob"), partition: 1)
            try await eventually("bob is told") { told == ["ada", "bob"] }
            #expect(receiver.deliveries.allSatisfy { $0.isEnter })
            try await daemon.stop()
        }

        @Test(
            "what Kafka refuses is said once and in /readyz, without the password, and is had later"
        )
        func refused() async throws {
            let broker = try WireBroker(login: ("cohortd", "canary-of-the-new-password"))
            broker.createTopic(partitions: 2)
            broker.append(.views(of: "ada"))
            let daemon = try daemon(broker)
            try daemon.write("password", "canary-of-a-password")
            try daemon.configure(
                kafka: broker.bootstrapServers,
                properties: [
                    "security.protocol": "sasl_plaintext", "sasl.mechanisms": "PLAIN",
                    "sasl.username": "cohortd", "sasl.password": "file:\(daemon.path)/password",
                    // How often it looks again for a topic that it was refused.
                    "topic.metadata.refresh.interval.ms": "1000",
                ]
            )
            var program = try daemon.start()
            try await reason(daemon, "kafka unreachable: ")
            try await reason(daemon, "SASL authentication error: no such user, or another password")
            let attempts = broker.connectionCount()
            try await eventually("it tries again") { broker.connectionCount() > attempts + 2 }
            #expect(program.errorLines.count { $0.contains("warning kafka_error: sasl") } == 1)
            try daemon.write("password", "canary-of-the-new-password")
            program.signal(SIGHUP)
            try await daemon.ready()
            try await eventually("ada is told") { told == ["ada"] }

            // The right to read the topic is taken, while a record comes.
            for request in [WireRequest.fetch, .listOffsets, .metadata] {
                broker.fail(request, with: WireError.topicAuthorizationFailed)
            }
            broker.append(.views(of: "bob"))
            try await reason(daemon, "Topic authorization failed")
            let tick = try daemon.status()?.tick
            #expect(told == ["ada"])
            #expect(try daemon.status()?.tick == tick)
            broker.heal()
            try await eventually("bob is told") { told == ["ada", "bob"] }
            try await daemon.ready()

            // Only the right to read records, which the ends of the partitions do not show.
            broker.fail(.fetch, with: WireError.topicAuthorizationFailed)
            broker.append(.views(of: "cyd"))
            try await reason(
                daemon,
                "partition 0 waits for Kafka: events/0: Fetch from broker 1 failed"
            )
            #expect(broker.count(of: .fetch) < 5000)
            broker.heal()
            try await eventually("cyd is told") { told == ["ada", "bob", "cyd"] }

            // The right to the group: what is ours stays ours.
            broker.fail(.offsetCommit, with: WireError.groupAuthorizationFailed)
            broker.append(.views(of: "dan"))
            try await eventually("it is said") {
                program.errorLines.contains {
                    $0.contains("warning kafka_error") && $0.contains("GROUP_AUTHORIZATION_FAILED")
                }
            }
            try await eventually("dan is told") { told.contains("dan") }
            try await daemon.stop()
            #expect(!program.errors.contains("canary"))

            broker.fail(.joinGroup, with: WireError.groupAuthorizationFailed)
            program = try daemon.start()
            try await reason(daemon, "2 of 2 partitions to come: ")
            try await reason(daemon, "Group authorization failed")
            broker.heal()
            try await daemon.ready()
            try await daemon.stop()

            broker.fail(.metadata, with: WireError.topicAuthorizationFailed)
            program = try daemon.start()
            try await reason(daemon, "topic events: Broker: Topic authorization failed")
            broker.heal()
            broker.fail(.listOffsets, with: WireError.topicAuthorizationFailed)
            try await reason(daemon, "the start waits for Kafka: ")
            broker.heal()
            try await daemon.ready()
            try await daemon.stop()
            #expect(!program.errors.contains("canary"))
            #expect(receiver.deliveries.allSatisfy { $0.isEnter })
        }

        @Test("whose static name another process takes ends with the cause, and nothing is lost")
        func fenced() async throws {
            let broker = try WireBroker()
            broker.createTopic(partitions: 2)
            broker.append(.views(of: "ada"))
            let daemon = try daemon(broker)
            try await daemon.startReady()
            try await eventually("ada is told") { told == ["ada"] }
            // Bob's change is on its way when it ends, and nobody takes it.
            receiver.answer { _ in .status(503) }
            broker.append(.views(of: "bob"), partition: 1)
            try await eventually("bob is sent") {
                receiver.deliveries.contains { $0.users.contains("bob") }
            }
            broker.replaceStaticMembers()
            let program = try #require(daemon.program)
            #expect(try await program.end(within: 60) == .exited(75))
            let text = try #require(program.errorLines.last)
            #expect(text.contains("fenced") && text.contains("group.instance.id"))

            receiver.answer { _ in .ok }
            broker.append(.views(of: "cyd"))
            try await daemon.startReady()
            try await eventually("all are told") {
                receiver.deliveries.filter(\.isTaken).reduce(into: Set<String>()) {
                    $0.formUnion($1.users)
                } == ["ada", "bob", "cyd"]
            }
            #expect(receiver.deliveries.allSatisfy { $0.isEnter })
            try await daemon.stop()
        }

        @Test(
            "records of aborted transactions never count, and a transaction that stays open holds no tick"
        )
        func transactions() async throws {
            let broker = try WireBroker()
            broker.createTopic(partitions: 1)
            func transaction(_ producer: Int64, _ user: String) -> RecordBatch {
                var batch = RecordBatch.views(of: user)
                batch.producerID = producer
                return batch
            }
            broker.append(transaction(1, "ada"))
            broker.append(transaction(2, "never"))
            broker.endTransaction(of: 1, isCommitted: true, at: wallClock())
            broker.endTransaction(of: 2, isCommitted: false, at: wallClock())
            broker.append(transaction(3, "bob"))
            broker.append(.views(of: "cyd"))
            let daemon = try daemon(broker)
            try await daemon.startReady()
            try await daemon.ticks(2)
            try await eventually("ada is told") { told == ["ada"] }
            #expect(try daemon.status()?.partitions.first?.offset == 4)
            #expect(try daemon.readiness()?.ready == true)
            broker.endTransaction(of: 3, isCommitted: true, at: wallClock())
            try await eventually("the others are told") { told == ["ada", "bob", "cyd"] }
            // A gap of offsets that is aborted is no gap of history, also over a restart.
            broker.append(transaction(4, "never"))
            broker.endTransaction(of: 4, isCommitted: false, at: wallClock())
            try await eventually("the end is reached") {
                try daemon.status()?.partitions.first?.offset == 9
            }
            try await daemon.stop()
            try await daemon.startReady()
            #expect(try daemon.members(of: "viewers") == ["ada", "bob", "cyd"])
            try await daemon.stop()
        }

        @Test("an hour without a broker: nobody leaves, syncs go on, and then time goes on")
        func hour() async throws {
            let broker = try WireBroker()
            broker.createTopic(partitions: 2)
            broker.append(.views(of: "ada"))
            receiver.answer { _ in .status(503) }
            let daemon = try daemon(broker)
            let hosted = try HostedDaemon(daemon)
            try await eventually("ada is sent", within: 90) { !receiver.deliveries.isEmpty }

            broker.behave(.refusing)
            try await reason(daemon, "kafka unreachable")
            let tick = try #require(try daemon.status()?.tick)
            receiver.answer { _ in .ok }
            try await eventually("ada is told", within: 90) {
                receiver.deliveries.contains { $0.isTaken }
            }
            hosted.letPass(milliseconds: Self.hour)
            try await eventually("ticks are held") {
                try daemon.metric(#"cohortd_ticks_held{cause="broker"}"#) == 2
            }
            #expect(try daemon.get("/healthz")?.status == 200)
            #expect(try daemon.members(of: "viewers") == ["ada"])
            #expect(try daemon.status()?.tick == tick)
            #expect(receiver.deliveries.allSatisfy { $0.isEnter })

            broker.append(.views(of: "bob", at: wallClock() + Self.hour), partition: 1)
            broker.behave(.answering)
            // Ada's hour is over, and bob's has begun.
            try await eventually("time goes on: \(hosted.lines.suffix(3))", within: 90) {
                told == ["bob"]
            }
            try await eventually("it is ready") { try daemon.readiness()?.ready ?? false }
            try await hosted.stop()
        }

        @Test("a topic that takes no changes for many reasons has each of them in the end")
        func changes() async throws {
            let broker = try WireBroker()
            for topic in ["events", "changes", "nothing"] {
                broker.createTopic(topic, partitions: 1)
            }
            let daemon = try daemon(broker)
            try daemon.write(
                "destinations/topic.yaml",
                "id: topic\ntemplate: kafka-topic\nsettings: {topic: changes}\n"
            )
            try daemon.cohorts([("viewers", "{performed: {event: view, last: 1h}}")], to: ["topic"])
            var users: [String] = []
            func come(_ user: String) {
                users.append(user)
                broker.append(.views(of: user))
            }
            func delivered() async throws {
                var sync: DaemonUnderTest.Sync?
                try await eventually(
                    "\(users.count) are delivered: \(String(describing: sync))",
                    within: 90
                ) {
                    sync = try daemon.sync("viewers-topic")
                    return sync.map { $0.pending == 0 && $0.acknowledged == users.count } ?? false
                }
            }
            try await daemon.startReady()
            come("first")
            try await delivered()
            // What the client repeats by itself, what it gives back, and what is the end of it.
            for code in [
                WireError.requestTimedOut, WireError.unknownTopicOrPartition,
                WireError.messageTooLarge, WireError.unknownProducerID,
                WireError.outOfOrderSequence, WireError.topicAuthorizationFailed,
            ] {
                broker.fail(.produce, with: code, topic: "changes", times: 2)
                come("after-\(code)")
                if code == WireError.topicAuthorizationFailed {
                    try await eventually("it is paused") {
                        try daemon.sync("viewers-topic")?.state == "paused"
                    }
                    broker.heal()
                    #expect(
                        try await daemon.ask("syncs", "resume", "viewers-topic").ending
                            == .exited(0)
                    )
                }
                try await delivered()
                broker.heal()
            }
            // A client that met its end was replaced.
            #expect(broker.count(of: .initProducerID) > 1)
            try await daemon.stop()
            let topics = try await TopicReader(
                broker.bootstrapServers,
                ("changes", "nothing"),
                partitions: 1
            )
            var changes: [Int: String] = [:]
            for record in topics.first {
                struct Change: Decodable {
                    var user: String
                    var op: String
                    var seq: Int
                }
                let value = try #require(record.value)
                let change = try JSONDecoder().decode(Change.self, from: Data(value.utf8))
                #expect(change.op == "enter")
                #expect(changes[change.seq] ?? change.user == change.user)
                changes[change.seq] = change.user
            }
            #expect(changes.keys.sorted() == Array(1...changes.count))
            #expect(Set(changes.values) == Set(users))
        }
    }
}
