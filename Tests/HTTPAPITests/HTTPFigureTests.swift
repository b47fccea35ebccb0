import HTTPAPI
import TestKit
import Testing

@Suite("A figure")
struct HTTPFigureTests {
    /// Reports, and judges nothing but the answers: the machine may be busy.
    @Test("of how many members requests a second one client gets answered")
    func membersPerSecond() throws {
        let server = try apiServer()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        let clock = ContinuousClock()
        let requests = 5000
        let elapsed = try clock.measure {
            for _ in 0..<requests {
                let response = try client.get("/v1/cohorts/ten/members?limit=1")
                try #require(response?.status == 200)
            }
        }
        let perSecond = Int(Double(requests) / (elapsed / .seconds(1)))
        print(
            "figure: GET /v1/cohorts/{id}/members?limit=1, one client, keep-alive: \(perSecond)/s"
        )
    }
}
