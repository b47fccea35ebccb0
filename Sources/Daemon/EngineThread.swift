import Basics
import Cohorts
import Events
import Kafka
import LogStore
import Synchronization
import Threads

/// One thread that owns the workers of some partitions: it polls their queue, applies what comes, and does
/// what the other threads ask for in between.
///
/// Nothing of a worker is ever touched by another thread.
final class EngineThread: Sendable {
    /// What other threads ask for.
    enum Request: Sendable {
        /// Opens the partition's log and restores its state.
        case open(PartitionID, Mailbox<Result<OpenedPartition, DaemonError>>)
        /// Records will come from `offset` on.
        case start(PartitionID, PartitionStart)
        /// The queue to read from; once.
        case attach(EngineQueue)
        /// The queue of records of the past; nil when no more are needed.
        case attachHistory(EngineQueue?)
        /// The commands topic, which was not there at the start, is read from now on.
        case startCommands(PartitionID, LogStart)
        /// Ticks at the instant, each partition once it has applied everything before its end.
        case tick(EventTime, ends: [PartitionID: LogPosition])
        /// Stops applying anything to the partition.
        case halt(PartitionID, reason: String)
        /// Readies a halted partition to be started again.
        case goOn(PartitionID, LogStep, Mailbox<LogStepOutcome>)
        /// The partitions were taken away: makes their state durable and stops.
        case revoke([PartitionID], Mailbox<Void>)
        /// The first `limit` members after `after` of this thread's partitions.
        case members(cohort: Int, after: [UInt8]?, limit: Int, Mailbox<[MemberPage]>)
        /// Makes everything durable and ends the thread.
        case finish(Mailbox<DaemonError?>)
    }

    /// Members of one partition, sorted.
    struct MemberPage: Sendable {
        var users: [[UInt8]]
        var hasMore: Bool
    }

    /// The most records that are taken before mail is looked at.
    private static let recordsMax = 4096
    /// The same while a tick is under way: they take about as long as a slice of it.
    private static let recordsBetweenSlices = 512
    /// The most records of the past in a row while new ones wait: the new ones have four turns of five.
    private static let historyMax = 1024

    private let mailbox = Mailbox<Request>(capacity: 1024)
    private let queue = Mutex<EngineQueue?>(nil)
    private let environment: EngineEnvironment
    private let hand: Hand
    /// Whether the thread makes progress, for whoever watches over it.
    let heartbeat = Heartbeat()

    /// A thread that notes what it has in hand.
    init(_ environment: EngineEnvironment, _ hand: Hand = Hand()) {
        self.environment = environment
        self.hand = hand
    }

    /// Starts the thread, which ends after `finish`.
    func start() -> SystemThread {
        SystemThread { self.run() }
    }

    /// Asks for something; the thread is woken.
    func post(_ request: Request) {
        if case .attach(let attached) = request { queue.withLock { $0 = attached } }
        mailbox.postAtOnce(request)
        queue.withLock { $0 }?.wake()
    }

    private func run() {
        var workers: [PartitionID: PartitionWorker] = [:]
        var attached: EngineQueue?
        var history: EngineQueue?
        // Whether records of the past may be waiting.
        var hasHistory = false
        // Records of a partition come in runs.
        var current: PartitionWorker?
        let decoder = DecoderBox(environment, hand)
        var isTicking = false
        defer { heartbeat.beat(.waiting) }
        while true {
            heartbeat.beat()
            // On a full disk nothing may be applied that could not be saved. Records wait in Kafka meanwhile.
            let isStalled = workers.values.contains(where: \.isStalled)
            let patience: Int64 = isTicking ? 0 : isStalled ? 50 : attached == nil ? 1000 : 0
            for request in mailbox.takeAll(timeoutMilliseconds: patience) {
                if case .attach(let given) = request { attached = given }
                if case .attachHistory(let given) = request { history = given }
                if case .finish(let reply) = request {
                    heartbeat.beat(.long)
                    reply.post(finish(&workers))
                    return
                }
                serve(request, &workers)
                heartbeat.beat()
                current = nil
            }
            // One at a time: events wait for a slice of one tick, not for one of each.
            isTicking = workers.values.contains { $0.continueTick() }
            if let attached, !isStalled {
                _ = attached.consume(
                    timeoutMilliseconds: isTicking || hasHistory ? 0 : 50,
                    limit: isTicking ? Self.recordsBetweenSlices : Self.recordsMax
                ) { record in
                    if current?.partition != record.partition {
                        current = workers[record.partition]
                    }
                    current?.take(record, decoder)
                }
            }
            hasHistory = false
            if let history, !isStalled {
                let count = history.consume(
                    timeoutMilliseconds: 0,
                    limit: isTicking ? Self.recordsBetweenSlices : Self.historyMax
                ) { record in
                    if current?.partition != record.partition {
                        current = workers[record.partition]
                    }
                    current?.takeHistory(record, decoder)
                }
                hasHistory = count > 0
            }
            let now = environment.clock.monotonicMilliseconds
            for worker in workers.values {
                worker.afterBatch(now: now)
                heartbeat.beat()
            }
        }
    }

    private func serve(_ request: Request, _ workers: inout [PartitionID: PartitionWorker]) {
        switch request {
        case .attach, .attachHistory, .finish: break
        case .open(let partition, let reply):
            heartbeat.beat(.long)
            do throws(DaemonError) {
                let worker = try PartitionWorker.open(partition, environment)
                worker.heartbeat = heartbeat
                workers[partition] = worker
                reply.post(.success(worker.opened))
            } catch {
                reply.post(.failure(error))
            }
        case .start(let partition, let start): workers[partition]?.start(start)
        case .startCommands(let partition, let start): workers[partition]?.startCommands(start)
        case .tick(let instant, let ends):
            for (partition, end) in ends { workers[partition]?.tickAsked(instant, end: end) }
        case .halt(let partition, let reason): workers[partition]?.halt(reason)
        case .goOn(let partition, let step, let reply):
            heartbeat.beat(.long)
            reply.post(
                workers[partition]?.goOn(step) ?? .refused("partition \(partition) is not read")
            )
        case .revoke(let partitions, let reply):
            for partition in partitions { workers[partition]?.revoke() }
            reply.post(())
        case .members(let cohort, let after, let limit, let reply):
            reply.post(
                workers.values.map { $0.members(cohort: cohort, after: after, limit: limit) }
            )
        }
    }

    private func finish(_ workers: inout [PartitionID: PartitionWorker]) -> DaemonError? {
        var first: DaemonError?
        for worker in workers.values {
            do throws(DaemonError) { try worker.finish() } catch { first = first ?? error }
        }
        workers.removeAll()
        return first
    }
}

/// What one engine thread takes records with: decoders, and its hand; a class, since a closure borrows it.
final class DecoderBox {
    // Unchecked: one thread has it, and nothing that is called while it is lent decodes anything.
    @exclusivity(unchecked) var decoder: EventDecoder
    var commands: CommandDecoder
    let hand: Hand

    init(_ environment: EngineEnvironment, _ hand: Hand = Hand()) {
        self.hand = hand
        decoder = EventDecoder(environment)
        commands = CommandDecoder(
            extraction: environment.plan.extraction,
            eventBytesMax: environment.eventBytesMax
        )
    }
}

extension EventDecoder {
    /// One that takes what the workers of this environment do.
    init(_ environment: EngineEnvironment) {
        self.init(
            extraction: environment.plan.extraction,
            eventBytesMax: environment.eventBytesMax,
            futureMax: environment.futureMax
        )
    }
}
