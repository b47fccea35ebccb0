import Glibc
import HTTPAPI
import Testing

private let statusBody = """
    {"version":"0.1.0","started_at":"2026-01-05T00:00:00.512Z","tick":"2026-01-05T00:01:00Z","users":1874,\
    "partitions":[{"partition":0,"state":"live","offset":30211,"lag":12,"tick":"2026-01-05T00:01:00Z"},\
    {"partition":1,"state":"replaying","offset":5,"lag":null,"tick":null}],\
    "syncs":[{"sync":"abandoners-crm","state":"live","pending":3,"oldest_pending_seconds":1.5},\
    {"sync":"all","state":"paused","pending":0,"oldest_pending_seconds":0}]}
    """
private let cohortsBody = #"""
    {"cohorts":[{"id":"active-now","name":"Active \"now\"","state":"live","count":5,"tick":"2026-01-05T00:01:00Z",\#
    "definition":{"performed":{"event":"*","last":"30s","where":{"price":{"gte":2.50}}}}},\#
    {"id":"new","name":"two\nlines","state":"building","percent":41,"count":0,"tick":null,"definition":{"all":[]}}]}
    """#

@Suite("Commands that ask a daemon")
struct DaemonCommandTests {
    @Test("status shows partitions, syncs and readiness as tables")
    func status() throws {
        let server = try CannedDaemon.serving([
            "/v1/status": statusBody, "/readyz": #"{"ready":true,"reasons":[]}"#,
        ])
        defer { server.stop() }
        let ended = try Cohortctl.run(["status"], server: server)
        #expect(ended.status == 0)
        #expect(ended.errors.isEmpty)
        #expect(
            ended.output == """
                cohortd 0.1.0, started 2026-01-05T00:00:00.512Z
                ready
                last tick 2026-01-05T00:01:00Z, 1874 users

                PARTITION  STATE      OFFSET  LAG      LAST TICK
                0          live       30211   12       2026-01-05T00:01:00Z
                1          replaying  5       unknown  -

                SYNC            STATE   PENDING  OLDEST
                abandoners-crm  live    3        1s
                all             paused  0        -

                """
        )
    }

    @Test("status of a daemon that is not ready shows what it waits for, and is no failure")
    func notReady() throws {
        let server = try CannedDaemon().start { request in
            switch request.path {
            case ["v1", "status"]: json(statusBody)
            case ["readyz"]:
                json(status: 503, #"{"ready":false,"reasons":["replaying partition 1, 41 %"]}"#)
            default: nil
            }
        }
        defer { server.stop() }
        let ended = try Cohortctl.run(["status"], server: server)
        #expect(ended.status == 0)
        #expect(ended.output.contains("\nnot ready: replaying partition 1, 41 %\n"))
    }

    @Test("status of a daemon without partitions and syncs says so")
    func emptyStatus() throws {
        let server = try CannedDaemon.serving([
            "/v1/status": """
            {"version":"0.1.0","started_at":"2026-01-05T00:00:00Z","tick":null,"users":1,"partitions":[],"syncs":[]}
            """,
            "/readyz": #"{"ready":true,"reasons":[]}"#,
        ])
        defer { server.stop() }
        let ended = try Cohortctl.run(["status"], server: server)
        #expect(ended.output.contains("last tick none yet, 1 user\n"))
        #expect(ended.output.contains("no partitions are assigned\n\nno syncs are configured\n"))
    }

    @Test("cohorts list shows a line for each, names without control characters")
    func list() throws {
        let server = try CannedDaemon.serving(["/v1/cohorts": cohortsBody])
        defer { server.stop() }
        let ended = try Cohortctl.run(["cohorts", "list"], server: server)
        #expect(ended.status == 0)
        #expect(
            ended.output == """
                ID          STATE          MEMBERS  LAST TICK             NAME
                active-now  live           5        2026-01-05T00:01:00Z  Active "now"
                new         building 41 %  0        -                     two lines

                """
        )
    }

    @Test("cohorts show prints the definition as it was written")
    func show() throws {
        let server = try CannedDaemon.serving(["/v1/cohorts": cohortsBody])
        defer { server.stop() }
        let ended = try Cohortctl.run(["cohorts", "show", "active-now"], server: server)
        #expect(ended.status == 0)
        #expect(
            ended.output == """
                id          active-now
                name        Active "now"
                state       live
                members     5
                last tick   2026-01-05T00:01:00Z
                definition
                {
                  "performed": {
                    "event": "*",
                    "last": "30s",
                    "where": {
                      "price": {
                        "gte": 2.50
                      }
                    }
                  }
                }

                """
        )
        let empty = try Cohortctl.run(["cohorts", "show", "new"], server: server)
        #expect(empty.output.hasSuffix("definition\n{\n  \"all\": []\n}\n"))
    }

    @Test("cohorts show of an unknown id is a no with the nearest one")
    func showUnknown() throws {
        let server = try CannedDaemon.serving(["/v1/cohorts": cohortsBody])
        defer { server.stop() }
        let ended = try Cohortctl.run(["cohorts", "show", "active-nwo"], server: server)
        #expect(ended.status == 1)
        #expect(ended.output.isEmpty)
        #expect(
            ended.errors
                == "cohortctl: there is no cohort 'active-nwo'; did you mean 'active-now'?\n"
        )
    }

    @Test("--output json prints the bodies as they came")
    func bodies() throws {
        let server = try CannedDaemon.serving([
            "/v1/status": statusBody, "/v1/cohorts": cohortsBody,
        ])
        defer { server.stop() }
        for (words, expected) in [
            (["status"], statusBody), (["cohorts", "list"], cohortsBody),
            (["cohorts", "show", "new"], cohortsBody.suffix(after: "}}}},")),
        ] {
            let ended = try Cohortctl.run(words + ["--output", "json"], server: server)
            #expect(ended.status == 0)
            #expect(ended.output == expected + "\n")
        }
    }

    @Test("members asks for page after page, with ids of any bytes escaped")
    func members() throws {
        let ids = ["a+b@example.com", "a b", "100%&after=x", "zoë/../\\", "\u{1F600}#?"]
        let daemon = CannedDaemon()
        let server = try daemon.start { request in
            guard request.path == ["v1", "cohorts", "c+1", "members"] else { return nil }
            let after = request.query.first { $0.name == "after" }?.value
            let index = after.flatMap { ids.sortedByBytes.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
            return page(ids.sortedByBytes[index], isLast: index + 1 == ids.count)
        }
        defer { server.stop() }
        let ended = try Cohortctl.run(["cohorts", "members", "c+1"], server: server)
        #expect(ended.status == 0)
        #expect(ended.errors.isEmpty)
        #expect(ended.output == ids.sortedByBytes.map { $0 + "\n" }.joined())
        #expect(daemon.requests.count == ids.count)
        #expect(daemon.requests.first == "/v1/cohorts/c%2B1/members?limit=10000")

        let bodies = try Cohortctl.run(
            ["cohorts", "members", "c+1", "--output=json"],
            server: server
        )
        #expect(bodies.status == 0)
        #expect(bodies.output.split(separator: "\n").count == ids.count)
        #expect(
            bodies.output.hasPrefix(
                #"{"cohort":"c+1","tick":null,"count":5,"users":["100%&after=x"]"#
            )
        )
    }

    @Test("members of pages that never end is an error, not an endless list")
    func endlessMembers() throws {
        let server = try CannedDaemon().start { _ in page("same", isLast: false) }
        defer { server.stop() }
        let ended = try Cohortctl.run(["cohorts", "members", "c"], server: server)
        #expect(ended.status == 69)
        #expect(ended.errors.contains("do not go on"))
    }

    @Test("members of an empty cohort prints nothing")
    func noMembers() throws {
        let server = try CannedDaemon.serving([
            "/v1/cohorts/c/members": #"{"cohort":"c","tick":null,"count":0,"users":[],"next":null}"#
        ])
        defer { server.stop() }
        let ended = try Cohortctl.run(["cohorts", "members", "c"], server: server)
        #expect(ended.status == 0)
        #expect(ended.output.isEmpty)
    }
}

/// A page of one member.
private func page(_ id: String, isLast: Bool) -> HTTPResponse {
    let text = "\"" + id.replacing("\\", with: "\\\\") + "\""
    return json(
        #"{"cohort":"c+1","tick":null,"count":5,"users":[\#(text)],"next":\#(isLast ? "null" : text)}"#
    )
}

extension [String] {
    fileprivate var sortedByBytes: [String] {
        sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

extension String {
    /// What follows, without the two brackets that close the list and the body.
    fileprivate func suffix(after text: String) -> String {
        let start = firstRange(of: text)?.upperBound ?? endIndex
        return String(self[start...].dropLast(2))
    }
}
