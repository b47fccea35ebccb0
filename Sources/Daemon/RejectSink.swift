import Basics
import Destinations
import Events
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
final class RejectSink: Sendable {
    private let topic: String?
    private let logger: Logger
    private let mailbox = Mailbox<RejectedEvent>(capacity: 4096)
    private let samples: Mutex<RejectSamples>
    private let undelivered = Mutex<[UInt64: RejectedEvent]>([:])
    private let isStopping = Atomic(false)

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
        mailbox.post(event)
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
        _ = producer?.close(timeoutMilliseconds: 5000)
        // What no broker confirmed by now is kept where a person finds it.
        let left = undelivered.withLock { $0 }
        for token in left.keys.sorted() { left[token].map(keep) }
    }

    private func makeProducer(_ properties: [String: String]) -> Producer? {
        do throws(KafkaError) {
            let producer = try Producer(
                ProducerSettings(properties: properties, clientID: "cohortd-rejects"),
                delivered: { [weak self] in self?.settled($0, $1) },
                failed: { _ in },
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
                settled(token, error)
                return
            }
        }
    }

    private func settled(_ token: UInt64, _ error: KafkaError?) {
        guard let event = undelivered.withLock({ $0.removeValue(forKey: token) }), let error else {
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

    private func keep(_ event: RejectedEvent) {
        let failure = samples.withLock {
            $0.append(event, at: SystemClock().now)
        }
        if let failure {
            logger.warning("reject_samples", failure, repeatKey: "samples")
        }
    }
}
