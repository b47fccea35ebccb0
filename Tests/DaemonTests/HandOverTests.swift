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

/// A worker without a broker: what it hands to the sync thread at its ticks.
@Suite("What a tick hands to the sync thread")
struct HandOverTests {
    /// One worker with what it posts.
    private final class Bench {
        let folder: TemporaryFolder
        let mailbox = Mailbox<SyncMessage>(capacity: 64)
        private(set) var environment: EngineEnvironment
        private var worker: PartitionWorker
        private var decoder: EventDecoder

        init(_ yaml: String, syncedProperties: [String: [String]]) throws {
            folder = try TemporaryFolder()
            environment = try EngineEnvironment(
                of: yaml,
                syncedProperties: syncedProperties,
                folder: folder.url.path,
                sync: mailbox,
                control: Mailbox<ControlMessage>(capacity: 64)
            )
            decoder = EventDecoder(environment)
            worker = try PartitionWorker.open(0, environment)
            start()
        }

        private func start(history: LogStart? = nil) {
            worker.start(
                PartitionStart(
                    events: LogStart(offset: worker.next, end: worker.next, oldest: 0),
                    history: history,
                    commands: nil,
                    floor: worker.shard.floor
                )
            )
        }

        /// Closes the worker as if the partition were taken away, and opens it anew.
        func restart() throws {
            worker.revoke()
            worker = try PartitionWorker.open(0, environment)
            start()
        }

        /// Goes on with other definitions as after a reload, where everything so far was of `records` records.
        func restart(_ yaml: String, records: Offset) throws {
            worker.next = max(worker.next, records)
            worker.isDirty = true
            worker.revoke()
            environment = try EngineEnvironment(
                of: yaml,
                syncedProperties: [:],
                folder: folder.url.path,
                sync: mailbox,
                control: Mailbox<ControlMessage>(capacity: 64)
            )
            decoder = EventDecoder(environment)
            worker = try PartitionWorker.open(0, environment)
            start(history: LogStart(offset: 0, end: records, oldest: 0))
        }

        /// Says that this is all of the history.
        func endHistory() throws {
            let until = try #require(worker.fill).until
            worker.fill?.next = until
            worker.finishFillIfThere()
        }

        /// Ids of the cohorts whose history is not all there.
        var building: [String] {
            worker.publish()
            return worker.report.building.sorted().map { environment.plan.cohorts[$0].id }
        }

        func apply(
            _ user: String,
            _ type: String,
            at time: String,
            _ properties: String = "{}",
            isHistory: Bool = false
        ) {
            let json =
                #"{"user_id":"\#(user)","event_type":"\#(type)","time":"\#(time)","#
                + #""user_properties":\#(properties)}"#
            json.withByteView { bytes in
                guard case .events = decoder.begin(bytes, source: .log(nil)) else {
                    Issue.record("\(json) is refused")
                    return
                }
                while let outcome = decoder.next(previousArrival: nil) {
                    guard case .event(let event) = outcome else {
                        Issue.record("\(json) is refused")
                        return
                    }
                    _ = isHistory ? worker.shard.reapply(event) : worker.shard.apply(event)
                }
            }
        }

        /// What a tick posts, a line a user.
        func tick(_ instant: String) throws -> [String] {
            _ = mailbox.takeAll(timeoutMilliseconds: 0)
            let instant = try #require(EventTime(rfc3339: instant))
            worker.tickAsked(instant, end: LogPosition(events: worker.next))
            worker.finishTick()
            var lines: [String] = []
            for message in mailbox.takeAll(timeoutMilliseconds: 0) {
                switch message {
                case .reset(_, _, let cohorts):
                    for reset in cohorts { lines += self.lines(reset) }
                case .tick(_, _, let changes): lines += self.lines(changes)
                default: break
                }
            }
            return lines
        }

        private func lines(_ reset: CohortReset) -> [String] {
            var cells: [String] = []
            reset.cells.forEach { cells.append(text($0, reset.cohort)) }
            if environment.plan.cohorts.first(where: { $0.id == reset.cohort })?.synced == nil {
                #expect(cells.isEmpty)
                cells = reset.users.texts.map { _ in "" }
            }
            #expect(cells.count == reset.users.count)
            return zip(reset.users.texts, cells).map { "reset \(reset.cohort) \($0)\($1)" }
        }

        private func lines(_ changes: MembershipChanges) -> [String] {
            var lines: [String] = []
            changes.forEach { cohort, user, change, cells in
                let id = changes.cohorts[cohort]
                lines.append("\(change) \(id) \(user.string)\(text(cells, id))")
            }
            for (id, isBound) in zip(changes.cohorts, changes.isCalendarBound) where isBound {
                lines.append("bound \(id)")
            }
            return lines
        }

        private func text(_ cells: ByteView, _ cohort: String) -> String {
            guard cells.count > 0 else { return "" }
            let names =
                environment.plan.cohorts.first { $0.id == cohort }?.synced?.names ?? []
            return names.indices.map { index in
                let (kind, value) = PropertyCells.value(index, of: cells)
                return kind == .absent ? " -" : " \(value.string)"
            }
            .joined()
        }
    }

    @Test("everyone's values first, then who enters, leaves and changes, and the bounds of days")
    func values() throws {
        let bench = try Bench(
            """
            id: today
            users: {active: {last: 1d, align: day}}
            ---
            id: known
            users: {not: {property: {gone: true}}}
            """,
            syncedProperties: ["today": ["email", "plan"]]
        )
        bench.apply("a", "e", at: "2026-01-05T10:00:00Z", #"{"email":"a@x"}"#)
        #expect(
            try bench.tick("2026-01-05T10:01:00Z") == ["reset known a", "reset today a a@x -"]
        )
        bench.apply("b", "e", at: "2026-01-05T10:01:30Z", #"{"plan":5}"#)
        bench.apply("a", "$identify", at: "2026-01-05T10:01:40Z", #"{"plan":[1,true]}"#)
        #expect(
            try bench.tick("2026-01-05T10:02:00Z").sorted()
                == ["entered known b", "entered today b - 5", "updated today a a@x [1,true]"]
        )
        #expect(try bench.tick("2026-01-05T10:03:00Z") == [])
        bench.apply("a", "$identify", at: "2026-01-05T10:03:30Z", #"{"gone":true}"#)
        #expect(try bench.tick("2026-01-05T10:04:00Z") == ["left known a"])
        #expect(
            try bench.tick("2026-01-06T03:00:00Z").sorted()
                == ["bound today", "left today a", "left today b"]
        )
    }

    @Test("a cohort whose history is read beside what is new is told of when it is whole")
    func filling() throws {
        let viewers = "id: viewers\nusers: {performed: {event: view, last: 1h}}\n"
        // Looks further back at what is kept for an hour, and at what is not kept at all.
        let both =
            viewers + "---\nid: often\n"
            + "users: {performed: {event: view, last: 1d, count: {gte: 2}}}\n"
            + "---\nid: buyers\nusers: {performed: {event: buy, last: 1d}}\n"
        let bench = try Bench(viewers, syncedProperties: [:])
        let history = [
            ("a", "view", "2026-01-05T08:00:00Z"), ("b", "buy", "2026-01-05T09:59:00Z"),
            ("a", "view", "2026-01-05T10:00:00Z"),
        ]
        for (user, type, time) in history { bench.apply(user, type, at: time) }
        #expect(try bench.tick("2026-01-05T10:01:00Z") == ["reset viewers a"])
        try bench.restart(both, records: 3)
        #expect(bench.building == ["buyers", "often"])
        #expect(try bench.tick("2026-01-05T10:02:00Z") == ["reset viewers a"])
        bench.apply("b", "view", at: "2026-01-05T10:02:30Z")
        bench.apply("c", "buy", at: "2026-01-05T10:02:30Z")
        #expect(try bench.tick("2026-01-05T10:03:00Z") == ["entered viewers b"])
        bench.apply("a", "view", at: "2026-01-05T08:00:00Z", isHistory: true)

        // What was read of it by then is read again after a restart.
        try bench.restart(both, records: 5)
        #expect(bench.building == ["buyers", "often"])
        #expect(try bench.tick("2026-01-05T10:04:00Z") == ["reset viewers a", "reset viewers b"])
        let all =
            history + [
                ("b", "view", "2026-01-05T10:02:30Z"), ("c", "buy", "2026-01-05T10:02:30Z"),
            ]
        for (user, type, time) in all { bench.apply(user, type, at: time, isHistory: true) }
        try bench.endHistory()
        #expect(bench.building == ["buyers", "often"])
        bench.apply("d", "view", at: "2026-01-05T10:04:30Z")
        #expect(
            try bench.tick("2026-01-05T10:05:00Z").filter { $0.hasPrefix("reset") }
                == ["reset buyers b", "reset buyers c", "reset often a"]
        )
        #expect(bench.building == [])
        bench.apply("d", "view", at: "2026-01-05T10:05:30Z")
        #expect(try bench.tick("2026-01-05T10:06:00Z") == ["entered often d"])
    }

    @Test("after a restart everyone's values come again")
    func restart() throws {
        let bench = try Bench(
            "id: known\nusers: {not: {property: {gone: true}}}\n",
            syncedProperties: ["known": ["email"]]
        )
        bench.apply("a", "e", at: "2026-01-05T10:00:00Z", #"{"email":"a@x"}"#)
        #expect(try bench.tick("2026-01-05T10:01:00Z") == ["reset known a a@x"])
        bench.apply("a", "e", at: "2026-01-05T10:01:30Z", #"{"email":"a@y"}"#)
        try bench.restart()
        #expect(try bench.tick("2026-01-05T10:02:00Z") == ["reset known a a@y"])
        bench.apply("a", "e", at: "2026-01-05T10:02:30Z", #"{"email":"a@z"}"#)
        #expect(try bench.tick("2026-01-05T10:03:00Z") == ["updated known a a@z"])
    }
}
