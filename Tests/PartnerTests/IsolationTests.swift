import Delivery
import PartnerKit
import Sync
import Testing

@Suite("One dead destination")
struct IsolationTests {
    @Test(
        "Of eight destinations one takes connections and never answers: the others get everything meanwhile"
    )
    func blackHole() throws {
        let hole = try LoopbackServer { connection in
            while connection.readRequest() != nil {}
        }
        // Far longer than everything else takes: what is delivered is delivered while the hole is waited for.
        let times = HarnessTimes(speed: 20, timeoutMilliseconds: 300_000)
        let partners = Partner.allCases + [.webhook, .talonOne]
        let destinations = try partners.enumerated().map {
            try TestedDestination("d\($0)", $1, cohorts: [$0 % 2], times: times)
        }
        destinations[0].port = hole.port
        let harness = try PartnerHarness(destinations, times: times)
        for round in 0..<10 {
            let users = (round * 12..<round * 12 + 12)
            try harness.tick(users.flatMap { [($0, 0, true), ($0, 1, true)] })
            let isDone = try harness.run {
                harness.planner.status(now: harness.now).allSatisfy {
                    $0.destination == "d0" || $0.pendingUsers == 0
                }
            }
            #expect(isDone, "round \(round)")
            for destination in destinations.dropFirst() {
                let differences = try harness.differences(destination)
                #expect(differences.isEmpty, "round \(round): \(differences)")
            }
        }
        #expect(hole.requests.count == 1)
        #expect(!harness.completions.contains { $0.destination == "d0" })
        let dead = try #require(harness.planner.status(now: harness.now).first)
        #expect(dead.destination == "d0")
        #expect(dead.pendingUsers == 120)
        #expect(dead.deliveredUsers == 0)
        for destination in destinations.dropFirst() {
            #expect(destination.mock.problems == [])
        }
    }
}
