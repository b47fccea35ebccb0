import Basics
import Cohorts
import Configuration
import Destinations
import Events
import HTTPAPI
import Kafka
import Sync
import Synchronization
import Telemetry
import Threads
import YAML

/// What the routes of the API ask: answered from the reports that the threads publish, and for members by
/// asking the engine threads.
final class DaemonQueries: APIQueries {
    private let plan: Plan
    private let definitions: [String: [UInt8]]
    private let reports: PartitionReports
    private let metricRegistry: MetricRegistry
    private let measures: ProcessMeasures
    private let engines: [EngineThread]
    private let sync: SyncService
    private let configuredSyncs: [String: ConfiguredSync]
    /// What reasons go through before they leave: they may hold what a partner or a library said.
    private let redactor: Redactor
    private let gate: TickGate
    private let control: Mailbox<ControlMessage>
    private let splitUsers: SplitUsers
    private let startedAt: EventTime
    private let clock = SystemClock()
    /// What keeps the daemon from being ready besides its partitions; the control thread sets it.
    let startup = Mutex<[String]>(["starting"])

    /// How long a query waits for the engine threads.
    private static let answerMilliseconds: Int64 = 5000
    /// The same for the control thread, which may wait for Kafka itself.
    private static let orderMilliseconds: Int64 = 25_000

    init(
        plan: Plan,
        definitions: [Definition],
        reports: PartitionReports,
        metrics: MetricRegistry,
        measures: ProcessMeasures,
        engines: [EngineThread],
        sync: SyncService,
        configuredSyncs: [String: ConfiguredSync],
        redactor: Redactor,
        gate: TickGate,
        control: Mailbox<ControlMessage>,
        splitUsers: SplitUsers,
        startedAt: EventTime
    ) {
        self.plan = plan
        self.definitions = Dictionary(
            uniqueKeysWithValues: definitions.map { ($0.id, $0.document.json) }
        )
        self.reports = reports
        metricRegistry = metrics
        self.measures = measures
        self.engines = engines
        self.sync = sync
        self.configuredSyncs = configuredSyncs
        self.redactor = redactor
        self.gate = gate
        self.control = control
        self.splitUsers = splitUsers
        self.startedAt = startedAt
    }

    func readiness() -> Readiness {
        var reasons = startup.withLock { $0 }
        if let failure = sync.storeFailure { reasons.append(failure) }
        for report in reports.all {
            if let failure = report.storeFailure { reasons.append(failure) }
            if let fill = report.fill {
                if let problem = fill.problem {
                    reasons.append(problem)
                } else if !fill.isChecked {
                    reasons.append(
                        "asking Kafka for the history of partition \(report.partition)"
                    )
                }
            }
            switch report.state {
            case .live, .degraded: break
            case .halted:
                reasons.append(
                    "partition \(report.partition) halted: \(report.haltReason ?? "see the log")"
                )
            case .building:
                reasons.append(
                    "rebuilding partition \(report.partition) from the oldest record, \(report.percent) %"
                )
            default:
                reasons.append("replaying partition \(report.partition), \(report.percent) %")
            }
        }
        return Readiness(reasons: reasons.map(redactor.redact))
    }

    /// Whether something waits for space on the disk.
    var isDiskFull: Bool {
        sync.storeFailure != nil || reports.all.contains { $0.storeFailure != nil }
    }

    /// How the daemon is, in a line for the service manager.
    ///
    /// `ready: 4 partitions live, lag 0, 1204 users, last tick 2026-01-05T00:01:00Z`, or
    /// `not ready: kafka unreachable; 3 of 4 partitions live`.
    func serviceStatus() -> (isReady: Bool, text: String) {
        let reasons = readiness().reasons
        let all = reports.all
        let live = all.filter(\.isLive).count
        if reasons.isEmpty {
            let lag = all.reduce(0) { $0 + ($1.lag ?? 0) }
            let users = all.reduce(0) { $0 + $1.users }
            let tick = oldestTick(all).map { ", last tick \($0.rfc3339)" } ?? ""
            return (true, "ready: \(live) partitions live, lag \(lag), \(users) users\(tick)")
        }
        var parts = Array(reasons.prefix(2))
        if reasons.count > 2 { parts.append("\(reasons.count - 2) more reasons in /readyz") }
        if !all.isEmpty { parts.append("\(live) of \(all.count) partitions live") }
        return (false, "not ready: " + parts.joined(separator: "; "))
    }

    func metrics() -> [UInt8] {
        let reports = reports.all
        let reading = measures.read()
        let now = clock.monotonicMilliseconds
        metricRegistry.update {
            $0.take(reports, plan: plan, now: now)
            $0.set(.usersSplit, [], to: Double(splitUsers.estimate))
            $0.take(reading)
        }
        return metricRegistry.rendered()
    }

    func status() -> StatusReport {
        let all = reports.all
        return StatusReport(
            version: Version.text,
            startedAt: startedAt,
            tick: oldestTick(all),
            users: all.reduce(0) { $0 + $1.users },
            partitions: all.map {
                StatusReport.Partition(
                    partition: $0.partition,
                    state: $0.state,
                    offset: $0.offset,
                    lag: $0.lag,
                    commandsOffset: $0.commandsOffset,
                    commandsLag: $0.commandsLag,
                    tick: $0.tick
                )
            },
            // Asked after the reports were read: their ticks are in it.
            syncs: sync.statuses().map {
                StatusReport.Sync(
                    sync: $0.sync,
                    state: $0.state,
                    pending: $0.pendingUsers,
                    oldestPendingMilliseconds: $0.oldestPendingSeconds * 1000
                )
            }
        )
    }

    func cohorts() -> [CohortSummary] {
        let all = reports.all
        let tick = oldestTick(all)
        let isRebuilding = all.contains { $0.state == .building }
        let isHalted = all.contains { $0.state == .halted }
        return plan.cohorts.enumerated().map { index, cohort in
            // The slowest partition is when it is whole.
            let percent = all.filter { $0.building.contains(index) }.compactMap { $0.fill?.percent }
                .min()
            let isDegraded = isHalted || all.contains { $0.doubts(cohort: index) }
            let isBuilding = isRebuilding || all.contains { $0.building.contains(index) }
            return CohortSummary(
                id: cohort.id,
                name: cohort.name,
                state: isDegraded ? .degraded : isBuilding ? .building : .live,
                percent: isDegraded ? nil : percent,
                count: all.reduce(0) { $0 + $1.members[index] },
                tick: tick,
                definitionJSON: definitions[cohort.id] ?? []
            )
        }
    }

    func syncs() -> [SyncSummary] {
        let now = clock.now
        return sync.statuses().compactMap { status in
            var status = status
            status.reason = status.reason.map(redactor.redact)
            return configuredSyncs[status.sync].map { configured in
                SyncSummary(
                    status: status,
                    cohort: configured.cohort,
                    cadence: configured.cadence.rawValue,
                    nextRun: configured.schedule.nextDue(after: now)
                )
            }
        }
    }

    func command(_ command: SyncCommand, sync id: String) throws(APIQueryError) {
        switch sync.command(command, sync: id) {
        case .done: return
        case .unknownSync: throw .unknownSync
        case .refused(let reason): throw .refused(reason: redactor.redact(reason))
        case nil:
            throw .notReady(
                reason: "the syncs are busy: \(command.rawValue) may still be done, "
                    + "GET /v1/syncs/\(id) shows it"
            )
        }
    }

    func change(definitions request: DefinitionRequest) throws(APIQueryError) -> String {
        try answer(to: APIOrder(request: request), ControlMessage.changeDefinitions)
    }

    func change(log request: LogRequest) throws(APIQueryError) -> LogReport {
        try answer(to: APIOrder(request: request), ControlMessage.changeLog)
    }

    /// Has the control thread do something, and waits for it.
    private func answer<Request, Answer>(
        to order: APIOrder<Request, Answer>,
        _ message: (APIOrder<Request, Answer>) -> ControlMessage
    ) throws(APIQueryError) -> Answer {
        control.postAtOnce(message(order))
        guard let answer = order.reply.takeAll(timeoutMilliseconds: Self.orderMilliseconds).first
        else {
            throw .notReady(
                reason: "the daemon is busy, so it may still be done: ask again"
            )
        }
        return try answer.get()
    }

    func acceptTime() throws(APIQueryError) -> TimeReport {
        guard let (outcome, now, lastTick) = gate.accept() else {
            throw .notReady(reason: "the snapshots are still being read")
        }
        switch outcome {
        case .accepted: return TimeReport(now: now, tick: lastTick)
        case .needless:
            throw .refused(
                reason: "the clock holds nothing: it is believed as it is, \(now.rfc3339)"
            )
        case .refused(let hold): throw .refused(reason: TickGate.text(hold, now: now))
        }
    }

    func members(
        of cohort: String,
        after: String?,
        limit: Int
    ) throws(APIQueryError) -> MembersPage {
        guard let index = plan.cohorts.firstIndex(where: { $0.id == cohort }) else {
            throw .unknownCohort
        }
        let all = reports.all
        if all.isEmpty { throw .notReady(reason: "no partition is assigned yet") }
        if let report = all.first(where: { !$0.isLive }) {
            throw .notReady(reason: "partition \(report.partition) is \(report.state.rawValue)")
        }
        if let report = all.first(where: { $0.building.contains(index) }) {
            throw .notReady(
                reason: "the history of \(cohort) is being read, of partition \(report.partition)"
                    + " \(report.fill?.percent ?? 0) % is done"
            )
        }
        var users: [[UInt8]] = []
        var hasMore = false
        for engine in engines {
            let reply = Mailbox<[EngineThread.MemberPage]>(capacity: 1)
            engine.post(
                .members(cohort: index, after: after.map { Array($0.utf8) }, limit: limit, reply)
            )
            guard let pages = reply.takeAll(timeoutMilliseconds: Self.answerMilliseconds).first
            else {
                throw .notReady(reason: "an engine thread does not answer")
            }
            for page in pages {
                users += page.users
                hasMore = hasMore || page.hasMore
            }
        }
        users.sort { $0.lexicographicallyPrecedes($1) }
        // One user may be in two partitions; a list names the id once.
        var unique: [String] = []
        var previous: [UInt8]?
        for user in users where user != previous {
            if unique.count == limit {
                hasMore = true
                break
            }
            unique.append(String(decoding: user, as: UTF8.self))
            previous = user
        }
        return MembersPage(
            tick: oldestTick(all),
            count: all.reduce(0) { $0 + $1.members[index] },
            users: unique,
            hasMore: hasMore
        )
    }

    private func oldestTick(_ reports: [PartitionReport]) -> EventTime? {
        var oldest: EventTime?
        for report in reports {
            guard let tick = report.tick else { return nil }
            oldest = min(oldest ?? tick, tick)
        }
        return oldest
    }
}

extension MetricRegistry.Values {
    /// Takes over what the partitions report.
    mutating func take(_ reports: [PartitionReport], plan: Plan, now: Int64) {
        set(.buildInfo, [Version.text], to: 1)
        var rejects: [String: Int] = [:]
        for report in reports {
            let partition = String(report.partition)
            let events = report.events
            for (outcome, count) in [
                ("applied", events.applied), ("deduplicated", events.deduplicated),
                ("filtered", events.filtered), ("rejected", events.rejected),
            ] {
                set(.eventsTotal, [partition, outcome], to: Double(count))
            }
            if report.commandsOffset != nil {
                let commands = report.commands
                for (outcome, count) in [
                    ("applied", commands.applied), ("filtered", commands.filtered),
                    ("rejected", commands.rejected),
                ] {
                    set(.commandsTotal, [partition, outcome], to: Double(count))
                }
            }
            if let lag = report.commandsLag {
                set(.commandsLagRecords, [partition], to: Double(lag))
            }
            for (reason, count) in report.rejects { rejects[reason.rawValue, default: 0] += count }
            if let lag = report.lag { set(.lagRecords, [partition], to: Double(lag)) }
            if let tick = report.tick {
                set(.tickTimestampSeconds, [partition], to: Double(tick.milliseconds) / 1000)
            }
            if let at = report.snapshotAt {
                set(.snapshotAgeSeconds, [partition], to: Double(now - at) / 1000)
            }
            set(.dedupeWindowShortenedTotal, [partition], to: Double(report.dedupeShortened))
            set(.propertiesIgnoredTotal, [partition], to: Double(report.ignoredProperties))
            set(.operationsIgnoredTotal, [partition], to: Double(report.ignoredOperations))
            setState(.partitionState, [partition], to: report.state.rawValue)
        }
        for (reason, count) in rejects { set(.rejectsTotal, [reason], to: Double(count)) }
        // Of the causes these two are known; that of the broker is set where a tick is asked for.
        set(.ticksHeld, ["lag"], to: Double(reports.count(where: \.awaitsRecords)))
        add(.ticksHeld, ["broker"], by: 0)
        set(.users, [], to: Double(reports.reduce(0) { $0 + $1.users }))
        set(.usersApproximate, [], to: Double(reports.reduce(0) { $0 + $1.approximateUsers }))
        set(.storeBytes, ["wal"], to: Double(reports.reduce(0) { $0 + $1.storeBytes }))
        for (index, cohort) in plan.cohorts.enumerated() {
            set(
                .cohortMembers,
                [cohort.id],
                to: Double(reports.reduce(0) { $0 + $1.members[index] })
            )
            set(
                .deltasTotal,
                [cohort.id, "enter"],
                to: Double(reports.reduce(0) { $0 + $1.flips.enters[index] })
            )
            set(
                .deltasTotal,
                [cohort.id, "exit"],
                to: Double(reports.reduce(0) { $0 + $1.flips.exits[index] })
            )
        }
    }
}
