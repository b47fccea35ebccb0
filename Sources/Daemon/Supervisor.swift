import Basics
import Telemetry
import Threads

/// The thread that watches over those the daemon rests on, and tells the service manager how the service is.
final class Supervisor: Sendable {
    private let manager: ServiceManager
    private let heartbeats: [(name: String, heartbeat: Heartbeat)]
    private let describe: @Sendable () -> (isReady: Bool, text: String)
    private let logger: Logger
    private let clock = SystemClock()
    private let end = Mailbox<Void>(capacity: 1)

    /// Watches over threads.
    ///
    /// - Parameters:
    ///   - heartbeats: Those of the threads, with what they are called.
    ///   - manager: Who is told.
    ///   - logger: Where a hang is told.
    ///   - describe: How the service is; may take no lock that a hanging thread can hold for long.
    init(
        over heartbeats: [(name: String, heartbeat: Heartbeat)],
        telling manager: ServiceManager,
        logger: Logger,
        describe: @escaping @Sendable () -> (isReady: Bool, text: String)
    ) {
        self.heartbeats = heartbeats
        self.manager = manager
        self.logger = logger
        self.describe = describe
    }

    /// Starts the thread, which ends after ``stop()``.
    func start() -> SystemThread {
        SystemThread { self.run() }
    }

    /// Ends the thread.
    func stop() { end.post(()) }

    private func run() {
        var supervision = Supervision(watchdog: manager.watchdogMilliseconds)
        repeat {
            let now = clock.monotonicMilliseconds
            let patience = supervision.patience
            let hangs = heartbeats.compactMap { name, heartbeat -> Supervision.Hang? in
                let silent = heartbeat.overdue(now: now, patience: patience)
                return silent > 0 ? Supervision.Hang(name: name, milliseconds: silent) : nil
            }
            let (isReady, text) = describe()
            let decision = supervision.look(now: now, hangs: hangs, isReady: isReady, text: text)
            tell(decision)
        } while end.takeAll(timeoutMilliseconds: supervision.interval).isEmpty
    }

    private func tell(_ decision: Supervision.Decision) {
        for hang in decision.hangs {
            logger.error(
                "thread_hangs",
                "\(hang.name) makes no progress"
                    + (manager.watchdogMilliseconds == nil
                        ? "; restart the daemon" : "; the service manager will end the daemon"),
                ["thread": LogValue(hang.name), "milliseconds": LogValue(hang.milliseconds)]
            )
        }
        for name in decision.recovered {
            logger.notice("thread_goes_on", "\(name) goes on", ["thread": LogValue(name)])
        }
        let failure = manager.tell(decision.messages)
        if failure != 0 {
            logger.warning(
                "service_manager",
                "the service manager cannot be told how the service is: "
                    + "\(SystemError.text(failure)); check NOTIFY_SOCKET",
                repeatKey: "notify"
            )
        }
    }
}
