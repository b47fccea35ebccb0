import Destinations
import Foundation
import Glibc
import TestKit
import Testing

extension DaemonTests {
    /// The API of a daemon that others reach: keys, TLS, and clients that mean no good.
    ///
    /// Its Kafka does not exist.
    @Suite("at the edge")
    struct EdgeTests {
        /// What a request was answered.
        private struct Answer {
            var status: Int
            var text: String
        }

        private static func key(_ character: Character) -> String {
            String(repeating: character, count: 44)
        }

        /// A daemon with a reader, an exporter and a writer, not started yet.
        private func daemon(
            listen: String = "127.0.0.1",
            tls: String? = nil,
            more: String = ""
        ) throws -> DaemonUnderTest {
            let daemon = try DaemonUnderTest()
            for (name, character) in [
                ("reader", Character("r")), ("exporter", "e"), ("writer", "w"),
            ] {
                try daemon.write("\(name).key", Self.key(character) + "\n")
            }
            try configure(daemon, listen: listen, tls: tls, more: more)
            try daemon.webhook(url: "https://hooks.example.com/cohorts")
            try daemon.cohorts([("viewers", "{performed: {event: view, last: 1h}}")])
            return daemon
        }

        private func configure(
            _ daemon: DaemonUnderTest,
            listen: String = "127.0.0.1",
            tls: String? = nil,
            more: String = ""
        ) throws {
            let scopes = [("reader", "read"), ("exporter", "export"), ("writer", "read, write")]
            let keys = scopes.map {
                "{name: \($0.0), secret: \"file:\(daemon.path)/\($0.0).key\", scopes: [\($0.1)]}"
            }
            let files = tls.map {
                ", tls: {certificate: \(daemon.path)/\($0).pem, key: \(daemon.path)/\($0)-key.pem}"
            }
            try daemon.configure(
                kafka: "127.0.0.1:1",
                listen: listen,
                http: "keys: [\(keys.joined(separator: ", "))]\(files ?? "")\(more)"
            )
        }

        /// Asks; nil where there is no answer.
        private func ask(
            _ daemon: DaemonUnderTest,
            _ target: String,
            _ method: HTTPClient.Method = .get,
            key: String? = nil,
            trusting authorities: String? = nil,
            headers: [(name: String, value: String)] = []
        ) throws -> Answer? {
            do throws(HTTPClientError) {
                let (status, body) = try HTTPClient.send(
                    method,
                    "\(authorities == nil ? "http" : "https")://127.0.0.1:\(daemon.port)\(target)",
                    headers: headers + (key.map { [("Authorization", "Bearer \($0)")] } ?? []),
                    timeoutMilliseconds: 20_000,
                    authorities: authorities.map { "\(daemon.path)/\($0).pem" }
                )
                return Answer(status: status, text: String(decoding: body, as: UTF8.self))
            } catch {
                return nil
            }
        }

        /// Asks for the configuration to be read again and waits for a line of the log.
        private func reload(_ daemon: DaemonUnderTest, until text: String) async throws {
            let program = try #require(daemon.program)
            func count() -> Int { program.errorLines.count { $0.contains(text) } }
            let before = count()
            program.signal(SIGHUP)
            try await eventually("the log says \(text); \(program.errorLines.suffix(5))") {
                count() > before
            }
        }

        @Test(
            "keys and certificate are changed by SIGHUP without a request lost, and damaged ones leave the old in use",
            .enabled(if: TLSFiles.canBeMade, "there is no openssl program")
        )
        func changed() async throws {
            let daemon = try daemon(tls: "server")
            for name in ["server", "other", "third"] { try TLSFiles.make(name, in: daemon.path) }
            func text(_ name: String) throws -> String {
                try String(contentsOfFile: "\(daemon.path)/\(name)", encoding: .utf8)
            }
            try daemon.write("old.pem", text("server.pem"))
            try daemon.write("both.pem", text("server.pem") + text("other.pem"))
            let program = try daemon.start()
            try await eventually("it listens") {
                try ask(daemon, "/healthz", trusting: "old")?.status == 200
            }
            #expect(try ask(daemon, "/healthz") == nil)
            #expect(try ask(daemon, "/v1/status", trusting: "old")?.status == 401)
            func status(_ key: String, trusting: String) throws -> Int? {
                try ask(daemon, "/v1/status", key: key, trusting: trusting)?.status
            }
            #expect(try status(Self.key("r"), trusting: "old") == 200)

            // Requests without a break while keys and certificate change.
            try daemon.write("server.pem", text("other.pem"))
            try daemon.write("server-key.pem", text("other-key.pem"))
            try daemon.write("reader.key", Self.key("n"))
            let isOver = Locked(false)
            let answers = Locked<[Int?]>([])
            let asker = Task.detached { [port = daemon.port, path = daemon.path] in
                while !isOver.withLock({ $0 }) {
                    let status: Int?
                    do throws(HTTPClientError) {
                        status = try HTTPClient.send(
                            .get,
                            "https://127.0.0.1:\(port)/healthz",
                            timeoutMilliseconds: 20_000,
                            authorities: "\(path)/both.pem"
                        ).status
                    } catch {
                        status = nil
                    }
                    answers.withLock { $0.append(status) }
                }
            }
            try await reload(daemon, until: "the configuration was read again: nothing changed but")
            try await eventually("the new certificate is used") {
                try status(Self.key("n"), trusting: "other") == 200
            }
            isOver.withLock { $0 = true }
            await asker.value
            let all = answers.withLock { $0 }
            #expect(all.allSatisfy { $0 == 200 }, "\(all.filter { $0 != 200 }) of \(all.count)")
            #expect(try status(Self.key("r"), trusting: "other") == 401)
            #expect(try status(Self.key("n"), trusting: "old") == nil)

            // What cannot be used is not used, and told.
            for (damage, repair) in [
                (("server-key.pem", try text("third-key.pem")), try text("other-key.pem")),
                (("server.pem", "-----BEGIN CERTIFICATE-----\nMIIB"), try text("other.pem")),
                (("reader.key", "short"), Self.key("n")),
            ] {
                try daemon.write(damage.0, damage.1)
                try await reload(daemon, until: "the one before runs on")
                #expect(try status(Self.key("n"), trusting: "other") == 200)
                let metrics = try ask(daemon, "/metrics", trusting: "other")?.text
                #expect(metrics?.contains("\ncohortd_config_reload_successful 0\n") ?? false)
                try daemon.write(damage.0, repair)
            }
            let refusals = program.errorLines.filter { $0.contains("error reload_refused") }
            #expect(
                refusals.contains { $0.contains("http.tls: the certificate and the key cannot") }
            )
            #expect(refusals.contains { $0.contains("http.keys: the key \"reader\" has 5 char") })
            try await reload(daemon, until: "the configuration was read again: nothing changed but")
            try await eventually("it is used") {
                try ask(daemon, "/metrics", trusting: "other")?.text
                    .contains("\ncohortd_config_reload_successful 1\n") ?? false
            }

            // cohortctl by https, with the key from the environment.
            func cohortctl(_ words: [String], key: String? = nil) async throws -> Program {
                let program = try Program(
                    "cohortctl",
                    words + [
                        "--address", "https://localhost:\(daemon.port)", "--ca",
                        "\(daemon.path)/other.pem",
                    ],
                    folder: daemon.path,
                    environment: key.map { ["COHORTD_KEY": $0] } ?? [:]
                )
                try await program.end(within: 60)
                return program
            }
            let status = try await cohortctl(["status"], key: Self.key("n"))
            #expect(try await status.end(within: 1) == .exited(0), "\(status.errors)")
            let file = try await cohortctl(["status", "--key", "file:\(daemon.path)/reader.key"])
            #expect(try await file.end(within: 1) == .exited(0), "\(file.errors)")
            for (words, key) in [
                (["status"], nil), (["status"], Self.key("x")),
                (["syncs", "pause", "viewers-receiver"], Self.key("n")),
                (["cohorts", "members", "viewers"], Self.key("n")),
            ] {
                let refused = try await cohortctl(words, key: key)
                #expect(try await refused.end(within: 1) == .exited(77), "\(refused.errors)")
                #expect(refused.output == "")
            }
            try await daemon.stop()
            for character: Character in ["r", "n", "e", "w", "x"] {
                #expect(!program.errors.contains(Self.key(character)))
            }
            #expect(!program.errors.contains("BEGIN"))
        }

        @Test(
            "beyond loopback: other names, who did what in the log, ten guesses, large headers, many and slow clients"
        )
        func reached() async throws {
            let daemon = try daemon(
                listen: "0.0.0.0",
                more: ", per_address_max: 8, requests_per_second: 10"
            )
            let program = try daemon.start()
            let name = [(name: "Host", value: "cohortd.example.com")]
            try await eventually("it listens") {
                try ask(daemon, "/healthz", headers: name)?.status == 200
            }
            #expect(program.errors.contains("warning api_without_tls: the API listens on 0.0.0.0:"))
            #expect(try ask(daemon, "/metrics", headers: name)?.status == 200)
            // Ten seconds is what a header may take; until then other things are looked at.
            let slow = try RawClient(port: UInt16(daemon.port))
            slow.send("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Drip: ")

            #expect(try ask(daemon, "/v1/status", key: Self.key("r"), headers: name)?.status == 200)
            let long = [(name: "X-Long", value: String(repeating: "x", count: 17 << 10))]
            #expect(try ask(daemon, "/healthz", headers: long)?.status == 431)
            let pause = "/v1/syncs/viewers-receiver/pause"
            #expect(try ask(daemon, pause, .post, key: Self.key("r"))?.status == 403)
            #expect(try ask(daemon, pause, .post, key: Self.key("w"))?.status == 200)
            let members = "/v1/cohorts/viewers/members?after=hidden-user"
            // No partition is there yet.
            #expect(try ask(daemon, members, key: Self.key("e"))?.status == 503)
            try await eventually("the log has all three") {
                program.errors.components(separatedBy: " notice api_call: ").count == 4
            }
            for line in [
                "POST \(pause) was answered with 403 key=reader address=127.0.0.1 status=403\n",
                "POST \(pause) was answered with 200 key=writer address=127.0.0.1 status=200\n",
                "GET /v1/cohorts/viewers/members was answered with 503 key=exporter"
                    + " address=127.0.0.1 status=503\n",
            ] { #expect(program.errors.contains(line), "\(program.errors)") }

            // More requests than a second has, of which one key's are refused.
            var statuses: [Int] = []
            repeat {
                statuses.append(try ask(daemon, "/v1/status", key: Self.key("r"))?.status ?? 0)
            } while statuses.last == 200 && statuses.count < 4000
            #expect(statuses.last == 429, "\(statuses.suffix(3))")
            #expect(try ask(daemon, "/v1/status", key: Self.key("w"))?.status == 200)

            // Connections of one address: eight, of which the slow one has one.
            var idle = try (0..<7).map { _ in try RawClient(port: UInt16(daemon.port)) }
            try await eventually("the eighth is taken") { try ask(daemon, "/healthz") == nil }
            try await eventually("the slow one is cut", within: 120) {
                try ask(daemon, "/healthz")?.status == 200
            }
            #expect(try slow.isClosed())
            #expect(try idle[0].get("/healthz")?.status == 200)
            idle = []
            try await eventually("they are gone") {
                try (0..<4).allSatisfy { _ in try ask(daemon, "/healthz")?.status == 200 }
            }

            for number in 0..<10 {
                let guess = try ask(daemon, "/v1/status", key: "guess-\(number)")
                #expect(guess?.status == 401)
            }
            #expect(try ask(daemon, "/v1/status", key: Self.key("w"))?.status == 429)
            #expect(try ask(daemon, "/healthz")?.status == 200)
            #expect(
                program.errors.contains(
                    "warning api_key_refused: somebody asked the API with a key that is not in"
                        + " http.keys address=127.0.0.1\n"
                )
            )
            #expect(!program.errors.contains("guess-") && !program.errors.contains("hidden-user"))
            try await daemon.stop()
        }

        @Test(
            "what keys and certificate need is missing or wrong: 78 with the remedy, and nothing is started",
            .enabled(if: TLSFiles.canBeMade, "there is no openssl program")
        )
        func refused() async throws {
            let daemon = try daemon(tls: "server")
            for name in ["server", "other"] { try TLSFiles.make(name, in: daemon.path) }
            func expect(_ texts: String...) async throws {
                let run = try await daemon.run("run")
                #expect(run.ending == .exited(78))
                for text in texts { #expect(run.errors.contains(text), "\(run.errors)") }
                #expect(!FileManager.default.fileExists(atPath: daemon.dataDirectory))
            }
            try daemon.write("exporter.key", Self.key("r"))
            try await expect(#"http.keys: "exporter" and "reader" have the same key"#)
            try FileManager.default.removeItem(atPath: "\(daemon.path)/exporter.key")
            try await expect(#"http.keys: "exporter": the secret file:"#, "exporter.key")
            try daemon.write("exporter.key", Self.key("e"))
            try daemon.write(
                "server-key.pem",
                String(contentsOfFile: "\(daemon.path)/other-key.pem", encoding: .utf8)
            )
            try await expect("http.tls: ", "do not match")
            try FileManager.default.removeItem(atPath: "\(daemon.path)/server.pem")
            try await expect("http.tls.certificate: the secret file:", "server.pem")
            try daemon.configure(kafka: "127.0.0.1:1", listen: "0.0.0.0")
            try await expect("http.listen: 0.0.0.0:\(daemon.port) is beyond loopback", "http.keys")
        }
    }
}
