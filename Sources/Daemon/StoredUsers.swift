package import Basics
package import Cohorts
package import Configuration
import Engine
import Events
import Threads

/// The logs of partitions with many users in them, as a daemon writes and opens them; for measuring.
package final class StoredUsers {
    /// What opening found.
    package struct Opened: Sendable {
        /// Users of all partitions.
        package var users = 0
        /// Partitions of which the state did not fit the cohorts, and was written anew.
        package var rewritten = 0
    }

    private let environment: EngineEnvironment

    /// Logs in this folder, which exists.
    package init(plan: Plan, replay: ReplayConfiguration, directory: String) {
        environment = EngineEnvironment(
            measuring: plan,
            replay,
            topic: "events",
            directory: directory,
            isDurable: false
        )
    }

    /// Writes the logs of events that come line by line, in the order of their arrival.
    ///
    /// Users are ticked once a day, and state is committed then, so that a log is not written in one go.
    /// - Parameters:
    ///   - partitions: How many; each user is in one.
    ///   - forEachLine: Calls what it is given with every line.
    /// - Throws: `DaemonError` where a log cannot be written.
    package func write(
        partitions: Int,
        _ forEachLine: ((ByteView) -> Void) -> Void
    ) throws(DaemonError) {
        var workers: [PartitionWorker] = []
        for partition in 0..<PartitionID(partitions) {
            let worker = try PartitionWorker.open(partition, environment)
            worker.start(
                PartitionStart(
                    events: LogStart(offset: 0, end: 0, oldest: 0),
                    floor: .distantPast
                )
            )
            workers.append(worker)
        }
        let decoder = DecoderBox(environment)
        var newest: EventTime?
        var due = EventTime.distantFuture
        forEachLine { line in
            guard case .events = decoder.decoder.begin(line, source: .replay) else { return }
            while let outcome = decoder.decoder.next(previousArrival: newest) {
                guard case .event(let event) = outcome else { continue }
                if newest == nil { due = (event.arrival + 1).roundedUp(toMultipleOf: Self.day) }
                newest = event.arrival
                while due < event.arrival {
                    for worker in workers { worker.tickStored(due) }
                    due = due + Self.day
                }
                let index = Int(Hashing.hash64(event.userID) % UInt64(partitions))
                workers[index].takeStored(event)
            }
        }
        for worker in workers {
            worker.tickStored(due)
            try worker.finish()
        }
        for message in environment.control.takeAll(timeoutMilliseconds: 0) {
            if case .fatal(let error) = message { throw error }
        }
    }

    private static let day: Int64 = 86_400_000

    /// Opens the logs as a daemon does that starts, on so many engine threads.
    ///
    /// - Parameters:
    ///   - partitions: How many there are.
    ///   - threads: How many engine threads.
    ///   - opened: Called when every partition is restored.
    ///   - ticked: Called when every partition has ticked, a minute after the last stored tick.
    /// - Returns: What was found.
    /// - Throws: `DaemonError` where a log cannot be read.
    package func open(
        partitions: Int,
        threads: Int,
        opened: () -> Void,
        ticked: () -> Void
    ) throws(DaemonError) -> Opened {
        let engines = (0..<threads).map { _ in EngineThread(environment) }
        let running = engines.map { $0.start() }
        var found = Opened()
        var replies: [Mailbox<Result<OpenedPartition, DaemonError>>] = []
        for partition in 0..<PartitionID(partitions) {
            let reply = Mailbox<Result<OpenedPartition, DaemonError>>(capacity: 1)
            engines[Int(partition) % threads].post(.open(partition, reply))
            replies.append(reply)
        }
        var cuts: [PartitionCut?] = []
        for reply in replies {
            guard let answer = reply.next() else { continue }
            let opened = try answer.get()
            if !opened.missingTraces.isEmpty { found.rewritten += 1 }
            cuts.append(opened.cut)
        }
        opened()
        let instant = (cuts.compactMap { $0?.tick }.max() ?? .distantPast) + 60_000
        let pause = Mailbox<Void>(capacity: 1)
        for (partition, cut) in cuts.enumerated() {
            let offset = cut?.position.events ?? 0
            let engine = engines[partition % threads]
            let start = PartitionStart(
                events: LogStart(offset: offset, end: offset, oldest: 0),
                floor: instant
            )
            engine.post(.start(PartitionID(partition), start))
            engine.post(
                .tick(instant, ends: [PartitionID(partition): LogPosition(events: offset)])
            )
        }
        while !environment.reports.all(partitions, satisfy: { $0.tick == instant }) {
            _ = pause.takeAll(timeoutMilliseconds: 1)
        }
        ticked()
        found.users = environment.reports.all.reduce(0) { $0 + $1.users }
        for engine in engines {
            let reply = Mailbox<DaemonError?>(capacity: 1)
            engine.post(.finish(reply))
            _ = reply.next()
        }
        for thread in running { thread.join() }
        return found
    }
}

extension PartitionWorker {
    /// Takes an event that no log holds.
    fileprivate func takeStored(_ event: EventView) {
        _ = shard.apply(event)
        next += 1
        isDirty = true
    }

    /// Ticks and makes durable what there is.
    fileprivate func tickStored(_ instant: EventTime) {
        tickAsked(instant, end: LogPosition(events: next))
        commit()
    }
}
