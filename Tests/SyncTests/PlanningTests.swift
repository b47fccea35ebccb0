import Basics
import Testing

@testable import Sync

@Suite("Planning")
struct PlanningTests {
    @Test("A new sync begins with everyone then in, sorted by bytes")
    func newSync() throws {
        let harness = PlannerHarness()
        #expect(harness.advance().isEmpty)
        #expect(harness.status().state == .pending)
        harness.reset(["b", "é", "a", "B"], offset: 10, tick: 1)
        let request = try harness.request()
        #expect(request.text == "+B,a,b,é")
        #expect(request.minute == 1)
        #expect(request.cohortName == "Cohort C")
        #expect(harness.status().state == .initial)
        #expect(harness.status().pendingUsers == 4)
        harness.complete(request, .delivered)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().state == .live)
        #expect(harness.status().pendingUsers == 0)
        #expect(harness.status().deliveredUsers == 4)
    }

    @Test("The intent is journalled before its request and asks for a commit; a result does not")
    func intentBeforeSend() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        let effects = harness.planner.advance(now: harness.now)
        #expect(effects.records.map(\.type) == [1, 25, 12])
        #expect(effects.mustCommit)
        let request = try #require(effects.requests.first)
        harness.complete(request, .delivered)
        let after = harness.planner.advance(now: harness.now)
        #expect(after.records.map(\.type) == [3, 7])
        #expect(!after.mustCommit)
    }

    @Test("Each tick sends the difference, exits before enters of the same tick")
    func difference() throws {
        let harness = PlannerHarness()
        harness.reset(["a", "b"], offset: 1, tick: 1)
        #expect(harness.drain().map(\.text) == ["+a,b"])
        harness.tick(["c", "-a"], offset: 2, tick: 2)
        let sent = harness.drain()
        #expect(sent.map(\.text) == ["-a", "+c"])
        #expect(sent.map(\.minute) == [2, 2])
        harness.tick([], offset: 3, tick: 3)
        #expect(harness.advance().isEmpty)
    }

    @Test("Older differences leave before younger ones, whatever their direction")
    func oldestFirst() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        let first = try harness.request()
        harness.tick(["b"], offset: 2, tick: 2)
        harness.tick(["-a"], offset: 3, tick: 3)
        harness.complete(first, .delivered)
        let sent = harness.drain()
        #expect(sent.map(\.text) == ["+b", "-a"])
        #expect(sent.map(\.minute) == [3, 3])
    }

    @Test("A user who comes and goes between two sends costs nothing")
    func coalesced() throws {
        let harness = PlannerHarness()
        harness.reset([], offset: 1, tick: 1)
        harness.tick(["a"], offset: 2, tick: 2)
        harness.tick(["-a"], offset: 3, tick: 3)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().pendingUsers == 0)
        #expect(harness.planner.machines[0].ledger.count == 0)
    }

    @Test("A batch holds at most 1000 users; batches of one tick share a uuid and are counted")
    func batches() throws {
        let harness = PlannerHarness()
        harness.reset((0..<2500).map { "user-\($0)" }, offset: 1, tick: 1)
        let sent = harness.drain()
        #expect(sent.map(\.users.count) == [1000, 1000, 500])
        let parts = sent.map { $0.messageID.split(separator: ":", omittingEmptySubsequences: true) }
        #expect(Set(parts.map { $0[0] }).count == 1)
        #expect(parts.map { $0[1] } == ["enter", "enter", "enter"])
        #expect(parts.map { $0[2] } == ["0", "1", "2"])
        for request in sent {
            let users = request.users.texts
            #expect(users == users.sorted { $0.precedesByBytes($1) })
        }
        harness.tick(["-user-1"], offset: 2, tick: 2)
        let next = try harness.request()
        #expect(next.messageID.hasSuffix("::exit::0"))
        #expect(next.messageID.prefix(36) != sent[0].messageID.prefix(36))
    }

    @Test("A batch holds users of one tick only, also when partitions are at different ticks")
    func oneTick() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], partition: 0, offset: 1, tick: 5)
        harness.reset(["b"], partition: 1, offset: 1, tick: 6)
        harness.reset(["c"], partition: 2, offset: 1, tick: 5)
        let sent = harness.drain()
        #expect(sent.map(\.text) == ["+a,c", "+b"])
        #expect(sent.map(\.minute) == [5, 6])
    }

    @Test("One batch is in flight per sync, and a silent destination does not slow another")
    func isolation() throws {
        let harness = PlannerHarness([.test(id: "dead"), .test(id: "quick", destination: "e")])
        harness.reset(["a"], offset: 1, tick: 1)
        let first = harness.advance()
        #expect(first.map(\.syncID) == ["dead", "quick"])
        harness.complete(first[1], .delivered)
        for minute in Int64(2)...20 {
            harness.tick([minute % 2 == 0 ? "-a" : "a"], offset: minute, tick: minute)
            let requests = harness.advance()
            #expect(requests.map(\.syncID) == ["quick"])
            for request in requests { harness.complete(request, .delivered) }
        }
    }

    @Test("A user of two partitions is in while one of them counts it in")
    func splitUser() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], partition: 0, offset: 1, tick: 1)
        harness.reset(["a"], partition: 1, offset: 1, tick: 1)
        #expect(harness.drain().map(\.text) == ["+a"])
        harness.tick(["-a"], partition: 0, offset: 2, tick: 2)
        harness.tick([], partition: 1, offset: 2, tick: 2)
        #expect(harness.advance().isEmpty)
        harness.tick(["-a"], partition: 1, offset: 3, tick: 3)
        #expect(harness.drain().map(\.text) == ["-a"])
    }

    @Test("Time never goes back for a user who moves to a partition that is behind")
    func movedUser() throws {
        let harness = PlannerHarness()
        harness.reset([], partition: 1, offset: 1, tick: 1)
        harness.reset(["a"], partition: 0, offset: 1, tick: 5)
        #expect(harness.drain().map(\.text) == ["+a"])
        harness.tick(["-a"], partition: 0, offset: 2, tick: 6)
        #expect(harness.drain().map(\.text) == ["-a"])
        harness.tick(["a"], partition: 1, offset: 2, tick: 3)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().pendingUsers == 1)
        harness.tick([], partition: 1, offset: 3, tick: 6)
        let sent = harness.drain()
        #expect(sent.map(\.text) == ["+a"])
        #expect(sent.map(\.minute) == [6])
    }

    @Test("Nothing of an unavailable partition leaves, and nobody of it exits")
    func unavailable() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], partition: 0, offset: 1, tick: 1)
        harness.reset(["b"], partition: 1, offset: 1, tick: 1)
        #expect(harness.drain().map(\.text) == ["+a,b"])
        harness.tick(["-a", "x"], partition: 0, offset: 2, tick: 2)
        harness.planner.partitionUnavailable(0, now: harness.now)
        harness.tick(["-b"], partition: 1, offset: 2, tick: 2)
        #expect(harness.drain().map(\.text) == ["-b"])
        #expect(harness.status().pendingUsers == 2)
        // Changes of a partition that is not known mean nothing.
        harness.tick(["y"], partition: 0, offset: 3, tick: 3)
        #expect(harness.advance().isEmpty)
        harness.reset(["x", "z"], partition: 0, offset: 4, tick: 4)
        #expect(harness.drain().map(\.text) == ["-a", "+x,z"])
    }

    @Test("An answer of unknown outcome is not sent again while its partition is unavailable")
    func unavailableWithOpenBatch() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], partition: 0, offset: 1, tick: 1)
        harness.reset(["b"], partition: 1, offset: 1, tick: 1)
        let request = try harness.request()
        harness.planner.partitionUnavailable(0, now: harness.now)
        harness.complete(request, .timeout)
        let again = try harness.request(by: 400_000)
        #expect(again.text == "+b")
        #expect(again.messageID != request.messageID)
        harness.complete(again, .delivered)
        #expect(harness.drain().isEmpty)
        harness.reset(["a"], partition: 0, offset: 2, tick: 2)
        #expect(harness.drain().map(\.text) == ["+a"])
    }

    @Test("A sync that the configuration pauses sends nothing and keeps count")
    func pausedByConfiguration() throws {
        let harness = PlannerHarness([.test(paused: true)])
        harness.reset(["a"], offset: 1, tick: 1)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().state == .paused)
        #expect(harness.status().pendingUsers == 1)
        harness.syncs = [.test()]
        try harness.restart()
        harness.reset(["a"], offset: 2, tick: 2)
        #expect(harness.drain().map(\.text) == ["+a"])
    }

    @Test("The oldest pending user is counted from when the difference arose")
    func oldestPending() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        let request = try harness.request()
        #expect(harness.advance(by: 5000).isEmpty)
        harness.tick(["b"], offset: 2, tick: 2)
        #expect(harness.status().oldestPendingSeconds == 5)
        harness.complete(request, .delivered)
        #expect(harness.advance(by: 3000).map(\.text) == ["+b"])
        #expect(harness.status().oldestPendingSeconds == 3)
        #expect(harness.status().pendingUsers == 1)
    }

    @Test("Membership of cohorts that no sync sends is ignored")
    func otherCohort() {
        let harness = PlannerHarness()
        harness.reset(["a"], cohort: "other", offset: 1, tick: 1)
        harness.tick(["b"], cohort: "other", offset: 2, tick: 2)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().state == .pending)
    }
}
