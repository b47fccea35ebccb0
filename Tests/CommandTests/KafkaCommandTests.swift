import HTTPAPI
import Testing

@Suite("Commands about logs of Kafka")
struct KafkaCommandTests {
    private let body =
        #"{"topic":"events","partitions":[{"partition":0,"from":40,"to":55},{"partition":3,"from":7,"to":7}]}"#

    @Test("rebase and skip are posted, and say where partitions go on")
    func done() throws {
        let daemon = CannedDaemon()
        let server = try daemon.start { [body] _ in json(body) }
        defer { server.stop() }
        let ended = try Cohortctl.run(["kafka", "rebase", "events"], server: server)
        #expect(ended.status == 0)
        #expect(
            ended.output
                == "events/0 goes on at offset 55; it stood at 40\nevents/3 goes on at offset 7\n"
        )
        let raw = try Cohortctl.run(
            ["kafka", "rebase", "a b/3", "--at", "9", "--output", "json"],
            server: server
        )
        #expect(raw.output == body + "\n")
        #expect(
            try Cohortctl.run(["kafka", "skip", "events/3", "10-19"], server: server).status == 0
        )
        #expect(
            daemon.requests == [
                "POST /v1/kafka/rebase?topic=events",
                "POST /v1/kafka/rebase?topic=a%20b&partition=3&at=9",
                "POST /v1/kafka/skip?topic=events&partition=3&first=10&last=19",
            ]
        )
    }

    @Test(
        "what cannot be meant is a usage error, and nobody is asked",
        arguments: [
            ["rebase", "events/"], ["rebase", "events/x"], ["rebase", "/3"],
            ["rebase", "events/-1"], ["rebase", "events", "--at", "9"],
            ["rebase", "events/3", "--at", "x"], ["skip", "events", "1-2"],
            ["skip", "events/3", "2-1"], ["skip", "events/3", "1"], ["skip", "events/3", "1-2-3"],
        ]
    )
    func usage(_ words: [String]) throws {
        let daemon = CannedDaemon()
        let server = try daemon.start { _ in nil }
        defer { server.stop() }
        let ended = try Cohortctl.run(["kafka"] + words, server: server)
        #expect(ended.status == 64)
        #expect(ended.errors.contains("expected"))
        #expect(daemon.requests.isEmpty)
    }

    @Test(
        "a refusal is a no with the reason, a daemon that is busy cannot answer",
        arguments: [(404, "not_found", 1), (409, "refused", 1), (503, "not_ready", 69)]
    )
    func refused(_ status: Int, _ code: String, _ exit: Int32) throws {
        let server = try CannedDaemon().start { _ in
            .error(status: status, code: code, "events/3 is not halted")
        }
        defer { server.stop() }
        let ended = try Cohortctl.run(["kafka", "rebase", "events/3"], server: server)
        #expect(ended.status == exit)
        #expect(ended.errors.contains("events/3 is not halted"))
    }
}
