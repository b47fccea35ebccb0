import Basics
import Kafka
import Synchronization
import Threads
import Traffic

/// A shop's made-up traffic, published as any producer would: keyed by user, lz4, a few thousand a second.
///
/// Visitors come and go: each is active for a while, looks at products, sometimes fills a cart and sometimes
/// buys, so that all three cohorts of the demo have people entering and leaving.
final class DemoTraffic: Sendable {
    private let producer: Producer
    private let rate: Int
    private let isStopped = Atomic(false)
    private let published = Atomic(0)

    private static let userCount = 1500
    private static let sessionSeconds: Int64 = 60

    var publishedCount: Int { published.load(ordering: .relaxed) }

    init(broker: String, rate: Int) throws(DaemonError) {
        self.rate = rate
        do throws(KafkaError) {
            producer = try Producer(
                ProducerSettings(
                    properties: ["bootstrap.servers": broker],
                    clientID: "cohortd-demo",
                    lingerMilliseconds: 50,
                    compression: "lz4"
                ),
                delivered: { _, _ in },
                failed: { _ in },
                log: { _ in }
            )
        } catch {
            throw DaemonError(status: DaemonError.Status.software, error.description)
        }
    }

    func start() -> SystemThread {
        SystemThread { self.run() }
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
    }

    private func run() {
        let clock = SystemClock()
        var generator = SeededGenerator(seed: UInt64(bitPattern: clock.now.milliseconds))
        let pace = TrafficPace(rate: rate, began: clock.monotonicMilliseconds)
        var count = 0
        let pause = Mailbox<Void>(capacity: 1)
        while !isStopped.load(ordering: .relaxed) {
            let owed = pace.owed(now: clock.monotonicMilliseconds)
            while count < owed {
                send(Self.event(number: count, now: clock.now, &generator))
                count += 1
            }
            published.store(count, ordering: .relaxed)
            _ = pause.takeAll(timeoutMilliseconds: 10)
        }
        _ = producer.close(timeoutMilliseconds: 2000)
    }

    private func send(_ event: (user: String, json: [UInt8])) {
        do throws(KafkaError) {
            try producer.send(topic: "events", key: Array(event.user.utf8), value: event.json)
        } catch {
            // A full queue means that the broker is slower than the rate asked for: the demo then
            // publishes less, which its last line shows.
        }
    }

    private static func event(
        number: Int,
        now: EventTime,
        _ generator: inout SeededGenerator
    ) -> (user: String, json: [UInt8]) {
        // A third of the visitors is around at a time; who that is moves on.
        let shift = Int(now.milliseconds / (sessionSeconds * 10)) % userCount
        let event = TrafficEvent(
            user: "user-\((shift + generator.below(userCount / 3)) % userCount)",
            type: TrafficMix.shop.next(&generator),
            time: now,
            insertID: "demo-\(number)"
        )
        return (event.user, event.json(&generator))
    }
}
