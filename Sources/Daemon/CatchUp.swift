package import Basics
package import Cohorts
package import Configuration
package import Engine
import HTTPAPI
import Kafka
package import Replay
import Synchronization
import Telemetry
import Threads

/// The daemon's engine threads over a topic that holds everything already: no syncs, no API, no commands.
///
/// For measuring. The calls are made in their order, on one thread.
package final class CatchUp {
    /// When partitions tick.
    package enum Ticks: Sendable {
        /// By event time, each partition for itself, so that what comes out is what a replay of the same events
        /// gives.
        case byEventTime(TickSchedule.Rule)
        /// Once, after the last record: a daemon that catches up does not tick before.
        case atEnd(EventTime)
    }

    /// What it runs on.
    package struct Settings: Sendable {
        /// The cohorts.
        package var plan: Plan
        /// What replay and the daemon share.
        package var replay: ReplayConfiguration
        /// When each partition ticks.
        package var ticks: Ticks
        /// librdkafka's properties, `bootstrap.servers` among them.
        package var properties: [String: String]
        /// The topic of events.
        package var topic: String
        /// The group, which must be nobody else's.
        package var group: String
        /// How many engine threads.
        package var threads: Int
        /// A folder for the partitions' logs.
        package var directory: String
        /// Whether state is written as a daemon does; otherwise none is.
        package var isDurable: Bool
        /// Gets what ticks change, maybe some of a tick at a time, on an engine thread; the deltas are borrowed.
        package var ticked: (@Sendable (borrowing Shard, EventTime, [Delta]) -> Void)?

        /// Settings of one thread that keeps no state.
        package init(
            plan: Plan,
            replay: ReplayConfiguration,
            ticks: Ticks,
            properties: [String: String],
            topic: String,
            directory: String
        ) {
            self.plan = plan
            self.replay = replay
            self.ticks = ticks
            self.properties = properties
            self.topic = topic
            self.directory = directory
            group = "cohort-bench"
            threads = 1
            isDurable = false
        }
    }

    /// What came of the events.
    package struct Outcome: Sendable {
        /// Applied, filtered, rejected and deduplicated ones.
        package var events = 0
        /// Events refused.
        package var rejected = 0
        /// Events dropped as duplicates.
        package var duplicates = 0
        /// Users known at the end.
        package var users = 0
        /// Ticks of all partitions.
        package var ticks = 0
        /// Deltas of all ticks.
        package var enters = 0
        /// Deltas of all ticks.
        package var exits = 0
        /// Members at the last tick, by index of the cohort.
        package var members: [Int] = []
    }

    private let settings: Settings
    private let environment: EngineEnvironment
    private let engines: [EngineThread]
    private var threads: [SystemThread] = []
    private let consumer: Consumer
    private let hasJoined = Atomic(false)
    /// What each partition holds.
    package private(set) var offsets: [PartitionID: Range<Offset>] = [:]

    /// Makes the client and the threads; nothing is read.
    package init(_ settings: Settings, assigned: @escaping @Sendable () -> Void) throws(DaemonError)
    {
        self.settings = settings
        var environment = EngineEnvironment(
            measuring: settings.plan,
            settings.replay,
            topic: settings.topic,
            directory: settings.directory,
            isDurable: settings.isDurable
        )
        if case .byEventTime(let rule) = settings.ticks { environment.eventTicks = rule }
        environment.ticked = settings.ticked
        self.environment = environment
        engines = (0..<settings.threads).map { _ in EngineThread(environment) }
        let (reports, logger) = (environment.reports, environment.logger)
        let events = ConsumerEvents(
            startPosition: { .offset(reports[$0]?.offset ?? 0) },
            assigned: { _ in assigned() },
            revoked: { _, _ in },
            failed: { error in
                logger.warning(
                    "kafka_error",
                    error.description,
                    repeatKey: "\(error.code)"
                )
            },
            log: { logger.debug("kafka_client", $0.text, repeatKey: $0.text) }
        )
        do throws(KafkaError) {
            consumer = try Consumer(
                ConsumerSettings(
                    properties: settings.properties,
                    groupID: settings.group,
                    clientID: "cohort-bench",
                    topic: settings.topic,
                    threads: settings.threads
                ),
                events
            )
        } catch {
            throw Self.failure(error)
        }
    }

    private static func failure(_ error: KafkaError) -> DaemonError {
        DaemonError(status: DaemonError.Status.software, "Kafka: \(error.description)")
    }

    /// Opens the log of every partition and learns what Kafka has of it.
    package func open() throws(DaemonError) {
        threads = engines.map { $0.start() }
        threads.append(environment.rejects.start(properties: settings.properties))
        do throws(KafkaError) {
            let count = try consumer.partitionCount(timeoutMilliseconds: 10_000)
            let partitions = Array(0..<PartitionID(count))
            let first = try consumer.firstOffsets(partitions, timeoutMilliseconds: 10_000)
            let end = try consumer.endOffsets(partitions, timeoutMilliseconds: 10_000)
            for partition in partitions {
                guard let first = try first[partition]?.get(), let end = try end[partition]?.get()
                else { continue }
                offsets[partition] = first..<end
            }
        } catch {
            throw Self.failure(error)
        }
        for partition in offsets.keys.sorted() {
            let reply = Mailbox<Result<OpenedPartition, DaemonError>>(capacity: 1)
            let engine = engines[Int(partition) % engines.count]
            engine.post(.open(partition, reply))
            guard let answer = reply.next() else { continue }
            _ = try answer.get()
        }
        // A daemon knows when it will tick first, which lets the engine forget what that tick cannot see.
        var floor = EventTime.distantPast
        if case .atEnd(let instant) = settings.ticks { floor = instant }
        for (partition, range) in offsets.sorted(by: { $0.key < $1.key }) {
            let start = PartitionStart(
                events: LogStart(
                    offset: range.lowerBound,
                    end: range.upperBound,
                    oldest: range.lowerBound
                ),
                floor: floor
            )
            engines[Int(partition) % engines.count].post(.start(partition, start))
        }
        try wait { $0.state != .restoring }
    }

    /// Lets the engine threads read; `join` may come before it.
    package func attach() {
        for (engine, queue) in zip(engines, consumer.queues) { engine.post(.attach(queue)) }
        guard case .atEnd(let instant) = settings.ticks else { return }
        for (index, engine) in engines.enumerated() {
            let ends = offsets.filter { Int($0.key) % engines.count == index }
                .mapValues { LogPosition(events: $0.upperBound) }
            engine.post(.tick(instant, ends: ends))
        }
    }

    /// Joins the group until `isDone` holds of the number of records that wait.
    package func join(until isDone: (_ waiting: Int) -> Bool) {
        while !isDone(consumer.queues.reduce(0) { $0 + $1.count }) {
            consumer.pollControl(timeoutMilliseconds: 10)
        }
    }

    /// Waits until every partition has applied everything and ticked.
    package func finish() throws(DaemonError) {
        let offsets = offsets
        var last: EventTime?
        if case .atEnd(let instant) = settings.ticks { last = instant }
        try wait {
            $0.state == .live && $0.offset >= offsets[$0.partition]?.upperBound ?? 0
                && (last == nil || $0.tick == last)
        }
    }

    /// Makes the state durable, where that is wanted, and ends the engine threads.
    package func stop() throws(DaemonError) {
        var failure: DaemonError?
        for engine in engines {
            let reply = Mailbox<DaemonError?>(capacity: 1)
            engine.post(.finish(reply))
            if let answer = reply.next() { failure = failure ?? answer }
        }
        environment.rejects.stop()
        for thread in threads { thread.join() }
        if let failure { throw failure }
    }

    /// Leaves the group.
    package func close() {
        _ = consumer.close(timeoutMilliseconds: 5000)
    }

    /// What came of the events up to now.
    package var outcome: Outcome {
        var outcome = Outcome()
        outcome.members = [Int](repeating: 0, count: settings.plan.cohorts.count)
        for report in environment.reports.all {
            let counts = report.events
            outcome.events +=
                counts.applied + counts.deduplicated + counts.filtered + counts.rejected
            outcome.rejected += counts.rejected
            outcome.duplicates += counts.deduplicated
            outcome.users += report.users
            outcome.ticks += report.eventTicks
            outcome.enters += report.flips.enters.reduce(0, +)
            outcome.exits += report.flips.exits.reduce(0, +)
            for (cohort, count) in report.members.enumerated() { outcome.members[cohort] += count }
        }
        return outcome
    }

    /// Waits until something holds of the report of every partition.
    private func wait(until isDone: (PartitionReport) -> Bool) throws(DaemonError) {
        while true {
            for message in environment.control.takeAll(timeoutMilliseconds: 0) {
                switch message {
                case .fatal(let error): throw error
                case .troubled(let partition, let topic, let offset, _):
                    throw DaemonError(
                        status: DaemonError.Status.software,
                        "partition \(partition) of \(topic) cannot be read at \(offset)"
                    )
                case .durable, .filled, .leftOut, .changeDefinitions, .met, .looked, .changeLog:
                    break
                }
            }
            if environment.reports.all(offsets.count, satisfy: isDone) { return }
            consumer.pollControl(timeoutMilliseconds: 10)
        }
    }
}
