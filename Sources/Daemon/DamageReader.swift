import Basics
import Glibc
import Kafka
import Synchronization
import Telemetry
import Threads

/// A batch that could not be read.
struct DamageQuestion: Sendable {
    let topic: String
    let partition: PartitionID
    /// What was to be read next.
    let offset: Offset
    /// What the client said.
    let text: String
}

/// What a closer look has found.
enum DamageFinding: Sendable {
    /// It can be read now.
    case readable
    /// Kafka has something else there by now.
    case changed(KafkaError)
    /// It cannot be read; the next batch begins at `next`, nil where that could not be found out.
    case damaged(next: Offset?)
}

/// A thread that looks again at batches which could not be read: a flipped bit on the way is gone the next time.
///
/// Where it is not, it finds out how far the damage reaches, which the client does not tell.
final class DamageReader: Sendable {
    /// How often a batch is read before it is taken for damaged.
    static let attempts = 10
    private static let pauseMilliseconds = 300
    private static let answerMilliseconds = 5000
    /// The most looks at where a batch ends.
    private static let looksMax = 64

    private let mailbox = Mailbox<DamageQuestion>(capacity: 1024)
    private let isStopped = Atomic(false)
    private let properties: [String: String]
    private let control: Mailbox<ControlMessage>
    private let logger: Logger

    init(properties: [String: String], control: Mailbox<ControlMessage>, logger: Logger) {
        self.properties = properties
        self.control = control
        self.logger = logger
    }

    /// Starts the thread, which ends after ``stop()``.
    func start() -> SystemThread {
        SystemThread { self.run() }
    }

    /// Asks for a look; the answer is a ``ControlMessage/looked(_:_:)``.
    func ask(_ question: DamageQuestion) { mailbox.postAtOnce(question) }

    /// Ends the thread soon.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        mailbox.close()
    }

    private func run() {
        while let question = mailbox.next() {
            guard let finding = look(question) else { return }
            control.postAtOnce(.looked(question, finding))
        }
    }

    /// Nil once it is stopped.
    private func look(_ question: DamageQuestion) -> DamageFinding? {
        var damaged = 0
        while damaged < Self.attempts {
            if damaged > 0 { rest() }
            if isStopped.load(ordering: .relaxed) { return nil }
            do throws(KafkaError) {
                let probe = try makeProbe(question.topic)
                defer { probe.close(timeoutMilliseconds: Self.answerMilliseconds) }
                switch try Self.look(probe, question, at: question.offset) {
                case .record, .end: return .readable
                case .damaged(let first, _):
                    damaged += 1
                    if damaged == Self.attempts {
                        return .damaged(next: try end(of: first, question, probe))
                    }
                case .failure(let error) where error.kind == .offsetOutOfRange:
                    return .changed(error)
                case .failure, nil: rest()
                }
            } catch {
                logger.debug("damage_look_failed", error.description)
                rest()
            }
        }
        return .damaged(next: nil)
    }

    private func makeProbe(_ topic: String) throws(KafkaError) -> LogProbe {
        let logger = logger
        return try LogProbe(properties: properties, topic: topic) { line in
            logger.debug("kafka_client", line.text, repeatKey: line.text)
        }
    }

    private func rest() {
        for _ in 0..<Self.pauseMilliseconds / 20 where !isStopped.load(ordering: .relaxed) {
            usleep(20_000)
        }
    }

    private static func look(
        _ probe: LogProbe,
        _ question: DamageQuestion,
        at offset: Offset
    ) throws(KafkaError) -> LogProbe.Finding? {
        try probe.look(
            at: [question.partition: offset],
            timeoutMilliseconds: answerMilliseconds
        )[question.partition]
    }

    /// The offset after the damaged batch: the first at which something else is met than that batch.
    private func end(
        of first: Offset,
        _ question: DamageQuestion,
        _ probe: LogProbe
    ) throws(KafkaError) -> Offset? {
        var looks = 0
        /// Nil where nothing answers.
        func isBehind(_ offset: Offset) throws(KafkaError) -> Bool? {
            looks += 1
            if looks > Self.looksMax || isStopped.load(ordering: .relaxed) { return nil }
            return switch try Self.look(probe, question, at: offset) {
            case .record, .end: true
            case .damaged(let other, _): other != first
            // Beyond the end of the log.
            case .failure(let error) where error.kind == .offsetOutOfRange: true
            case .failure, nil: nil
            }
        }
        var inside = question.offset
        var step: Offset = 1
        while true {
            guard let isBehind = try isBehind(inside + step) else { return nil }
            if isBehind { break }
            inside += step
            step *= 2
        }
        var behind = inside + step
        while behind - inside > 1 {
            let middle = inside + (behind - inside) / 2
            guard let isBehind = try isBehind(middle) else { return nil }
            if isBehind { behind = middle } else { inside = middle }
        }
        return behind
    }
}
