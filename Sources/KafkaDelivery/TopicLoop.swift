import Basics
import Kafka
import Sync
import Threads

/// What the thread of a topic is told.
enum TopicMessage: Sendable {
    case batch(DeliveryRequest, token: UInt64)
    /// A record of a batch was acknowledged, or will never be.
    case report(generation: UInt64, batch: UInt64, KafkaError?)
    /// Trouble of a whole client.
    case trouble(generation: UInt64, KafkaError)
    case stop(graceMilliseconds: Int64)
}

/// The thread of a topic: sends, counts acknowledgments, watches the time.
///
/// Belongs to that thread.
final class TopicLoop {
    private let settings: TopicSettings
    private let mailbox: Mailbox<TopicMessage>
    private let complete: (UInt64, DeliveryOutcome) -> Void
    private let clock = SystemClock()

    private var producer: Producer?
    /// Counts producers, so that a report of an earlier one is known.
    private var generation: UInt64 = 0
    private var batches: [UInt64: TopicBatch] = [:]
    private var lastBatch: UInt64 = 0
    private var lastTrouble: KafkaError?
    private var stopDeadline: Int64?

    init(
        _ settings: TopicSettings,
        mailbox: Mailbox<TopicMessage>,
        complete: @escaping (UInt64, DeliveryOutcome) -> Void
    ) {
        self.settings = settings
        self.mailbox = mailbox
        self.complete = complete
    }

    /// The outcome of a batch that came after the end.
    static let stopped = DeliveryOutcome.retriable(
        detail: "not sent because the program stops; it is sent after the next start",
        knownNotApplied: true
    )

    /// Runs until stopped and every batch has its outcome.
    func run() {
        while true {
            for message in mailbox.takeAll(timeoutMilliseconds: waitMilliseconds) { take(message) }
            let now = clock.monotonicMilliseconds
            expire(now)
            if let stopDeadline, batches.isEmpty || stopDeadline <= now { break }
        }
        mailbox.close()
        for message in mailbox.takeAll(timeoutMilliseconds: 0) { take(message) }
        answerAll("cut off because the program stops; sent again after the next start")
        dropProducer()
    }

    /// Until the next deadline; reports and batches wake earlier.
    private var waitMilliseconds: Int64 {
        let next = batches.values.compactMap { $0.token == nil ? nil : $0.deadline }.min()
        let deadline = [next, stopDeadline].compactMap { $0 }.min()
        guard let deadline else { return 60_000 }
        return min(max(deadline - clock.monotonicMilliseconds, 1), 60_000)
    }

    private func take(_ message: TopicMessage) {
        switch message {
        case .batch(_, let token) where stopDeadline != nil:
            complete(token, Self.stopped)
        case .batch(let request, let token):
            send(request, token)
        case .report(let generation, let batch, let error):
            if generation == self.generation { count(batch, error) }
        case .trouble(let generation, let error):
            if generation != self.generation { break }
            lastTrouble = error
            if error.isFatal { giveUp(error) }
        case .stop(let graceMilliseconds):
            stopDeadline = clock.monotonicMilliseconds + graceMilliseconds
        }
    }

    private func send(_ request: DeliveryRequest, _ token: UInt64) {
        let deadline = clock.monotonicMilliseconds + request.timeoutMilliseconds
        if let number = batches.first(where: { $0.value.isSame(as: request) })?.key {
            batches[number]?.token = token
            batches[number]?.deadline = deadline
            return
        }
        let producer: Producer
        do throws(KafkaError) {
            producer = try currentProducer()
        } catch {
            let detail = "\(error.description); correct properties, then restart"
            complete(token, .failed(detail: "topic \(settings.topic): \(detail)"))
            return
        }
        lastBatch += 1
        var batch = TopicBatch(request, token: token, deadline: deadline)
        settings.records.forEach(of: request) { key, value in
            do throws(KafkaError) {
                try producer.send(
                    topic: settings.topic,
                    key: key,
                    value: value,
                    token: lastBatch
                )
                batch.openCount += 1
                return true
            } catch {
                // One more refusal would say the same: the rest comes with the repetition.
                batch.error = error
                return false
            }
        }
        batches[lastBatch] = batch
        if let error = batch.error, error.isFatal {
            giveUp(error)
        } else if batch.openCount == 0 {
            end(lastBatch)
        }
    }

    private func count(_ number: UInt64, _ error: KafkaError?) {
        guard batches[number] != nil else { return }
        batches[number]?.note(error)
        if batches[number]?.openCount == 0 { end(number) }
    }

    private func end(_ number: UInt64) {
        guard let batch = batches.removeValue(forKey: number) else { return }
        if batch.error == nil { lastTrouble = nil }
        if let token = batch.token { complete(token, batch.outcome(topic: settings.topic)) }
        // The client remembers for minutes what it may not do, so a right that is given would be of no use.
        if batch.isRefused, batches.isEmpty { dropProducer() }
    }

    /// Answers what takes too long; its records stay with the client.
    private func expire(_ now: Int64) {
        for (number, batch) in batches where batch.deadline <= now {
            guard let token = batch.token else { continue }
            batches[number]?.token = nil
            let time = DurationText.text(milliseconds: batch.timeoutMilliseconds)
            let trouble = lastTrouble.map { " (\($0.description))" } ?? ""
            complete(
                token,
                .retriable(
                    detail: "topic \(settings.topic): no acknowledgment of \(batch.openCount) of"
                        + " \(batch.count) records within \(time)\(trouble); look at the brokers of"
                        + " bootstrap.servers. The records leave when they answer"
                )
            )
        }
    }

    /// A client with a fatal error is of no use: the next batch makes a new one.
    private func giveUp(_ error: KafkaError) {
        dropProducer()
        answerAll("\(error.description); sent again with a new connection")
    }

    private func answerAll(_ reason: String) {
        let left = batches
        batches = [:]
        for number in left.keys.sorted() {
            guard let token = left[number]?.token else { continue }
            complete(token, .retriable(detail: "topic \(settings.topic): \(reason)"))
        }
    }

    private func currentProducer() throws(KafkaError) -> Producer {
        if let producer { return producer }
        generation += 1
        let (generation, mailbox) = (generation, mailbox)
        let made = try Producer(
            ProducerSettings(properties: settings.properties, clientID: settings.clientID),
            delivered: { mailbox.postAtOnce(.report(generation: generation, batch: $0, $1)) },
            failed: { mailbox.postAtOnce(.trouble(generation: generation, $0)) },
            log: { _ in }
        )
        producer = made
        return made
    }

    /// Waits a moment, so that nothing of it arrives after what a new client sends.
    private func dropProducer() {
        _ = producer?.close(timeoutMilliseconds: 5000)
        producer = nil
        // What the old one still says does not concern the new one.
        generation += 1
        lastTrouble = nil
    }
}
