import Delivery
import Sync
import Testing

@Suite("Jobs that the partner works at")
struct JobTests {
    /// A partner that takes requests as jobs `1`, `2` and so on.
    private final class Office {
        var count = 0
        /// What it answers about a job, the how-manieth time it is asked.
        var answer: (Int, Int) -> HTTPOutcome = { _, _ in .status(200, #"{"status":"done"}"#) }
        private var asked: [Int: Int] = [:]

        func answer(_ call: Simulation.Call) -> (HTTPOutcome, Int64) {
            guard let job = call.job else {
                count += 1
                return (.status(202, #"{"id":\#(count)}"#), 100)
            }
            asked[job, default: 0] += 1
            return (answer(job, asked[job] ?? 0), 100)
        }
    }

    private let own: DestinationWorkerSettings

    init() throws {
        own = settings(
            try propertyTemplate(
                """
                batch: {max_items: 10, mix: true}
                concurrency: {max: 4}
                limits: [{unit: requests, count: 50, per: 10s}]
                confirm:
                  request: {method: GET, path: '/jobs/${job.id}'}
                  id: /id
                  every: 10s
                  give_up: 1m
                  responses:
                    - {when: {status: [200], body: {pointer: /status, equals: done}}, then: delivered}
                    - when: {status: [200], body: {pointer: /status, equals: partly}}
                      then: delivered
                      scope: items
                      items: {at: /failed, key: id}
                    - {when: {status: [200], body: {pointer: /status, equals: bad}}, then: skip, split: true, reason: bad_rows}
                    - {when: {status: [200], body: {pointer: /status, equals: deadlock}}, then: retry}
                    - {when: {status: [200]}, then: accepted}
                    - {when: {status: [401]}, then: auth}
                    - {when: {status: [429]}, then: throttle}
                    - {when: {status: [400-599]}, then: retry}
                """,
                responses:
                    "[{when: {status: [200-299]}, then: accepted}, {when: {status: [300-599]}, then: retry}]"
            )
        )
    }

    private func run(
        _ answer: @escaping (Int, Int) -> HTTPOutcome,
        users list: [String] = users(0..<20),
        until: Int64 = 3_600_000
    ) throws -> Simulation {
        let office = Office()
        office.answer = answer
        let simulation = try Simulation(own, partner: { office.answer($0) })
        simulation.repeats = false
        simulation.submit(list)
        simulation.run(until: simulation.now + until)
        return simulation
    }

    private static let pending = HTTPOutcome.status(200, #"{"status":"pending"}"#)

    @Test("are asked about until they are done, and only then anybody counts as delivered")
    func success() throws {
        let simulation = try run { _, time in
            time < 3 ? Self.pending : .status(200, #"{"status":"done"}"#)
        }
        #expect(simulation.completions.count == 1)
        #expect(simulation.completions.first?.1.outcome == .delivered)
        let first = simulation.calls.filter { $0.job == 1 }.map(\.arrival)
        #expect(first.count == 3)
        #expect(zip(first, first.dropFirst()).allSatisfy { $1 - $0 >= 9_900 })
        #expect(simulation.calls.count == 8)
    }

    @Test("of a sync that is gone still say when the partner is too busy")
    func busyForNobody() throws {
        let office = Office()
        office.answer = { _, _ in .status(429) }
        let simulation = try Simulation(own, partner: { office.answer($0) })
        simulation.submit(users(0..<5))
        // The job is begun and asked about; the answer is on its way when the sync goes.
        while !simulation.calls.contains(where: { $0.job != nil }) {
            simulation.run(until: simulation.now + 1)
        }
        simulation.worker.remove(sync: "s1")
        simulation.run(until: simulation.now + 200)
        let status = simulation.worker.status(now: simulation.now)
        #expect(status.pausedUntil != nil && status.rateFactor < 1)
    }

    @Test("tell who failed, and are sent in halves or again as a whole")
    func partly() throws {
        let named = try run { job, _ in
            .status(200, job == 1 ? #"{"status":"partly","failed":["u3"]}"# : #"{"status":"done"}"#)
        }
        #expect(named.outcomes.count { $0.value == .delivered } == 19)
        #expect(named.outcomes["u3"] == .skipped)
        let again = try run { job, _ in
            .status(200, job == 1 ? #"{"status":"deadlock"}"# : #"{"status":"done"}"#)
        }
        #expect(again.outcomes.count { $0.value == .unknown } == 10)
        #expect(again.outcomes.count { $0.value == .delivered } == 10)
        let halves = try run(
            { job, _ in .status(200, job <= 3 ? #"{"status":"bad"}"# : #"{"status":"done"}"#) },
            users: users(0..<4)
        )
        #expect(halves.completions.count == 1)
        #expect(halves.outcomes.count { $0.value == .delivered } == 4)
        #expect(halves.calls.count { $0.job == nil } == 7)
    }

    @Test("of which nobody says what became end as unknown")
    func givenUp() throws {
        for answer in [Self.pending, .status(503), .unknown("timeout"), .status(404)] {
            let simulation = try run { _, _ in answer }
            #expect(simulation.completions.count == 1, "\(answer)")
            #expect(simulation.outcomes.values.allSatisfy { $0 == .unknown }, "\(answer)")
            #expect(simulation.isIdle)
        }
    }

    @Test("a question that fails or comes too fast is asked again")
    func failing() throws {
        for answer in [HTTPOutcome.status(503), .status(429), .notSent("no route"), .status(500)] {
            let simulation = try run { _, time in
                time < 3 ? answer : .status(200, #"{"status":"done"}"#)
            }
            #expect(simulation.outcomes.count { $0.value == .delivered } == 20, "\(answer)")
        }
    }

    @Test("a refused credential pauses; what the jobs did is not known")
    func refused() throws {
        let simulation = try run { _, _ in .status(401) }
        #expect(simulation.worker.status(now: simulation.now).refusal != nil)
        #expect(simulation.completions.count == 1)
        #expect(simulation.outcomes.values.allSatisfy { $0 == .unknown })
    }

    @Test("a stop ends them, and a start sends their users again")
    func stopped() throws {
        let simulation = try run({ _, _ in Self.pending }, until: 15_000)
        #expect(simulation.completions.isEmpty)
        simulation.worker.stop()
        simulation.run(until: simulation.now + 1000)
        #expect(simulation.completions.count == 1)
        #expect(simulation.outcomes.values.allSatisfy { $0 == .unknown })
        #expect(!simulation.worker.isBusy)
        // A worker of after the start knows of no job.
        let next = try run { _, _ in .status(200, #"{"status":"done"}"#) }
        #expect(next.outcomes.count { $0.value == .delivered } == 20)
    }

    @Test("limits count the questions as well")
    func limits() throws {
        let simulation = try run(
            { _, _ in .status(200, #"{"status":"done"}"#) },
            users: users(0..<900)
        )
        #expect(simulation.outcomes.count { $0.value == .delivered } == 900)
        #expect(simulation.calls.count == 180)
        #expect(peak(simulation.calls, per: 10_000) { _ in 1 } <= 50)
        #expect(simulation.inFlightMax <= 4)
    }
}

extension Simulation.Call {
    /// The job it asks about.
    fileprivate var job: Int? {
        guard route.hasPrefix("GET ") else { return nil }
        return route.split(separator: "/").last.flatMap { Int($0) }
    }
}
