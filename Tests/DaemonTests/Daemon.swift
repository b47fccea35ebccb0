import Destinations
import Foundation
import Glibc
import TestKit
import Testing

/// A folder with a configuration and a data directory, and the built `cohortd` run on it, again and again.
///
/// Belongs to one test; the folder goes with it.
final class DaemonUnderTest {
    /// The form of `/v1/status`.
    struct Status: Decodable {
        struct Partition: Decodable {
            var partition: Int
            var state: String
            var offset: Int64
            var lag: Int64?
            var commands_offset: Int64?
            var commands_lag: Int64?
            var tick: String?
        }
        struct Sync: Decodable {
            var sync: String
            var state: String
            var pending: Int
        }
        var version: String
        var tick: String?
        var users: Int
        var partitions: [Partition]
        var syncs: [Sync]

        /// The tick that every partition has done, in milliseconds since 1970.
        var tickMilliseconds: Int64? { tick.flatMap(milliseconds) }

        func state(of sync: String) -> String? { syncs.first { $0.sync == sync }?.state }
    }

    struct Readiness: Decodable {
        var ready: Bool
        var reasons: [String]
    }

    /// One page of `/v1/cohorts/{id}/members`.
    struct Members: Decodable {
        var cohort: String
        var tick: String?
        var count: Int
        var users: [String]
        var next: String?
    }

    private let folder: TemporaryFolder
    /// The port of the API.
    let port: Int
    private(set) var program: Program?

    init() throws {
        folder = try TemporaryFolder()
        port = try freePort()
        for name in ["cohorts", "destinations", "syncs"] {
            try #require(mkdir("\(path)/\(name)", 0o700) == 0)
        }
        try write("secret", Receiver.secret + "\n")
    }

    deinit {
        program = nil
        do {
            try folder.remove()
        } catch {
            Issue.record("\(path) cannot be removed: \(error)")
        }
    }

    // MARK: The configuration

    /// The folder of the configuration.
    var path: String { folder.url.path }

    /// Where the daemon keeps its state.
    var dataDirectory: String { "\(path)/data" }

    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
        chmod("\(path)/\(name)", 0o600)
    }

    /// Writes `cohortd.yaml`; `http` is added to that section, `more` to the file.
    func configure(
        kafka: String,
        tick: String = "1s",
        snapshot: String = "1s",
        topic: String = "events",
        properties: [String: String] = [:],
        kafkaMore: String = "",
        listen: String = "127.0.0.1",
        http: String = "",
        log: String = "{level: debug, format: text}",
        more: String = ""
    ) throws {
        let given = properties.map { "    \($0.key): \"\($0.value)\"\n" }.sorted().joined()
        try write(
            "cohortd.yaml",
            """
            data_dir: \(dataDirectory)
            tick: \(tick)
            kafka:
              topic: \(topic)
              properties:
                bootstrap.servers: "\(kafka)"
            \(given)  \(kafkaMore)
            snapshot: {interval: \(snapshot)}
            http: {listen: "\(listen):\(port)"\(http.isEmpty ? "" : ", " + http)}
            log: \(log)
            \(more)
            """
        )
    }

    /// Writes a webhook destination.
    func webhook(_ id: String = "receiver", url: String, timeout: String = "2s") throws {
        try write(
            "destinations/\(id).yaml",
            """
            id: \(id)
            template: webhook
            settings: {url: "\(url)", secret: "file:\(path)/secret", timeout: \(timeout)}
            allow_private: [127.0.0.0/8]
            """
        )
    }

    /// Writes the cohorts, and a sync of each to each destination named `COHORT-DESTINATION`; `syncMore` is added
    /// to every sync.
    func cohorts(
        _ cohorts: [(id: String, users: String)],
        to destinations: [String] = ["receiver"],
        syncMore: String = ""
    ) throws {
        try write(
            "cohorts/all.yaml",
            cohorts.map { "id: \($0.id)\nname: The \($0.id)\nusers: \($0.users)\n" }
                .joined(separator: "---\n")
        )
        try write(
            "syncs/all.yaml",
            cohorts.flatMap { cohort in
                destinations.map { destination in
                    "id: \(cohort.id)-\(destination)\nitem: {cohort: \(cohort.id)}\n"
                        + "destination: \(destination)\n\(syncMore)\n"
                }
            }.joined(separator: "---\n")
        )
    }

    // MARK: Running

    /// Starts `cohortd run`, or another program that takes the same words, and does not wait.
    @discardableResult
    func start(
        _ arguments: [String] = [],
        program name: String = "cohortd",
        environment: [String: String] = [:]
    ) throws -> Program {
        let program = try Program(
            name,
            ["run", "--config", "\(path)/cohortd.yaml"] + arguments,
            folder: path,
            environment: environment
        )
        self.program = program
        return program
    }

    /// Starts it and waits until it is ready.
    func startReady(
        _ arguments: [String] = [],
        within seconds: Double = 90,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try start(arguments)
        try await ready(within: seconds, sourceLocation: sourceLocation)
    }

    /// Waits until `/readyz` says so.
    func ready(
        within seconds: Double = 90,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let program = try #require(program)
        try await eventually(
            "the daemon is ready; \(readinessText), \(program.errorLines.suffix(3))",
            within: seconds,
            sourceLocation: sourceLocation
        ) {
            try #require(
                program.isRunning,
                "it ended: \(program.errorLines.suffix(5))",
                sourceLocation: sourceLocation
            )
            return try readiness()?.ready ?? false
        }
    }

    private var readinessText: String {
        do {
            return try readiness()?.reasons.joined(separator: ", ") ?? "no answer"
        } catch {
            return "\(error)"
        }
    }

    /// SIGTERM, and the end in good order.
    func stop(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let program = try #require(program)
        program.signal(SIGTERM)
        let ending = try await program.end(within: 60, sourceLocation: sourceLocation)
        #expect(
            ending == .exited(0),
            "\(program.errorLines.suffix(5))",
            sourceLocation: sourceLocation
        )
    }

    /// Asks for the configuration to be read again, and waits until the log has one more line with `text`.
    func reload(
        until text: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let program = try #require(program)
        func count() -> Int { program.errorLines.count { $0.contains(text) } }
        let before = count()
        program.signal(SIGHUP)
        try await eventually(
            "the log says \(text); \(program.errorLines.suffix(5))",
            within: 90,
            sourceLocation: sourceLocation
        ) {
            let health = try get("/healthz")?.status
            #expect(health == 200, sourceLocation: sourceLocation)
            return count() > before
        }
    }

    /// Runs a command of cohortd with this configuration to its end.
    func run(
        _ command: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        within seconds: Double = 60
    ) async throws -> (ending: Program.Ending, output: String, errors: String) {
        let program = try Program(
            "cohortd",
            [command, "--config", "\(path)/cohortd.yaml"] + arguments,
            folder: path,
            environment: environment
        )
        let ending = try await program.end(within: seconds)
        return (ending, program.output, program.errors)
    }

    // MARK: The API

    /// An answer of the API; nil while nobody listens.
    func get(
        _ target: String,
        port: Int? = nil,
        headers: [(name: String, value: String)] = []
    ) throws -> (status: Int, body: [UInt8])? {
        do throws(HTTPClientError) {
            return try HTTPClient.send(
                .get,
                "http://127.0.0.1:\(port ?? self.port)\(target)",
                headers: headers,
                timeoutMilliseconds: 20_000
            )
        } catch {
            // Not up yet, or gone; whoever waits for it has a deadline.
            return nil
        }
    }

    func readiness() throws -> Readiness? {
        try get("/readyz").map {
            let readiness = try JSONDecoder().decode(Readiness.self, from: Data($0.body))
            #expect(readiness.ready == ($0.status == 200))
            return readiness
        }
    }

    func status() throws -> Status? {
        try get("/v1/status").map {
            #expect($0.status == 200)
            return try JSONDecoder().decode(Status.self, from: Data($0.body))
        }
    }

    /// All members of a cohort, a page of `limit` at a time.
    func members(of cohort: String, limit: Int = 1000) throws -> [String] {
        var users: [String] = []
        var after: String?
        repeat {
            let escaped = after?.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
            let answer = try #require(
                try get(
                    "/v1/cohorts/\(cohort)/members?limit=\(limit)"
                        + (escaped.map { "&after=\($0)" } ?? "")
                )
            )
            try #require(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
            let page = try JSONDecoder().decode(Members.self, from: Data(answer.body))
            #expect(page.users.count <= limit)
            users += page.users
            after = page.next
        } while after != nil
        return users
    }

    /// The value of a metric, with its labels as they stand in the text.
    func metric(_ name: String) throws -> Double? {
        guard let answer = try get("/metrics") else { return nil }
        for line in String(decoding: answer.body, as: UTF8.self).split(separator: "\n") {
            if line.hasPrefix(name + " ") { return Double(line.dropFirst(name.count + 1)) }
        }
        return nil
    }

    /// Waits until every partition has done a tick at `tick` or later and no sync has anything to send.
    func settled(
        at tick: Int64,
        within seconds: Double = 90,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var last: Status?
        try await eventually(
            "tick \(tick) is done and nothing is pending; \(String(describing: last))",
            within: seconds,
            sourceLocation: sourceLocation
        ) {
            last = try status()
            guard let last, let done = last.tickMilliseconds else { return false }
            return done >= tick && last.syncs.allSatisfy { $0.pending == 0 }
        }
    }
}

/// An RFC 3339 instant in milliseconds since 1970.
func milliseconds(_ text: String) -> Int64? {
    let form = ISO8601DateFormatter()
    form.formatOptions =
        text.contains(".")
        ? [.withInternetDateTime, .withFractionalSeconds] : [.withInternetDateTime]
    return form.date(from: text).map { Int64(($0.timeIntervalSince1970 * 1000).rounded()) }
}

/// A port of the loopback address that nobody listens on, below those that outgoing connections get.
func freePort() throws -> Int {
    for _ in 0..<500 {
        let port = ports.withLock { port in
            port = port >= 31_999 ? 20_000 : port + 1
            return port
        }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let isFree = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if isFree { return port }
    }
    throw NotInTime(what: "no free port")
}

/// Runs of the tests beside this one begin elsewhere.
private let ports = Locked(20_000 + Int(getpid()) % 100 * 120)
