import Kafka

/// Another member of the daemon's group, which takes partitions and reads nothing.
final class Guest {
    private let consumer: Consumer

    /// Joins the group, as a static member where an instance is given: after ``leave()`` the group then waits for it
    /// until its session of 6 s is over, as for one that died.
    init(_ broker: String, instance: String? = nil) throws {
        consumer = try Consumer(
            ConsumerSettings(
                properties: [
                    "bootstrap.servers": broker, "session.timeout.ms": "6000",
                    "heartbeat.interval.ms": "500",
                ],
                groupID: "cohortd",
                groupInstanceID: instance,
                clientID: "guest",
                topic: "events",
                threads: 1
            ),
            ConsumerEvents(
                startPosition: { _ in .hold },
                assigned: { _ in },
                revoked: { _, _ in },
                failed: { _ in },
                log: { _ in }
            )
        )
    }

    deinit {
        leave()
    }

    var hasPartitions: Bool { !consumer.assignment.isEmpty }

    func poll() {
        consumer.pollControl(timeoutMilliseconds: 5)
    }

    func leave() {
        _ = consumer.close(timeoutMilliseconds: 10_000)
    }
}
