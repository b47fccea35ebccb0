import Basics
import Delivery
import Destinations
import Glibc
import PartnerKit
import Sync
import Synchronization
import Threads

/// What the daemon's sync thread does, driven by a test: planner, workers, sender and partners are the real ones; the
/// engine, the journal and the speed of the clock are not.
final class PartnerHarness {
    let times: HarnessTimes
    let destinations: [TestedDestination]
    var engine = SimulatedEngine()
    private(set) var planner: SyncPlanner
    /// What is durable, and what is not yet.
    private(set) var journal: [JournalRecord] = []
    private var tail: [JournalRecord] = []
    /// Everything an operator may get to see.
    private(set) var log: Set<String> = []
    private(set) var completions: [(destination: String, outcome: DeliveryOutcome)] = []
    private(set) var crashes = 0

    private let syncs: [SyncSettings]
    private var workers: [String: DestinationWorker] = [:]
    private var flights: [UInt64: (destination: Int, token: UInt64)] = [:]
    private var nextToken: UInt64 = 1
    private var sender: HTTPSender
    private let mailbox = Mailbox<(UInt64, HTTPOutcome)>(capacity: 10_000)
    private var generator: SeededGenerator
    private let startedAt: Int64
    private var wakeAt: Int64?

    /// Starts with the engines' first ticks.
    init(
        _ destinations: [TestedDestination],
        times: HarnessTimes = HarnessTimes(),
        seed: UInt64 = 1
    ) throws {
        self.destinations = destinations
        self.times = times
        generator = SeededGenerator(seed: seed)
        startedAt = Self.nanoseconds()
        syncs = try destinations.flatMap { try $0.syncs(times) }
        planner = SyncPlanner(generator: SeededGenerator(seed: generator.next()))
        sender = Self.sender(mailbox)
        planner.start(syncs, now: 0)
        try makeWorkers()
        engine.reset(&planner, ticksBack: 0, now: now)
        try advance()
    }

    deinit { sender.stop(graceMilliseconds: 0) }

    private static func sender(_ mailbox: Mailbox<(UInt64, HTTPOutcome)>) -> HTTPSender {
        HTTPSender(clock: SystemClock()) { token, outcome in mailbox.postAtOnce((token, outcome)) }
    }

    private func makeWorkers() throws {
        for destination in destinations {
            var worker = DestinationWorker(
                destination.settings,
                generator: SeededGenerator(seed: generator.next())
            )
            for cohort in destination.cohorts {
                let sync = destination.syncID(cohort)
                try worker.configure(
                    sync: sync,
                    cohort: destination.templateCohort(cohort),
                    listID: planner.listID(sync: sync)
                )
            }
            workers[destination.id] = worker
        }
    }

    // MARK: Time

    private static func nanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Milliseconds of the harness.
    var now: Int64 { (Self.nanoseconds() - startedAt) * times.speed / 1_000_000 }

    private var wallClock: EventTime { EventTime(milliseconds: 1_767_323_040_000 + now) }

    /// Lets the world go on for so many milliseconds of the machine.
    func run(milliseconds: Int64) throws {
        let end = Self.nanoseconds() + milliseconds * 1_000_000
        _ = try run { Self.nanoseconds() >= end }
    }

    /// Lets the world go on until that is so; false where it never is.
    func run(until isDone: () -> Bool) throws -> Bool {
        // Far beyond everything that takes its time: only a hang gets here.
        let end = Self.nanoseconds() + 60_000_000_000
        while true {
            try advance()
            if isDone() { return true }
            if Self.nanoseconds() > end { return false }
            let wait = wakeAt.map { max(1, ($0 - now) / times.speed) } ?? 5
            for (token, outcome) in mailbox.takeAll(timeoutMilliseconds: min(wait, 5)) {
                take(token, outcome)
            }
        }
    }

    /// Lets the world go on until nothing is left to do; an error says what keeps it from that.
    func rest() throws {
        guard try run(until: { isAtRest }) else { throw HarnessError(situation) }
    }

    private var situation: String {
        let syncs = planner.status(now: now).map {
            "\($0.sync) is \($0.state), \($0.pendingUsers) wait (\($0.reason ?? "no reason"))"
        }
        let destinations = destinations.map {
            let worker = workers[$0.id]?.status(now: now)
            return "\($0.id): \($0.mock.requestCount) requests, worker \(worker, default: "gone")"
        }
        return (syncs + destinations + ["\(flights.count) requests under way at \(now)"])
            .joined(separator: "; ")
    }

    private var isAtRest: Bool {
        flights.isEmpty && destinations.allSatisfy(\.mock.isQuiet)
            && planner.status(now: now).allSatisfy { $0.pendingUsers == 0 && $0.state == .live }
    }

    // MARK: What happens

    /// Makes a tick in which users change, and tells the planner of it.
    func tick(_ changes: [(user: Int, cohort: Int, isIn: Bool?)], ticks: Int = .max) throws {
        engine.write(changes)
        engine.advance(&planner, ticks: ticks, now: now)
        try advance()
    }

    /// Tells the planner of ticks that were made.
    func catchUp() throws {
        engine.advance(&planner, now: now)
        try advance()
    }

    /// A person asks something of every sync of a destination.
    func command(_ command: SyncCommand, destination: String) throws {
        for sync in syncs where sync.destinationID == destination {
            log.insert("\(planner.command(command, sync: sync.id, now: now))")
        }
        workers[destination]?.resume()
        try advance()
    }

    /// The process dies; a part of what was not durable may be there all the same.
    func crash(ticksBack: Int) throws {
        crashes += 1
        journal += tail.prefix(generator.number(in: 0...tail.count))
        tail = []
        flights = [:]
        sender.stop(graceMilliseconds: 0)
        _ = mailbox.takeAll(timeoutMilliseconds: 0)
        // A start takes longer than what the partner was at.
        usleep(20_000)
        for destination in destinations { destination.mock.senderDied() }
        planner = SyncPlanner(generator: SeededGenerator(seed: generator.next()))
        for record in journal { try planner.replay(type: record.type, payload: record.payload) }
        planner.start(syncs, now: now)
        sender = Self.sender(mailbox)
        try makeWorkers()
        engine.reset(&planner, ticksBack: ticksBack, now: now)
        try advance()
    }

    /// What the journal holds if the process ends now.
    var wholeJournal: [JournalRecord] { journal + tail }

    private func take(_ token: UInt64, _ outcome: HTTPOutcome) {
        guard let flight = flights.removeValue(forKey: token) else { return }
        switch outcome {
        case .notSent(let text), .unknown(let text): log.insert(text)
        case .answered: break
        }
        workers[destinations[flight.destination].id]?.answered(
            token: flight.token,
            outcome,
            now: now,
            wallClock: wallClock
        )
    }

    /// Does what planner and workers ask for, until they have nothing more to ask.
    private func advance() throws {
        var outgoing: [(Int, OutgoingRequest)] = []
        while true {
            let now = now
            let effects = planner.advance(now: now) { destination, sync in
                workers[destination]?.allowance(sync: sync, now: now) ?? 0
            }
            for note in effects.notes { log.insert(note.description) }
            tail += effects.records
            if effects.mustCommit {
                journal += tail
                tail = []
            }
            wakeAt = effects.wakeAt
            for request in effects.requests {
                workers[request.destinationID]?.submit(request, now: now)
            }
            var isDone = effects.requests.isEmpty
            for (index, destination) in destinations.enumerated() {
                guard let news = workers[destination.id]?.advance(now: now, wallClock: wallClock)
                else { continue }
                outgoing += news.requests.map { (index, $0) }
                for list in news.listIDs { planner.listMade(sync: list.syncID, id: list.listID) }
                for note in news.notes { log.insert(note.description) }
                for completion in news.completions { complete(completion, destination.id) }
                if let wake = news.wakeAt { wakeAt = min(wakeAt ?? wake, wake) }
                isDone = isDone && news.listIDs.isEmpty && news.completions.isEmpty
            }
            if isDone { break }
        }
        for (index, request) in outgoing { try send(index, request) }
        note()
    }

    private func complete(_ completion: WorkerEffects.Completion, _ destination: String) {
        completions.append((destination, completion.outcome))
        if let detail = completion.outcome.detail { log.insert(detail) }
        if case .settled(let outcomes, _, _, _) = completion.outcome {
            log.formUnion(outcomes.reasons.values)
            log.formUnion(outcomes.unnamedSkips.keys)
        }
        planner.completed(
            sync: completion.syncID,
            message: completion.messageID,
            outcome: completion.outcome,
            now: now
        )
    }

    private func send(_ index: Int, _ request: OutgoingRequest) throws {
        let token = nextToken
        nextToken += 1
        flights[token] = (index, request.token)
        log.insert("\(request)")
        sender.submit(
            try destinations[index].form(
                request,
                token: token,
                wallClock: wallClock,
                times: times
            )
        )
    }

    /// Notes what the API and its metrics would show.
    private func note() {
        for status in planner.status(now: now) {
            if let reason = status.reason { log.insert(reason) }
        }
        for worker in workers.values {
            if let refusal = worker.status(now: now).refusal { log.insert(refusal) }
        }
    }
}

/// A world that does not come to rest.
struct HarnessError: Error, CustomStringConvertible {
    let description: String

    init(_ situation: String) { description = "no rest: " + situation }
}
