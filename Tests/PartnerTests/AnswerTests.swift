import Delivery
import PartnerKit
import Sync
import Testing

@Suite("Answers of bad partners")
struct AnswerTests {
    private let times = HarnessTimes(speed: 20, timeoutMilliseconds: 400)

    /// A harness of one destination that is sent to a server of the test at first.
    private func harness(_ partner: Partner, _ server: LoopbackServer) throws -> PartnerHarness {
        let destination = try TestedDestination("d", partner, cohorts: [0], times: times)
        destination.port = server.port
        let harness = try PartnerHarness([destination], times: times)
        try harness.tick([(5, 0, true), (6, 0, true)])
        return harness
    }

    /// Has the partner itself answer, and expects it to get everybody.
    private func mend(_ harness: PartnerHarness) throws {
        harness.destinations[0].port = nil
        try harness.rest()
        #expect(try harness.problems() == [])
    }

    private func status(_ harness: PartnerHarness) throws -> SyncStatus {
        try #require(harness.planner.status(now: harness.now).first)
    }

    @Test("A redirect is not followed, wherever it points to", arguments: [301, 302, 307, 308])
    func redirect(status code: Int) throws {
        let trap = try LoopbackServer(answering: Answer.ok)
        for target in [
            "http://169.254.169.254/CANARY-path", "http://127.0.0.1:\(trap.port)/CANARY-path",
        ] {
            let server = try LoopbackServer(
                answering: Answer.status(code, ["Location: \(target)"])
            )
            let harness = try harness(.webhook, server)
            let isDone = try harness.run { server.requests.count >= 3 }
            #expect(isDone)
            let reason = try #require(try status(harness).reason)
            #expect(reason.contains("answers \(code): it redirects to "))
            #expect(try status(harness).deliveredUsers == 0)
            #expect(Set(server.requests.map { $0.header("webhook-id") }).count == 1)
            try mend(harness)
        }
        #expect(trap.connectionCount == 0)
    }

    @Test(
        "What an answer has beyond 64 KiB is not read, and its status counts",
        arguments: [Partner.webhook, .talonOne]
    )
    func hugeBody(_ partner: Partner) throws {
        let body = String(repeating: "CANARY-body ", count: 100_000)
        let server = try LoopbackServer(
            answering: "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        let harness = try harness(partner, server)
        try harness.rest()
        #expect(try status(harness).deliveredUsers == 2)
        #expect(harness.completions.map(\.outcome) == [.delivered])
    }

    @Test(
        "An answer that comes byte by byte runs into the timeout, and the same batch is sent again"
    )
    func slowLoris() throws {
        let server = try LoopbackServer { connection in
            while connection.readRequest() != nil {
                for byte in "HTTP/1.1 200 OK\r\nContent-Length: 200\r\nX: "
                    + String(repeating: "x", count: 1000)
                {
                    guard connection.send(String(byte)) else { return }
                    connection.pause(milliseconds: 20)
                }
            }
        }
        let harness = try harness(.webhook, server)
        let isDone = try harness.run { server.requests.count >= 2 }
        #expect(isDone)
        #expect(try status(harness).deliveredUsers == 0)
        #expect(try status(harness).unknownUsers >= 2)
        #expect(Set(server.requests.map(\.body)).count == 1)
        try mend(harness)
    }

    @Test(
        "401, 403 and 410 hold a webhook's sync until a person resumes it, and no user is given up",
        arguments: [401, 403, 410]
    )
    func refused(status code: Int) throws {
        let server = try LoopbackServer(
            answering: "HTTP/1.1 \(code) No\r\nContent-Length: 11\r\n\r\nCANARY-body"
        )
        let harness = try harness(.webhook, server)
        let isHeld = try harness.run { server.requests.count == 1 && !harness.completions.isEmpty }
        #expect(isHeld)
        #expect(try [.failed, .paused].contains(status(harness).state))
        try harness.run(milliseconds: 100)
        #expect(server.requests.count == 1)
        #expect(try status(harness).skippedTotal == 0)
        harness.destinations[0].port = nil
        try harness.command(.resume, destination: "d")
        try mend(harness)
    }

    @Test(
        "A list that the partner lost is made again once, and everybody is sent again",
        arguments: [Partner.talonOne, .amplitudeCohorts, .metaCustomAudiences]
    )
    func lostList(_ partner: Partner) throws {
        let destination = try TestedDestination("d", partner, cohorts: [0], times: times)
        let harness = try PartnerHarness([destination], times: times)
        try harness.tick((0..<30).map { ($0, 0, true) })
        try harness.rest()
        let list = partner.list(
            cohort: SimulatedEngine.cohorts[0],
            given: harness.planner.listID(sync: "d-0")
        )
        destination.mock.lose(list)
        try harness.tick([(30, 0, true), (4, 0, false)])
        try harness.rest()
        #expect(try harness.problems() == [])
        #expect(
            harness.log.contains {
                $0.contains("the list at the partner is gone, it is made again")
            }
        )
    }
}
