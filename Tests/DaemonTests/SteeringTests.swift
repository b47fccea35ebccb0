import Foundation
import Testing

extension DaemonTests {
    @Suite("steered by cohortctl")
    struct SteeringTests {
        private func users(_ range: Range<Int>) -> Set<String> {
            Set(range.map { "user-\($0)" })
        }

        private func publish(
            _ range: Range<Int>,
            _ broker: Broker,
            event: String = "view"
        ) async throws {
            let publisher = try Publisher(broker.address)
            for number in range {
                try await publisher.event(
                    event,
                    of: "user-\(number)",
                    userProperties: #"{"plan":"plan \#(number % 3)"}"#
                )
            }
            try await publisher.flush()
        }

        @Test("a paused sync sends nothing, also after a kill, and everything once it is resumed")
        func pause() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([DaemonUnderTest.guests])
            let sync = "guests-receiver"
            try await publish(0..<20, broker)
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            let list = try await daemon.ask("syncs", "list")
            #expect(list.ending == .exited(0), "\(list.errors)")
            #expect(list.output.contains("guests-receiver  live"), "\(list.output)")
            #expect(list.output.contains("guests → receiver"), "\(list.output)")

            let pause = try await daemon.ask("syncs", "pause", sync)
            #expect(pause.ending == .exited(0), "\(pause.errors)")
            #expect(pause.output.hasPrefix("pause: done, sync \(sync) is paused\n"))
            #expect(try await daemon.ask("syncs", "pause", sync).ending == .exited(1))
            let told = receiver.deliveries.count
            try await publish(20..<25, broker)
            try await publish(0..<2, broker, event: "leave")
            try await eventually("seven wait") { try daemon.sync(sync)?.pending == 7 }
            try await daemon.ticks(2)
            #expect(receiver.deliveries.count == told)

            try await #require(daemon.program).killHard()
            try await publish(25..<27, broker)
            try await daemon.startReady()
            try await eventually("nine wait") { try daemon.sync(sync)?.pending == 9 }
            try await daemon.ticks(2)
            #expect(receiver.deliveries.count == told)
            let show = try await daemon.ask("syncs", "show", sync)
            #expect(show.ending == .exited(0), "\(show.errors)")
            #expect(show.output.contains(#/state +paused/#), "\(show.output)")
            #expect(show.output.contains(#/pending +9 users/#), "\(show.output)")

            let resume = try await daemon.ask("syncs", "resume", sync)
            #expect(resume.ending == .exited(0), "\(resume.errors)")
            try await eventually("everyone is told") {
                receiver.deliveries.members()["guests"] == users(2..<27)
            }
            try await daemon.settled(at: wallClock())
            let late = receiver.deliveries[told...]
            #expect(Set(late.filter(\.isEnter).flatMap(\.users)) == users(20..<27))
            #expect(Set(late.filter { !$0.isEnter }.flatMap(\.users)) == users(0..<2))
            #expect(receiver.deliveries.contradictions == [])
            #expect(try await daemon.ask("syncs", "resume", sync).ending == .exited(1))
            let unknown = try await daemon.ask("syncs", "pause", "nobody")
            #expect(unknown.ending == .exited(1))
            #expect(unknown.errors.contains("nobody"), "\(unknown.errors)")
            try await daemon.stop()
            try await broker.stop()
        }

        @Test("runs asked for write who came, who left and who stayed since the run before")
        func runs() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            let folder = "\(daemon.path)/exports"
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: false
            )
            try daemon.write(
                "destinations/exports.yaml",
                "id: exports\ntemplate: file-csv\nsettings: {dir: \(folder)}\n"
            )
            try daemon.cohorts(
                [DaemonUnderTest.guests],
                to: ["exports"],
                syncMore: "cadence: on_demand\nproperties: [plan]"
            )
            try await publish(0..<10, broker)
            try await daemon.startReady()
            try await run(daemon, pending: 10, after: nil)
            var files = try read(folder)
            #expect(files.count == 3, "\(files.keys.sorted())")
            #expect(try named("entering", files) == users(0..<10))
            #expect(try named("exiting", files) == [])
            #expect(try named("existing", files) == [])

            try await publish(10..<14, broker)
            try await publish(0..<3, broker, event: "leave")
            let first = try daemon.sync("guests-exports")?.last_run?.tick
            try await run(daemon, pending: 7, after: first)
            files = try read(folder).filter { files[$0.key] == nil }
            #expect(files.count == 3, "\(files.keys.sorted())")
            #expect(try named("entering", files) == users(10..<14))
            #expect(try named("exiting", files) == users(0..<3))
            #expect(try named("existing", files) == users(3..<10))
            let entering = try #require(files.first { $0.key.hasSuffix("_entering.csv") }?.value)
            #expect(entering.contains("user-10,plan 1\n"), "\(entering)")
            let run = try #require(try daemon.sync("guests-exports")?.last_run)
            #expect(run.result == "succeeded")
            try await daemon.stop()
            try await broker.stop()
        }

        /// Asks for a run once so many wait for it, and waits for its end.
        private func run(_ daemon: DaemonUnderTest, pending: Int, after: String?) async throws {
            let sync = "guests-exports"
            try await eventually("\(pending) wait") { try daemon.sync(sync)?.pending == pending }
            let run = try await daemon.ask("syncs", "run", sync)
            #expect(run.ending == .exited(0), "\(run.errors)")
            try await eventually("the run ends") {
                guard let last = try daemon.sync(sync)?.last_run else { return false }
                return last.tick != after
            }
            #expect(try daemon.sync(sync)?.state == "done")
        }

        /// The files of a folder by name.
        private func read(_ folder: String) throws -> [String: String] {
            var files: [String: String] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                files[name] = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            }
            return files
        }

        /// The users of the one file of this kind.
        private func named(_ kind: String, _ files: [String: String]) throws -> Set<String> {
            let found = files.filter { $0.key.hasSuffix("_\(kind).csv") }
            try #require(found.count == 1, "\(files.keys.sorted())")
            let lines = try #require(found.first).value.split(separator: "\n").map(String.init)
            #expect(lines.first == "user_id,plan")
            let users = lines.dropFirst().compactMap {
                $0.split(separator: ",").first.map(String.init)
            }
            #expect(users.count == lines.count - 1 && Set(users).count == users.count)
            return Set(users)
        }

        @Test("many who leave at once stay until a person approves")
        func approve() async throws {
            let broker = try Broker()
            // With one record in one partition all leave in one tick.
            try await broker.createTopic(partitions: 1)
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts(
                [DaemonUnderTest.guests],
                syncMore: "guard: {share: 0.3, users: 5}"
            )
            let sync = "guests-receiver"
            try await publish(0..<20, broker)
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            let none = try await daemon.ask("syncs", "approve", sync, "--yes")
            #expect(none.ending == .exited(1))
            #expect(none.errors.contains("waits for approval; it is live"), "\(none.errors)")

            // Five of twenty are not more than the guard's.
            try await leave(0..<5, broker)
            try await eventually("five leave") {
                receiver.deliveries.members()["guests"] == users(5..<20)
            }
            try await daemon.settled(at: wallClock())

            try await leave(5..<15, broker)
            try await eventually("it is held") {
                try daemon.sync(sync)?.exits_to_approve == 10
            }
            // Nobody enters either while a person looks.
            try await publish(20..<22, broker)
            try await eventually("twelve wait") { try daemon.sync(sync)?.pending == 12 }
            try await daemon.ticks(2)
            #expect(receiver.deliveries.members()["guests"] == users(5..<20))
            #expect(try daemon.sync(sync)?.state == "paused")
            let list = try await daemon.ask("syncs", "list")
            #expect(
                list.output.contains(
                    "if 10 users may leave: cohortctl syncs approve \(sync) --yes"
                ),
                "\(list.output)"
            )
            let asked = try await daemon.ask("syncs", "approve", sync)
            #expect(asked.ending == .exited(1))
            #expect(asked.errors.contains("10 of the 15 users"), "\(asked.errors)")
            #expect(try daemon.sync(sync)?.exits_to_approve == 10)

            let approve = try await daemon.ask("syncs", "approve", sync, "--yes")
            #expect(approve.ending == .exited(0), "\(approve.errors)")
            try await eventually("they leave") {
                receiver.deliveries.members()["guests"] == users(15..<22)
            }
            try await daemon.settled(at: wallClock())
            #expect(try daemon.sync(sync)?.state == "live")
            #expect(receiver.deliveries.contradictions == [])
            try await daemon.stop()
            try await broker.stop()
        }

        /// Lets users leave with one record.
        private func leave(_ range: Range<Int>, _ broker: Broker) async throws {
            let now = wallClock()
            let events = range.map {
                #"{"user_id":"user-\#($0)","event_type":"leave","time":\#(now),"insert_id":"leave-\#($0)"}"#
            }
            let publisher = try Publisher(broker.address)
            try await publisher.send(
                key: nil,
                value: Array("{\"events\":[\(events.joined(separator: ","))]}".utf8)
            )
            try await publisher.flush()
        }
    }
}
