import Basics
import Testing

@testable import Sync

@Suite("Exits that nobody can be sure of")
struct HeldExitTests {
    private let everybody = (0..<20).map { "u\($0)" }

    private func populated(_ cadence: SyncCadence = .realtime) throws -> PlannerHarness {
        let harness = PlannerHarness([
            .test().with {
                $0.massExits = MassExitGuard(share: 0.3, users: 10)
                $0.cadence = cadence
            }
        ])
        harness.reset(everybody, offset: 1, tick: 1)
        if cadence.hasRuns { #expect(harness.command(.run) == .done) }
        #expect(harness.drain().reduce(0) { $0 + $1.users.count } == 20)
        _ = harness.advance()
        return harness
    }

    @Test("Wait while their partition holds them, enters do not, and then go")
    func held() throws {
        let harness = try populated()
        harness.tick(["-u1", "new"], offset: 2, tick: 2, holdsExits: true)
        let sent = harness.drain()
        #expect(sent.map(\.exitCount) == [0])
        #expect(sent.map(\.users.count) == [1])
        #expect(harness.status().pendingUsers == 1)
        #expect(harness.status().reason?.contains("exits wait") == true)
        #expect(harness.status().state == .live)
        harness.tick(offset: 3, tick: 3)
        #expect(harness.drain().map(\.exitCount) == [1])
        #expect(harness.status().reason == nil)
    }

    @Test("Who is back before they go is not sent anywhere")
    func back() throws {
        let harness = try populated()
        harness.tick(["-u1"], offset: 2, tick: 2, holdsExits: true)
        harness.tick(["u1"], offset: 3, tick: 3, holdsExits: true)
        #expect(harness.drain().isEmpty)
        harness.tick(offset: 4, tick: 4)
        #expect(harness.drain().isEmpty)
        #expect(harness.status().pendingUsers == 0)
    }

    @Test("The guard looks at them when they go, not before")
    func guarded() throws {
        let harness = try populated()
        harness.tick(everybody.prefix(15).map { "-" + $0 }, offset: 2, tick: 2, holdsExits: true)
        #expect(harness.drain().isEmpty)
        #expect(harness.status().state == .live)
        harness.tick(offset: 3, tick: 3)
        #expect(harness.drain().isEmpty)
        #expect(harness.status().state == .paused)
        #expect(harness.status().exitsToApprove == 15)
        #expect(harness.command(.approve) == .done)
        #expect(harness.drain().map(\.exitCount) == [15])
    }

    @Test("A restart, where the partition comes back without its members, lets nobody go either")
    func restarted() throws {
        let harness = try populated()
        try harness.restart()
        harness.reset(Array(everybody.prefix(3)), offset: 2, tick: 2, holdsExits: true)
        #expect(harness.drain().isEmpty)
        #expect(harness.status().state != .paused)
        harness.tick(Array(everybody[3..<15]), offset: 3, tick: 3, holdsExits: true)
        harness.tick(offset: 4, tick: 4)
        #expect(harness.drain().map(\.exitCount) == [5])
    }

    @Test("An exit whose outcome is unknown is not repeated while they wait")
    func unknown() throws {
        let harness = try populated()
        harness.tick(["-u1"], offset: 2, tick: 2)
        let request = try harness.request()
        #expect(request.exitCount == 1)
        try harness.restart()
        harness.reset(Array(everybody.dropFirst(2)), offset: 3, tick: 3, holdsExits: true)
        #expect(harness.drain().isEmpty)
        #expect(harness.advance(by: 1_000_000).isEmpty)
        harness.tick(offset: 4, tick: 4)
        #expect(Set(harness.drain().map(\.exitCount)) != [0])
    }

    @Test("A run ends without them, and the next one takes them")
    func run() throws {
        let harness = try populated(.hourly)
        harness.tick(["-u1", "new"], offset: 2, tick: 2, holdsExits: true)
        #expect(harness.command(.run) == .done)
        #expect(harness.drain().map(\.exitCount) == [0])
        _ = harness.advance()
        #expect(harness.status().state == .done)
        harness.tick(offset: 3, tick: 3)
        #expect(harness.command(.run) == .done)
        #expect(harness.drain().map(\.exitCount) == [1])
    }
}
