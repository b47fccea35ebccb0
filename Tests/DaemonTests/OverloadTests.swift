import Foundation
import Glibc
import Testing

/// More than the daemon can take: a backlog in one partition, and more users than memory has room for.
@Suite("Overloaded", .serialized, .enabled(if: Broker.kafkaHome != nil, "KAFKA_HOME is not set"))
struct OverloadTests {
    private static let strangers = 60_000
    /// Partitions 0 and 2 are read by one engine thread where there are two, or one.
    private static let hot: Int32 = 0
    private static let calm: Int32 = 2

    @Test(
        "a partition with a backlog holds up no other; short of memory nothing is read, lost or thrown out"
    )
    func backlog() async throws {
        let broker = try await Broker.apache()
        do {
            try await broker.createTopic(partitions: 4)
            // A batch is unpacked whole: of these, which are much alike, it would be fifty times its size.
            let publisher = try Publisher(broker.address, compression: "none")
            let note = String(repeating: "n", count: 600)
            for number in 0..<Self.strangers {
                try await publisher.event(
                    "view",
                    of: "stranger-\(number)",
                    properties: #"{"page":"\#(number % 100)"}"#,
                    userProperties: #"{"plan":"free","note":"\#(number)\#(note)"}"#,
                    partition: Self.hot
                )
            }
            try await publisher.flush()
            let memory = try await unhindered(broker, publisher)
            try await bounded(broker, bytes: memory)
        } catch {
            try await broker.stop()
            throw error
        }
        try await broker.stop()
    }

    /// Cohorts that each look at every event of the backlog.
    private func manyCohorts(_ daemon: DaemonUnderTest) throws {
        try daemon.write(
            "cohorts/many.yaml",
            (0..<60).map {
                "id: page-\($0)\nusers: {performed: {event: view, last: 24h, count: {gte: 2},"
                    + " where: {page: {glob: \"*\($0)\"}}}}\n"
            }.joined(separator: "---\n")
        )
    }

    /// Users of another partition are told while the backlog is read.
    ///
    /// - Returns: How much memory the daemon had with nobody, and then with everyone.
    private func unhindered(
        _ broker: Broker,
        _ publisher: Publisher
    ) async throws -> (least: Double, most: Double) {
        let daemon = try DaemonUnderTest()
        let receiver = try Receiver()
        // The backlog is to last: what is queued of it is what others wait for, and that is bounded.
        try daemon.configure(
            kafka: broker.address,
            properties: ["queued.min.messages": "2000", "fetch.message.max.bytes": "100000"]
        )
        try daemon.webhook(url: receiver.url)
        try daemon.cohorts([("calm", "{performed: {event: tap, last: 1h}}")])
        try manyCohorts(daemon)
        try daemon.start()
        var least = Double.infinity
        var lag: Int64 = 0
        try await eventually("the backlog is being read", within: 90) {
            least = min(least, try daemon.metric("cohortd_memory_bytes") ?? .infinity)
            lag = try daemon.status()?.partitions.first?.lag ?? 0
            return lag > 0
        }
        // Twice somebody new is told to the receiver with the backlog still there.
        for number in 0..<2 {
            try await publisher.event("tap", of: "calm-\(number)", partition: Self.calm)
            try await publisher.flush()
            try await eventually("calm-\(number) is in") {
                receiver.deliveries.members()["calm"]?.contains("calm-\(number)") ?? false
            }
            lag = try #require(try daemon.status()?.partitions.first?.lag)
            print("calm-\(number) is told with \(lag) events of the backlog to come")
            #expect(lag > 0, "the backlog was over before calm-\(number) was told")
        }
        try await daemon.ready(within: 180)
        try await daemon.settled(at: wallClock())
        #expect(try daemon.status()?.users == Self.strangers + 2)
        #expect(
            try daemon.metric(#"cohortd_events_total{partition="0",outcome="applied"}"#)
                == Double(Self.strangers)
        )
        let most = try #require(try daemon.metric("cohortd_memory_bytes"))
        try await daemon.stop()
        return (least, most)
    }

    /// With room for two thirds of the users it stops reading in time, and takes the rest when it has more.
    private func bounded(_ broker: Broker, bytes: (least: Double, most: Double)) async throws {
        let limit = Int(bytes.least + (bytes.most - bytes.least) * 2 / 3)
        let daemon = try DaemonUnderTest()
        func configure(memory: Int) throws {
            try daemon.configure(
                kafka: broker.address,
                kafkaMore: "group: bounded",
                more: "memory_max: \(memory)B"
            )
        }
        try configure(memory: limit)
        try manyCohorts(daemon)
        let program = try daemon.start()
        try await eventually("it stops reading", within: 90) {
            try #require(program.isRunning, "\(program.errorLines.suffix(5))")
            return try daemon.readiness()?.reasons.contains { $0.hasPrefix("memory: ") } ?? false
        }
        let peak = try peakBytes(of: program.process)
        print("memory_max \(limit >> 20) MiB, peak \(peak >> 20) MiB")
        #expect(Double(peak) <= 1.15 * Double(limit))
        let held = try #require(try daemon.status())
        #expect(held.users < Self.strangers && held.users > 0)
        #expect((held.partitions.first?.lag ?? 0) > 0)
        #expect(program.isRunning)

        try configure(memory: limit * 4)
        try await daemon.reload(until: "settings ~memory_max")
        try await daemon.ready(within: 180)
        try await daemon.settled(at: wallClock())
        #expect(try daemon.status()?.users == Self.strangers + 2)
        #expect(!program.errors.contains("event_rejected"))
        try await daemon.stop()
    }

    private func peakBytes(of process: pid_t) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.filter(\.isNumber))) << 10
    }
}
