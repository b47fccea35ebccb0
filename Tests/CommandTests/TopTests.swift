import Foundation
import Glibc
import HTTPAPI
import Synchronization
import Testing

private let status = """
    {"version":"0.1.0","started_at":"2026-01-05T00:00:00Z","tick":"2026-01-05T00:01:00Z","users":1874,\
    "partitions":[{"partition":0,"state":"live","offset":30211,"lag":12,"tick":"2026-01-05T00:01:00Z"},\
    {"partition":1,"state":"replaying","offset":5,"lag":null,"tick":null}],\
    "syncs":[{"sync":"crm","state":"live","pending":3,"oldest_pending_seconds":61.5}]}
    """

/// A daemon whose counters grow by so much with every look.
private func metrics(look: Int, applied: Int = 100_000) -> String {
    """
    # HELP cohortd_events_total Events read, by what became of them.
    # TYPE cohortd_events_total counter
    cohortd_events_total{partition="0",outcome="applied"} \(1000 + look * applied)
    cohortd_events_total{partition="0",outcome="rejected"} 7
    cohortd_events_total{partition="1",outcome="applied"} 0
    cohortd_rejects_total{reason="future"} 3
    cohortd_rejects_total{reason="bad_time"} 4
    cohortd_tick_duration_seconds_bucket{le="0.002"} 90
    cohortd_tick_duration_seconds_bucket{le="0.005"} 99
    cohortd_tick_duration_seconds_bucket{le="+Inf"} 100
    cohortd_tick_duration_seconds_sum 0.3
    cohortd_tick_duration_seconds_count 100
    cohortd_ticks_held{cause="broker"} 0
    cohortd_ticks_held{cause="lag"} 1
    cohortd_deltas_total{cohort="a\\"b",op="enter"} \(look * 10)
    cohortd_deltas_total{cohort="a\\"b",op="exit"} 0
    cohortd_memory_bytes 1610612736
    cohortd_memory_max_bytes 4294967296
    cohortd_snapshot_age_seconds{partition="0"} 4.25
    cohortd_sync_users_total{sync="crm",outcome="delivered"} \(look * 50)

    """
}

@Suite("cohortctl top")
struct TopTests {
    private func daemon(
        ready: Bool = true,
        metrics: @escaping @Sendable (Int) -> String? = { CommandTests.metrics(look: $0) },
        status: @escaping @Sendable (Int) -> String = { _ in CommandTests.status }
    ) throws -> HTTPServer {
        let looks = Mutex(0)
        return try CannedDaemon().start { request in
            switch request.path {
            case ["metrics"]:
                let look = looks.withLock { looks in
                    looks += 1
                    return looks
                }
                return metrics(look).map {
                    HTTPResponse(status: 200, contentType: "text/plain", body: Array($0.utf8))
                }
            case ["v1", "status"]: return json(status(looks.withLock { $0 }))
            case ["readyz"]:
                return ready
                    ? json(#"{"ready":true,"reasons":[]}"#)
                    : json(status: 503, #"{"ready":false,"reasons":["kafka unreachable"]}"#)
            default: return nil
            }
        }
    }

    /// One look as JSON, and the seconds it says were between the two.
    private func once(_ server: HTTPServer) throws -> (object: [String: Any], seconds: Double) {
        let ended = try Cohortctl.run(
            ["top", "--once", "--interval", "200ms", "--output", "json"],
            server: server
        )
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(ended.errors.isEmpty)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any]
        )
        return (object, object["interval_seconds"] as? Double ?? 0)
    }

    @Test("--once --output json gives rates between two looks, and the figures of the second")
    func figures() throws {
        let server = try daemon()
        defer { server.stop() }
        let (object, seconds) = try once(server)
        #expect(seconds >= 0.2)
        let events = try #require(object["events_per_second"] as? [String: Double])
        #expect(abs((events["applied"] ?? 0) * seconds - 100_000) < 100)
        #expect(events["rejected"] == 0)
        #expect(object["rejected"] as? Int == 7)
        #expect(object["lag"] as? Int == 12)
        #expect(object["tick_mean_seconds"] as? Double == 0.003)
        #expect(object["tick_p99_seconds"] as? Double == 0.005)
        #expect(object["ticks_held"] as? [String: Int] == ["lag": 1])
        #expect(object["memory_bytes"] as? Int == 1_610_612_736)
        #expect(object["memory_max_bytes"] as? Int == 4_294_967_296)
        #expect(object["users"] as? Int == 1874)
        #expect(try #require(object["tick_age_seconds"] as? Double) > 86_400)
        #expect(abs(try #require(object["enters_per_second"] as? Double) * seconds - 10) < 0.1)
        #expect(object["exits_per_second"] as? Double == 0)
        let partitions = try #require(object["partitions"] as? [[String: Any]])
        #expect(partitions.map { $0["state"] as? String } == ["live", "replaying"])
        #expect(partitions[0]["snapshot_age_seconds"] as? Double == 4.25)
        #expect(partitions[1]["lag"] is NSNull && partitions[1]["tick_age_seconds"] is NSNull)
        let sync = try #require((object["syncs"] as? [[String: Any]])?.first)
        #expect(sync["oldest_pending_seconds"] as? Double == 61.5)
        #expect(abs(try #require(sync["users_per_second"] as? Double) * seconds - 50) < 0.5)
    }

    @Test("--once prints one screen of text, without a byte that steers a terminal")
    func text() throws {
        // Nothing moves, so that no figure depends on the time between the looks.
        let server = try daemon(ready: false, metrics: { _ in CommandTests.metrics(look: 0) })
        defer { server.stop() }
        let ended = try Cohortctl.run(["top", "--once", "--interval", "100ms"], server: server)
        #expect(ended.status == 0)
        var lines = ended.output.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.removeFirst().hasPrefix("cohortd 0.1.0 at http://\(server.address), up "))
        #expect(lines[2].hasPrefix("lag     12 records"))
        // The only figures that the clock of this machine has a part in.
        let age = try #require(lines[3].firstMatch(of: /the last (\d+d) ago/)).1
        let expected = """
            not ready: kafka unreachable
            events  0/s: 0/s applied, 0/s deduplicated, 0/s filtered, 0/s rejected; 7 rejected since the start
            lag     12 records
            ticks   the last \(age) ago, 3 ms on average, 99 % within 5 ms, held in 1 by lag
            memory  1.5 GiB of 4 GiB (38 %)
            users   1874; 0/s enter a cohort, 0/s leave one

            PARTITION  STATE      EVENTS  LAG      TICK\(String(repeating: " ", count: max(0, age.count - 4)))  SNAPSHOT
            0          live       0/s     12       \(age)\(String(repeating: " ", count: max(0, 4 - age.count)))  4s
            1          replaying  0/s     unknown  -\(String(repeating: " ", count: max(4, age.count) - 1))  -

            SYNC  STATE  PENDING  OLDEST  SENT
            crm   live   3        61s     0/s

            """
        #expect(lines.joined(separator: "\n") == expected)
        #expect(!ended.output.contains("\u{1B}"))
    }

    @Test("a daemon that began anew between two looks has no rates")
    func restarted() throws {
        let server = try daemon(status: { look in
            look < 2
                ? CommandTests.status
                : CommandTests.status.replacing("00:00:00Z", with: "00:00:30Z")
        })
        defer { server.stop() }
        let (object, _) = try once(server)
        #expect(object["interval_seconds"] is NSNull)
        #expect((object["events_per_second"] as? [String: Any])?["applied"] is NSNull)
        #expect(object["enters_per_second"] is NSNull)
    }

    @Test("a daemon of an older version, which tells less, is shown as far as it tells")
    func older() throws {
        let server = try daemon(metrics: { _ in "cohortd_users 5\n" })
        defer { server.stop() }
        let ended = try Cohortctl.run(["top", "--once", "--interval", "100ms"], server: server)
        #expect(ended.status == 0)
        #expect(ended.output.contains("\nmemory  unknown\n"))
        #expect(ended.output.contains("0          live       -       12 "))
    }

    @Test("where nobody answers, or somebody else, it says so and ends with 69")
    func unreachable() throws {
        let ended = try Cohortctl.run(["top", "--address", "http://127.0.0.1:1"])
        #expect(ended.status == 69)
        #expect(ended.output.isEmpty)
        #expect(ended.errors.contains("no answer from http://127.0.0.1:1: "))
        #expect(ended.errors.contains("is cohortd running"))
        let server = try daemon(metrics: { _ in "<html>\n" })
        defer { server.stop() }
        let other = try Cohortctl.run(["top", "--once"], server: server)
        #expect(other.status == 69)
        #expect(other.errors.contains("/metrics: the answer is not one of cohortd"))
        // Away at the second look.
        let gone = try daemon(metrics: { $0 == 1 ? CommandTests.metrics(look: 1) : nil })
        defer { gone.stop() }
        let ending = try Cohortctl.run(["top", "--interval", "100ms"], server: gone)
        #expect(ending.status == 69)
        #expect(ending.output.hasPrefix("cohortd 0.1.0 at "))
        #expect(!ending.output.contains("\u{1B}"))
    }

    @Test("an interval that is none is refused", arguments: ["0s", "99ms", "2h", "5", "-1s"])
    func interval(_ text: String) throws {
        let ended = try Cohortctl.run(["top", "--interval=\(text)"])
        #expect(ended.status == 64)
        #expect(ended.errors.contains("--interval \(text): a duration from 100ms to 1h"))
    }

    @Test(
        "on a terminal it has a screen of its own, and gives the terminal back at a signal",
        arguments: [SIGINT, SIGTERM, SIGHUP]
    )
    func terminal(_ number: Int32) throws {
        let server = try daemon()
        defer { server.stop() }
        let terminal = try Terminal(rows: 12, columns: 40)
        try terminal.run(
            "cohortctl",
            ["top", "--interval", "100ms", "--address", "http://\(server.address)"]
        )
        let shown = try terminal.read(until: "/s applied")
        #expect(shown.hasPrefix("\u{1B}[?1049h\u{1B}[?25l\u{1B}[H"))
        terminal.signal(number)
        let rest = try terminal.read(until: "\u{1B}[?25h\u{1B}[?1049l")
        #expect(rest.hasSuffix("\u{1B}[?25h\u{1B}[?1049l"))
        #expect(try terminal.end() == 0)
        // No line is longer than the window, and no look taller.
        let frames = (shown + rest).components(separatedBy: "\u{1B}[H").dropFirst()
        for frame in frames.dropLast() {
            let rows = frame.components(separatedBy: "\r\n")
            #expect(rows.count <= 12)
            for row in rows {
                #expect(row.replacing(/\u{1B}\[[?0-9]*[a-zA-Z]/, with: "").count <= 40)
            }
        }
    }
    @Test("on a terminal it waits for a daemon that is away, and goes on with it")
    func away() throws {
        let server = try daemon(metrics: { look in
            look == 2 ? nil : CommandTests.metrics(look: look)
        })
        defer { server.stop() }
        let terminal = try Terminal(rows: 40, columns: 200)
        try terminal.run(
            "cohortctl",
            ["top", "--interval", "100ms", "--address", "http://\(server.address)"]
        )
        let shown = try terminal.read(until: " old; Ctrl-C ends this")
        #expect(shown.contains("/metrics: the answer is not one of cohortd"))
        _ = try terminal.read(until: "/s applied")
        terminal.signal(SIGINT)
        _ = try terminal.read(until: "\u{1B}[?1049l")
        #expect(try terminal.end() == 0)
    }
}
