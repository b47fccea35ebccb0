import Basics
import Configuration
import Delivery
import Foundation
import Sync
import Templates
import Testing

/// A template of config/destinations/templates.
func shipped(_ name: String) throws -> Template {
    let repository = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    let path = "config/destinations/templates/\(name).yaml"
    return try template(
        String(decoding: Data(contentsOf: repository.appending(path: path)), as: UTF8.self)
    )
}

/// The one template of a text.
func template(_ text: String) throws -> Template {
    let reading = Template.read([ConfigurationFile(name: "t.yaml", bytes: Array(text.utf8))])
    #expect(reading.problems.map(\.description) == [])
    return try #require(reading.value.first)
}

/// A small template of a partner that keeps no lists.
func propertyTemplate(_ rest: String, responses: String? = nil) throws -> Template {
    try template(
        """
        template: t
        model: property
        base_url: https://api.example.com
        identity: {keys: [{name: id, from: user_id}]}
        members: {change: {method: POST, path: /u, body: {users: {$each: changes, item: '${u.id}'}}}}
        responses: \(responses ?? standardResponses)
        \(rest)
        """
    )
}

let standardResponses = """
    [{when: {status: [200-299]}, then: delivered},
     {when: {status: [429]}, then: throttle, after: {header: Retry-After, unit: s}},
     {when: {status: [401, 403]}, then: auth},
     {when: {status: [400]}, then: skip, split: true, reason: rejected_by_partner},
     {when: {status: [404]}, then: gone},
     {when: {status: [422]}, then: fatal},
     {when: {status: [300-399, 405-499, 500-599]}, then: retry}]
    """

/// The settings of a worker with a template.
func settings(_ template: Template, _ values: [String: String] = [:]) -> DestinationWorkerSettings {
    DestinationWorkerSettings(
        "partner",
        template,
        values: values.mapValues { SettingValue($0) },
        decompose: { $1.append(contentsOf: $0.utf8) },
        userAgent: "cohortd/test"
    )
}

/// What the shipped templates need.
let talonValues = ["api_key": "CANARY", "deployment": "shop.us-east4.talon.one"]
let brazeValues = ["rest_key": "CANARY", "host": "rest.iad-01.braze.com"]
let amplitudeValues = [
    "api_key": "CANARY", "secret_key": "CANARY", "app_id": "1", "owner": "a@b.c",
]
let metaValues = ["access_token": "CANARY", "ad_account": "17"]

let cohort = TemplateCohort(
    id: "7khm89cz",
    name: "Big spenders",
    createdAt: EventTime(milliseconds: 1_767_225_600_000)
)

/// A worker, a partner that answers as told, and a driver that plans like the planner, on one clock.
///
/// Every batch is checked: exactly one completion, never more in hand than allowed.
final class Simulation {
    /// A request at the partner.
    struct Call {
        var arrival: Int64
        var sync: String
        var route: String
        var users: [String]
        var request: OutgoingRequest
    }

    var worker: DestinationWorker
    private(set) var now: Int64 = 1_000_000
    /// Answers a call, after so many milliseconds.
    var partner: (Call) -> (HTTPOutcome, Int64)
    /// Users who are to enter, by sync; the syncs are asked in this order.
    var waiting: [(sync: String, users: [String])] = []
    /// Every call the partner got, by arrival.
    private(set) var calls: [Call] = []
    private(set) var completions: [(time: Int64, WorkerEffects.Completion)] = []
    private(set) var notes: [WorkerNote] = []
    private(set) var lists: [WorkerEffects.List] = []
    /// The last outcome of each user.
    private(set) var outcomes: [String: UserOutcomes.Outcome] = [:]
    private(set) var reasons: [String: String] = [:]
    /// The most requests on their way at once, of all and of one sync.
    private(set) var inFlightMax = 0
    private(set) var perSyncMax = 0
    /// Whether who was not taken is offered again.
    var repeats = true

    private var flights: [(end: Int64, sync: String, token: UInt64, outcome: HTTPOutcome)] = []
    private var batches: [String: [String]] = [:]
    private var nextMessage = 0
    private var wakeAt: Int64?
    private var random = SeededGenerator(seed: 99)

    init(
        _ settings: DestinationWorkerSettings,
        syncs: [String] = ["s1"],
        listID: String? = "L",
        seed: UInt64 = 1,
        partner: @escaping (Call) -> (HTTPOutcome, Int64) = { _ in (.status(200), 100) }
    ) throws {
        worker = DestinationWorker(settings, generator: SeededGenerator(seed: seed))
        self.partner = partner
        for sync in syncs {
            waiting.append((sync, []))
            try worker.configure(sync: sync, cohort: cohort, listID: listID)
        }
    }

    /// Adds users who are to enter.
    func offer(_ users: some Sequence<String>, to sync: String = "s1") {
        let index = waiting.firstIndex { $0.sync == sync } ?? 0
        waiting[index].users += users
    }

    /// Runs until that time, or until nothing is left to do.
    @discardableResult
    func run(until end: Int64 = .max) -> Int64 {
        while true {
            act()
            let next = [flights.map(\.end).min(), wakeAt].compactMap { $0 }.min()
            guard let next, next <= end else {
                if end != .max { now = max(now, end) }
                return now
            }
            precondition(next >= now, "time goes back: \(next) after \(now)")
            now = next
        }
    }

    var isIdle: Bool { flights.isEmpty && batches.isEmpty && waiting.allSatisfy(\.users.isEmpty) }

    private var wallClock: EventTime { EventTime(milliseconds: 1_767_323_040_000 + now) }

    private func act() {
        for flight in flights where flight.end <= now {
            worker.answered(token: flight.token, flight.outcome, now: now, wallClock: wallClock)
        }
        flights.removeAll { $0.end <= now }
        takeEffects()
        for index in waiting.indices where !waiting[index].users.isEmpty {
            let sync = waiting[index].sync
            let allowance = worker.allowance(sync: sync, now: now)
            guard allowance > 0 else { continue }
            precondition(batches[sync] == nil, "\(sync) has two batches")
            let users = Array(waiting[index].users.prefix(allowance))
            waiting[index].users.removeFirst(users.count)
            batches[sync] = users
            worker.submit(request(sync, users), now: now)
            takeEffects()
        }
    }

    /// A batch of users who enter.
    func request(_ sync: String, _ users: [String], exits: Int = 0) -> DeliveryRequest {
        nextMessage += 1
        var list = UserList()
        for user in users { row([user]).withByteView { list.append($0) } }
        return DeliveryRequest(
            syncID: sync,
            destinationID: "partner",
            messageID: "m\(nextMessage)",
            cohortID: cohort.id,
            cohortName: cohort.name,
            tick: EventTime(milliseconds: 1_767_323_040_000),
            users: list,
            exitCount: exits,
            timeoutMilliseconds: 30_000
        )
    }

    /// Hands a batch over whatever the worker allows.
    func submit(_ users: [String], to sync: String = "s1", exits: Int = 0) {
        batches[sync] = users
        worker.submit(request(sync, users, exits: exits), now: now)
    }

    private func takeEffects() {
        let effects = worker.advance(now: now, wallClock: wallClock)
        wakeAt = effects.wakeAt
        notes += effects.notes
        lists += effects.listIDs
        for completion in effects.completions { complete(completion) }
        for request in effects.requests { send(request) }
        inFlightMax = max(inFlightMax, flights.count)
        for sync in Set(flights.map(\.sync)) {
            perSyncMax = max(perSyncMax, flights.count { $0.sync == sync })
        }
    }

    private func send(_ request: OutgoingRequest) {
        let users = request.userIDs
        let sync = batches.first { !users.isEmpty && $0.value.contains(users[0]) }?.key ?? "s1"
        var route = "webhook"
        if case .whole(let method, let url, _) = request.form { route = "\(method) \(url)" }
        var call = Call(
            arrival: now,
            sync: sync,
            route: route,
            users: users,
            request: request
        )
        let (outcome, roundTrip) = partner(call)
        // Somewhere on the way the partner counts it.
        call.arrival = now + Int64(random.below(Int(roundTrip) + 1))
        if case .notSent = outcome {} else { calls.append(call) }
        flights.append((now + roundTrip, sync, request.token, outcome))
    }

    private func complete(_ completion: WorkerEffects.Completion) {
        guard let users = batches.removeValue(forKey: completion.syncID) else {
            Issue.record("a second completion of \(completion)")
            return
        }
        completions.append((now, completion))
        var again: [String] = []
        for (place, user) in users.enumerated() {
            let outcome = completion.outcome.outcome(of: place)
            outcomes[user] = outcome
            if case .settled(let settled, _, _, _) = completion.outcome {
                reasons[user] = settled.reasons[place]
            }
            if outcome == .notApplied || outcome == .unknown { again.append(user) }
        }
        if repeats { offer(again, to: completion.syncID) }
    }
}

/// A row of identifiers.
func row(_ cells: [String]) -> [UInt8] {
    cells.flatMap { cell in
        [UInt8(cell.utf8.count & 255), UInt8(cell.utf8.count >> 8)] + Array(cell.utf8)
    }
}

extension HTTPOutcome {
    /// An answer with a JSON body.
    static func status(
        _ status: Int,
        _ body: String = "",
        headers: [(name: String, value: String)] = [],
        isBodyCut: Bool = false
    ) -> HTTPOutcome {
        .answered(
            HTTPAnswer(
                status: status,
                headers: headers,
                bodyPrefix: Array(body.utf8),
                isBodyCut: isBodyCut
            )
        )
    }
}

extension OutgoingRequest {
    /// The ids in the body: texts of `u` and digits.
    var userIDs: [String] {
        var ids: [String] = []
        for part in body.split(separator: UInt8(ascii: "\"")) where part.first == UInt8(ascii: "u")
        {
            guard part.count > 1, part.dropFirst().allSatisfy({ $0 &- 0x30 < 10 }) else { continue }
            ids.append(String(decoding: part, as: UTF8.self))
        }
        return ids
    }
}

extension DeliveryOutcome {
    /// What became of the user at a place.
    func outcome(of place: Int) -> UserOutcomes.Outcome {
        switch self {
        case .delivered: .delivered
        case .settled(let outcomes, _, _, _): outcomes.outcomes[place]
        case .retriable(_, _, let knownNotApplied): knownNotApplied ? .notApplied : .unknown
        case .authenticationRefused, .gone, .failed: .notApplied
        }
    }
}

/// `u0`, `u1` and so on.
func users(_ range: Range<Int>) -> [String] { range.map { "u\($0)" } }

/// The most in any span of `per` milliseconds.
func peak(_ calls: [Simulation.Call], per: Int64, _ weight: (Simulation.Call) -> Int) -> Int {
    let sorted = calls.sorted { $0.arrival < $1.arrival }
    var (first, sum, most) = (0, 0, 0)
    for call in sorted {
        sum += weight(call)
        // Both ends count: a span that begins with one call and ends with another holds both.
        while call.arrival - sorted[first].arrival > per {
            sum -= weight(sorted[first])
            first += 1
        }
        most = max(most, sum)
    }
    return most
}
