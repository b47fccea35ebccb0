import Configuration
import HTTPAPI
import Sync
import Synchronization
import Telemetry

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

        func change(_ request: LogRequest) throws(APIQueryError) -> LogReport {
            try queries.change(request)
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

    private var running: (server: HTTPServer, http: DaemonConfiguration.HTTP)?
    private var queries: CurrentQueries?

    /// Where it listens, as a URL; empty before ``serve(_:_:_:_:)``.
    var address: String { running.map { "http://\($0.server.address)" } ?? "" }

    /// Answers from `queries` from now on; listens anew only where `http` says something else than before.
    func serve(
        _ http: DaemonConfiguration.HTTP,
        _ queries: DaemonQueries,
        _ files: OpenFileLimit,
        _ logger: Logger
    ) throws(DaemonError) {
        if let current = self.queries, running?.http == http {
            current.use(queries)
            return
        }
        stop()
        let current = CurrentQueries(queries)
        do throws(HTTPServerError) {
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
            let api = APIHandler(queries: current, listen: http.listen)
            let server = try HTTPServer(
                listen: http.listen,
                limits: limits,
                refusal: { api.refuseBody(of: $0) },
                handler: { api.respond(to: $0) }
            )
            running = (server, http)
            self.queries = current
        } catch {
            throw DaemonError(status: DaemonError.Status.configuration, error.description)
        }
    }

    /// Stops listening.
    func stop() {
        running?.server.stop()
        running = nil
        queries = nil
    }
}
