import Basics
import Testing

@testable import Sync

@Suite("Numbered records")
struct NumberedTests {
    private func numbered() -> PlannerHarness {
        PlannerHarness([.test().with { $0.shape.isNumbered = true }])
    }

    private func numbers(_ request: DeliveryRequest) -> [String] {
        zip(request.users.texts, request.origins).map { "\($0):\($1.partition)/\($1.sequence)" }
    }

    @Test("Every record has its partition and the next number of it")
    func counts() throws {
        let harness = numbered()
        harness.reset(["b", "d"], partition: 0, offset: 1, tick: 1)
        harness.reset(["a", "c"], partition: 1, offset: 1, tick: 1)
        #expect(harness.drain().map(numbers) == [["a:1/1", "b:0/1", "c:1/2", "d:0/2"]])
        harness.tick(["-b", "e"], partition: 0, offset: 2, tick: 2)
        #expect(harness.drain().map(numbers) == [["b:0/3"], ["e:0/4"]])
    }

    @Test("The numbers go on after restarts and rewrites", arguments: [false, true])
    func goOn(isRewritten: Bool) throws {
        let harness = numbered()
        harness.reset(["a", "b"], partition: 3, offset: 1, tick: 1)
        _ = harness.drain()
        _ = harness.advance()
        if isRewritten { try harness.rewriteAndRestart() } else { try harness.restart() }
        harness.reset(["b", "c"], partition: 3, offset: 2, tick: 2)
        #expect(harness.drain().map(numbers) == [["a:3/3"], ["c:3/4"]])
    }

    @Test("A batch that is repeated has the numbers it had", arguments: [false, true])
    func repeated(isRewritten: Bool) throws {
        let harness = numbered()
        harness.reset(["b", "d"], partition: 0, offset: 1, tick: 1)
        harness.reset(["a", "c"], partition: 1, offset: 1, tick: 1)
        let request = try harness.request()
        harness.complete(request, .timeout)
        #expect(try harness.request(by: 1000) == request)
        if isRewritten { try harness.rewriteAndRestart() } else { try harness.restart() }
        harness.reset(["b", "d", "x"], partition: 0, offset: 1, tick: 1)
        harness.reset(["a", "c"], partition: 1, offset: 1, tick: 1)
        #expect(try harness.request() == request)
        harness.complete(request, .delivered)
        #expect(harness.drain().map(numbers) == [["x:0/3"]])
    }

    @Test("A repeated batch has its numbers also when another partition counts a user in by now")
    func movedUser() throws {
        let harness = numbered()
        harness.reset(["a", "b"], partition: 0, offset: 1, tick: 1)
        harness.reset(["c"], partition: 1, offset: 1, tick: 1)
        let request = try harness.request()
        #expect(numbers(request) == ["a:0/1", "b:0/2", "c:1/1"])
        harness.tick(["a"], partition: 1, offset: 2, tick: 2)
        harness.tick(["-a"], partition: 0, offset: 2, tick: 2)
        _ = harness.advance()
        try harness.rewriteAndRestart()
        harness.reset(["b"], partition: 0, offset: 3, tick: 3)
        harness.reset(["a", "c"], partition: 1, offset: 3, tick: 3)
        #expect(try harness.request() == request)
    }

    @Test("A batch that is given up leaves its numbers unused")
    func withdrawn() throws {
        let harness = numbered()
        harness.reset(["a", "b"], partition: 0, offset: 1, tick: 1)
        harness.complete(try harness.request(), .refused)
        harness.tick(["-a"], partition: 0, offset: 2, tick: 2)
        #expect(try numbers(harness.request(by: 1000)) == ["b:0/3"])
    }
}
