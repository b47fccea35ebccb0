import Basics
import Testing

@testable import Sync

@Suite("Re-assert")
struct ReassertTests {
    private static let hour: Int64 = 3_600_000

    private func populated(
        _ count: Int,
        interval: Int64 = hour,
        _ change: (inout SyncSettings) -> Void = { _ in }
    ) -> PlannerHarness {
        let harness = PlannerHarness([
            .test().with {
                $0.reassertMilliseconds = interval
                change(&$0)
            }
        ])
        harness.reset((0..<count).map { "u\($0)" }, offset: 1, tick: 1)
        #expect(harness.drain().reduce(0) { $0 + $1.users.count } == count)
        return harness
    }

    /// How often each user is sent in so many minutes, and the most users in one of them.
    private func sent(_ harness: PlannerHarness, minutes: Int) -> (times: [String: Int], most: Int)
    {
        var times: [String: Int] = [:]
        var most = 0
        for _ in 0..<minutes {
            harness.now += 60_000
            let users = harness.drain().flatMap(\.users.texts)
            for user in users { times[user, default: 0] += 1 }
            most = max(most, users.count)
        }
        return (times, most)
    }

    @Test("Everyone is sent once in each interval, a few every minute", arguments: [7, 60, 1000])
    func oncePerInterval(users: Int) {
        let harness = populated(users)
        _ = sent(harness, minutes: 1)
        for _ in 0..<3 {
            let (times, most) = sent(harness, minutes: 60)
            #expect(times.count == users)
            #expect(times.values.allSatisfy { $0 == 1 })
            #expect(most <= users / 60 + 1)
        }
    }

    @Test("No more than a tenth of what the destination takes in a minute")
    func paced() {
        let harness = populated(10_000) { $0.shape.usersPerMinuteMax = 200 }
        let (times, most) = sent(harness, minutes: 100)
        #expect(most == 20)
        #expect(times.count == 1980 || times.count == 2000)
        #expect(times.values.allSatisfy { $0 == 1 })
    }

    @Test("Nobody is sent again where that is turned off or of no use")
    func off() {
        for harness in [
            populated(100, interval: 0),
            populated(100) { $0.shape.isReasserted = false },
        ] {
            #expect(sent(harness, minutes: 200).times.isEmpty)
        }
    }

    @Test("Who left is not sent again, and who came later is")
    func members() {
        let harness = populated(50)
        harness.tick(["-u0", "new"], offset: 2, tick: 2)
        _ = harness.drain()
        let times = sent(harness, minutes: 62).times
        #expect(times["u0"] == nil)
        #expect(times["new"] != nil)
    }

    @Test("`run` sends everyone once, at once where the destination has no bound")
    func asked() throws {
        let harness = populated(10_000, interval: 0)
        #expect(harness.command(.run) == .done)
        let users = harness.drain().flatMap(\.users.texts)
        #expect(users.count == 10_000 && Set(users).count == 10_000)
        #expect(sent(harness, minutes: 100).times.isEmpty)
    }

    @Test("`run` keeps to a tenth of what the destination takes in a minute")
    func askedPaced() throws {
        let harness = populated(1000, interval: 0) { $0.shape.usersPerMinuteMax = 500 }
        #expect(harness.command(.run) == .done)
        #expect(harness.drain().reduce(0) { $0 + $1.users.count } == 50)
        let (times, most) = sent(harness, minutes: 30)
        #expect(most == 50)
        #expect(times.count == 950 && times.values.allSatisfy { $0 == 1 })
    }

    @Test("Who is sent again and leaves meanwhile leaves at once")
    func leavesMeanwhile() throws {
        let harness = populated(2, interval: 120_000)
        let request = try harness.request(by: 60_000)
        harness.complete(request, .refused)
        harness.tick(["-u0", "-u1"], offset: 2, tick: 2)
        harness.now += 1000
        #expect(harness.drain().flatMap(\.users.texts).sorted() == ["u0", "u1"])
        #expect(harness.drain().isEmpty)
    }

    @Test("What was turned round after an unknown outcome is sent once more, five minutes later")
    func repetition() throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        harness.complete(try harness.request(), .timeout)
        harness.tick(["-a"], offset: 2, tick: 2)
        let exit = try harness.request(by: 2000)
        harness.complete(exit, .delivered)
        #expect(harness.advance(by: SyncMachine.repeatMilliseconds - 1).isEmpty)
        #expect(harness.wakeAt == harness.now + 1)
        let again = try harness.request(by: 1)
        #expect(again.text == "-a" && again.messageID != exit.messageID)
        harness.complete(again, .delivered)
        #expect(harness.advance(by: 10 * SyncMachine.repeatMilliseconds).isEmpty)
        #expect(harness.planner.machines[0].ledger.count == 0)
    }

    @Test("The repetition is not forgotten by a restart or a rewrite", arguments: [false, true])
    func repetitionIsDurable(isRewritten: Bool) throws {
        let harness = PlannerHarness()
        harness.reset(["a"], offset: 1, tick: 1)
        harness.complete(try harness.request(), .timeout)
        harness.tick(["-a"], offset: 2, tick: 2)
        harness.complete(try harness.request(by: 2000), .delivered)
        _ = harness.advance()
        if isRewritten { try harness.rewriteAndRestart() } else { try harness.restart() }
        harness.reset([], offset: 3, tick: 3)
        #expect(harness.advance(by: SyncMachine.repeatMilliseconds - 1).isEmpty)
        #expect(try harness.request(by: 1).text == "-a")
    }
}
