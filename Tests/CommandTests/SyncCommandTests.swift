import HTTPAPI
import Testing

/// The body of a sync that is right, with some members changed.
private func sync(_ id: String, _ changes: [String: String] = [:]) -> String {
    let members: [(String, String)] = [
        ("id", "\"\(id)\""), ("cohort", "\"cart-abandoners\""), ("destination", "\"crm\""),
        ("cadence", "\"realtime\""), ("state", "\"live\""), ("reason", "null"),
        ("reason_seconds", "null"), ("pending", "0"), ("oldest_pending_seconds", "0"),
        ("acknowledged", "1204"), ("skipped", "0"),
        ("since_start", #"{"delivered":1290,"accepted":4,"unknown":1}"#),
        ("initial_percent", "null"), ("initial_seconds_left", "null"),
        ("exits_to_approve", "null"), ("retry_seconds", "null"), ("next_run", "null"),
        ("last_run", "null"),
    ]
    return "{" + members.map { "\"\($0.0)\":\(changes[$0.0] ?? $0.1)" }.joined(separator: ",") + "}"
}

private let live = sync("abandoners-crm", ["pending": "3", "oldest_pending_seconds": "61"])
private let held = sync(
    "win-back",
    [
        "state": "\"paused\"", "reason": "\"1000 of 1204 users would leave\\nat once\"",
        "reason_seconds": "720", "exits_to_approve": "1000", "pending": "1000",
        "oldest_pending_seconds": "720",
    ]
)
private let daily = sync(
    "ads",
    [
        "cadence": "\"daily\"", "state": "\"done\"", "next_run": "\"2026-01-06T02:30:00Z\"",
        "skipped": "3",
        "last_run":
            #"{"tick":"2026-01-05T02:30:00Z","result":"partially_succeeded","users":52,"delivered":49,"skipped":3}"#,
    ]
)
private let failing = sync(
    "slow",
    [
        "state": "\"initial\"", "reason": "\"https://crm.example.com answers 503\"",
        "reason_seconds": "5", "retry_seconds": "30", "initial_percent": "40",
        "initial_seconds_left": "7300", "pending": "1",
    ]
)

@Suite("Commands about syncs")
struct SyncCommandTests {
    @Test("list shows a line for each, and below it why one does not go on and what to do")
    func list() throws {
        let server = try CannedDaemon.serving([
            "/v1/syncs": "{\"syncs\":[\(live),\(failing),\(held)]}"
        ])
        defer { server.stop() }
        let ended = try Cohortctl.run(["syncs", "list"], server: server)
        #expect(ended.status == 0)
        #expect(ended.errors.isEmpty)
        #expect(
            ended.output == """
                ID              STATE    PENDING  OLDEST  COHORT → DESTINATION
                abandoners-crm  live     3        61s     cart-abandoners → crm
                slow            initial  1        0s      cart-abandoners → crm
                  https://crm.example.com answers 503 (for 5s)
                  it is tried again by itself, next in 30s
                win-back        paused   1000     12m     cart-abandoners → crm
                  1000 of 1204 users would leave at once (for 12m)
                  if 1000 users may leave: cohortctl syncs approve win-back --yes

                """
        )
    }

    @Test("list of no syncs says so")
    func none() throws {
        let server = try CannedDaemon.serving(["/v1/syncs": #"{"syncs":[]}"#])
        defer { server.stop() }
        let ended = try Cohortctl.run(["syncs", "list"], server: server)
        #expect(ended.output == "no syncs are configured\n")
    }

    @Test("show has a line for each fact that is known")
    func show() throws {
        let server = try CannedDaemon.serving([
            "/v1/syncs/ads": daily, "/v1/syncs/slow": failing,
        ])
        defer { server.stop() }
        let ended = try Cohortctl.run(["syncs", "show", "ads"], server: server)
        #expect(ended.status == 0)
        #expect(
            ended.output == """
                id            ads
                cohort        cart-abandoners
                destination   crm
                cadence       daily, next run 2026-01-06T02:30:00Z
                state         done
                pending       0 users
                there         1204 users
                skipped       3 users
                last run      2026-01-05T02:30:00Z partially_succeeded: 49 of 52 users delivered, 3 skipped
                since start   1290 delivered, 4 accepted, 1 unknown

                """
        )
        let slow = try Cohortctl.run(["syncs", "show", "slow"], server: server)
        #expect(
            slow.output.contains(
                """
                state         initial
                reason        https://crm.example.com answers 503 (for 5s)
                what to do    it is tried again by itself, next in 30s
                pending       1 user, the first for 0s
                there         1204 users
                skipped       0 users
                first users   40 % of them sent, about 2h left
                next attempt  in 30s

                """
            )
        )
    }

    @Test("--output json prints the bodies as they came")
    func bodies() throws {
        let server = try CannedDaemon.serving([
            "/v1/syncs": "{\"syncs\":[\(live)]}", "/v1/syncs/ads": daily, "/v1/syncs/ads/run": live,
        ])
        defer { server.stop() }
        for (words, body) in [
            (["list"], "{\"syncs\":[\(live)]}"), (["show", "ads"], daily), (["run", "ads"], live),
        ] {
            let ended = try Cohortctl.run(["syncs"] + words + ["--output", "json"], server: server)
            #expect(ended.status == 0)
            #expect(ended.output == body + "\n")
        }
    }

    @Test(
        "run, pause and resume are posted and say how the sync stands",
        arguments: [
            "run", "pause", "resume",
        ]
    )
    func commands(command: String) throws {
        let daemon = CannedDaemon()
        let server = try daemon.start { _ in json(live) }
        defer { server.stop() }
        let ended = try Cohortctl.run(["syncs", command, "abandoners-crm"], server: server)
        #expect(ended.status == 0)
        #expect(ended.errors.isEmpty)
        #expect(ended.output == "\(command): done, sync abandoners-crm is live\n")
        #expect(daemon.requests == ["POST /v1/syncs/abandoners-crm/\(command)"])
    }

    @Test("an id that is no path stays one segment")
    func oddID() throws {
        let daemon = CannedDaemon()
        let server = try daemon.start { _ in json(live) }
        defer { server.stop() }
        _ = try Cohortctl.run(["syncs", "run", "../a b"], server: server)
        #expect(!daemon.requests.contains("POST /v1/syncs/../a b/run"))
    }

    @Test("approve says how many leave, and asks nothing of the daemon without --yes")
    func approve() throws {
        let daemon = CannedDaemon()
        let server = try daemon.start { _ in json(held) }
        defer { server.stop() }
        let asked = try Cohortctl.run(["syncs", "approve", "win-back"], server: server)
        #expect(asked.status == 1)
        #expect(asked.output.isEmpty)
        #expect(
            asked.errors
                == "cohortctl: 1000 of the 1204 users that crm holds of sync win-back leave when this is approved; repeat it with --yes\n"
        )
        #expect(daemon.requests == ["/v1/syncs/win-back"])
        let done = try Cohortctl.run(["syncs", "approve", "win-back", "--yes"], server: server)
        #expect(done.status == 0)
        #expect(
            done.errors
                == "cohortctl: 1000 of the 1204 users that crm holds of sync win-back leave\n"
        )
        #expect(done.output.hasPrefix("approve: done, sync win-back is paused\n"))
        #expect(daemon.requests.last == "POST /v1/syncs/win-back/approve")
    }

    @Test("approve of a sync that waits for nobody is a no")
    func nothingToApprove() throws {
        let daemon = CannedDaemon()
        let server = try daemon.start { _ in json(live) }
        defer { server.stop() }
        let ended = try Cohortctl.run(
            ["syncs", "approve", "abandoners-crm", "--yes"],
            server: server
        )
        #expect(ended.status == 1)
        #expect(
            ended.errors
                == "cohortctl: nothing of sync abandoners-crm waits for approval; it is live\n"
        )
        #expect(daemon.requests.count == 1)
    }

    @Test(
        "what the daemon refuses is a no with its reason",
        arguments: [
            (409, 1, "it is not paused\n"),
            (404, 1, "it is not paused; cohortctl syncs list shows all\n"),
            (403, 77, "it is not paused"), (503, 69, "it is not paused"),
        ]
    )
    func refused(status: Int, expected: Int32, text: String) throws {
        let server = try CannedDaemon().start { _ in
            .error(status: status, code: "x", "it is not paused")
        }
        defer { server.stop() }
        let ended = try Cohortctl.run(["syncs", "resume", "a"], server: server)
        #expect(ended.status == expected)
        #expect(ended.output.isEmpty)
        #expect(ended.errors.contains(text), "\(ended.errors)")
    }
}
