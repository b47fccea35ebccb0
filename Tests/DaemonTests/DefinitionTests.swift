import Foundation
import Testing

extension DaemonStateTests {
    /// Cohorts that are made through the API.
    @Suite("given definitions by cohortctl")
    struct DefinitionTests {
        private let viewers = (id: "viewers", users: "{performed: {event: view, last: 1h}}")
        private let buyers = "id: buyers\nusers: {performed: {event: buy, last: 1h}}\n"

        private func daemon(_ broker: Broker, _ receiver: Receiver) throws -> DaemonUnderTest {
            let daemon = try DaemonUnderTest()
            // Who lost its data_dir is the same member all the same.
            var properties = broker.properties
            properties["group.instance.id"] = "shop-1"
            try daemon.configure(kafka: broker.address, properties: properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([viewers])
            try daemon.write("buyers.yaml", buyers)
            return daemon
        }

        /// Which cohorts there are, with their states.
        private func states(_ daemon: DaemonUnderTest) async throws -> [String] {
            try await daemon.ask("cohorts", "list").output.split(separator: "\n").dropFirst()
                .map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
        }

        private func publish(_ broker: Broker) async throws {
            let publisher = try Publisher(broker.address)
            for number in 0..<40 {
                try await publisher.event("view", of: "user-\(number)")
                if number % 4 == 0 { try await publisher.event("buy", of: "user-\(number)") }
            }
            try await publisher.flush()
        }

        private func becomesLive(_ daemon: DaemonUnderTest) async throws {
            try await eventually("buyers has its ten members") {
                try daemon.get("/v1/cohorts/buyers/members")?.status == 200
            }
            try await daemon.settled(at: wallClock())
            #expect(try daemon.members(of: "buyers").count == 10)
        }

        @Test(
            "a cohort is applied and filled, outlives a kill and the loss of data_dir, and is deleted",
            .enabled(if: Broker.kafkaHome != nil, "KAFKA_HOME is not set")
        )
        func life() async throws {
            let broker = try await Broker.apache()
            do {
                try await broker.createTopic(partitions: 2)
                let receiver = try Receiver()
                let daemon = try daemon(broker, receiver)
                try await publish(broker)
                try await daemon.startReady()
                try await daemon.settled(at: wallClock())
                let sent = receiver.deliveries.count

                let apply = try await daemon.ask("cohorts", "apply", "\(daemon.path)/buyers.yaml")
                #expect(apply.ending == .exited(0), "\(apply.errors)")
                #expect(
                    apply.output.hasPrefix("applied buyers: cohorts +buyers"),
                    "\(apply.output)"
                )
                try await becomesLive(daemon)
                #expect(receiver.deliveries.count == sent)

                // A sync of a file may send what the API made.
                try daemon.write(
                    "syncs/buyers.yaml",
                    "id: buyers-receiver\nitem: {cohort: buyers}\ndestination: receiver\n"
                )
                let reload = try await daemon.ask("reload")
                #expect(reload.ending == .exited(0), "\(reload.errors)")
                #expect(reload.output == "reloaded: syncs +buyers-receiver\n")
                try await daemon.ready()
                try await eventually("buyers are told") {
                    receiver.deliveries.members()["buyers"]?.count == 10
                }
                let inUse = try await daemon.ask("cohorts", "delete", "buyers")
                #expect(inUse.ending == .exited(1))
                #expect(inUse.errors.contains("sync buyers-receiver sends buyers"))

                try await #require(daemon.program).killHard()
                try await daemon.startReady()
                #expect(try await states(daemon) == ["buyers live", "viewers live"])
                #expect(try await daemon.ask("cohorts", "delete", "viewers").ending == .exited(1))
                try await daemon.stop()

                // The control topic has it, whatever becomes of the machine; the sync waits for it.
                try FileManager.default.removeItem(atPath: "\(daemon.path)/data")
                try FileManager.default.removeItem(atPath: "\(daemon.path)/syncs/buyers.yaml")
                try await daemon.startReady()
                try await becomesLive(daemon)
                let delete = try await daemon.ask("cohorts", "delete", "buyers")
                #expect(delete.ending == .exited(0), "\(delete.errors)")
                #expect(delete.output == "deleted buyers: cohorts -buyers\n")
                try await daemon.ready()
                #expect(try await states(daemon) == ["viewers live"])
                try await daemon.stop()
                try await daemon.startReady()
                #expect(try await states(daemon) == ["viewers live"])
                try await daemon.stop()
            } catch {
                try await broker.stop()
                throw error
            }
            try await broker.stop()
        }

        @Test(
            "what cannot be used changes nothing and is told, and history that is gone can be done without"
        )
        func refused() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 1)
            try await broker.overflow()
            let receiver = try Receiver()
            let daemon = try daemon(broker, receiver)
            try await daemon.startReady()
            try daemon.write("ever.yaml", "id: ever\nusers: {performed: {event: gift}}\n")
            try daemon.write("wrong.yaml", "id: wrong\nusers: {performd: {event: gift}}\n")
            try daemon.write("filed.yaml", "id: viewers\nusers: {performed: {event: gift}}\n")
            try daemon.write("two.yaml", "id: a\n---\nid: b\n")

            let gone = try await daemon.ask("cohorts", "apply", "\(daemon.path)/ever.yaml")
            #expect(gone.ending == .exited(1))
            #expect(gone.errors.contains("the history that ever needs is gone from Kafka"))
            let wrong = try await daemon.ask("cohorts", "apply", "\(daemon.path)/wrong.yaml")
            #expect(wrong.ending == .exited(1))
            #expect(wrong.errors.contains("performd"), "\(wrong.errors)")
            let filed = try await daemon.ask("cohorts", "apply", "\(daemon.path)/filed.yaml")
            #expect(filed.ending == .exited(1))
            #expect(filed.errors.contains("is one of a file"), "\(filed.errors)")
            #expect(
                try await daemon.ask("cohorts", "apply", "\(daemon.path)/two.yaml").ending
                    == .exited(2)
            )
            #expect(try await daemon.ask("cohorts", "delete", "nobody").ending == .exited(1))
            #expect(try await states(daemon) == ["viewers live"])

            let late = try await daemon.ask(
                "cohorts",
                "apply",
                "--from-now",
                "\(daemon.path)/ever.yaml"
            )
            #expect(late.ending == .exited(0), "\(late.errors)")
            try await eventually("it is live") {
                try daemon.get("/v1/cohorts/ever/members")?.status == 200
            }

            // A file that takes the id is not used: the API has it.
            try daemon.write("cohorts/ever.yaml", "id: ever\nusers: {performed: {event: buy}}\n")
            let taken = try await daemon.ask("reload")
            #expect(taken.ending == .exited(1))
            #expect(taken.errors.contains("the id \"ever\" is taken by"), "\(taken.errors)")

            // For a file, what is gone is accepted first.
            try daemon.write("cohorts/ever.yaml", "id: gifted\nusers: {performed: {event: buy}}\n")
            #expect(try await daemon.ask("reload").ending == .exited(1))
            #expect(try await daemon.ask("cohorts", "accept", "gifted").ending == .exited(64))
            let accept = try await daemon.ask("cohorts", "accept", "gifted", "--from-now")
            #expect(accept.ending == .exited(0), "\(accept.errors)")
            let reload = try await daemon.ask("reload")
            #expect(reload.ending == .exited(0), "\(reload.errors)")
            try await daemon.ready()
            // It was good for that change.
            try daemon.write("cohorts/ever.yaml", "id: gifted\nusers: {performed: {event: pay}}\n")
            try await eventually("what was accepted is forgotten") {
                try !String(contentsOfFile: "\(daemon.path)/data/control", encoding: .utf8)
                    .contains("accept/")
            }
            #expect(try await daemon.ask("reload").ending == .exited(1))
            try await daemon.stop()
            try await broker.stop()
        }
    }
}
