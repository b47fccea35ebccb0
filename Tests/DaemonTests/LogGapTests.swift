import Basics
import Cohorts
import Engine
import Foundation
import HTTPAPI
import Sync
import TestKit
import Testing
import Threads

@testable import Daemon

@Suite("Gaps in a log")
struct LogGapTests {
    private func gap(
        _ from: Offset,
        _ to: Offset,
        at: Int64 = 1_000_000,
        _ cause: LogGap.Cause = .gone,
        ofCommands: Bool = false
    ) -> LogGap {
        LogGap(
            isOfCommands: ofCommands,
            from: from,
            to: to,
            at: EventTime(milliseconds: at),
            cause: cause
        )
    }

    private func plan(_ yaml: String) throws -> Plan {
        let folder = try TemporaryFolder()
        defer { _ = folder }
        return try EngineEnvironment(
            of: yaml,
            syncedProperties: [:],
            folder: folder.url.path,
            sync: Mailbox(capacity: 1),
            control: Mailbox(capacity: 1)
        ).plan
    }

    @Test(
        "read back as they were written; bytes of another version, too few and too many are refused"
    )
    func bytes() {
        var gaps = LogGaps()
        gaps.append(gap(5, 9))
        gaps.append(gap(20, 3, .anew))
        gaps.append(gap(0, 7, .skipped, ofCommands: true))
        let bytes = gaps.encoded
        #expect(bytes.count == 5 + 3 * 26)
        #expect(bytes.withByteView { LogGaps($0) } == gaps)
        for count in 0..<bytes.count {
            #expect(Array(bytes.prefix(count)).withByteView { LogGaps($0) } == nil)
        }
        #expect((bytes + [0]).withByteView { LogGaps($0) } == nil)
        #expect(([2] + bytes.dropFirst()).withByteView { LogGaps($0) } == nil)
    }

    @Test("the same gap is noted once, and of many the newest stay")
    func bound() {
        var gaps = LogGaps()
        for _ in 0..<3 { gaps.append(gap(5, 9, .skipped)) }
        #expect(gaps.all.count == 1)
        #expect(gaps.skipped(5, ofCommands: false)?.to == 9)
        #expect(gaps.skipped(9, ofCommands: false) == nil)
        #expect(gaps.skipped(5, ofCommands: true) == nil)
        for number in 0..<Int64(LogGaps.countMax) { gaps.append(gap(100 + number, 200 + number)) }
        #expect(gaps.all.count == LogGaps.countMax)
        #expect(gaps.skipped(5, ofCommands: false) == nil)
    }

    private static let cohorts = """
        id: hour
        name: hour
        users: {performed: {event: view, last: 1h}}
        ---
        id: shifted
        name: shifted
        users: {performed: {event: view, last: 1h, offset: 1h}}
        ---
        id: ever
        name: ever
        users: {performed: {event: view}}
        ---
        id: payers
        name: payers
        users: {property: {name: plan, is: pro}}
        ---
        id: listed
        name: listed
        users: {uploaded: true}
        ---
        id: both
        name: both
        users: {all: [{member_of: hour}, {member_of: listed}]}
        """

    @Test(
        "hold back the exits of a cohort until they are behind its window and offset, or for good"
    )
    func doubt() throws {
        let plan = try plan(Self.cohorts)
        func doubts(_ gaps: LogGaps) -> [String: LogGaps.Doubt] {
            Dictionary(
                uniqueKeysWithValues: plan.cohorts.enumerated().map {
                    ($1.id, gaps.doubt(cohort: $0, of: plan))
                }
            )
        }
        #expect(doubts(LogGaps()).values.allSatisfy { $0 == .none })
        let hour: Int64 = 3_600_000
        func until(_ milliseconds: Int64) -> LogGaps.Doubt {
            .until(EventTime(milliseconds: milliseconds))
        }
        var gaps = LogGaps()
        gaps.append(gap(5, 9))
        #expect(
            doubts(gaps) == [
                "hour": until(1_000_000 + hour), "shifted": until(1_000_000 + 2 * hour),
                "ever": .forGood, "payers": .forGood, "listed": .none,
                "both": until(1_000_000 + hour),
            ]
        )
        gaps.append(gap(1, 2, at: 2_000_000, ofCommands: true))
        #expect(doubts(gaps)["hour"] == until(2_000_000 + hour))
        #expect(doubts(gaps)["listed"] == .forGood)
        #expect(doubts(gaps)["both"] == .forGood)

        let end = EventTime(milliseconds: 2_000_000 + hour)
        func held(at tick: EventTime, accepted: Set<String> = []) -> [String] {
            zip(plan.cohorts, gaps.doubtful(at: tick, plan, accepted: accepted))
                .filter(\.1).map(\.0.id).sorted()
        }
        #expect(held(at: end + -1) == ["both", "ever", "hour", "listed", "payers", "shifted"])
        #expect(held(at: end) == ["both", "ever", "listed", "payers", "shifted"])
        #expect(
            held(at: end, accepted: ["ever", "payers", "listed", "both"]) == ["shifted"]
        )
    }
}

@Suite("Retention")
struct RetentionTests {
    @Test(
        "is near where less than a quarter of what Kafka keeps lies before the next event",
        arguments: [
            // (offset, first, end, is near)
            (3000, 1000, 9004, true), (3000, 1000, 9000, false), (8990, 8900, 9004, false),
            (1000, 1000, 2000, true), (1000, 1000, 1999, false), (0, 0, 9000, false),
        ] as [(Offset, Offset, Offset, Bool)]
    )
    func near(_ offset: Offset, _ first: Offset, _ end: Offset, _ isNear: Bool) {
        #expect(DaemonRun.isRetentionNear(offset, first: first, end: end) == isNear)
    }
}

/// A worker without a broker that stands still, and goes on.
@Suite("A halted partition")
struct HaltedPartitionTests {
    private let folder: TemporaryFolder
    private let mailbox = Mailbox<SyncMessage>(capacity: 64)
    private let environment: EngineEnvironment

    init() throws {
        folder = try TemporaryFolder()
        environment = try EngineEnvironment(
            of: "id: viewers\nname: viewers\nusers: {performed: {event: view, last: 1h}}",
            syncedProperties: [:],
            folder: folder.url.path,
            sync: mailbox,
            control: Mailbox(capacity: 64)
        )
    }

    private func start(_ worker: PartitionWorker, at offset: Offset) {
        worker.start(
            PartitionStart(
                events: LogStart(offset: offset, end: offset, oldest: 0),
                commands: nil,
                floor: .distantPast
            )
        )
    }

    private func gap(_ from: Offset, _ to: Offset, _ cause: LogGap.Cause) -> LogGap {
        LogGap(isOfCommands: false, from: from, to: to, at: environment.clock.now, cause: cause)
    }

    /// The cut and the holds of what the sync thread was last told of a tick.
    private func told() throws -> (cut: Cut, holds: [Bool]) {
        let last = mailbox.takeAll(timeoutMilliseconds: 0).last
        switch last {
        case .reset(_, let cut, let resets): return (cut, resets.map(\.holdsExits))
        case .tick(_, let cut, let changes): return (cut, changes.holdsExits)
        default: throw Untold()
        }
    }

    private struct Untold: Error {}

    /// Ticks stand on a grid: each of these is of another of its steps.
    private func tick(_ worker: PartitionWorker, at offset: Offset, _ number: Int64 = 1) {
        let instant = environment.clock.now + number * environment.tickWidth
        worker.tickAsked(instant, end: LogPosition(events: offset))
        worker.finishTick()
    }

    @Test("goes on behind a gap that is durable, holding back exits, also when it is opened again")
    func goesOn() throws {
        var worker = try PartitionWorker.open(0, environment)
        start(worker, at: 0)
        worker.next = 40
        worker.isDirty = true
        #expect(worker.goOn(LogStep(gap: gap(40, 55, .gone))).refusal != nil)
        worker.halt("it is gone")
        // Taken away and given back it is halted as before.
        worker.revoke()
        start(worker, at: 40)
        #expect(worker.phase == .halted)
        #expect(worker.report.state == .halted)
        #expect(
            worker.goOn(LogStep(gap: gap(41, 55, .gone))).refusal?.contains("offset 40") == true
        )
        #expect(worker.goOn(LogStep(gap: gap(40, 55, .gone))).position == 55)
        start(worker, at: 55)
        #expect(worker.report.state == .degraded)
        #expect(worker.report.haltReason == nil)
        tick(worker, at: 55)
        #expect(try told().holds == [true])

        worker = try PartitionWorker.open(0, environment)
        #expect(worker.next == 55)
        #expect(worker.gaps.all.map(\.to) == [55])
        start(worker, at: 55)
        tick(worker, at: 55, 3)
        let before = try told()
        #expect(before.holds == [true])
        #expect(before.cut.offset == 55)

        // Another log that begins anew: where it stands counts on.
        worker.halt("it is another log")
        #expect(worker.goOn(LogStep(gap: gap(55, 3, .anew))).position == 3)
        worker = try PartitionWorker.open(0, environment)
        #expect(worker.next == 3)
        #expect(worker.firstOffset == 3)
        start(worker, at: 3)
        worker.next = 4
        tick(worker, at: 4, 5)
        #expect(try told().cut.offset == 56)
    }

    @Test("goes on behind a gap in its commands as it does in its events")
    func commands() throws {
        var worker = try PartitionWorker.open(0, environment)
        func start(_ commands: Offset) {
            let log = LogStart(offset: commands, end: commands, oldest: 0)
            worker.start(
                PartitionStart(
                    events: LogStart(offset: 0, end: 0, oldest: 0),
                    commands: log,
                    floor: .distantPast
                )
            )
        }
        start(0)
        worker.advance(commandsTo: 30)
        worker.halt("another log")
        var left = gap(30, 2, .anew)
        left.isOfCommands = true
        #expect(worker.goOn(LogStep(gap: left)).position == 0)
        worker = try PartitionWorker.open(0, environment)
        #expect(worker.commandsNext == 2)
        #expect(worker.gaps.all == [left])
        start(2)
        worker.tickAsked(environment.clock.now, end: LogPosition(events: 0, commands: 2))
        worker.finishTick()
        #expect(try told().cut.commands == 30)
    }

    @Test("goes on as it was where nothing is missing after all")
    func nothingMissing() throws {
        let worker = try PartitionWorker.open(0, environment)
        start(worker, at: 0)
        worker.halt("Kafka does not know it")
        #expect(worker.goOn(LogStep(gap: nil)).position == 0)
        start(worker, at: 0)
        #expect(worker.report.state == .live)
        tick(worker, at: 0)
        #expect(try told().holds == [false])
    }
}

extension LogStepOutcome {
    fileprivate var refusal: String? {
        if case .refused(let text) = self { text } else { nil }
    }

    fileprivate var position: Offset? {
        if case .moved(let position, _) = self { position.events } else { nil }
    }
}
