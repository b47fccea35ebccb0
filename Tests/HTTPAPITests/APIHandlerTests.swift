import Basics
import HTTPAPI
import Synchronization
import TestKit
import Testing
import Threads

@testable import Sync

/// A daemon of two cohorts: `ten` with u00…u09 and `empty`; `replaying` is not ready.
///
/// Of its syncs `b` takes every command, `a` refuses each, and `busy` does not answer.
struct FakeQueries: APIQueries {
    var reasons: [String] = []
    var commands = Commands()
    static let tick = EventTime(milliseconds: 1_767_571_260_000)

    func readiness() -> Readiness { Readiness(reasons: reasons) }

    func metrics() -> [UInt8] { Array("# TYPE cohortd_users gauge\ncohortd_users 10\n".utf8) }

    func status() -> StatusReport {
        StatusReport(
            version: "0.1.0",
            startedAt: EventTime(milliseconds: 1_767_571_200_500),
            tick: Self.tick,
            users: 10,
            partitions: [
                .init(partition: 10, state: .replaying, offset: 7, lag: nil, tick: nil),
                .init(
                    partition: 2,
                    state: .live,
                    offset: 120,
                    lag: 3,
                    commandsOffset: 8,
                    commandsLag: 1,
                    tick: Self.tick
                ),
            ],
            syncs: [
                .init(sync: "b", state: .live, pending: 2, oldestPendingMilliseconds: 1500),
                .init(sync: "a", state: .paused, pending: 0, oldestPendingMilliseconds: 0),
            ]
        )
    }

    func cohorts() -> [CohortSummary] {
        [
            CohortSummary(
                id: "ten",
                name: "Ten \"users\"",
                state: .live,
                count: 10,
                tick: Self.tick,
                definitionJSON: Array(#"{"id":"ten","performed":{"event":"*"}}"#.utf8)
            ),
            CohortSummary(
                id: "empty",
                name: "empty",
                state: .building,
                percent: 41,
                count: 0,
                tick: nil,
                definitionJSON: Array("{}".utf8)
            ),
        ]
    }

    func syncs() -> [SyncSummary] {
        var live = SyncStatus(
            sync: "b",
            destination: "crm",
            state: .live,
            pendingUsers: 2,
            oldestPendingSeconds: 1,
            reason: nil,
            reasonSeconds: nil,
            deliveredUsers: 12,
            unknownUsers: 1
        )
        live.acknowledgedUsers = 8
        var held = SyncStatus(
            sync: "a",
            destination: "bucket",
            state: .paused,
            pendingUsers: 5000,
            oldestPendingSeconds: 90,
            reason: "4,000 of 5,000 users would leave",
            reasonSeconds: 80,
            deliveredUsers: 0,
            unknownUsers: 0
        )
        held.acceptedUsers = 7
        held.skippedUsers = 3
        held.acknowledgedUsers = 5000
        held.initialPercent = 40
        held.initialSecondsLeft = 600
        held.exitsToApprove = 4000
        held.retrySeconds = 30
        held.lastRun = .init(
            tick: Self.tick,
            result: .partiallySucceeded,
            users: 10,
            delivered: 7,
            skipped: 3
        )
        return [
            SyncSummary(status: live, cohort: "ten", cadence: "realtime", nextRun: nil),
            SyncSummary(status: held, cohort: "empty", cadence: "daily", nextRun: Self.tick),
        ]
    }

    func command(_ command: SyncCommand, sync: String) throws(APIQueryError) {
        commands.log.withLock { $0.append("\(command.rawValue) \(sync)") }
        switch sync {
        case "b": return
        case "a": throw .refused(reason: "nothing waits for approval")
        case "busy": throw .notReady(reason: "the syncs are busy")
        default: throw .unknownSync
        }
    }

    func change(definitions request: DefinitionRequest) throws(APIQueryError) -> String {
        commands.log.withLock { $0.append("\(request)") }
        switch request {
        case .apply("filed", _, _), .delete("filed"): throw .ownedByFile
        case .apply("bad", _, _): throw .invalid("line 1\nline 2")
        case .delete("nobody"): throw .unknownCohort
        default: return "cohorts +new"
        }
    }

    func acceptTime() throws(APIQueryError) -> TimeReport {
        commands.log.withLock { $0.append("accept") }
        if reasons.isEmpty { throw .refused(reason: "the clock holds nothing") }
        return TimeReport(now: Self.tick, tick: nil)
    }

    func change(log request: LogRequest) throws(APIQueryError) -> LogReport {
        commands.log.withLock { $0.append("\(request)") }
        switch request.topic {
        case "events":
            return LogReport(
                topic: "events",
                steps: [LogReport.Step(partition: request.partition ?? 0, from: 40, to: 55)]
            )
        case "busy": throw .notReady(reason: "cohortd is still starting")
        case "idle": throw .refused(reason: "no partition of idle is halted")
        default: throw .unknownLog(reason: "it is not read")
        }
    }

    func members(
        of cohort: String,
        after: String?,
        limit: Int
    ) throws(APIQueryError) -> MembersPage {
        switch cohort {
        case "replaying": throw .notReady(reason: "replaying partition 3, 41 %")
        case "ten":
            let all = (0..<10).map { "u0\($0)" }
            let rest = all.filter { user in after.map { $0.precedesByBytes(user) } ?? true }
            return MembersPage(
                tick: Self.tick,
                count: 10,
                users: Array(rest.prefix(limit)),
                hasMore: rest.count > limit
            )
        case "empty": return MembersPage(tick: nil, count: 0, users: [], hasMore: false)
        default: throw .unknownCohort
        }
    }
}

/// What was asked of syncs.
final class Commands: Sendable {
    let log = Mutex<[String]>([])
}

/// The daemon's server over `queries` on a port of its own.
func apiServer(_ queries: FakeQueries = FakeQueries()) throws -> HTTPServer {
    let listen = ListenAddress(port: 0)
    let api = APIHandler(
        queries: queries,
        gate: APIGate(
            listen: listen,
            keys: APIKeyRing(),
            requestsPerSecond: 1,
            clock: SystemClock(),
            tell: { _ in }
        )
    )
    return try HTTPServer(
        listen: listen,
        refusal: { api.refuseBody(of: $0) },
        handler: { api.respond(to: $0) }
    )
}

@Suite("The API")
struct APIHandlerTests {
    /// Asks a server of its own once.
    private func ask(
        _ target: String,
        method: String = "GET",
        host: String = "localhost",
        headers: [String] = [],
        body: String? = nil,
        reasons: [String] = [],
        commands: Commands = Commands()
    ) throws -> RawResponse {
        let server = try apiServer(FakeQueries(reasons: reasons, commands: commands))
        defer { server.stop() }
        return try #require(
            try fetch(
                server.port,
                target,
                method: method,
                host: host,
                headers: headers,
                body: body
            )
        )
    }

    @Test("says ok on /healthz")
    func health() throws {
        let response = try ask("/healthz", reasons: ["replaying"])
        #expect(response.status == 200)
        #expect(response.body == "ok")
        #expect(response["content-type"] == "text/plain; charset=utf-8")
    }

    @Test("is ready without reasons")
    func ready() throws {
        let response = try ask("/readyz")
        #expect(response.status == 200)
        #expect(response.body == #"{"ready":true,"reasons":[]}"#)
        #expect(response["content-type"] == "application/json")
    }

    @Test("is not ready with one, and says all")
    func notReady() throws {
        let response = try ask(
            "/readyz",
            reasons: ["replaying partition 3, 41 %", "kafka unreachable"]
        )
        #expect(response.status == 503)
        #expect(
            response.body
                == #"{"ready":false,"reasons":["replaying partition 3, 41 %","kafka unreachable"]}"#
        )
    }

    @Test("hands the metrics on in Prometheus' form")
    func metrics() throws {
        let response = try ask("/metrics")
        #expect(response.status == 200)
        #expect(response["content-type"] == "text/plain; version=0.0.4")
        #expect(response.body == "# TYPE cohortd_users gauge\ncohortd_users 10\n")
    }

    @Test("shows partitions by number and syncs by id on /v1/status")
    func status() throws {
        let response = try ask("/v1/status")
        #expect(response.status == 200)
        #expect(
            response.body == #"{"version":"0.1.0","started_at":"2026-01-05T00:00:00.500Z","#
                + #""tick":"2026-01-05T00:01:00Z","users":10,"partitions":["#
                + #"{"partition":2,"state":"live","offset":120,"lag":3,"commands_offset":8,"#
                + #""commands_lag":1,"tick":"2026-01-05T00:01:00Z"},"#
                + #"{"partition":10,"state":"replaying","offset":7,"lag":null,"#
                + #""commands_offset":null,"commands_lag":null,"tick":null}],"syncs":["#
                + #"{"sync":"a","state":"paused","pending":0,"oldest_pending_seconds":0},"#
                + #"{"sync":"b","state":"live","pending":2,"oldest_pending_seconds":1.5}]}"#
        )
    }

    private static let liveSync =
        #"{"id":"b","cohort":"ten","destination":"crm","cadence":"realtime","state":"live","#
        + #""reason":null,"reason_seconds":null,"pending":2,"oldest_pending_seconds":1,"#
        + #""acknowledged":8,"skipped":0,"since_start":{"delivered":12,"accepted":0,"unknown":1},"#
        + #""initial_percent":null,"initial_seconds_left":null,"exits_to_approve":null,"#
        + #""retry_seconds":null,"next_run":null,"last_run":null}"#

    private static let heldSync =
        #"{"id":"a","cohort":"empty","destination":"bucket","cadence":"daily","state":"paused","#
        + #""reason":"4,000 of 5,000 users would leave","reason_seconds":80,"pending":5000,"#
        + #""oldest_pending_seconds":90,"acknowledged":5000,"skipped":3,"#
        + #""since_start":{"delivered":0,"accepted":7,"unknown":0},"initial_percent":40,"#
        + #""initial_seconds_left":600,"exits_to_approve":4000,"retry_seconds":30,"#
        + #""next_run":"2026-01-05T00:01:00Z","last_run":{"tick":"2026-01-05T00:01:00Z","#
        + #""result":"partially_succeeded","users":10,"delivered":7,"skipped":3}}"#

    @Test("shows syncs by id on /v1/syncs, and one of them by its id")
    func syncs() throws {
        let all = try ask("/v1/syncs")
        #expect(all.status == 200)
        #expect(all.body == #"{"syncs":[\#(Self.heldSync),\#(Self.liveSync)]}"#)
        let one = try ask("/v1/syncs/a")
        #expect(one.status == 200)
        #expect(one.body == Self.heldSync)
    }

    @Test("hands each command on and answers with the sync", arguments: SyncCommand.allCases)
    func command(command: SyncCommand) throws {
        let commands = Commands()
        let response = try ask(
            "/v1/syncs/b/\(command.rawValue)",
            method: "POST",
            commands: commands
        )
        #expect(response.status == 200)
        #expect(response.body == Self.liveSync)
        #expect(commands.log.withLock { $0 } == ["\(command.rawValue) b"])
    }

    @Test("a refused command is 409 with its reason, a slow one 503")
    func refusedCommand() throws {
        let refused = try ask("/v1/syncs/a/approve", method: "POST")
        #expect(refused.status == 409)
        #expect(
            refused.body == #"{"error":{"code":"refused","text":"nothing waits for approval"}}"#
        )
        #expect(try ask("/v1/syncs/busy/run", method: "POST").status == 503)
    }

    @Test("a sync that does not exist is 404 for reads and commands, an unknown command too")
    func unknownSync() throws {
        let text =
            #"{"error":{"code":"not_found","text":"there is no sync \"x\"; GET /v1/syncs lists them"}}"#
        #expect(try ask("/v1/syncs/x").body == text)
        let command = try ask("/v1/syncs/x/run", method: "POST")
        #expect(command.status == 404)
        #expect(command.body == text)
        #expect(try ask("/v1/syncs/b/stop", method: "POST").status == 404)
    }

    /// Puts a definition.
    private func put(
        _ target: String,
        type: String? = "application/yaml",
        commands: Commands = Commands()
    ) throws -> RawResponse {
        try ask(
            target,
            method: "PUT",
            headers: type.map { ["Content-Type: \($0)"] } ?? [],
            body: "id: new\n",
            commands: commands
        )
    }

    @Test("a definition is put with its body, and what it changes is answered")
    func putCohort() throws {
        let commands = Commands()
        let put = try put("/v1/cohorts/new", commands: commands)
        #expect(put.status == 200)
        #expect(put.body == #"{"changes":"cohorts +new"}"#)
        let body = Array("id: new\n".utf8)
        let request = DefinitionRequest.apply(cohort: "new", body: body, fromNow: false)
        #expect(commands.log.withLock { $0 } == ["\(request)"])
        let late = Commands()
        _ = try self.put("/v1/cohorts/new?from=now", type: "application/json", commands: late)
        let fromNow = DefinitionRequest.apply(cohort: "new", body: body, fromNow: true)
        #expect(late.log.withLock { $0 } == ["\(fromNow)"])
    }

    @Test("a definition that cannot be used, is of a file, or is none, is refused with the reason")
    func refusedCohort() throws {
        let commands = Commands()
        #expect(try put("/v1/cohorts/new?from=then", commands: commands).status == 400)
        #expect(try put("/v1/cohorts/New", commands: commands).status == 400)
        #expect(try put("/v1/cohorts/new", type: "text/csv", commands: commands).status == 415)
        #expect(try put("/v1/cohorts/new", type: nil, commands: commands).status == 415)
        #expect(commands.log.withLock { $0 } == [])
        let bad = try put("/v1/cohorts/bad")
        #expect(bad.status == 422)
        #expect(bad.body == #"{"error":{"code":"invalid","text":"line 1\nline 2"}}"#)
        let filed = try put("/v1/cohorts/filed")
        #expect(filed.status == 409)
        #expect(filed.body.contains(#""code":"owned_by_file""#))
    }

    @Test("cohorts are deleted, history is accepted, and files are read again on request")
    func otherChanges() throws {
        let commands = Commands()
        #expect(try ask("/v1/cohorts/new", method: "DELETE", commands: commands).status == 200)
        #expect(
            try ask("/v1/cohorts/new/accept?from=now", method: "POST", commands: commands).status
                == 200
        )
        #expect(try ask("/v1/reload", method: "POST", commands: commands).status == 200)
        let requests: [DefinitionRequest] = [
            .delete(cohort: "new"), .accept(cohort: "new"), .reload,
        ]
        #expect(commands.log.withLock { $0 } == requests.map { "\($0)" })
        #expect(try ask("/v1/cohorts/new/accept", method: "POST").status == 400)
        #expect(try ask("/v1/cohorts/nobody", method: "DELETE").status == 404)
        #expect(try ask("/v1/cohorts/filed", method: "DELETE").status == 409)
        #expect(try ask("/v1/cohorts/new").status == 405)
        #expect(try ask("/v1/reload").status == 405)
    }

    @Test("accepting the time is posted, and 409 where nothing is held")
    func acceptTime() throws {
        let commands = Commands()
        #expect(try ask("/v1/time/accept", commands: commands).status == 405)
        #expect(try ask("/v1/time/accept?now=1", method: "POST", commands: commands).status == 400)
        #expect(commands.log.withLock { $0 } == [])
        let accepted = try ask("/v1/time/accept", method: "POST", reasons: ["time is held"])
        #expect(accepted.status == 200)
        #expect(accepted.body == #"{"now":"\#(FakeQueries.tick.rfc3339)","tick":null}"#)
        let needless = try ask("/v1/time/accept", method: "POST")
        #expect(needless.status == 409)
        #expect(needless.body == #"{"error":{"code":"refused","text":"the clock holds nothing"}}"#)
    }

    @Test(
        "a log is rebased and its offsets are skipped by POST; what cannot be meant is 400",
        arguments: [
            ("rebase?topic=events&partition=3&at=9", 200), ("rebase?topic=events", 200),
            ("rebase?topic=idle", 409), ("rebase?topic=other", 404), ("rebase?topic=busy", 503),
            ("rebase", 400), ("rebase?topic=events&at=9", 400),
            ("rebase?topic=events&partition=-1", 400), ("rebase?topic=events&offset=1", 400),
            ("skip?topic=events&partition=3&first=10&last=19", 200),
            ("skip?topic=events&partition=3&first=20&last=19", 400),
            ("skip?topic=events&first=10&last=19", 400), ("skip?topic=events&partition=3", 400),
        ]
    )
    func logs(_ target: String, _ status: Int) throws {
        let commands = Commands()
        #expect(try ask("/v1/kafka/\(target)", commands: commands).status == 405)
        #expect(commands.log.withLock { $0.isEmpty })
        let response = try ask("/v1/kafka/\(target)", method: "POST", commands: commands)
        #expect(response.status == status)
        #expect(commands.log.withLock { $0.isEmpty } == (status == 400))
        if status == 200 {
            let partition = target.contains("partition=3") ? 3 : 0
            #expect(
                response.body
                    == #"{"topic":"events","partitions":[{"partition":\#(partition),"from":40,"to":55}]}"#
            )
        }
    }

    @Test("a command changes something, so it needs POST, its own Origin and no parameters")
    func commandRules() throws {
        let commands = Commands()
        for method in ["GET", "HEAD", "PUT"] {
            let response = try ask("/v1/syncs/b/run", method: method, commands: commands)
            #expect(response.status == 405)
            #expect(response["allow"] == "POST")
        }
        let foreign = try ask(
            "/v1/syncs/b/run",
            method: "POST",
            headers: ["Origin: http://example.com"],
            commands: commands
        )
        #expect(foreign.status == 403)
        #expect(try ask("/v1/syncs/b/run?x=1", method: "POST", commands: commands).status == 400)
        #expect(commands.log.withLock { $0 } == [])
    }

    @Test("shows cohorts by id with their definitions on /v1/cohorts")
    func cohorts() throws {
        let response = try ask("/v1/cohorts")
        #expect(response.status == 200)
        #expect(
            response.body == #"{"cohorts":[{"id":"empty","name":"empty","state":"building","#
                + #""percent":41,"count":0,"tick":null,"definition":{}},{"id":"ten","name":"Ten \"users\"","#
                + #""state":"live","count":10,"tick":"2026-01-05T00:01:00Z","#
                + #""definition":{"id":"ten","performed":{"event":"*"}}}]}"#
        )
    }

    @Test("pages through members: after excludes its own id, next is null on the last page")
    func members() throws {
        let first = try ask("/v1/cohorts/ten/members?limit=4")
        #expect(first.status == 200)
        #expect(
            first.body == #"{"cohort":"ten","tick":"2026-01-05T00:01:00Z","count":10,"#
                + #""users":["u00","u01","u02","u03"],"next":"u03"}"#
        )
        let last = try ask("/v1/cohorts/ten/members?after=u07&limit=2")
        #expect(last.body.hasSuffix(#""users":["u08","u09"],"next":null}"#))
        let beyond = try ask("/v1/cohorts/ten/members?after=z")
        #expect(beyond.body.hasSuffix(#""users":[],"next":null}"#))
        let empty = try ask("/v1/cohorts/empty/members")
        #expect(empty.body == #"{"cohort":"empty","tick":null,"count":0,"users":[],"next":null}"#)
    }

    @Test("takes limits of 1 to 10000", arguments: ["1", "10000", "01000"])
    func goodLimit(limit: String) throws {
        #expect(try ask("/v1/cohorts/ten/members?limit=\(limit)").status == 200)
    }

    @Test(
        "refuses parameters it cannot read",
        arguments: [
            ("limit=0", "limit must be a whole number from 1 to 10000, not \\\"0\\\""),
            ("limit=10001", "not \\\"10001\\\""), ("limit=", "not \\\"\\\""),
            ("limit=-1", "not \\\"-1\\\""), ("limit=1e3", "not \\\"1e3\\\""),
            ("limit=%2B5", "not \\\"+5\\\""),
            ("limit=99999999999999999999", "not \\\"99999999999999999999\\\""),
            ("limit=5&limit=5", "\\\"limit\\\" is given more than once"),
            ("limt=5", "unknown parameter \\\"limt\\\"; did you mean \\\"limit\\\"?"),
            ("after=%ff", "not UTF-8"), ("after=%", "hexadecimal"),
        ]
    )
    func badQuery(query: String, text: String) throws {
        let response = try ask("/v1/cohorts/ten/members?\(query)")
        #expect(response.status == 400)
        #expect(response.body.hasPrefix(#"{"error":{"code":"bad_request","text":""#))
        #expect(response.body.contains(text), "\(response.body)")
    }

    @Test(
        "refuses parameters on routes that have none",
        arguments: ["/v1/status", "/v1/cohorts", "/v1/syncs"]
    )
    func noParameters(path: String) throws {
        #expect(try ask("\(path)?limit=1").status == 400)
    }

    @Test(
        "answers 404 for a cohort that does not exist",
        arguments: ["nope", "Ten", "ten%20", "%22"]
    )
    func unknownCohort(id: String) throws {
        let response = try ask("/v1/cohorts/\(id)/members")
        #expect(response.status == 404)
        #expect(
            response.body.hasPrefix(#"{"error":{"code":"not_found","text":"there is no cohort"#)
        )
    }

    @Test("answers 503 for members while a partition replays")
    func replaying() throws {
        let response = try ask("/v1/cohorts/replaying/members")
        #expect(response.status == 503)
        #expect(
            response.body
                == #"{"error":{"code":"not_ready","text":"replaying partition 3, 41 %"}}"#
        )
    }

    @Test(
        "answers 404 for a path it does not know",
        arguments: [
            "/", "/v1", "/v1/", "/v1/status/", "/v1/cohorts/ten/members/",
            "/v1/cohorts/ten/members/x", "/healthz/", "/Healthz", "/v2/status", "/v1/statu%73x",
        ]
    )
    func unknownPath(path: String) throws {
        let response = try ask(path)
        #expect(response.status == 404)
        #expect(response.body.hasPrefix(#"{"error":{"code":"not_found""#))
    }

    @Test(
        "answers 405 with Allow for a method it does not know",
        arguments: ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "BREW"]
    )
    func method(method: String) throws {
        let response = try ask("/v1/cohorts", method: method)
        #expect(response.status == 405)
        #expect(response["allow"] == "GET, HEAD")
        #expect(response.body.hasPrefix(#"{"error":{"code":"method_not_allowed""#))
    }

    @Test("answers HEAD as GET without the body", arguments: ["/healthz", "/v1/cohorts"])
    func head(path: String) throws {
        let get = try ask(path)
        let head = try ask(path, method: "HEAD")
        #expect(head.status == 200)
        #expect(head["content-length"] == get["content-length"])
        #expect(head["content-type"] == get["content-type"])
        #expect(head.body.isEmpty)
    }

    @Test(
        "answers a foreign Host with 403 on every path",
        arguments: ["/healthz", "/readyz", "/metrics", "/v1/status", "/v1/cohorts", "/nothing"]
    )
    func host(path: String) throws {
        let response = try ask(path, host: "rebound.example:8080")
        #expect(response.status == 403)
        #expect(response.body.hasPrefix(#"{"error":{"code":"forbidden","text":"the Host "#))
    }

    @Test("answers a foreign Origin with 403, its own with 200")
    func origin() throws {
        let foreign = try ask("/v1/status", headers: ["Origin: http://example.com"])
        #expect(foreign.status == 403)
        #expect(foreign.body.contains("the Origin of the request is not its own Host"))
        #expect(try ask("/v1/status", headers: ["Origin: http://localhost"]).status == 200)
    }

    @Test("refuses a request of HTTP/1.0 without Host")
    func oldWithoutHost() throws {
        let server = try apiServer()
        defer { server.stop() }
        let client = try RawClient(port: server.port)
        client.send("GET /healthz HTTP/1.0\r\n\r\n")
        #expect(try client.response()?.status == 403)
    }

    @Test("refuses a body before it is read, 405 and 403 first")
    func body() throws {
        let server = try apiServer()
        defer { server.stop() }
        func send(_ line: String, host: String = "localhost") throws -> Int? {
            let client = try RawClient(port: server.port)
            client.send("\(line) HTTP/1.1\r\nHost: \(host)\r\nContent-Length: 1000000\r\n\r\n")
            return try client.response()?.status
        }
        #expect(try send("GET /v1/status") == 400)
        #expect(try send("POST /v1/status") == 405)
        #expect(try send("POST /v1/status", host: "example.com") == 403)
        #expect(try send("POST /nothing") == 404)
        #expect(try send("POST /v1/syncs/b/run") == 400)
    }
}
