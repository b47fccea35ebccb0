import HTTPAPI
import Testing

@Suite("Commands that get no answer")
struct DaemonErrorTests {
    @Test("a daemon that is not there is 69 and the address is named")
    func unreachable() throws {
        // Nobody listens on this port.
        let address = "http://127.0.0.1:1"
        for words in [
            ["status"], ["cohorts", "list"], ["cohorts", "show", "a"], ["cohorts", "members", "a"],
        ] {
            let ended = try Cohortctl.run(words + ["--address", address])
            #expect(ended.status == 69)
            #expect(ended.output.isEmpty)
            #expect(ended.errors.hasPrefix("cohortctl: no answer from \(address): "))
            #expect(ended.errors.contains("--address or COHORTD_ADDRESS"))
        }
    }

    @Test(
        "an error of the daemon becomes the status of its kind, with the daemon's own words",
        arguments: [
            (400, Int32(64)), (401, 77), (403, 77), (404, 1), (409, 1), (422, 1), (500, 69),
            (503, 69),
            (302, 69), (405, 69), (429, 69),
        ]
    )
    func refusals(status: Int, exit: Int32) throws {
        let server = try CannedDaemon().start { _ in
            .error(status: status, code: "some_code", "because of reasons")
        }
        defer { server.stop() }
        let ended = try Cohortctl.run(["cohorts", "members", "c"], server: server)
        #expect(ended.status == exit)
        #expect(ended.output.isEmpty)
        #expect(ended.errors.contains("because of reasons"))
        #expect(ended.errors.split(separator: "\n").count == 1)
    }

    @Test("an error page of some other program is told apart from the daemon's errors")
    func otherProgram() throws {
        let server = try CannedDaemon().start { _ in
            HTTPResponse(
                status: 502,
                contentType: "text/html",
                body: Array("<html>bad gateway".utf8)
            )
        }
        defer { server.stop() }
        let ended = try Cohortctl.run(["status"], server: server)
        #expect(ended.status == 69)
        #expect(ended.errors.contains("status 502, and no reason was given"))
    }

    @Test(
        "an answer that is not the daemon's is 69 and not shown",
        arguments: ["", "hello", "[]", #"{"users":"many"}"#, #"{"cohorts":[{}]}"#]
    )
    func nonsense(body: String) throws {
        let server = try CannedDaemon().start { _ in json(body) }
        defer { server.stop() }
        for words in [["status"], ["cohorts", "list"], ["cohorts", "members", "c"]] {
            for output in [[], ["--output", "json"]] {
                let ended = try Cohortctl.run(words + output, server: server)
                #expect(ended.status == 69)
                #expect(ended.output.isEmpty)
                #expect(ended.errors.contains("is not one of cohortd"))
            }
        }
    }

    @Test("stdout that is full is 74")
    func fullOutput() throws {
        let server = try CannedDaemon.serving(["/v1/cohorts": #"{"cohorts":[]}"#])
        defer { server.stop() }
        let ended = try Cohortctl.run(["cohorts", "list"], server: server, output: "/dev/full")
        #expect(ended.status == 74)
        #expect(ended.errors.contains("cannot write stdout: No space left on device"))
    }

    @Test("--address wins over COHORTD_ADDRESS, and one slash at its end does no harm")
    func addresses() throws {
        let server = try CannedDaemon.serving(["/v1/cohorts": #"{"cohorts":[]}"#])
        defer { server.stop() }
        let ended = try Cohortctl.run(
            ["cohorts", "list", "--address", "http://\(server.address)/"],
            environment: ["COHORTD_ADDRESS": "http://127.0.0.1:1"]
        )
        #expect(ended.status == 0)
        #expect(ended.output == "no cohorts are defined\n")
    }

    @Test(
        "an address that is none is a usage error",
        arguments: [
            "127.0.0.1:8080", "ftp://127.0.0.1", "http://", "http://host/path",
            "http://me:word@host",
            "http://host?x", "http://a b", "",
        ]
    )
    func badAddress(address: String) throws {
        let ended = try Cohortctl.run(["status", "--address=\(address)"])
        #expect(ended.status == 64)
        #expect(ended.errors.contains("--address"))
        #expect(ended.errors.contains("http://127.0.0.1:8080"))
        // An empty variable is an absent one.
        if !address.isEmpty {
            let variable = try Cohortctl.run(
                ["status"],
                environment: ["COHORTD_ADDRESS": address]
            )
            #expect(variable.status == 64)
            #expect(variable.errors.contains("COHORTD_ADDRESS"))
        }
    }

    @Test(
        "a command line that is wrong asks nobody",
        arguments: [
            ["status", "--output", "xml"], ["status", "extra"], ["cohorts"], ["cohorts", "show"],
            ["cohorts", "members", "a", "b"], ["cohorts", "remove", "a"],
            ["status", "--key", "the-key-itself"],
        ]
    )
    func usage(words: [String]) throws {
        let daemon = CannedDaemon()
        let server = try daemon.start { _ in nil }
        defer { server.stop() }
        let ended = try Cohortctl.run(words, server: server)
        #expect(ended.status == 64)
        #expect(ended.output.isEmpty)
        #expect(!ended.errors.isEmpty)
        #expect(daemon.requests.isEmpty)
    }
}
