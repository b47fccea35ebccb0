import Basics
import Testing

@testable import Sync

@Suite("Runs of whole files")
struct WholeRunTests {
    private func harness() -> PlannerHarness {
        let naming = UserNaming(choices: [.userID], properties: [.init(name: "plan", cell: 0)])
        let harness = PlannerHarness([
            .test().with {
                $0.cadence = .onDemand
                $0.shape.isWholeRun = true
                $0.shape.isMixed = true
                $0.naming = naming
            }
        ])
        return harness
    }

    /// A harness whose first run wrote `a`, `b` and `c`.
    private func written() throws -> PlannerHarness {
        let harness = harness()
        harness.reset([("c", ["1"]), ("a", ["2"]), ("b", [""])], offset: 1, tick: 1)
        #expect(harness.command(.run) == .done)
        let run = try harness.completeRun(.delivered)
        #expect(run.entering.users.texts == ["a", "b", "c"])
        #expect(run.entering.properties.texts == [#"{"plan":"2"}"#, "{}", #"{"plan":"1"}"#])
        #expect(run.existing.users.isEmpty && run.exiting.users.isEmpty)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().state == .done)
        return harness
    }

    @Test("A run holds who came, who left and who stayed, each sorted")
    func members() throws {
        let harness = try written()
        harness.tick("d", .entered, ["3"], offset: 2, tick: 2)
        harness.tick("b", .left, offset: 3, tick: 3)
        harness.tick("c", .updated, ["9"], offset: 4, tick: 4)
        #expect(harness.advance().isEmpty && harness.runs.count == 1)
        #expect(harness.command(.run) == .done)
        let run = try harness.completeRun(.delivered)
        #expect(run.tick.milliseconds == 4 * 60_000)
        #expect(run.entering.users.texts == ["d"])
        #expect(run.exiting.users.texts == ["b"])
        #expect(run.existing.users.texts == ["a", "c"])
        #expect(run.existing.properties.texts == [#"{"plan":"2"}"#, #"{"plan":"9"}"#])
        #expect(harness.advance().isEmpty)
        let status = harness.status()
        #expect(status.lastRun?.delivered == 2 && status.lastRun?.result == .succeeded)
        #expect(status.deliveredUsers == 5 && status.acknowledgedUsers == 3)
    }

    @Test("A run that failed is written again the same, whoever comes and goes meanwhile")
    func failed() throws {
        let harness = try written()
        harness.tick("d", .entered, ["3"], offset: 2, tick: 2)
        #expect(harness.command(.run) == .done)
        let first = try harness.completeRun(.timeout)
        harness.tick("e", .entered, ["4"], offset: 3, tick: 3)
        harness.tick("d", .left, offset: 4, tick: 4)
        harness.tick("a", .left, offset: 5, tick: 5)
        #expect(harness.status().reason == "timeout")
        harness.now += 1000
        #expect(try harness.completeRun(.refused) == first)
        harness.now += 10_000
        #expect(try harness.completeRun(.delivered) == first)
        _ = harness.advance()
        #expect(harness.notes == [.failing(sync: "s", reason: "timeout"), .recovered(sync: "s")])
        harness.now += 2 * PlannerHarness.timeout
        #expect(harness.command(.run) == .done)
        let next = try harness.completeRun(.delivered)
        #expect(next.entering.users.texts == ["e"])
        #expect(next.exiting.users.texts == ["a", "d"])
    }

    @Test("A run that a crash cut is written again the same", arguments: [false, true])
    func crashed(isRewritten: Bool) throws {
        let harness = try written()
        harness.tick("d", .entered, ["3"], offset: 2, tick: 2)
        harness.tick("a", .left, offset: 3, tick: 3)
        #expect(harness.command(.run) == .done)
        harness.runs = []
        _ = harness.advance()
        let first = try #require(harness.runs.first)
        harness.runs = []
        if isRewritten { try harness.rewriteAndRestart() } else { try harness.restart() }
        #expect(harness.advance().isEmpty && harness.runs.isEmpty)
        harness.reset(
            [("b", [""]), ("c", ["1"]), ("d", ["3"]), ("x", ["8"])],
            offset: 9,
            tick: 9
        )
        #expect(try harness.completeRun(.delivered) == first)
        #expect(harness.advance().isEmpty && harness.runs.count == 1)
        #expect(harness.status().lastRun?.delivered == 2)
        #expect(harness.command(.run) == .done)
        #expect(try harness.completeRun(.delivered).entering.users.texts == ["x"])
    }

    @Test(
        "A run that was written is not written again after a crash, also when its results are cut off"
    )
    func notTwice() throws {
        let harness = try written()
        harness.tick("d", .entered, ["3"], offset: 2, tick: 2)
        #expect(harness.command(.run) == .done)
        _ = try harness.completeRun(.delivered)
        let before = harness.journal.count
        _ = harness.advance()
        let all = harness.journal
        for kept in before + 2...all.count {
            harness.journal = Array(all[..<kept])
            try harness.restart()
            harness.runs = []
            harness.reset(
                [("a", ["2"]), ("b", [""]), ("c", ["1"]), ("d", ["3"])],
                offset: 3,
                tick: 3
            )
            _ = harness.advance()
            #expect(harness.runs.isEmpty, "\(kept) of \(all.count)")
            #expect(harness.status().lastRun?.delivered == 1, "\(kept) of \(all.count)")
        }
    }

    @Test("A run without a change is written too, with everybody in it, and again after a failure")
    func empty() throws {
        let harness = try written()
        #expect(harness.command(.run) == .done)
        let first = try harness.completeRun(.timeout)
        #expect(first.existing.users.texts == ["a", "b", "c"])
        #expect(first.entering.users.isEmpty && first.exiting.users.isEmpty)
        harness.now += 1000
        #expect(try harness.completeRun(.delivered) == first)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().lastRun?.result == .succeeded)
    }

    @Test("One failure of a large run is one failure")
    func largeRun() throws {
        let harness = harness()
        harness.reset((0..<20_000).map { ("u\($0)", ["1"]) }, offset: 1, tick: 1)
        #expect(harness.command(.run) == .done)
        #expect(try harness.completeRun(.timeout).entering.users.count == 20_000)
        #expect(harness.advance().isEmpty)
        #expect(harness.notes == [.failing(sync: "s", reason: "timeout")])
        #expect((harness.status().retrySeconds ?? 99) <= 1)
        harness.now += 1000
        _ = try harness.completeRun(.failed(detail: "no such bucket"))
        #expect(harness.advance().isEmpty)
        #expect(harness.notes.count == 2)
        #expect(harness.status().state == .failed)
        #expect(harness.command(.resume) == .done)
        _ = try harness.completeRun(.delivered)
        #expect(harness.advance().isEmpty)
        #expect(harness.status().acknowledgedUsers == 20_000)
    }
}
