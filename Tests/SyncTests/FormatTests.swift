import Basics
import Testing

@testable import Sync

@Suite("Formats")
struct FormatTests {
    private func request(_ operation: Operation, _ users: [String]) -> DeliveryRequest {
        DeliveryRequest(
            syncID: "s",
            destinationID: "d",
            messageID: "9baaa88f-0000-4000-8000-000000000000::\(operation.name)::0",
            cohortID: "vip",
            cohortName: "Very \"important\"",
            tick: EventTime(milliseconds: 1_767_323_040_000),
            users: UserList(users),
            exitCount: operation == .exit ? users.count : 0,
            timeoutMilliseconds: 1000
        )
    }

    @Test("The webhook's body has its keys in order, the time as text and one object per user")
    func body() {
        #expect(
            String(
                decoding: WebhookBody.render(request(.enter, ["u1", "device:a/b"])),
                as: UTF8.self
            )
                == #"{"cohort_name":"Very \"important\"","cohort_id":"vip","in_cohort":true,"#
                + #""computed_time":"1767323040","#
                + #""message_id":"9baaa88f-0000-4000-8000-000000000000::enter::0","#
                + #""users":[{"user_id":"u1"},{"user_id":"device:a/b"}]}"#
        )
        #expect(
            String(decoding: WebhookBody.render(request(.exit, ["u1"])), as: UTF8.self)
                .contains(#""in_cohort":false"#)
        )
    }

    @Test("A file gets one delta record per user")
    func deltaRecords() {
        #expect(
            String(decoding: DeltaRecord.render(request(.exit, ["u1", "ü"])), as: UTF8.self)
                == #"{"tick":"2026-01-02T03:04:00Z","cohort":"vip","user":"u1","op":"exit"}"# + "\n"
                + #"{"tick":"2026-01-02T03:04:00Z","cohort":"vip","user":"ü","op":"exit"}"# + "\n"
        )
    }

    @Test("An intent record has the documented bytes")
    func intentBytes() throws {
        let harness = PlannerHarness([.test(id: "s", cohort: "c", name: "C")])
        harness.reset(["ab"], partition: 7, offset: 258, commands: 5, tick: 1)
        let request = try harness.request()
        let payload = try #require(harness.journal.first { $0.type == 12 }).payload
        var expected: [UInt8] = [1, 0, 0, 0] + Array("s".utf8)
        expected += [46, 0, 0, 0] + Array(request.messageID.utf8)
        expected += [1, 0, 0, 0] + Array("c".utf8) + [1, 0, 0, 0] + Array("C".utf8)
        expected += [0x60, 0xea, 0, 0, 0, 0, 0, 0]
        expected += [1, 0, 0, 0]
        expected += [7, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]
        expected += [0x60, 0xea, 0, 0, 0, 0, 0, 0]
        expected += [0, 0, 0, 0]
        expected += [1, 0, 0, 0, 0, 0, 2, 0] + Array("ab".utf8)
        expected += [0] + [0, 0, 0, 0]
        #expect(payload == expected)
    }

    /// The intent that earlier versions wrote: all users go one way.
    private func formerIntent(sync: String, message: String) -> JournalRecord {
        var writer = ByteWriter()
        for text in [sync, message, "c", "Cohort C"] { writer.write(prefixed: text) }
        writer.write(1 as UInt8)
        writer.write(60_000 as Int64)
        writer.write(1 as UInt32)
        writer.write(0 as PartitionID)
        for number in [1, 0, 60_000] as [Int64] { writer.write(number) }
        writer.write(2 as UInt32)
        for user in ["a", "b"] {
            writer.write(0 as UInt16)
            writer.write(UInt16(user.utf8.count))
            writer.write(raw: Array(user.utf8))
        }
        return JournalRecord(.intent, writer)
    }

    @Test("An intent of an earlier version is taken over and sent again as what it was")
    func former() throws {
        let harness = PlannerHarness()
        harness.journal = [
            .begin(sync: "s", destination: "d"), formerIntent(sync: "s", message: "m::enter::0"),
        ]
        try harness.restart()
        harness.reset(["a", "b"], offset: 1, tick: 1)
        let request = try harness.request()
        #expect(request.messageID == "m::enter::0" && request.text == "+a,b")
        harness.complete(request, .delivered)
        _ = harness.advance()
        try harness.rewriteAndRestart()
        harness.reset(["a", "b"], offset: 1, tick: 1)
        #expect(harness.advance().isEmpty)
    }

    /// A journal with every kind of record.
    private func everything() throws -> [JournalRecord] {
        let harness = PlannerHarness([
            .test(id: "gone"),
            .test(id: "s").with {
                $0.shape.hasList = true
                $0.shape.isNumbered = true
                $0.naming = UserNaming(
                    choices: [.userID],
                    properties: [.init(name: "plan", cell: 0)]
                )
                $0.massExits = MassExitGuard(share: 0.5, users: 1)
            },
            .test(id: "runs", destination: "e").with { $0.cadence = .hourly },
        ])
        harness.planner.listMade(sync: "s", id: "L1")
        harness.reset(["a", "b"], partition: 0, offset: 1, tick: 1)
        harness.reset(["b"], partition: 1, offset: 1, tick: 1)
        _ = harness.drain()
        _ = harness.advance()
        harness.syncs.removeFirst()
        try harness.restart()
        // An exit of unknown outcome, given up; a refusal; a list that is lost.
        harness.reset(["b", "c", "d"], partition: 0, offset: 2, tick: 2)
        harness.reset(["b"], partition: 1, offset: 2, tick: 2)
        harness.complete(try harness.request(), .timeout)
        harness.tick(["a"], partition: 0, offset: 3, tick: 3)
        harness.tick([], partition: 1, offset: 3, tick: 3)
        harness.settle(try harness.request(by: 1000), [.delivered, .skipped])
        harness.complete(try harness.request(by: 2000), .authenticationRefused(detail: "401"))
        _ = harness.advance()
        #expect(harness.command(.resume) == .done)
        harness.complete(try harness.request(), .gone(detail: "404"))
        _ = harness.drain()
        harness.tick(["-b", "-c", "-d"], partition: 0, offset: 4, tick: 4)
        harness.tick(["-b"], partition: 1, offset: 4, tick: 4)
        _ = harness.advance()
        #expect(harness.command(.approve) == .done)
        #expect(harness.command(.pause) == .done)
        #expect(harness.planner.command(.run, sync: "runs", now: harness.now) == .done)
        _ = harness.drain()
        _ = harness.advance()
        harness.planner.listMade(sync: "s", id: "L2")
        _ = harness.advance()
        harness.tick(["e"], partition: 0, offset: 5, tick: 5)
        _ = harness.advance()
        let rewritten = harness.planner.rewriteRecords()
        // A rewrite in its own order after a begin that forgets what was before.
        return harness.journal + rewritten
            + [
                formerIntent(sync: "s", message: "m::enter::0"),
                .skipped(
                    sync: "s",
                    .enter,
                    reason: "invalid",
                    users: [0],
                    in: harness.planner.machines[0].ledger,
                    partitions: harness.planner.partitions
                ),
            ]
    }

    @Test("A record cut short anywhere is refused, never trapped on")
    func truncated() throws {
        let journal = try everything()
        #expect(Set(journal.map(\.type)).sorted() == Array(1...25))
        for (position, record) in journal.enumerated() {
            for length in 0..<record.payload.count {
                var planner = SyncPlanner(generator: SeededGenerator(seed: 1))
                for earlier in journal[..<position] {
                    try planner.replay(type: earlier.type, payload: earlier.payload)
                }
                #expect(throws: SyncJournalError.self) {
                    try planner.replay(
                        type: record.type,
                        payload: Array(record.payload[..<length])
                    )
                }
            }
        }
    }

    @Test("A record with any byte changed is refused or read, never trapped on")
    func flipped() throws {
        let journal = try everything()
        var generator = SeededGenerator(seed: 11)
        for (position, record) in journal.enumerated() {
            for offset in record.payload.indices {
                var damaged = record.payload
                damaged[offset] ^= UInt8(generator.number(in: 1...255))
                var planner = SyncPlanner(generator: SeededGenerator(seed: 1))
                for earlier in journal[..<position] {
                    try planner.replay(type: earlier.type, payload: earlier.payload)
                }
                do {
                    try planner.replay(type: record.type, payload: damaged)
                } catch {
                    #expect(error.description.contains("sync journal"))
                }
            }
        }
    }

    @Test("An unknown type, a sync that never began and a result of nothing are refused")
    func refused() throws {
        var planner = SyncPlanner(generator: SeededGenerator(seed: 1))
        #expect(throws: SyncJournalError.unknownType(99)) {
            try planner.replay(type: 99, payload: [])
        }
        let populated = JournalRecord.naming(.populated, sync: "x")
        #expect(throws: SyncJournalError.malformed(type: 7, detail: "sync x never began")) {
            try planner.replay(type: populated.type, payload: populated.payload)
        }
        let begin = JournalRecord.begin(sync: "x", destination: "d")
        try planner.replay(type: begin.type, payload: begin.payload)
        let result = JournalRecord.result(.delivered, sync: "x", message: "m", ambiguous: false)
        #expect(throws: SyncJournalError.self) {
            try planner.replay(type: result.type, payload: result.payload)
        }
        #expect(throws: SyncJournalError.malformed(type: 1, detail: "1 bytes too many")) {
            try planner.replay(type: begin.type, payload: begin.payload + [0])
        }
    }

    @Test(
        "A rewritten journal gives the same state, is about as large as estimated, and is a fixed point"
    )
    func rewrite() throws {
        let harness = PlannerHarness()
        harness.reset((0..<9000).map { "user-\($0)" }, partition: 0, offset: 1, tick: 1)
        harness.reset(["split", "user-1"], partition: 1, offset: 1, tick: 1)
        for _ in 0..<9 { harness.complete(try harness.request(), .delivered) }
        _ = harness.drain()
        harness.tick(["-user-5", "-user-6"], partition: 0, offset: 2, tick: 2)
        harness.tick([], partition: 1, offset: 2, tick: 2)
        let exit = try harness.request()
        harness.complete(exit, .timeout)
        harness.tick(["user-5", "late"], partition: 0, offset: 3, tick: 3)
        harness.tick([], partition: 1, offset: 3, tick: 3)
        _ = try harness.request(by: 1000)

        let first = harness.planner.rewriteRecords()
        let bytes = first.reduce(0) { $0 + $1.payload.count + 24 }
        #expect(harness.planner.liveBytes > bytes * 9 / 10)
        #expect(harness.planner.liveBytes < bytes * 13 / 10)
        #expect(first.allSatisfy { $0.payload.count < 200_000 })
        harness.journal = first
        try harness.restart()
        #expect(
            Set(harness.planner.rewriteRecords().map(\.payload)) == Set(first.map(\.payload))
        )
        harness.reset((0..<9000).map { "user-\($0)" }, partition: 0, offset: 4, tick: 4)
        harness.reset(["split", "user-1"], partition: 1, offset: 4, tick: 4)
        var sent = harness.drain()
        harness.now += 5000
        sent += harness.drain()
        #expect(sent.map(\.operation) == [.exit, .enter] || sent.map(\.operation) == [.enter])
        #expect(Set(sent.flatMap(\.users.texts)).isSuperset(of: ["user-5", "user-6"]))
    }
}
