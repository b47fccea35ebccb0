import Foundation
import Testing

@testable import Daemon

@Suite("What is left of memory")
struct MemoryGuardTests {
    @Test("85 % warns, 95 % stops reading, and either ends 5 % below where it began")
    func levels() {
        var memory = MemoryGuard()
        for (percent, level) in [
            (10, .normal), (84, .normal), (85, .high), (94, .high), (95, .critical),
            (90, .critical),
            (89, .high), (94, .high), (80, .high), (79, .normal), (100, .critical), (10, .normal),
        ] as [(Int64, MemoryGuard.Level)] {
            memory.look(bytes: percent * 1000, max: 100_000)
            #expect(memory.level == level, "\(percent) %")
            #expect((memory.reason != nil) == (level == .critical))
        }
    }

    @Test("without a limit, or a figure, there is enough")
    func unlimited() {
        var memory = MemoryGuard()
        memory.look(bytes: 1 << 40, max: 1 << 40)
        #expect(memory.level == .critical)
        memory.look(bytes: 1 << 40, max: nil)
        #expect(memory.level == .normal)
        memory.look(bytes: 1 << 40, max: 0)
        #expect(memory.level == .normal)
        memory.look(bytes: nil, max: 1 << 20)
        #expect(memory.level == .normal)
    }

    @Test("the reason says how much of what is used, also of the largest limit")
    func text() {
        var memory = MemoryGuard()
        memory.look(bytes: 500 << 20, max: 512 << 20)
        #expect(
            memory.reason
                == "memory: 97 % of 512 MiB is used; nothing is read until it is below 90 %"
        )
        memory.look(bytes: 1 << 60, max: 1 << 60)
        #expect(memory.use == "100 % of 1099511627776 MiB is used")
    }
}

extension DaemonTests {
    @Suite("short of memory")
    struct MemoryTests {
        @Test(
            "reads nothing, lets no time pass and says why; with more memory it goes on where it was"
        )
        func held() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 2)
            let daemon = try DaemonUnderTest()
            let receiver = try Receiver()
            func configure(memory: String) throws {
                try daemon.configure(
                    kafka: broker.address,
                    properties: broker.properties,
                    more: "memory_max: \(memory)"
                )
            }
            try configure(memory: "0")
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([("viewers", "{performed: {event: view, last: 1h}}")])
            let publisher = try Publisher(broker.address)
            for number in 0..<200 { try await publisher.event("view", of: "user-\(number)") }
            try await publisher.flush()
            try await daemon.startReady()
            try await daemon.settled(at: wallClock())
            #expect(try daemon.metric(#"cohortd_consumption_paused{cause="memory"}"#) == 0)
            let used = try #require(try daemon.metric("cohortd_memory_bytes"))
            let before = try #require(try daemon.status()).partitions.map(\.offset)

            try configure(memory: "\(Int(used) / 2)B")
            try await daemon.reload(until: "memory_critical")
            try await eventually("it says why it is not ready") {
                try daemon.readiness()?.reasons.contains { $0.hasPrefix("memory: ") } ?? false
            }
            #expect(try daemon.metric(#"cohortd_consumption_paused{cause="memory"}"#) == 1)
            for number in 0..<400 { try await publisher.event("view", of: "user-\(number)") }
            try await publisher.flush()
            try await eventually(
                "ticks of both partitions wait for what is not read; \(daemon.program?.errorLines.suffix(5) ?? [])"
            ) {
                try daemon.metric(#"cohortd_ticks_held{cause="lag"}"#) == 2
            }
            let tick = try #require(try daemon.status()?.tickMilliseconds)
            try await sleep(until: wallClock() + 2500)
            let status = try #require(try daemon.status())
            #expect(status.tickMilliseconds == tick)
            #expect(status.partitions.map(\.offset) == before)
            #expect(status.partitions.reduce(0) { $0 + ($1.lag ?? 0) } == 400)
            #expect(receiver.deliveries.members()["viewers"]?.count == 200)
            #expect(try daemon.get("/healthz")?.status == 200)

            try configure(memory: "\(Int(used) * 4)B")
            try await daemon.reload(until: "settings ~memory_max")
            try await daemon.ready()
            try await daemon.settled(at: wallClock())
            #expect(receiver.deliveries.members()["viewers"]?.count == 400)
            #expect(try daemon.status()?.partitions.reduce(0) { $0 + $1.offset } == 600)
            #expect(receiver.deliveries.contradictions == [])
            try await daemon.stop()
            try await broker.stop()
        }
    }
}
