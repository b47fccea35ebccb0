import HTTPAPI
import Testing

@Suite("Commands about the clock")
struct TimeCommandTests {
    @Test("accept is posted and says from when time goes on")
    func accept() throws {
        let body = #"{"now":"2027-01-05T00:00:07Z","tick":"2026-01-05T00:00:00Z"}"#
        let daemon = CannedDaemon()
        let server = try daemon.start { _ in json(body) }
        defer { server.stop() }
        let ended = try Cohortctl.run(["time", "accept"], server: server)
        #expect(ended.status == 0)
        #expect(ended.errors.isEmpty)
        #expect(
            ended.output
                == "time goes on from 2027-01-05T00:00:07Z; the last tick was 2026-01-05T00:00:00Z\n"
        )
        #expect(daemon.requests == ["POST /v1/time/accept"])
        let raw = try Cohortctl.run(["time", "accept", "--output", "json"], server: server)
        #expect(raw.output == body + "\n")
    }

    @Test("a clock that nobody holds back, or that cannot be accepted, is a no with the reason")
    func refused() throws {
        let server = try CannedDaemon().start { _ in
            .error(status: 409, code: "refused", "the clock holds nothing")
        }
        defer { server.stop() }
        let ended = try Cohortctl.run(["time", "accept"], server: server)
        #expect(ended.status == 1)
        #expect(ended.output.isEmpty)
        #expect(ended.errors == "cohortctl: the clock holds nothing\n")
    }
}
