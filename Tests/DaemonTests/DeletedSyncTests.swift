import Glibc
import Testing

extension DaemonStateTests {
    @Suite("whose sync is deleted")
    struct DeletedSyncTests {
        private let viewers = (id: "viewers", users: "{performed: {event: view, last: 1h}}")
        private let sync = "viewers-receiver"
        private let guarding = "guard: {share: 0.3, users: 10}"

        /// A daemon that has told the receiver of thirty viewers.
        private func told(
            _ broker: Broker,
            _ receiver: Receiver,
            partitions: Int = 4,
            syncMore: String = ""
        ) async throws -> DaemonUnderTest {
            try await broker.createTopic(partitions: partitions)
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([viewers], syncMore: syncMore)
            let publisher = try Publisher(broker.address)
            for number in 0..<30 { try await publisher.event("view", of: "user-\(number)") }
            try await publisher.flush()
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["viewers"]?.count == 30)
            return daemon
        }

        /// Whether the API still shows the sync.
        private func isShown(_ daemon: DaemonUnderTest) throws -> Bool {
            try daemon.status().map { $0.syncs.contains { $0.sync == sync } } ?? true
        }

        @Test("takes its users out, also over a kill in the middle, and is gone then")
        func removed() async throws {
            let broker = try Broker()
            let receiver = try Receiver()
            let daemon = try await told(broker, receiver)
            receiver.answer { _ in .status(503) }
            try daemon.write("syncs/all.yaml", "")
            try await daemon.reload(until: "is no longer configured: its 30 users are taken out")
            try await eventually("it says what it does") {
                try daemon.sync(sync)?.reason != nil && receiver.deliveries.last?.isEnter == false
            }
            let list = try await daemon.ask("syncs", "list")
            #expect(list.output.contains(sync))
            try await #require(daemon.program).killHard()
            try await daemon.startReady()
            receiver.answer { _ in .ok }
            try await eventually("it is gone", within: 90) { try !isShown(daemon) }
            #expect(receiver.deliveries.members()["viewers"] == [])
            #expect(receiver.deliveries.contradictions == [])
            // The cohort itself has nothing to do with it.
            #expect(try daemon.members(of: "viewers").count == 30)

            try daemon.cohorts([viewers])
            try await daemon.reload(until: "syncs +viewers-receiver")
            try await eventually("everybody is told anew", within: 90) {
                receiver.deliveries.members()["viewers"]?.count == 30
            }
            try await daemon.stop()
            try await broker.stop()
        }

        @Test("with its cohort waits where the guard says so; with leave it sends nothing")
        func guarded() async throws {
            let broker = try Broker()
            let receiver = try Receiver()
            let daemon = try await told(broker, receiver, partitions: 1, syncMore: guarding)
            try daemon.write("syncs/all.yaml", "")
            try daemon.write("cohorts/all.yaml", "")
            try await daemon.reload(until: "is no longer configured: its 30 users are taken out")
            try await eventually("it waits") { try daemon.sync(sync)?.exits_to_approve == 30 }
            try await daemon.ticks(2)
            #expect(receiver.deliveries.allSatisfy { $0.isEnter })

            // Put back, it goes on as if nothing had been; then it is to leave its users.
            try daemon.cohorts([viewers], syncMore: "on_delete: leave")
            try await daemon.reload(until: "syncs +viewers-receiver")
            try await daemon.ready()
            try await daemon.settled(at: wallClock())
            try daemon.write("syncs/all.yaml", "")
            try await daemon.reload(until: "30 users were delivered is forgotten")
            try await eventually("it is gone") { try !isShown(daemon) }
            try await daemon.ticks(2)
            #expect(receiver.deliveries.allSatisfy { $0.isEnter })
            try await daemon.stop()
            try await broker.stop()
        }

        @Test("takes its users out once a person approves; without the destination they stay")
        func approved() async throws {
            let broker = try Broker()
            let receiver = try Receiver()
            let daemon = try await told(broker, receiver, partitions: 1, syncMore: guarding)
            try daemon.write("syncs/all.yaml", "")
            try await daemon.reload(until: "is no longer configured: its 30 users are taken out")
            try await eventually("it waits") { try daemon.sync(sync)?.exits_to_approve == 30 }
            #expect(try await daemon.ask("syncs", "approve", sync, "--yes").ending == .exited(0))
            try await eventually("it is gone", within: 90) { try !isShown(daemon) }
            #expect(receiver.deliveries.members()["viewers"] == [])

            try daemon.cohorts([viewers])
            try await daemon.reload(until: "syncs +viewers-receiver")
            try await eventually("everybody is told anew", within: 90) {
                receiver.deliveries.members()["viewers"]?.count == 30
            }
            try await daemon.settled(at: wallClock())
            try daemon.write("syncs/all.yaml", "")
            try daemon.write("destinations/receiver.yaml", "")
            try await daemon.reload(until: "its 30 users stay where they are")
            try await eventually("it is gone") { try !isShown(daemon) }
            try await daemon.stop()
            try await broker.stop()
        }
    }
}
