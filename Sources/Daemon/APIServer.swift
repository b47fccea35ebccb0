import Basics
import Configuration
import HTTPAPI
import Sync
import Synchronization
import Telemetry
import Threads

/// The API of the process: it goes on listening while the daemon behind it changes to another configuration.
final class APIServer {
    /// Asks whatever runs at the moment.
    private final class CurrentQueries: APIQueries {
        private let current: Mutex<DaemonQueries>

        init(_ queries: DaemonQueries) { current = Mutex(queries) }

        func use(_ queries: DaemonQueries) { current.withLock { $0 = queries } }

        /// Never asked under the lock: an answer may take seconds.
        private var queries: DaemonQueries { current.withLock { $0 } }

        func readiness() -> Readiness { queries.readiness() }
        func metrics() -> [UInt8] { queries.metrics() }
        func status() -> StatusReport { queries.status() }
        func cohorts() -> [CohortSummary] { queries.cohorts() }
        func syncs() -> [SyncSummary] { queries.syncs() }

        func acceptTime() throws(APIQueryError) -> TimeReport { try queries.acceptTime() }

        func change(definitions request: DefinitionRequest) throws(APIQueryError) -> String {
            try queries.change(definitions: request)
        }

        func change(log request: LogRequest) throws(APIQueryError) -> LogReport {
            try queries.change(log: request)
        }

        func command(_ command: SyncCommand, sync: String) throws(APIQueryError) {
            try queries.command(command, sync: sync)
        }

        func members(
            of cohort: String,
            after: String?,
            limit: Int
        ) throws(APIQueryError) -> MembersPage {
            try queries.members(of: cohort, after: after, limit: limit)
        }
    }

    /// What listens, and with what it was started.
    private struct Running {
        let server: HTTPServer
        let http: DaemonConfiguration.HTTP
        let credentials: APICredentials
        let queries: CurrentQueries
    }

    private var running: Running?

    /// Where it listens, as a URL; empty before ``serve(_:_:_:_:_:)``.
    var address: String {
        running.map {
            "\($0.credentials.identity == nil ? "http" : "https")://\($0.server.address)"
        }
            ?? ""
    }

    /// Answers from `queries` from now on; listens anew only where `http` or what it refers to says something else than
    /// before, and on the same address without losing a connection.
    func serve(
        _ http: DaemonConfiguration.HTTP,
        _ credentials: APICredentials,
        _ queries: DaemonQueries,
        _ files: OpenFileLimit,
        _ logger: Logger
    ) throws(DaemonError) {
        if let running, running.http == http, running.credentials == credentials {
            running.queries.use(queries)
            return
        }
        let current = CurrentQueries(queries)
        let limits = limits(http, files, logger)
        // Another address may need the port of this one.
        if running?.http.listen != http.listen { stop() }
        let gate = APIGate(
            listen: http.listen,
            keys: credentials.keys,
            requestsPerSecond: http.requestsPerSecond,
            clock: SystemClock(),
            tell: { Self.tell($0, logger) }
        )
        let api = APIHandler(queries: current, gate: gate)
        let server: HTTPServer
        do throws(HTTPServerError) {
            server = try HTTPServer(
                listen: http.listen,
                limits: limits,
                identity: credentials.identity,
                takingOver: running?.server,
                refusal: { api.refuseBody(of: $0) },
                handler: { api.respond(to: $0) }
            )
        } catch {
            throw DaemonError(status: DaemonError.Status.configuration, error.description)
        }
        running?.server.stop(patienceMilliseconds: 1000)
        running = Running(server: server, http: http, credentials: credentials, queries: current)
        if credentials.identity == nil, !http.listen.host.isLoopback {
            logger.warning(
                "api_without_tls",
                "the API listens on \(http.listen) without TLS, so whoever sees the network sees keys and answers: "
                    + "give http.tls, or have a proxy with TLS in front and listen on 127.0.0.1"
            )
        }
    }

    private func limits(
        _ http: DaemonConfiguration.HTTP,
        _ files: OpenFileLimit,
        _ logger: Logger
    ) -> HTTPLimits {
        var limits = HTTPLimits()
        limits.connectionsMax = files.connections(wanted: http.connectionsMax)
        if limits.connectionsMax < http.connectionsMax {
            logger.warning(
                "open_files",
                "only \(files.files) files may be open, so the API takes \(limits.connectionsMax)"
                    + " connections instead of \(http.connectionsMax): \(OpenFileLimit.remedy)",
                [
                    "limit": LogValue(files.files),
                    "connections": LogValue(limits.connectionsMax),
                ]
            )
        }
        limits.perAddressMax = http.perAddressMax
        limits.bodyBytesMax = http.bodyMax
        return limits
    }

    private static func tell(_ occurrence: APIOccurrence, _ logger: Logger) {
        switch occurrence {
        case .call(let call):
            let key = call.key ?? "-"
            logger.notice(
                "api_call",
                "\(call.method) \(call.path) was answered with \(call.status)",
                [
                    "key": LogValue(key), "address": LogValue(call.address),
                    "status": LogValue(call.status),
                ]
            )
        case .wrongKey(let address):
            logger.warning(
                "api_key_refused",
                "somebody asked the API with a key that is not in http.keys",
                ["address": LogValue(address)],
                repeatKey: address
            )
        }
    }

    /// Stops listening.
    func stop() {
        running?.server.stop()
        running = nil
    }
}
