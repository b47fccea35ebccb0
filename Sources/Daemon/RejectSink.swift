import Basics
import Destinations
import Events
import Glibc
import Kafka
import Synchronization
import Telemetry
import Threads

/// An event or a command that was refused, with what a person needs to find and repair it.
struct RejectedEvent: Sendable {
    let topic: String
    let partition: PartitionID
    let offset: Offset
    /// Position in a batch; nil where the record is no batch or was refused whole.
    let index: Int?
    let reason: RejectReason
    let text: String
    let key: [UInt8]?
    let value: [UInt8]
}

/// Where refused events go: to the dead-letter topic with their reason, or, without one, sampled into files.
///
/// A thread of its own, so that an engine thread waits only when the broker takes no dead letters at all: then
/// it waits, since nothing may vanish. An event that the topic refuses goes into the samples.
///
/// A snapshot passes an event only once its dead letter is safe (``isSettled(_:)``): confirmed by Kafka, or in the samples.
/// So after a crash it is read, and sent, again.
final class RejectSink: Sendable {
    private let topic: String?
    private let logger: Logger
    private let mailbox = Mailbox<RejectedEvent>(capacity: 4096)
    private let samples: Mutex<RejectSamples>
    private let undelivered = Mutex<[UInt64: RejectedEvent]>([:])
    /// What was refused once, and of it what is to be sent again.
    private let refused = Mutex<(once: Set<UInt64>, again: [UInt64])>(([], []))
    /// How many of each partition are on their way.
    private let unsettled = Mutex<[PartitionID: Int]>([:])
    private let isStopping = Atomic(false)
    /// Whether the producer has failed for good.
    private let isBroken = Atomic(false)

    /// A sink without its thread.
    ///
    /// - Parameters:
    ///   - topic: The dead-letter topic; nil = samples.
    ///   - folder: Where samples go.
    ///   - logger: Told of each reason, at a bounded rate.
    init(topic: String?, folder: String, logger: Logger) {
        self.topic = topic
        self.logger = logger
        samples = Mutex(RejectSamples(folder: folder))
    }

    /// Takes an event, and waits only while thousands wait already.
    func take(_ event: RejectedEvent) {
        let element = event.index.map { "[\($0)]" } ?? ""
        logger.warning(
            "event_rejected",
            event.text,
            [
                "reason": LogValue(event.reason.rawValue), "topic": LogValue(event.topic),
                "partition": LogValue(event.partition),
                "record": LogValue("\(event.offset)\(element)"),
            ],
            repeatKey: event.reason.rawValue
        )
        unsettled.withLock { $0[event.partition, default: 0] += 1 }
        if !mailbox.post(event) { keep(event) }
    }

    /// Whether nothing of a partition is on its way: what was taken is in Kafka, or in the samples.
    func isSettled(_ partition: PartitionID) -> Bool {
        unsettled.withLock { $0[partition, default: 0] == 0 }
    }

    /// Waits until nothing of a partition is on its way; false where it still is after the time given.
    func settle(_ partition: PartitionID, timeoutMilliseconds: Int64) -> Bool {
        let clock = SystemClock()
        let end = clock.monotonicMilliseconds + timeoutMilliseconds
        while !isSettled(partition) {
            if clock.monotonicMilliseconds >= end { return false }
            usleep(2000)
        }
        return true
    }

    /// Starts the thread.
    ///
    /// The producer is made with the first event.
    func start(properties: [String: String]) -> SystemThread {
        SystemThread { self.run(properties) }
    }

    /// Lets what was taken leave, then ends the thread.
    func stop() {
        isStopping.store(true, ordering: .relaxed)
        mailbox.close()
    }

    private func run(_ properties: [String: String]) {
        var producer: Producer?
        var token: UInt64 = 0
        while true {
            let events = mailbox.takeAll(timeoutMilliseconds: 1000)
            if isBroken.exchange(false, ordering: .relaxed) {
                producer = replaced(producer, properties)
            }
            if let producer { sendAlone(producer) }
            if events.isEmpty, isStopping.load(ordering: .relaxed) { break }
            if events.isEmpty { continue }
            if producer == nil, topic != nil { producer = makeProducer(properties) }
            for event in events {
                guard let producer, let topic else {
                    keep(event)
                    continue
                }
                token += 1
                send(event, token, to: topic, producer)
            }
        }
        if let producer {
            flush(producer)
            sendAlone(producer)
            _ = producer.close(timeoutMilliseconds: 5000)
        }
        // What no broker confirmed by now is kept where a person finds it.
        let left = undelivered.withLock { undelivered in
            defer { undelivered = [:] }
            return undelivered
        }
        for token in left.keys.sorted() { left[token].map(keep) }
    }

    /// Sends what was refused once more, each for itself: one event that the topic cannot take spoils its batch.
    private func sendAlone(_ producer: Producer) {
        let again = refused.withLock { refused in
            defer { refused.again = [] }
            return refused.again
        }
        guard let topic, !again.isEmpty else { return }
        for token in again {
            guard let event = undelivered.withLock({ $0[token] }) else { continue }
            flush(producer)
            send(event, token, to: topic, producer)
        }
        flush(producer)
    }

    private func flush(_ producer: Producer) {
        do throws(KafkaError) {
            try producer.flush(timeoutMilliseconds: 5000)
        } catch {
            logger.debug("dead_letter_refused", error.description, repeatKey: "flush")
        }
    }

    /// Another producer instead of one that has failed for good; what the old one did not deliver is sent again.
    private func replaced(_ old: Producer?, _ properties: [String: String]) -> Producer? {
        _ = old?.close(timeoutMilliseconds: 1000)
        let producer = makeProducer(properties)
        let left = undelivered.withLock { $0 }
        for token in left.keys.sorted() {
            guard let event = left[token] else { continue }
            if let producer, let topic {
                send(event, token, to: topic, producer)
            } else if undelivered.withLock({ $0.removeValue(forKey: token) }) != nil {
                keep(event)
            }
        }
        return producer
    }

    private func makeProducer(_ properties: [String: String]) -> Producer? {
        do throws(KafkaError) {
            let producer = try Producer(
                ProducerSettings(properties: properties, clientID: "cohortd-rejects"),
                delivered: { [weak self] in self?.settled($0, $1) },
                failed: { [weak self] in
                    if $0.isFatal { self?.isBroken.store(true, ordering: .relaxed) }
                },
                log: { _ in }
            )
            if let topic {
                do throws(KafkaError) {
                    _ = try Admin(producer).createTopic(
                        topic,
                        partitions: nil,
                        timeoutMilliseconds: 10_000
                    )
                } catch {
                    logger.warning(
                        "dead_letter_topic",
                        "the dead-letter topic \(topic) cannot be made: \(error.description);"
                            + " what it does not take goes into data_dir/rejects"
                    )
                }
            }
            return producer
        } catch {
            logger.warning(
                "dead_letter_topic",
                "no dead letters: \(error.description); rejected events go into data_dir/rejects"
            )
            return nil
        }
    }

    private func send(
        _ event: RejectedEvent,
        _ token: UInt64,
        to topic: String,
        _ producer: Producer
    ) {
        var headers = [
            RecordHeader(name: "cohortd-reason", text: event.reason.rawValue),
            RecordHeader(name: "cohortd-detail", text: event.text),
            RecordHeader(name: "cohortd-topic", text: event.topic),
            RecordHeader(name: "cohortd-partition", text: String(event.partition)),
            RecordHeader(name: "cohortd-offset", text: String(event.offset)),
        ]
        if let index = event.index {
            headers.append(RecordHeader(name: "cohortd-index", text: String(index)))
        }
        headers.append(RecordHeader(name: "cohortd-at", text: SystemClock().now.rfc3339))
        undelivered.withLock { $0[token] = event }
        while true {
            do throws(KafkaError) {
                try producer.send(
                    topic: topic,
                    key: event.key,
                    value: event.value,
                    headers: headers,
                    token: token
                )
                return
            } catch {
                if error.kind == .queueFull, !isStopping.load(ordering: .relaxed) {
                    _ = Mailbox<Void>(capacity: 1).takeAll(timeoutMilliseconds: 20)
                    continue
                }
                if error.isFatal {
                    isBroken.store(true, ordering: .relaxed)
                } else {
                    settled(token, error)
                }
                return
            }
        }
    }

    private func settled(_ token: UInt64, _ error: KafkaError?) {
        // After a fatal error another producer sends it again.
        if let error, error.isFatal {
            isBroken.store(true, ordering: .relaxed)
            return
        }
        if let error, Self.batchErrors.contains(error.codeName), isRefusedFirst(token) { return }
        guard let event = undelivered.withLock({ $0.removeValue(forKey: token) }) else { return }
        refused.withLock { _ = $0.once.remove(token) }
        guard let error else {
            arrived(event)
            return
        }
        logger.warning(
            "dead_letter_refused",
            "the dead-letter topic did not take an event: \(error.description); it is in"
                + " data_dir/rejects",
            repeatKey: "\(error.code)"
        )
        keep(event)
    }

    /// What one record may bring upon its batch.
    private static let batchErrors: Set = [
        "MSG_SIZE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD",
    ]

    /// Notes that an event is to be sent alone; false where it was.
    private func isRefusedFirst(_ token: UInt64) -> Bool {
        refused.withLock { refused in
            guard refused.once.insert(token).inserted else { return false }
            refused.again.append(token)
            return true
        }
    }

    private func keep(_ event: RejectedEvent) {
        let failure = samples.withLock {
            $0.append(event, at: SystemClock().now)
        }
        if let failure {
            logger.warning("reject_samples", failure, repeatKey: "samples")
        }
        arrived(event)
    }

    private func arrived(_ event: RejectedEvent) {
        unsettled.withLock { $0[event.partition, default: 1] -= 1 }
    }
}
