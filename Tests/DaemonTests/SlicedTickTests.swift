import Basics
import Cohorts
import Engine
import Events
import Foundation
import LogStore
import Sync
import Telemetry
import TestKit
import Testing
import Threads

@testable import Daemon

/// A worker without a broker whose ticks are cut into slices.
@Suite("Ticks in slices")
struct SlicedTickTests {
    /// Everything that leaves a worker.
    private struct Trace: Equatable {
        /// What was posted to the sync thread, the lines of a tick sorted.
        var posts: [String] = []
        /// What the report said once a tick was over.
        var reports: [String] = []
        /// The state at the end, as a snapshot has it.
        var state: [[UInt8]] = []

        func difference(from expected: Trace) -> String {
            for (lines, others) in [(posts, expected.posts), (reports, expected.reports)] {
                for (line, other) in zip(lines, others) where line != other {
                    return "\(line)\ninstead of\n\(other)"
                }
            }
            return "\(posts.count) posts and \(state.count) records of state instead of "
                + "\(expected.posts.count) and \(expected.state.count), or records that differ"
        }
    }

    private enum Step {
        case event(String)
        case upload(String, isIn: Bool, at: EventTime)
        case tick(EventTime)
        case snapshot
        case members
    }

    private final class Bench {
        let folder: TemporaryFolder
        let mailbox = Mailbox<SyncMessage>(capacity: 64)
        let control = Mailbox<ControlMessage>(capacity: 64)
        let environment: EngineEnvironment
        var worker: PartitionWorker
        private var decoder: EventDecoder
        private var trace = Trace()
        private var lastTick: EventTime?

        init() throws {
            folder = try TemporaryFolder()
            environment = try EngineEnvironment(
                of: SlicedTickTests.yaml,
                syncedProperties: ["buyers": ["plan"], "free": ["plan", "city"]],
                folder: folder.url.path,
                sync: mailbox,
                control: control
            )
            decoder = EventDecoder(environment)
            worker = try PartitionWorker.open(0, environment)
            worker.start(
                PartitionStart(
                    events: LogStart(offset: 0, end: 0, oldest: 0),
                    commands: nil,
                    floor: .distantPast
                )
            )
        }

        func take(_ step: Step) throws {
            switch step {
            case .event(let json):
                try json.withByteView { bytes in
                    guard case .events = decoder.begin(bytes, source: .log(nil)),
                        case .event(let event) = decoder.next(previousArrival: nil)
                    else { throw Refused(json) }
                    _ = worker.shard.apply(event)
                }
                applied()
            case .upload(let user, let isIn, let time):
                user.withByteView {
                    worker.shard.upload(
                        $0,
                        cohort: worker.shard.uploadLists.first,
                        isIn: isIn,
                        at: time
                    )
                }
                applied()
            case .tick(let instant):
                worker.tickAsked(instant, end: LogPosition(events: worker.next))
            case .snapshot: worker.commit()
            case .members:
                let page = worker.members(cohort: 0, after: nil, limit: 1000)
                listen()
                trace.posts.append(
                    "members \(page.users.map { String(decoding: $0, as: UTF8.self) })"
                )
            }
            listen()
        }

        private func applied() {
            worker.next += 1
            worker.isDirty = true
        }

        func slice(users: Int) {
            if worker.tickUnderWay != nil { worker.slice(users: users) }
            listen()
        }

        func finishTick() {
            worker.finishTick()
            listen()
        }

        /// What came of everything.
        func end() throws -> Trace {
            finishTick()
            worker.shard.encodeAll { trace.state.append([$0.rawValue] + $1.array) }
            for message in control.takeAll(timeoutMilliseconds: 0) {
                if case .fatal(let error) = message { throw error }
            }
            return trace
        }

        private func listen() {
            for message in mailbox.takeAll(timeoutMilliseconds: 0) {
                switch message {
                case .reset(_, let cut, let cohorts):
                    var lines: [String] = []
                    for reset in cohorts {
                        lines += reset.users.texts.map { "in \(reset.cohort) \($0)" }
                        reset.cells.forEach { lines.append("cells \(reset.cohort) \($0.array)") }
                    }
                    trace.posts.append("reset \(cut) \(lines.sorted())")
                case .tick(_, let cut, let changes):
                    var lines: [String] = []
                    changes.forEach { cohort, user, change, cells in
                        lines.append("\(change) \(cohort) \(user.string) \(cells.array)")
                    }
                    trace.posts.append("tick \(cut) \(lines.sorted()) \(changes.isCalendarBound)")
                default: break
                }
            }
            guard let report = environment.reports[0], report.tick != lastTick else { return }
            lastTick = report.tick
            trace.reports.append(
                "\(report.tick?.rfc3339 ?? "") \(report.members) \(report.flips.enters) \(report.flips.exits)"
            )
        }
    }

    private struct Refused: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }

    private static let yaml = """
        id: buyers
        users: {performed: {event: buy, last: 10m}}
        ---
        id: often
        users: {performed: {event: buy, last: 1h, count: {gte: 3}}}
        ---
        id: today
        users: {active: {last: 1d, align: day}}
        ---
        id: free
        users: {all: [{property: {plan: free}}, {not: {uploaded: true}}]}
        """

    /// Events of a few users, some of them late, between ticks of every minute.
    private static func steps(_ generator: inout SeededGenerator) -> [Step] {
        var steps: [Step] = []
        // Ten minutes before a midnight.
        var now = EventTime(milliseconds: 1_767_656_400_000)
        for _ in 0..<generator.number(in: 2...25) {
            for _ in 0..<generator.below(12) {
                let late = generator.chance(percent: 30) ? Int64(generator.below(700_000)) : 0
                let time = now + Int64(generator.below(60_000)) - late
                let user = "u\(generator.below(8))"
                switch generator.below(10) {
                case 0: steps.append(.upload(user, isIn: generator.chance(percent: 70), at: time))
                case 1, 2:
                    let plan = generator.chance(percent: 50) ? "free" : "paid"
                    steps.append(
                        .event(
                            #"{"user_id":"\#(user)","event_type":"$identify","time":\#(time.milliseconds),"#
                                + #""user_properties":{"plan":"\#(plan)","city":"c\#(generator.below(3))"}}"#
                        )
                    )
                default:
                    let type = generator.chance(percent: 60) ? "buy" : "look"
                    steps.append(
                        .event(
                            #"{"user_id":"\#(user)","event_type":"\#(type)","time":\#(time.milliseconds)}"#
                        )
                    )
                }
                if generator.chance(percent: 3) { steps.append(.snapshot) }
                if generator.chance(percent: 3) { steps.append(.members) }
            }
            now = now + 60_000
            steps.append(.tick(now))
        }
        return steps
    }

    @Test("What leaves a worker is the same wherever its ticks are cut, with events in between")
    func slicing() throws {
        var between = 0
        let seeds = Seeds(200, from: 12_000_000)
        for seed in seeds {
            var generator = SeededGenerator(seed: seed)
            let steps = Self.steps(&generator)
            let whole = try Bench()
            let sliced = try Bench()
            for step in steps {
                try whole.take(step)
                whole.finishTick()
                // A tick that is not over makes the next one wait, and then skips what is older.
                if case .tick = step { sliced.finishTick() }
                try sliced.take(step)
                if sliced.worker.tickUnderWay != nil {
                    if case .tick = step {} else { between += 1 }
                    if generator.chance(percent: 60) { sliced.slice(users: generator.below(3)) }
                }
            }
            let expected = try whole.end()
            let found = try sliced.end()
            guard found != expected else { continue }
            Issue.record(
                """
                \(found.difference(from: expected))
                seed \(seed)
                """
            )
            return
        }
        #expect(between > 500 || !seeds.isFull, "only \(between) steps came between slices")
    }

    @Test("A partition that is taken away in the middle of a tick first tells all of it")
    func revoked() throws {
        let bench = try Bench()
        let noon = EventTime(milliseconds: 1_767_614_400_000)
        try bench.take(.tick(noon))
        for user in 0..<3 {
            try bench.take(
                .event(
                    #"{"user_id":"u\#(user)","event_type":"buy","time":\#(noon.milliseconds + 1)}"#
                )
            )
        }
        try bench.take(.tick(noon + 60_000))
        bench.slice(users: 1)
        #expect(bench.worker.tickUnderWay != nil)
        #expect(bench.environment.reports[0]?.tick == noon)
        bench.worker.revoke()
        #expect(bench.environment.reports[0]?.tick == noon + 60_000)
        #expect(bench.environment.reports[0]?.members.first == 3)
        let trace = try bench.end()
        #expect(trace.posts.count == 2)
    }
}
