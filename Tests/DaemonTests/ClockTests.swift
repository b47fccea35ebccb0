import Foundation
import Glibc
import Testing

extension DaemonTests {
    @Suite("on a clock that jumps")
    struct ClockTests {
        private static let hour: Int64 = 3_600_000
        private static let year: Int64 = 365 * 24 * hour

        private func started(_ broker: Broker, _ receiver: Receiver) async throws -> DaemonUnderTest
        {
            try await broker.createTopic(partitions: 4)
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([("viewers", "{performed: {event: view, last: 1h}}")])
            try await publish(0..<20, broker)
            return daemon
        }

        private func publish(_ range: Range<Int>, _ broker: Broker) async throws {
            let publisher = try Publisher(broker.address)
            for number in range { try await publisher.event("view", of: "user-\(number)") }
            try await publisher.flush()
        }

        private func ready(_ daemon: DaemonUnderTest) async throws {
            try await eventually("it is ready", within: 90) {
                try daemon.readiness()?.ready ?? false
            }
        }

        /// Waits until `/readyz` gives no other reason than that time is held.
        private func held(_ daemon: DaemonUnderTest, _ text: String) async throws {
            var reasons: [String] = []
            try await eventually("time is held: \(reasons)", within: 90) {
                reasons = try daemon.readiness()?.reasons ?? []
                return reasons.count == 1 && reasons[0].hasPrefix("time is held")
                    && reasons[0].contains(text)
            }
            #expect(try daemon.metric(#"cohortd_ticks_held{cause="clock"}"#) == 4)
        }

        @Test("a year's jump makes no exit, also over a restart, until the clock is set right")
        func year() async throws {
            let broker = try Broker()
            let receiver = try Receiver()
            let daemon = try await started(broker, receiver)
            var hosted = try HostedDaemon(daemon)
            try await ready(daemon)
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["viewers"]?.count == 20)

            hosted.setClock(ahead: Self.year)
            try await held(daemon, "365 d 0 h ahead")
            let tick = try #require(try daemon.status()?.tickMilliseconds)
            // Who comes is applied, and who is there stays.
            try await publish(20..<25, broker)
            try await eventually("all is applied") { try daemon.status()?.users == 25 }
            #expect(hosted.lines.filter { $0.contains("time_held") }.count == 1)
            try await hosted.stop()

            hosted = try HostedDaemon(daemon, ahead: Self.year)
            try await held(daemon, "365 d 0 h ahead")
            try await eventually("all is there") { try daemon.status()?.users == 25 }
            #expect(try #require(try daemon.status()?.tickMilliseconds) == tick)
            #expect(receiver.deliveries.allSatisfy { $0.isEnter })

            hosted.setClock(ahead: 0)
            try await ready(daemon)
            #expect(try daemon.metric(#"cohortd_ticks_held{cause="clock"}"#) == 0)
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["viewers"]?.count == 25)
            #expect(receiver.deliveries.allSatisfy { $0.isEnter })
            #expect(try daemon.metric(#"cohortd_deltas_total{cohort="viewers",op="exit"}"#) == 0)
            #expect(try await daemon.ask("time", "accept").ending == .exited(1))
            try await hosted.stop()
            try await broker.stop()
        }

        @Test("cohortctl time accept lets time go on, and what is over by then leaves")
        func accept() async throws {
            let broker = try Broker()
            let receiver = try Receiver()
            let daemon = try await started(broker, receiver)
            let hosted = try HostedDaemon(daemon)
            try await ready(daemon)
            try await daemon.settled(at: wallClock())
            hosted.setClock(ahead: 2 * Self.hour)
            try await held(daemon, "2 h 0 min ahead")
            #expect(receiver.deliveries.allSatisfy { $0.isEnter })

            let accepted = try await daemon.ask("time", "accept")
            #expect(accepted.ending == .exited(0), "\(accepted.errors)")
            #expect(accepted.output.hasPrefix("time goes on from "))
            try await ready(daemon)
            try await daemon.settled(at: wallClock() + 2 * Self.hour)
            #expect(receiver.deliveries.members()["viewers"] == [])

            // Back again: ticks never go back, and nobody can accept that.
            hosted.setClock(ahead: 0)
            try await held(daemon, "before the last tick")
            let refused = try await daemon.ask("time", "accept")
            #expect(refused.ending == .exited(1))
            #expect(refused.errors.contains("ticks never go back"))
            try await hosted.stop()
            try await broker.stop()
        }

        @Test("a clock that was never set makes no tick; once it is set, all is as ever")
        func unset() async throws {
            let broker = try Broker()
            let receiver = try Receiver()
            let daemon = try await started(broker, receiver)
            let hosted = try HostedDaemon(daemon, ahead: -wallClock() + 60_000)
            try await held(daemon, "1970-01-01T00:0")
            try await eventually("all is applied") { try daemon.status()?.users == 20 }
            #expect(try #require(try daemon.status()).tick == nil)
            hosted.setClock(ahead: 0)
            try await ready(daemon)
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["viewers"]?.count == 20)
            try await hosted.stop()
            try await broker.stop()
        }
    }
}
