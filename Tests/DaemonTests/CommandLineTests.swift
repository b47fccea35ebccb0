import Foundation
import Glibc
import Testing

extension DaemonTests {
    @Suite("on the command line")
    struct CommandLineTests {
        /// A configuration that is right; its Kafka does not exist.
        private func valid() throws -> DaemonUnderTest {
            let daemon = try DaemonUnderTest()
            try daemon.configure(kafka: "127.0.0.1:\(freePort())")
            try daemon.webhook(url: "https://hooks.example.com/cohorts")
            try daemon.cohorts([("viewers", "{performed: {event: view, last: 1h}}")])
            return daemon
        }

        @Test("check says what is configured, and which defaults have no effect")
        func checkValid() async throws {
            let daemon = try valid()
            let check = try await daemon.run("check")
            #expect(check.ending == .exited(0), "\(check.errors)")
            #expect(check.output.hasPrefix("1 cohort, 1 destination, 1 sync: all valid\n"))
            #expect(check.output.contains("defaults without effect in this version: "))
            #expect(check.output.contains("archive"))
            #expect(check.errors == "")
            #expect(!FileManager.default.fileExists(atPath: daemon.dataDirectory))
            let program = try Program(
                "cohortd",
                ["check", "--config", "\(Broker.repository)/config/cohortd.yaml"],
                folder: daemon.path
            )
            #expect(try await program.end(within: 60) == .exited(0), "\(program.errors)")
        }

        @Test("check says every problem at once, each with its place, and ends with 78")
        func checkProblems() async throws {
            let daemon = try valid()
            try daemon.configure(
                kafka: "127.0.0.1:1",
                kafkaMore: "topicc: events",
                more: "tick2: 1s\ndelta_log: {bytes_max: 2GiB}\naccept_history: [nobody]"
            )
            try daemon.write(
                "cohorts/bad.yaml",
                "id: bad\nusers: {performd: {event: view, last: 1h}}\n"
            )
            try daemon.write(
                "cohorts/later.yaml",
                "id: later\nusers: {performed: {event: view, last: 1h, each: day}}\n"
            )
            try daemon.write(
                "destinations/plain.yaml",
                "id: plain\ntemplate: webhook\n"
                    + "settings: {url: \"http://192.168.7.7/hook\", secret: \"file:\(daemon.path)/secret\"}\n"
            )
            try daemon.write(
                "destinations/csv.yaml",
                "id: csv\ntemplate: file-csv\nsettings: {dir: /tmp}\n---\n"
                    + "id: shop\ntemplate: shop\nsettings: {kee: x}\n---\n"
                    + "id: topic\ntemplate: kafka-topic\n"
                    + "settings: {topic: t, properties: {linger.ms: soon}}\n"
            )
            try FileManager.default.createDirectory(
                atPath: "\(daemon.path)/destinations/templates",
                withIntermediateDirectories: true
            )
            try daemon.write(
                "destinations/templates/shop.yaml",
                """
                template: shop
                model: property
                settings: {key: {type: secret, required: true}}
                base_url: https://shop.example.com
                auth: {kind: bearer, token: '${settings.key}'}
                identity: {keys: [{name: id, from: user_id}]}
                members: {change: {method: POST, path: /u, body: {users: {$each: changes, item: '${u.id}'}}}}
                responses: [{when: {status: [200-599]}, then: delivered}]
                ---
                template: broken
                modell: property

                """
            )
            try daemon.write(
                "syncs/bad.yaml",
                "id: lost\nitem: {cohort: viewer}\ndestination: receiver\n---\n"
                    + "id: now\nitem: {cohort: viewers}\ndestination: csv\ncadence: realtime\n---\n"
                    + "id: hourly\nitem: {cohort: viewers}\ndestination: receiver\ncadence: hourly\n"
            )
            let check = try await daemon.run("check")
            #expect(check.ending == .exited(78))
            #expect(check.output == "")
            let lines = check.errors.split(separator: "\n").map(String.init)
            func expect(_ place: String, _ pieces: String...) {
                let all = lines.filter { $0.contains(place) }
                #expect(
                    all.contains { line in pieces.allSatisfy { line.contains($0) } },
                    "\(place) \(pieces): \(all)"
                )
            }
            expect("cohortd.yaml:", "topicc", "did you mean \"topic\"")
            expect("cohortd.yaml:", "tick2", "did you mean \"tick\"")
            expect("cohortd.yaml:", "delta_log.bytes_max", "not yet")
            expect("cohortd.yaml:", "accept_history", "nobody")
            expect("cohorts/bad.yaml:2:", "performd", "did you mean \"performed\"")
            expect("cohorts/later.yaml:2:")
            expect("destinations/plain.yaml:3:", "192.168.7.7", "allow_private")
            expect("destinations/csv.yaml:7:", "settings.key is missing", "shop")
            expect("destinations/csv.yaml:7:", "kee", "did you mean \"key\"")
            expect("destinations/csv.yaml:11:", "kafka_property", "linger.ms")
            expect("destinations/templates/shop.yaml:11:", "modell", "did you mean \"model\"")
            expect("syncs/bad.yaml:2:", "viewer", "did you mean \"viewers\"")
            expect("syncs/bad.yaml:8:", "cadence", "file-csv", "hourly, daily, on_demand")
            #expect(!lines.contains { $0.contains("syncs/bad.yaml:1") })
            #expect(lines.last?.contains("problems in the configuration") ?? false)
        }

        @Test(
            "run starts nothing with an unknown key, an address for others, or a plain url",
            arguments: [
                ("", "--set=kafka.topik=events", "did you mean \"topic\""),
                ("", "--set=http.listen=0.0.0.0:8080", "loopback"),
                ("http://10.1.2.3/hook", "--set=tick=1s", "allow_private"),
                ("https://user:word@example.com/hook", "--set=tick=1s", "password"),
            ]
        )
        func refused(url: String, flag: String, text: String) async throws {
            let daemon = try valid()
            if !url.isEmpty {
                try daemon.write(
                    "destinations/receiver.yaml",
                    "id: receiver\ntemplate: webhook\n"
                        + "settings: {url: \"\(url)\", secret: \"file:\(daemon.path)/secret\"}\n"
                )
            }
            let arguments = flag.split(separator: "=", maxSplits: 1).map(String.init)
            let run = try await daemon.run("run", arguments)
            #expect(run.ending == .exited(78))
            #expect(run.errors.contains(text), "\(run.errors)")
            #expect(!FileManager.default.fileExists(atPath: daemon.dataDirectory))
        }

        @Test("a secret that cannot be read or is none ends the start with 78 and is not told")
        func secret() async throws {
            let daemon = try valid()
            try daemon.write("secret", "whsec_hushhush\n")
            let short = try await daemon.run("run")
            #expect(short.ending == .exited(78))
            #expect(short.errors.contains("receiver") && !short.errors.contains("hushhush"))
            try FileManager.default.removeItem(atPath: "\(daemon.path)/secret")
            let absent = try await daemon.run("run")
            #expect(absent.ending == .exited(78))
            #expect(absent.errors.contains("\(daemon.path)/secret"))
        }

        @Test(
            "a second daemon on the same data_dir ends with 75; the first goes on, and SIGTERM ends it without Kafka"
        )
        func second() async throws {
            let daemon = try valid()
            let first = try daemon.start()
            try await eventually("the first listens") { try daemon.get("/healthz")?.status == 200 }
            let second = try Program(
                "cohortd",
                [
                    "run", "--config", "\(daemon.path)/cohortd.yaml", "--set",
                    "http.listen=127.0.0.1:\(freePort())",
                ],
                folder: daemon.path
            )
            #expect(try await second.end(within: 60) == .exited(75))
            #expect(
                second.errors.hasPrefix(
                    "cohortd: \(daemon.dataDirectory) is in use by process \(first.process); "
                        + "stop it first or choose another data_dir\n"
                ),
                "\(second.errors)"
            )
            #expect(first.isRunning)
            try await eventually("Kafka is missed") {
                try daemon.readiness()?.reasons.contains("kafka unreachable") ?? false
            }
            try await daemon.stop()
        }

        @Test("a data_dir that others may write to ends the start with 73")
        func permissions() async throws {
            let daemon = try valid()
            try #require(mkdir(daemon.dataDirectory, 0o770) == 0)
            chmod(daemon.dataDirectory, 0o770)
            let run = try await daemon.run("run")
            #expect(run.ending == .exited(73))
            #expect(run.errors.contains(daemon.dataDirectory))
            chmod(daemon.dataDirectory, 0o700)
            try daemon.write("file", "")
            let file = try await daemon.run("run", ["--set", "data_dir=\(daemon.path)/file"])
            #expect(file.ending == .exited(73))
        }

        @Test("usage errors end with 64, a missing configuration with 78")
        func usage() async throws {
            let daemon = try valid()
            for arguments in [
                ["fly"], ["run", "--confg", "x"], ["demo", "--rate", "0"],
                ["run", "--set", "tick"],
            ] {
                let program = try Program("cohortd", arguments, folder: daemon.path)
                #expect(try await program.end(within: 60) == .exited(64), "\(arguments)")
                #expect(program.output == "" && !program.errors.isEmpty)
            }
            let program = try Program(
                "cohortd",
                ["run", "--config", "\(daemon.path)/none.yaml"],
                folder: daemon.path
            )
            #expect(try await program.end(within: 60) == .exited(78))
            #expect(program.errors.contains("none.yaml"))
        }

        @Test("every command has help with an example, and version prints one line")
        func help() async throws {
            let daemon = try DaemonUnderTest()
            for command in ["run", "check", "demo", "version"] {
                let program = try Program("cohortd", [command, "--help"], folder: daemon.path)
                #expect(try await program.end(within: 60) == .exited(0))
                #expect(program.output.contains("cohortd \(command)"))
                let lines = program.output.split(separator: "\n")
                let examples = lines.drop { !$0.lowercased().hasPrefix("example") }
                #expect(
                    examples.contains { $0.contains("cohortd \(command)") },
                    "\(program.output)"
                )
                #expect(program.errors == "")
            }
            let all = try Program("cohortd", ["--help"], folder: daemon.path)
            #expect(try await all.end(within: 60) == .exited(0))
            for command in ["run", "check", "demo", "version"] {
                #expect(all.output.contains(command))
            }
            let version = try Program("cohortd", ["version"], folder: daemon.path)
            #expect(try await version.end(within: 60) == .exited(0))
            #expect(version.output.wholeMatch(of: #/cohortd \d+\.\d+\.\d+\n/#) != nil)
        }
    }
}
