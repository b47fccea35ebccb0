import Basics
import Cohorts
import Engine
import Events
import HTTPAPI
import Kafka
import LogStore
import Replay
import Sync
import Telemetry
import Threads

/// Everything of one partition: its shard, its log, and where it stands.
///
/// Confined to one engine thread.
///
/// ```
///  opened ─► rebuilding ─► catching up ─► live          snapshot lacks what must be read in the order of the log
///     └──────────────────────▲   │          │
///                                └──► halted ◄┘         Kafka does not have what comes next
/// ```
/// What a snapshot lacks besides is read again beside all this (``HistoryFill``).
///
/// Invariants:
/// - ``next`` never goes back: a record before it was applied already and is dropped
/// - a tick at T with end offset e is begun only when everything before e is applied; it is done slice by slice with
///   events in between, and nobody sees, and no snapshot holds, half of it
/// - an offset is told to Kafka only when a commit that contains it is durable
final class PartitionWorker {
    enum Phase: Equatable {
        /// Restored, not reading.
        case opened
        /// Filling what the snapshot lacks from history until where the snapshot stands. Of a log that is there
        /// already, what comes is new and applied as ever.
        case rebuilding(until: LogPosition)
        /// Applying what had been written before the start.
        case catchingUp(to: LogPosition)
        case live
        case halted
    }

    let partition: PartitionID
    let environment: EngineEnvironment
    let opened: OpenedPartition
    // What every record looks at is unchecked: one thread has it, and nothing that is called while it is lent leads back
    // here; to be told so again of every event costs as much as a look-up.
    @exclusivity(unchecked) var shard: Shard
    var log: CommitLog<DiskFileSystem>
    var phase = Phase.opened { didSet { watch() } }
    /// The next event to apply.
    var next: Offset = 0
    /// The next command to apply; nil where the commands topic was never read.
    var commandsNext: Offset?
    /// Whether the commands topic was there when it was last looked for.
    var readsCommands = false
    var firstOffset: Offset = 0
    /// What was left out of the logs.
    var gaps: LogGaps
    /// Whether the partition's log holds all of ``gaps``.
    var areGapsWritten = true
    var base = LogBase()
    /// The last event that was applied.
    var fingerprint: RecordFingerprint?
    /// That of the last commit.
    var durableCut: PartitionCut?
    /// Events given to the shard, duplicates among them; commands carry no insert id and are never any.
    private var eventsTaken = 0
    /// The timestamp of the last event that was read.
    private var lastArrival: EventTime?
    /// Ticks that wait for their ends, all ascending.
    var pendingTicks: [(instant: EventTime, end: LogPosition)] = [] { didSet { watch() } }
    var tickUnderWay: TickUnderWay?
    /// Nothing waits for an event before this offset: what spares nearly every record the look at what does.
    private var watched: Offset = .max
    /// Whether the sync thread has everyone who is in.
    var hasReset = false
    @exclusivity(unchecked) var report: PartitionReport
    var deltas: [Delta] = []
    /// Where ticks by event time stand, and the arrival from which on one is due; none in a daemon.
    @exclusivity(unchecked) var eventTicks: EventTickState?
    var eventTickDue = EventTime.distantFuture

    /// How many users were looked at for ``SplitUsers``.
    private var sampledUsers = 0

    // Snapshots
    var isDirty = false
    /// Whether the log still lacks the plan's record.
    var needsWholeState: Bool
    var bytesSinceCommit = 0
    /// When to try again to write what did not fit onto the disk; nil where all is well.
    var retryAt: Int64?
    var committedAt: Int64 = 0
    var publishedAt: Int64 = 0
    /// What must be checked about history when the first record comes.
    var historyCheck: HistoryCheck?
    /// The history that is read again beside what is new, until everybody was looked at with all of it.
    @exclusivity(unchecked) var fill: HistoryFill?
    /// The offsets of events and of commands that ended the process too often.
    let setAside: Set<Offset>
    let commandsSetAside: Set<Offset>
    /// That of the thread which has this worker.
    var heartbeat = Heartbeat()

    init(
        _ partition: PartitionID,
        _ environment: EngineEnvironment,
        opened: OpenedPartition,
        gaps: LogGaps = LogGaps(),
        shard: consuming Shard,
        log: consuming CommitLog<DiskFileSystem>
    ) {
        self.gaps = gaps
        self.partition = partition
        self.environment = environment
        self.opened = opened
        needsWholeState = opened.cut == nil
        report = PartitionReport(partition: partition)
        setAside = environment.crashes.setAside(of: environment.topic, partition)
        commandsSetAside = environment.crashes.setAside(of: environment.commandsTopic, partition)
        self.shard = shard
        self.log = log
        let cohorts = environment.plan.cohorts.count
        report.members = [Int](repeating: 0, count: cohorts)
        report.flips = FlipCounts(cohorts: cohorts)
        if let cut = opened.cut {
            next = cut.position.events
            commandsNext = cut.position.commands
            firstOffset = cut.firstOffset
            base = cut.base
            fingerprint = cut.fingerprint
            durableCut = cut
        }
        if let rule = environment.eventTicks {
            eventTicks = EventTickState(schedule: TickSchedule(rule))
            eventTickDue = .distantPast
        }
        setState(.restoring)
    }

    // MARK: Records

    /// Takes what the queue hands out for this partition.
    func take(_ record: borrowing RecordView, _ decoder: DecoderBox) {
        switch phase {
        case .opened, .halted: return
        case .rebuilding, .catchingUp, .live: break
        }
        if record.isOfCompanion {
            takeCommand(record, decoder)
            return
        }
        if record.isRecord {
            // Around a rebalance the client may hand out a record again.
            guard record.offset >= next else { return }
            if fill == nil, let check = historyCheck {
                historyCheck = nil
                guard historySuffices(check, oldest: record) else { return }
            }
            if eventTicks != nil { tickByEventTime(before: record.timestamp) }
            decoder.hand.take(isCommand: false, partition: partition, offset: record.offset)
            apply(record, decoder)
            // What waited for the record, such as a tick, is not its fault.
            decoder.hand.letGo()
            fingerprint = record.fingerprint
            advance(to: record.offset + 1)
        } else {
            switch record.content {
            case .record: break
            case .endOfPartition:
                report.endOffset = max(report.endOffset ?? 0, record.offset)
                advance(to: max(next, record.offset))
            case .failure(let error): trouble(error, topic: environment.topic)
            }
        }
    }

    private func apply(_ record: borrowing RecordView, _ decoder: DecoderBox) {
        if !setAside.isEmpty, setAside.contains(record.offset) {
            if isHistory(event: record.offset) { return }
            bytesOrNone(of: record) {
                reject(.crash, text: Self.crashText, record, index: nil, bytes: $0)
            }
            return
        }
        if isHistory(event: record.offset) {
            reapply(record, decoder)
            return
        }
        guard let value = record.value else {
            report.events.filtered += 1
            return
        }
        bytesSinceCommit += value.count
        apply(value, record, &decoder.decoder, &shard)
    }

    /// Applies the events of a record.
    ///
    /// - `decoder`, `shard`: Lent once for the record.
    private func apply(
        _ value: ByteView,
        _ record: borrowing RecordView,
        _ decoder: inout EventDecoder,
        _ shard: inout Shard
    ) {
        let arrival = record.timestamp.map { EventTime(milliseconds: $0) }
        lastArrival = arrival
        if case .rejected(let reason) = decoder.begin(value, source: .log(arrival)) {
            reject(reason, text: decoder.rejectText, record, index: nil, bytes: value)
            return
        }
        while let outcome = decoder.next(previousArrival: nil) {
            var refusal: (reason: RejectReason, text: String)?
            switch outcome {
            case .event(let event):
                switch shard.apply(event) {
                case .taken: eventsTaken += 1
                case .usersMax: refusal = (.usersMax, "a new user beyond limits.users_max")
                }
            case .filtered: report.events.filtered += 1
            case .rejected(let reason): refusal = (reason, decoder.rejectText)
            }
            if let refusal {
                reject(
                    refusal.reason,
                    text: refusal.text,
                    record,
                    index: decoder.isBatch ? decoder.elementIndex : nil,
                    bytes: decoder.elementBytes
                )
            }
        }
    }

    /// Lends the value of a record, or no bytes where it has none.
    func bytesOrNone(of record: borrowing RecordView, _ body: (ByteView) -> Void) {
        if let value = record.value { body(value) } else { [UInt8]().withByteView(body) }
    }

    static let crashText = "it ended the process \(CrashAccount.limit) times"

    private func reject(
        _ reason: RejectReason,
        text: String,
        _ record: borrowing RecordView,
        index: Int?,
        bytes: ByteView
    ) {
        report.events.rejected += 1
        report.rejects[reason, default: 0] += 1
        environment.rejects.take(
            RejectedEvent(
                topic: environment.topic,
                partition: partition,
                offset: record.offset,
                index: index,
                reason: reason,
                text: text,
                key: record.key?.array,
                value: bytes.array
            )
        )
    }

    /// Whether an event is one that the snapshot contains, read again to fill what it lacks.
    private func isHistory(event offset: Offset) -> Bool {
        if case .rebuilding(let until) = phase { offset < until.events } else { false }
    }

    /// Halts where one of the two logs cannot go on.
    func trouble(_ error: KafkaError, topic: String) {
        let isOfCommands = topic != environment.topic
        let offset = isOfCommands ? commandsNext ?? 0 : next
        let problem: PartitionProblem
        switch error.kind {
        case .offsetOutOfRange: problem = .offsetOutOfRange
        case .unknownTopicOrPartition: problem = .unknownPartition(error.text)
        case .damagedBatch:
            let known = gaps.skipped(offset, ofCommands: isOfCommands)
            problem = .damagedBatch(error.text, known: known)
        default:
            // The client goes on by itself; what it could not get comes again.
            environment.logger.warning(
                "kafka_partition_error",
                error.description,
                ["partition": LogValue(partition)],
                repeatKey: "\(partition) \(error.code)"
            )
            report.trouble = (error.text, next)
            return
        }
        halt("Kafka: \(error.text)")
        environment.control.postAtOnce(
            .troubled(partition, topic: topic, offset: offset, problem: problem)
        )
    }

    // MARK: Positions

    /// Where both logs stand.
    var position: LogPosition { LogPosition(events: next, commands: commandsNext) }

    func advance(commandsTo offset: Offset) {
        if offset > commandsNext ?? 0 {
            commandsNext = offset
            isDirty = true
        }
        moved()
    }

    private func advance(to offset: Offset) {
        guard offset >= next else { return }
        if offset > next {
            next = offset
            isDirty = true
        }
        if next >= watched { moved() }
    }

    func watch() {
        var offset = Offset.max
        if tickUnderWay == nil, let first = pendingTicks.first { offset = first.end.events }
        switch phase {
        case .rebuilding(let end), .catchingUp(let end): offset = min(offset, end.events)
        case .opened, .live, .halted: break
        }
        watched = offset
    }

    /// Does what waited for the position that is reached now.
    private func moved() {
        // Its end is a snapshot, which waits for dead letters as any.
        if case .rebuilding(let until) = phase, position.reaches(until),
            environment.rejects.isSettled(partition)
        {
            endRebuild()
        }
        if case .catchingUp(let end) = phase, position.reaches(end) {
            if eventTicks != nil { finishEventTicks() }
            becomeLive()
        }
        if let first = pendingTicks.first, position.reaches(first.end) { beginPendingTick() }
    }

    private func becomeLive() {
        phase = .live
        report.catchUp = nil
        lookOverGaps(at: shard.lastTick ?? environment.clock.now)
        setState(liveState)
    }

    /// Reads from where `start` says; a halted partition stays so.
    func start(_ start: PartitionStart) {
        guard phase != .halted else { return }
        shard.raiseFloor(to: start.floor)
        report.endOffset = start.events.end
        report.commandsEnd = start.commands?.end
        if phase == .opened, let commands = start.commands, needsStart {
            guard uploadsSuffice(commands) else { return }
            if commandsNext == nil { commandsNext = commands.offset }
        }
        readsCommands = start.commands != nil
        needsStart = false
        hasReset = false
        tellSync(.waiting(partition))
        if opened.cut == nil, phase == .opened, needsWholeState {
            next = start.events.offset
            firstOffset = next
            historyCheck = HistoryCheck(start: start, missing: nil, plan: environment.plan)
            // A start at the latest record must be the same one after a crash.
            isDirty = true
            commit()
        }
        report.catchUp = (position, start.end)
        if !opened.missingTraces.isEmpty, needsRebuild { beginRebuild(start) }
        if let rebuildEnd {
            // Taken away and given back in the middle, it goes on where it was.
            phase = .rebuilding(until: rebuildEnd)
            report.catchUp = (position, rebuildEnd.joined(start.end))
            setState(.building)
            if position.reaches(rebuildEnd) { endRebuild() }
        } else {
            phase = .catchingUp(to: start.end)
            setState(.replaying)
            advance(to: next)
        }
    }

    /// Stops: nothing more is applied, and no exit leaves for this partition.
    func halt(_ reason: String) {
        if phase == .halted {
            // The control thread has learnt what Kafka has.
            report.haltReason = reason
            publish()
            return
        }
        commit()
        phase = .halted
        pendingTicks.removeAll()
        report.haltReason = reason
        setState(.halted)
        tellSync(.unavailable(partition))
    }

    /// The partition is taken away: its state is durable when this returns.
    func revoke() {
        guard phase != .opened else { return }
        commit()
        pendingTicks.removeAll()
        hasReset = false
        // Given back, it is as halted as before.
        if phase != .halted {
            phase = .opened
            setState(.assigned)
        }
        tellSync(.unavailable(partition))
    }

    /// Tells the sync thread something, and waits while it has too much to do.
    func tellSync(_ message: SyncMessage) {
        heartbeat.beat(.waiting)
        environment.sync.post(message)
        heartbeat.beat()
    }

    /// Whether it was never started.
    private var needsStart = true
    /// Whether what the snapshot lacks is not being filled yet.
    var needsRebuild = true
    /// Where a rebuild in the order of the log ends that has begun: where the snapshot stands.
    var rebuildEnd: LogPosition?

    func setState(_ state: StatusReport.PartitionState) {
        report.state = state
        publish()
    }

    /// Publishes where the partition stands.
    func publish() {
        shard.settle()
        report.offset = next
        report.fingerprint = fingerprint
        report.gaps = gaps
        report.lastTimestamp = lastArrival
        report.events.deduplicated = shard.counters.deduplicated
        report.events.applied = eventsTaken - shard.counters.deduplicated
        report.commandsOffset = readsCommands ? commandsNext : nil
        report.users = shard.userCount
        report.approximateUsers = shard.counters.approximateUsers
        report.dedupeShortened = shard.counters.dedupeShortened
        report.ignoredOperations = shard.counters.ignoredOperations
        report.ignoredProperties = shard.counters.ignoredProperties
        report.storeBytes = log.bytesOnDisk
        report.fill = fill
        report.building = shard.missing.cohorts.union(fill?.joining ?? [])
        report.awaitsRecords = tickUnderWay == nil && !pendingTicks.isEmpty
        if let trouble = report.trouble, trouble.offset != next { report.trouble = nil }
        // Half of a tick is nothing that anyone is to see.
        if tickUnderWay == nil {
            report.tick = shard.lastTick
            for cohort in report.members.indices {
                report.members[cohort] = shard.memberCount(cohort: cohort)
            }
        }
        publishedAt = environment.clock.monotonicMilliseconds
        environment.reports.publish(report)
    }

    /// Between batches: snapshots when they are due, and the report.
    func afterBatch(now: Int64) {
        if isStalled {
            retrySaving(now: now)
            if now - publishedAt >= 200 { publish() }
            return
        }
        let isDue =
            now - committedAt >= environment.snapshotInterval
            || bytesSinceCommit >= environment.snapshotBytes
        // A snapshot waits for the end of a tick, but not for ever where one follows another.
        let isOverdue =
            (now - committedAt) / 2 >= environment.snapshotInterval
            || bytesSinceCommit / 2 >= environment.snapshotBytes
        if isOverdue || isDue && tickUnderWay == nil { commitIfDirty(now: now) }
        if case .rebuilding = phase { moved() }
        finishFillIfThere()
        if now - publishedAt >= 200 {
            publish()
            sampleUsers(now: now)
        }
    }

    /// Looks whether some of the users that came since the last look are in another partition, too.
    private func sampleUsers(now: Int64) {
        let end = min(shard.userCount, sampledUsers + SplitUsers.slotsMax)
        guard sampledUsers < end else { return }
        var sample: [UInt64] = []
        for slot in sampledUsers..<end {
            if let hash = SplitUsers.sampled(shard.userID(UserSlot(slot))) { sample.append(hash) }
        }
        sampledUsers = end
        guard let users = environment.splitUsers.note(sample, in: partition, now: now) else {
            return
        }
        environment.logger.warning(
            "users_split",
            "about \(users) users have events in more than one partition, and each partition counts them alone: let"
                + " producers key records by the user's id, with one partitioner"
        )
    }

    /// The first `limit` members of a cohort whose ids follow `after`, by bytes.
    ///
    /// As of one tick: one that is under way is done first.
    func members(cohort: Int, after: [UInt8]?, limit: Int) -> EngineThread.MemberPage {
        finishTick()
        var found: [ByteView] = []
        var isCut = false
        func cutToLimit() {
            found.sort { $0.precedes($1) }
            if found.count > limit {
                found.removeLast(found.count - limit)
                isCut = true
            }
        }
        let collect: (ByteView?) -> Void = { bound in
            self.shard.forEachMember(cohort: cohort) { slot in
                let id = self.shard.userID(slot)
                if let bound, !bound.precedes(id) { return }
                found.append(id)
                if found.count >= 4 * limit + 1024 { cutToLimit() }
            }
        }
        if let after { after.withByteView { collect($0) } } else { collect(nil) }
        cutToLimit()
        return EngineThread.MemberPage(users: found.map(\.array), hasMore: isCut)
    }
}
