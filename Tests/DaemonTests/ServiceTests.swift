import Foundation
import Glibc
import Testing

extension DaemonTests {
    @Suite("as a service")
    struct ServiceTests {
        /// A configuration that is right; its Kafka does not exist unless one is given.
        private func daemon(
            kafka: String? = nil,
            _ properties: [String: String] = [:]
        ) throws
            -> DaemonUnderTest
        {
            let daemon = try DaemonUnderTest()
            try daemon.configure(
                kafka: kafka ?? "127.0.0.1:\(freePort())",
                properties: properties
            )
            try daemon.cohorts([("viewers", "{performed: {event: view, last: 1h}}")], to: [])
            return daemon
        }

        @Test(
            "it is ready before Kafka answers, gives signs of life as long as its threads do, and says that it stops"
        )
        func withoutKafka() async throws {
            let daemon = try daemon()
            let manager = try NotifySocket(folder: daemon.path)
            // A step of a thread may take 2 s then, and a sign of life goes out each second.
            let program = try daemon.start(environment: [
                "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "4000000",
            ])
            try await eventually("it is ready: \(program.errorLines.suffix(3))") {
                manager.count(of: "READY=1") == 1
            }
            #expect(try daemon.get("/healthz")?.status == 200)
            try await eventually("its status says what it waits for") {
                manager.status?.hasPrefix("not ready: kafka unreachable") ?? false
            }
            // Longer than a thread could be silent.
            try await eventually("signs of life go on") { manager.count(of: "WATCHDOG=1") >= 6 }
            #expect(manager.count(of: "STOPPING=1") == 0)
            try await daemon.stop()
            #expect(manager.count(of: "READY=1") == 1)
            #expect(manager.count(of: "STOPPING=1") == 1)
            let stopping = try #require(manager.messages.firstIndex(of: "STOPPING=1"))
            #expect(try #require(manager.messages.firstIndex(of: "READY=1")) < stopping)
            #expect(!program.errors.contains("thread_hangs"), "\(program.errors)")
        }

        @Test("with Kafka its status has partitions, lag, users and the last tick")
        func status() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let daemon = try daemon(kafka: broker.address, broker.properties)
            let manager = try NotifySocket(folder: daemon.path)
            // Meant for another process: nobody waits for signs of life.
            try daemon.start(environment: [
                "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "1",
            ])
            try await daemon.ready()
            let publisher = try Publisher(broker.address)
            for number in 0..<3 { try await publisher.event("view", of: "user-\(number)") }
            try await publisher.flush()
            try await eventually("its status is that of a running service; \(manager.status ?? "")")
            {
                manager.status?.wholeMatch(
                    of: #/ready: 4 partitions live, lag 0, 3 users, last tick 20\d\d-\S+Z/#
                ) != nil
            }
            #expect(manager.count(of: "WATCHDOG=1") == 0)
            // The in-process broker does not tell who is in a group.
            #expect(daemon.program?.errors.contains("warning group_unseen") ?? false)
            try await daemon.stop()
            try await broker.stop()
        }

        @Test("a reload is told, and puts right the address of a broker that it waits for")
        func reload() async throws {
            let daemon = try daemon()
            let manager = try NotifySocket(folder: daemon.path)
            let program = try daemon.start(environment: [
                "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "4000000",
            ])
            try await eventually("it is ready: \(program.errorLines.suffix(3))") {
                manager.count(of: "READY=1") == 1
            }
            let broker = try Broker()
            try await broker.createTopic(partitions: 2)
            try daemon.configure(kafka: broker.address, properties: broker.properties)
            try await daemon.reload(until: "read again: settings ~kafka")
            try await daemon.ready()
            #expect(manager.count(of: "RELOADING=1") == 1)
            #expect(manager.count(of: "READY=1") == 2)
            try daemon.configure(kafka: broker.address, properties: broker.properties, more: "x: 1")
            try await daemon.reload(until: "the one before runs on")
            #expect(manager.count(of: "RELOADING=1") == 2)
            try await eventually("it is ready again") { manager.count(of: "READY=1") == 3 }
            #expect(manager.count(of: "STOPPING=1") == 0)
            try await daemon.stop()
            #expect(!program.errors.contains("thread_hangs"), "\(program.errors)")
            try await broker.stop()
        }

        @Test("a start that fails is never ready")
        func failed() async throws {
            let daemon = try daemon()
            let manager = try NotifySocket(folder: daemon.path)
            let run = try await daemon.run(
                "run",
                ["--set", "tick=7s"],
                environment: ["NOTIFY_SOCKET": manager.path]
            )
            #expect(run.ending == .exited(78))
            #expect(manager.messages == [])
            try #require(mkdir(daemon.dataDirectory, 0o700) == 0)
            try daemon.write("data/foreign", "x")
            let foreign = try await daemon.run(
                "run",
                environment: ["NOTIFY_SOCKET": manager.path]
            )
            #expect(foreign.ending == .exited(73), "\(foreign.errors)")
            #expect(manager.messages == [])
        }

        @Test("a data_dir whose own file is damaged ends the start with 65, and nothing is changed")
        func damaged() async throws {
            let daemon = try daemon()
            try #require(mkdir(daemon.dataDirectory, 0o700) == 0)
            try daemon.write("data/FORMAT", "nonsense\n")
            let run = try await daemon.run("run")
            #expect(run.ending == .exited(65))
            #expect(run.errors.contains("\(daemon.dataDirectory)/FORMAT is damaged at byte 0"))
            #expect(
                try String(contentsOfFile: "\(daemon.dataDirectory)/FORMAT", encoding: .utf8)
                    == "nonsense\n"
            )
        }

        @Test("a socket that is not there is a warning, and the daemon runs")
        func noSocket() async throws {
            let daemon = try daemon()
            let program = try daemon.start(environment: ["NOTIFY_SOCKET": "\(daemon.path)/none"])
            try await eventually("it says so") { program.errors.contains(" service_manager: ") }
            #expect(try daemon.get("/healthz")?.status == 200)
            try await daemon.stop()
        }

        @Test("lines have the journal's prefixes where stderr is the journal's, and nowhere else")
        func journal() async throws {
            let daemon = try daemon()
            func firstLine(_ variable: String, _ arguments: [String]) async throws -> String {
                let program = try Program(
                    "/bin/sh",
                    [
                        "-c", "export JOURNAL_STREAM=\(variable); exec \"$@\"", "sh",
                        Program.builtFolder + "cohortd", "run", "--config",
                        "\(daemon.path)/cohortd.yaml",
                    ] + arguments,
                    folder: daemon.path
                )
                try await eventually("a line") { !program.errorLines.isEmpty }
                program.signal(SIGTERM)
                try await program.end(within: 60)
                return try #require(program.errorLines.first)
            }
            let own = "$(stat -L -c %d:%i /dev/stderr)"
            let automatic = ["--set", "log.format=auto"]
            #expect(
                try await firstLine(own, automatic).wholeMatch(of: #/<[3-7]>[a-z_]+: .*/#) != nil
            )
            #expect(try await firstLine("1:2", automatic).hasPrefix("20"))
            #expect(try await firstLine(own, []).hasPrefix("20"))
            // What ends the start is an error there, too.
            #expect(
                try await firstLine(own, ["--set", "tick=7s"]).hasPrefix("<3>--set tick: error[")
            )
        }

        @Test("variables go over the file, --set over them, and unknown ones are a warning")
        func variables() async throws {
            let daemon = try daemon()
            let wrong = try await daemon.run("check", environment: ["COHORTD_TICK": "7s"])
            #expect(wrong.ending == .exited(78))
            #expect(wrong.errors.contains("COHORTD_TICK: error[out_of_range]: "))
            let overridden = try await daemon.run(
                "check",
                ["--set", "tick=10s"],
                environment: ["COHORTD_TICK": "7s", "COHORTD_KAFKA_TOPC": "x"]
            )
            #expect(overridden.ending == .exited(0), "\(overridden.errors)")
            #expect(
                overridden.errors
                    == "cohortd: warning: the variable COHORTD_KAFKA_TOPC is ignored: no key has this"
                    + " name (did you mean COHORTD_KAFKA_TOPIC?)\n"
            )
            let port = try freePort()
            let program = try daemon.start(environment: [
                "COHORTD_HTTP_LISTEN": "127.0.0.1:\(port)", "COHORTD_WHATEVER_ELSE": "x",
                "COHORTD_PERF": "x",
            ])
            try await eventually("it listens where the variable says") {
                try daemon.get("/healthz", port: port)?.status == 200
            }
            let lines = program.errorLines.filter { $0.contains("variable_ignored") }
            #expect(lines.count == 1)
            #expect(lines.first?.contains("COHORTD_WHATEVER_ELSE") ?? false)
            try await daemon.stop()
        }

        @Test("it works with no environment at all")
        func emptyEnvironment() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 2)
            let daemon = try daemon(kafka: broker.address, broker.properties)
            let program = try Program(
                "/usr/bin/env",
                [
                    "-i", Program.builtFolder + "cohortd", "run", "--config",
                    "\(daemon.path)/cohortd.yaml",
                ],
                folder: daemon.path
            )
            try await eventually("it is ready: \(program.errorLines.suffix(3))") {
                try daemon.readiness()?.ready ?? false
            }
            program.signal(SIGTERM)
            #expect(try await program.end(within: 60) == .exited(0), "\(program.errors)")
            try await broker.stop()
        }

        /// Runs it with so many open files.
        private func run(_ daemon: DaemonUnderTest, files: Int) throws -> Program {
            try Program(
                "/bin/sh",
                [
                    "-c", "ulimit -n \(files) && exec \"$@\"", "sh",
                    Program.builtFolder + "cohortd", "run", "--config",
                    "\(daemon.path)/cohortd.yaml",
                ],
                folder: daemon.path
            )
        }

        @Test("with 64 open files it works, takes fewer connections and says so")
        func fewFiles() async throws {
            let broker = try Broker()
            try await broker.createTopic(partitions: 4)
            let daemon = try daemon(kafka: broker.address, broker.properties)
            let receiver = try Receiver()
            try daemon.webhook(url: receiver.url)
            try daemon.cohorts([("viewers", "{performed: {event: view, last: 1h}}")])
            let program = try run(daemon, files: 64)
            try await eventually("it is ready: \(program.errorLines.suffix(3))", within: 90) {
                try daemon.readiness()?.ready ?? false
            }
            let warning = try #require(program.errorLines.first { $0.contains(" open_files: ") })
            #expect(warning.contains("only 64 files may be open"))
            #expect(warning.contains("16 connections instead of 1024: raise LimitNOFILE"))
            // More connections than there are files: the daemon's own work goes on.
            let connections = (0..<100).map { _ in IdleConnection(port: daemon.port) }
            let publisher = try Publisher(broker.address)
            for number in 0..<100 { try await publisher.event("view", of: "user-\(number)") }
            try await publisher.flush()
            try await eventually("they are told: \(program.errorLines.suffix(3))") {
                try #require(program.isRunning, "\(program.errorLines.suffix(3))")
                return receiver.deliveries.members()["viewers"]?.count == 100
            }
            for connection in connections { connection.close() }
            try await eventually("the API answers again") { try daemon.status()?.users == 100 }
            program.signal(SIGTERM)
            #expect(try await program.end(within: 60) == .exited(0), "\(program.errors)")
            try await broker.stop()
        }

        @Test(
            "with too few open files to run at all it ends with a reason",
            arguments: [6, 31, 63]
        )
        func tooFewFiles(files: Int) async throws {
            let daemon = try daemon()
            let program = try run(daemon, files: files)
            #expect(try await program.end(within: 60) == .exited(78), "\(program.errors)")
            #expect(
                program.errors == "cohortd: only \(files) files may be open, and 64 are the least: "
                    + "raise LimitNOFILE of the unit, or ulimit -n\n"
            )
        }
    }
}

/// A connection to a port of this machine over which nothing is said.
private struct IdleConnection {
    private let descriptor: Int32

    init(port: Int) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        // One that is refused has served as well.
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    func close() { _ = Glibc.close(descriptor) }
}
