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

    /// A harness that has written every kind of record.
    private func everything() throws -> PlannerHarness {
        let harness = PlannerHarness([.test(id: "gone"), .test(id: "s")])
        harness.reset(["a", "b"], partition: 0, offset: 1, tick: 1)
        harness.reset(["b"], partition: 1, offset: 1, tick: 1)
        _ = harness.drain()
        _ = harness.advance()
        harness.syncs = [.test(id: "s")]
        try harness.restart()
        harness.reset(["b", "c", "d"], partition: 0, offset: 2, tick: 2)
        harness.reset(["b"], partition: 1, offset: 2, tick: 2)
        let exit = try harness.request()
        harness.complete(exit, .timeout)
        harness.tick(["a"], partition: 0, offset: 3, tick: 3)
        harness.tick([], partition: 1, offset: 3, tick: 3)
        let enter = try harness.request(by: 1000)
        harness.complete(enter, .gone(detail: "410"))
        _ = harness.advance()
        try harness.restart()
        harness.reset(["a", "b", "c", "d"], partition: 0, offset: 4, tick: 4)
        harness.reset(["b"], partition: 1, offset: 4, tick: 4)
        _ = harness.drain()
        _ = harness.advance(by: 5000)
        _ = harness.drain()
        for record in harness.planner.rewriteRecords() where record.type > 8 {
            harness.journal.append(record)
        }
        return harness
    }

    @Test("A record cut short anywhere is refused, never trapped on")
    func truncated() throws {
        let journal = try everything().journal
        #expect(Set(journal.map(\.type)) == [1, 3, 4, 6, 7, 8, 9, 10, 11, 12, 16])
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
        let journal = try everything().journal
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
