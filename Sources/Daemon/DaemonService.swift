import Basics
import Configuration
package import Destinations
import Glibc
import InputFiles
import LogStore
package import Telemetry
import Threads

/// The daemon: composes the parts and runs the control loop.
///
/// ```
/// control thread   group conversation, tick barrier, lifecycle      (the caller of run)
/// engine threads   one per core: poll a queue, apply, snapshot
/// sync thread      planner and journal                              (SyncService)
/// sender threads   HTTP requests; one per file destination
/// API threads      libmicrohttpd's pool                             (DaemonQueries)
/// ```
package final class DaemonService {
    private let configuration: LoadedConfiguration
    private let logger: Logger
    private let redactor: Redactor
    private let clock = SystemClock()
    private let reload: ReloadRequests?
    private let read: @Sendable () -> ClockReading
    private let isStopWanted: () -> Bool
    private let manager: ServiceManager

    /// The address the API listens on, told when it does.
    package var listening: (String) -> Void = { _ in }

    /// A daemon that ``run()`` starts.
    ///
    /// - Parameters:
    ///   - configuration: Read without problems.
    ///   - logger: Where everything is told; its sink is to let lines pass through `redactor`.
    ///   - redactor: Learns every secret that is fetched.
    ///   - reload: Asked several times a second whether to read the configuration again.
    ///   - read: The clocks that ticks are made by.
    ///   - manager: Told when it is ready, how it is, and that it is alive.
    ///   - isStopWanted: Asked several times a second; true ends the daemon in good order.
    package init(
        _ configuration: LoadedConfiguration,
        logger: Logger,
        redactor: Redactor,
        reload: ReloadRequests? = nil,
        read: @escaping @Sendable () -> ClockReading = { ClockReading.ofMachine },
        manager: ServiceManager = .none,
        isStopWanted: @escaping () -> Bool
    ) {
        self.configuration = configuration
        self.manager = manager
        self.logger = logger
        self.redactor = redactor
        self.reload = reload
        self.read = read
        self.isStopWanted = isStopWanted
    }

    /// Runs until a stop is wanted, with another configuration whenever one was read that can be used.
    /// - Throws: Why it cannot start or go on; what was durable stays.
    package func run() throws(DaemonError) {
        var configuration = configuration
        let credentials = try APICredentials(configuration.daemon.http, redactor)
        configuration.credentials = credentials
        let files = try OpenFileLimit.raised()
        let directory: DataDirectory<DiskFileSystem>
        do throws(StoreError) {
            directory = try DataDirectory.open(
                DiskFileSystem(),
                path: configuration.daemon.dataDirectory,
                processID: getpid(),
                newStore: StoreID(high: SecureRandom.seed(), low: SecureRandom.seed())
            )
        } catch {
            throw DaemonError(error)
        }
        let api = APIServer()
        defer { api.stop() }
        var plan = ReloadPlan(configuration)
        let smallFiles = directory.smallFiles
        let rivalry = GroupRivalry()
        var definitions = ControlTopic(configuration.daemon.kafka, smallFiles, logger: logger)
        while true {
            var wasReady = false
            do throws(DaemonError) {
                let kafka = plan.current.daemon.kafka
                if !definitions.isOf(kafka) {
                    definitions = ControlTopic(kafka, smallFiles, logger: logger)
                }
                let next = try run(plan, directory, definitions, rivalry, api, files, &wasReady)
                guard let next else { break }
                plan.go(on: next)
                useLogLevel(of: next)
            } catch {
                guard let text = plan.goBack(after: error, wasReady: wasReady) else { throw error }
                logger.error("reload_failed", text)
                useLogLevel(of: plan.current)
            }
        }
        logger.info("stopped", "stopped in good order")
        do throws(StoreError) { try directory.close() } catch { throw DaemonError(error) }
    }

    private func useLogLevel(of configuration: LoadedConfiguration) {
        if let level = LogLevel(rawValue: configuration.daemon.log.level.rawValue) {
            logger.use(level)
        }
    }

    /// - Returns: What to go on with; nil where a stop was wanted.
    private func run(
        _ plan: ReloadPlan,
        _ directory: borrowing DataDirectory<DiskFileSystem>,
        _ definitions: ControlTopic,
        _ rivalry: GroupRivalry,
        _ api: APIServer,
        _ files: OpenFileLimit,
        _ wasReady: inout Bool
    ) throws(DaemonError) -> LoadedConfiguration? {
        let run = try DaemonRun(
            plan.current,
            directory: directory,
            definitions: definitions,
            rivalry: rivalry,
            api: api,
            logger: logger,
            redactor: redactor,
            clock: clock,
            reload: reload,
            isPrevious: plan.wentBack,
            gate: TickGate(read: read),
            manager: manager,
            files: files,
            isStopWanted: isStopWanted
        )
        listening(run.address)
        defer { wasReady = run.wasReady }
        return try run.untilStopped()
    }
}
