import Basics
import Delivery
import Destinations
import Sync
import Templates

/// Planner and worker over users who all enter, with a partner who takes everything at once.
struct SyncBench {
    /// What the run cost.
    struct Figures {
        var users = 0
        var requests = 0
        var bodyBytes = 0
        /// From the cohort's members to the rendered requests and the judged answers.
        var deliverySeconds = 0.0
        /// Taking over the members themselves.
        var resetSeconds = 0.0
        /// Of ticks without a change, ascending.
        var tickMilliseconds: [Double] = []
        /// Of the sync keyed by user id.
        var ledgerBytes = 0
        var idBytes = 0
    }

    private static let tickCount = 1000

    let template: Template
    let values: [String: SettingValue]
    let answer: HTTPAnswer
    let userCount: Int

    /// Delivers to everybody, then lets ticks pass.
    func run() throws(TemplateBindingError) -> Figures {
        var figures = Figures()
        figures.users = userCount
        var users = UserList()
        users.reserve(users: userCount, byteCount: userCount * 12)
        for number in 0..<userCount { users.append("user-\(number)") }
        try deliver(users, &figures)
        keep(users, &figures)
        return figures
    }

    private func deliver(
        _ users: UserList,
        _ figures: inout Figures
    ) throws(TemplateBindingError) {
        var sync = SyncSettings(
            id: "bench",
            cohortID: "bench",
            cohortName: "Bench",
            destinationID: "partner",
            shape: DeliveryShape(template),
            naming: UserNaming(
                choices: [.userID],
                mapper: try IdentityMapper(
                    template.identity,
                    decompose: CompatibilityForm.decompose
                ),
                cell: { _ in 0 }
            )
        )
        sync.reassertMilliseconds = 0
        var worker = DestinationWorker(
            DestinationWorkerSettings(
                "partner",
                template,
                values: values,
                decompose: CompatibilityForm.decompose,
                userAgent: "cohortd"
            ),
            generator: SeededGenerator(seed: 1)
        )
        try worker.configure(
            sync: sync.id,
            cohort: TemplateCohort(
                id: sync.cohortID,
                name: sync.cohortName,
                createdAt: EventTime(milliseconds: 0)
            ),
            listID: "list"
        )
        var planner = SyncPlanner(generator: SeededGenerator(seed: 2))
        planner.start([sync], now: 0)
        let start = Meter.read()
        reset(&planner, users)
        let ready = Meter.read()
        figures.resetSeconds = ready.cpuSeconds - start.cpuSeconds
        var now: Int64 = 0
        while true {
            let effects = planner.advance(now: now) { _, sync in
                worker.allowance(sync: sync, now: now)
            }
            for request in effects.requests { worker.submit(request, now: now) }
            let work = worker.advance(now: now, wallClock: EventTime(milliseconds: now))
            for request in work.requests {
                figures.requests += 1
                figures.bodyBytes += request.body.count
                worker.answered(
                    token: request.token,
                    .answered(answer),
                    now: now,
                    wallClock: EventTime(milliseconds: now)
                )
            }
            for completion in work.completions {
                planner.completed(
                    sync: completion.syncID,
                    message: completion.messageID,
                    outcome: completion.outcome,
                    now: now
                )
            }
            guard work.requests.isEmpty, work.completions.isEmpty, effects.requests.isEmpty else {
                continue
            }
            if planner.status(now: now)[0].pendingUsers == 0 { break }
            // The limits of the partner hold; time is ours.
            now = max(now + 1, min(work.wakeAt ?? .max, effects.wakeAt ?? .max, now + 60_000))
        }
        figures.deliverySeconds = Meter.read().cpuSeconds - ready.cpuSeconds
    }

    /// A sync that calls users by their ids, with everybody in, over ticks in which nothing happens.
    private func keep(_ users: UserList, _ figures: inout Figures) {
        var sync = SyncSettings(
            id: "bench",
            cohortID: "bench",
            cohortName: "Bench",
            destinationID: "partner"
        )
        sync.shape.usersMax = DestinationWorker.usersMax
        var planner = SyncPlanner(generator: SeededGenerator(seed: 2))
        planner.start([sync], now: 0)
        reset(&planner, users)
        while true {
            let effects = planner.advance(now: 0)
            if effects.requests.isEmpty { break }
            for request in effects.requests {
                planner.completed(
                    sync: request.syncID,
                    message: request.messageID,
                    outcome: .delivered,
                    now: 0
                )
            }
        }
        let memory = planner.memory
        figures.ledgerBytes = memory.ledgerBytes
        figures.idBytes = memory.idBytes
        for tick in 1...Self.tickCount {
            let started = Meter.wall()
            planner.tick(
                partition: 0,
                cut: Cut(offset: Offset(tick), tick: EventTime(milliseconds: Int64(tick) * 60_000)),
                changes: MembershipChanges(cohorts: ["bench"]),
                now: Int64(tick)
            )
            _ = planner.advance(now: Int64(tick))
            figures.tickMilliseconds.append((Meter.wall() - started) * 1000)
        }
        figures.tickMilliseconds.sort()
    }

    private func reset(_ planner: inout SyncPlanner, _ users: UserList) {
        planner.membershipReset(
            partition: 0,
            cohort: "bench",
            users: users,
            cut: Cut(offset: 0, tick: EventTime(milliseconds: 0)),
            now: 0
        )
    }
}
