import Basics
import Daemon
import Kafka
import Synchronization
import Threads
import Traffic

/// Events at a steady rate; now and then one of a new user who enters the cohort by it.
final class LatencyTraffic: Sendable {
    /// One event in so many is of a new user.
    static let markedEach = 100
    private static let userCount = 200_000
    /// How long the last users may take, in milliseconds.
    private static let graceMilliseconds: Int64 = 10_000

    private let producer: Producer
    private let rate: Int
    private let seconds: Int
    private let times: PublishTimes
    private let hasBegun = Atomic(false)
    private let published = Atomic(0)
    private let marked = Atomic(0)
    private let overAt = Atomic(Int64.max)
    private let refused = RefusedRecords()

    /// Records that the broker did not take.
    final class RefusedRecords: Sendable {
        let count = Atomic(0)
    }

    init(broker: String, rate: Int, seconds: Int, times: PublishTimes) throws(KafkaError) {
        self.rate = rate
        self.seconds = seconds
        self.times = times
        let refused = refused
        producer = try Producer(
            ProducerSettings(
                properties: ["bootstrap.servers": broker],
                clientID: "cohort-bench",
                lingerMilliseconds: 5,
                compression: "lz4"
            ),
            delivered: { _, error in
                if error != nil { refused.count.wrappingAdd(1, ordering: .relaxed) }
            },
            failed: { _ in },
            log: { _ in }
        )
    }

    var publishedCount: Int { published.load(ordering: .relaxed) }
    var refusedCount: Int { refused.count.load(ordering: .relaxed) }
    var markedCount: Int { marked.load(ordering: .relaxed) }
    /// Whether everything is published.
    var isOver: Bool { overAt.load(ordering: .relaxed) != .max }
    /// Whether that was long ago.
    var isLongOver: Bool {
        let overAt = overAt.load(ordering: .relaxed)
        return overAt != .max
            && SystemClock().monotonicMilliseconds > overAt + Self.graceMilliseconds
    }

    /// Lets the events flow.
    func begin() {
        hasBegun.store(true, ordering: .relaxed)
    }

    func start() -> SystemThread {
        SystemThread { self.run() }
    }

    private func run() {
        let clock = SystemClock()
        let pause = Mailbox<Void>(capacity: 1)
        while !hasBegun.load(ordering: .relaxed) { _ = pause.takeAll(timeoutMilliseconds: 10) }
        // The daemon asks whether to stop before it has joined its group.
        _ = pause.takeAll(timeoutMilliseconds: 3000)
        let pace = TrafficPace(rate: rate, began: clock.monotonicMilliseconds)
        var count = 0
        while count < rate * seconds {
            let owed = min(rate * seconds, pace.owed(now: clock.monotonicMilliseconds))
            while count < owed {
                send(count, clock)
                count += 1
            }
            published.store(count, ordering: .relaxed)
            _ = pause.takeAll(timeoutMilliseconds: 2)
        }
        do throws(KafkaError) {
            try producer.flush(timeoutMilliseconds: 10_000)
        } catch {
            refused.count.wrappingAdd(1, ordering: .relaxed)
        }
        _ = producer.close(timeoutMilliseconds: 1000)
        overAt.store(clock.monotonicMilliseconds, ordering: .relaxed)
    }

    private func send(_ number: Int, _ clock: SystemClock) {
        let now = clock.now.milliseconds
        var user = "user-\(number &* 7919 % Self.userCount)"
        var type = "page_view"
        if number % Self.markedEach == 0,
            let place = times.publish(at: clock.monotonicMilliseconds)
        {
            user = "marked-\(place)"
            type = "marked"
            marked.wrappingAdd(1, ordering: .relaxed)
        }
        let json =
            "{\"user_id\":\"\(user)\",\"event_type\":\"\(type)\",\"time\":\(now),"
            + "\"insert_id\":\"\(number)\"}"
        while true {
            do throws(KafkaError) {
                try producer.send(topic: "events", key: Array(user.utf8), value: Array(json.utf8))
                return
            } catch {
                // The client's queue is full: the broker is slower than the rate for a moment.
                _ = Mailbox<Void>(capacity: 1).takeAll(timeoutMilliseconds: 1)
            }
        }
    }
}
