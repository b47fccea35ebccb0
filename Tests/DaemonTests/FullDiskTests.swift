import Foundation
import Glibc
import Testing

@testable import Daemon

extension DaemonStateTests {
    /// What a disk does to a daemon that has its state on it.
    @Suite("on a disk that takes nothing more")
    struct FullDiskTests {
        private func daemon(_ broker: Broker, _ receiver: Receiver) throws -> DaemonUnderTest {
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([("viewers", "{performed: {event: view, last: 1h}}")])
            return daemon
        }

        private func publish(_ users: Range<Int>, _ broker: Broker) async throws {
            let publisher = try Publisher(broker.address)
            for number in users { try await publisher.event("view", of: name(number)) }
            try await publisher.flush()
        }

        /// Long, so that few of them take much of a small disk, and hard to compress.
        private func name(_ number: Int) -> String {
            var generator = UInt64(number) &+ 0x9e37_79b9_7f4a_7c15
            let words = (0..<6).map { _ -> String in
                generator = generator &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return String(generator, radix: 36)
            }
            return "user-\(number)-" + words.joined()
        }

        private func names(_ users: Range<Int>) -> Set<String> { Set(users.map(name)) }

        @Test(
            "attempts to save take a tenth of the time, and come a second apart at least and a minute at most",
            arguments: [
                (Int64(0), Int64(1000)), (111, 1000), (200, 1800), (5000, 45_000), (7000, 60_000),
                (.max, 60_000),
            ]
        )
        func retries(attempt: Int64, wait: Int64) {
            #expect(DiskRetry.wait(after: attempt) == wait)
        }

        @Test(
            "full: it stands still and says so, reads go on, and with space again so does it, in the same process",
            .enabled(if: SmallDisk.canMountMemory, "nothing can be mounted here")
        )
        func full() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 2)
            let receiver = try Receiver()
            let daemon = try daemon(broker, receiver)
            let disk = try SmallDisk(.memory, at: daemon.dataDirectory, mebibytes: 8)
            try await daemon.startReady()
            let program = try #require(daemon.program)
            try await publish(0..<40, broker)
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["viewers"] == names(0..<40))

            try disk.fill()
            try await publish(40..<3000, broker)
            try await eventually("both say that the disk is full; \(program.errorLines.suffix(3))")
            {
                let reasons = try daemon.readiness()?.reasons ?? []
                return reasons.contains { $0.hasPrefix("nothing can be sent: ") }
                    && reasons.contains { $0.hasPrefix("partition 0 cannot be saved: ") }
                    && reasons.contains { $0.hasPrefix("partition 1 cannot be saved: ") }
                    && reasons.allSatisfy { $0.contains("free space on the file system") }
            }
            let sent = receiver.deliveries.count
            // Applied is what was read before; what comes now waits in Kafka.
            let offsets = try #require(try daemon.status()).partitions.map(\.offset)
            try await publish(3000..<3500, broker)
            let known = try daemon.members(of: "viewers")
            #expect(Set(known).isSuperset(of: names(0..<40)))
            try await daemon.reload(until: "the disk of data_dir is full")
            try await eventually("what came since shows as lag") {
                try daemon.status()?.partitions.contains { $0.lag ?? 0 > 0 } ?? false
            }
            #expect(try #require(try daemon.status()).partitions.map(\.offset) == offsets)
            #expect(receiver.deliveries.count == sent)
            #expect(program.isRunning)
            #expect(program.errors.components(separatedBy: "error disk_full: ").count == 4)

            try disk.free()
            try await daemon.ready()
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["viewers"] == names(0..<3500))
            #expect(receiver.deliveries.flatMap(\.users).count == 3500)
            #expect(program.errors.components(separatedBy: "notice disk_has_space: ").count == 4)

            // Who stops it meanwhile is told why not everything was saved, and so is who starts it.
            try disk.fill()
            try await publish(3500..<6000, broker)
            try await eventually("the disk is full again") {
                try daemon.readiness()?.ready == false
            }
            program.signal(SIGTERM)
            #expect(try await program.end(within: 60) == .exited(74))
            #expect(
                program.errorLines.last?.contains("free space on the file system") ?? false,
                "\(program.errorLines.suffix(3))"
            )
            let second = try daemon.start()
            #expect(try await second.end(within: 60) == .exited(74))
            #expect(
                second.errorLines.last?.contains("free space on the file system") ?? false,
                "\(second.errorLines.suffix(3))"
            )
            try disk.free()
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["viewers"] == names(0..<6000))
            try await daemon.stop()
            try await broker.stop()
        }

        @Test(
            "read-only: it ends and says why, sends nothing that it could not note, and goes on after the repair",
            .enabled(if: SmallDisk.canMountFile, "no file can be mounted here")
        )
        func readOnly() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 1)
            let receiver = try Receiver()
            let daemon = try daemon(broker, receiver)
            let disk = try SmallDisk(.file, at: daemon.dataDirectory, mebibytes: 16)
            try await daemon.startReady()
            let program = try #require(daemon.program)
            try await publish(0..<40, broker)
            try await daemon.settled(at: wallClock())
            let sent = receiver.deliveries.count

            try disk.breakDown()
            try await publish(40..<80, broker)
            #expect(try await program.end(within: 60) == .exited(74))
            #expect(
                program.errorLines.last?.contains("Read-only file system") ?? false,
                "\(program.errorLines.suffix(3))"
            )
            #expect(receiver.deliveries.count == sent)
            let again = try daemon.start()
            let ending = try await again.end(within: 60)
            #expect([.exited(73), .exited(74)].contains(ending))
            #expect(
                again.errorLines.last?.contains("Read-only file system") ?? false,
                "\(again.errorLines.suffix(3))"
            )

            try disk.mountAgain()
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            // Some of them twice: their answers could not be noted.
            #expect(receiver.deliveries.members()["viewers"] == names(0..<80))
            try await daemon.stop()
            try await broker.stop()
        }
    }
}
