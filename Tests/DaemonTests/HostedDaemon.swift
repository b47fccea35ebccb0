import Basics
import Destinations
import Telemetry
import Testing
import Threads

@testable import Daemon

/// The daemon of a folder, run in this process, on a wall clock that the test sets.
///
/// Belongs to one test, which must stop it.
final class HostedDaemon {
    private let isStopWanted = Locked(false)
    private let ending = Locked<DaemonError??>(nil)
    private let log = Locked<[String]>([])
    private let offset: Locked<Int64>
    private let passed: Locked<Int64>
    private let thread: SystemThread

    /// Starts it.
    ///
    /// - Parameters:
    ///   - daemon: Whose configuration and data it runs on, and through which its API is asked.
    ///   - offset: How far the wall clock is ahead, in milliseconds.
    /// - Throws: An issue of the test where the configuration has problems.
    init(_ daemon: DaemonUnderTest, ahead offset: Int64 = 0) throws {
        let loaded = LoadedConfiguration.read(
            path: "\(daemon.path)/cohortd.yaml",
            overrides: [],
            acceptHistory: []
        )
        try #require(loaded.problems == [])
        let (log, ending, isStopWanted) = (log, ending, isStopWanted)
        let ahead = Locked(offset)
        self.offset = ahead
        let passed = Locked<Int64>(0)
        self.passed = passed
        let logger = Logger(level: .info, format: .text, clock: SystemClock()) { line in
            log.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
        }
        thread = SystemThread {
            let service = DaemonService(
                loaded,
                logger: logger,
                redactor: Redactor(),
                read: {
                    var reading = ClockReading.ofMachine
                    reading.now = reading.now + ahead.withLock { $0 } + passed.withLock { $0 }
                    reading.sinceBoot += passed.withLock { $0 }
                    return reading
                },
                isStopWanted: { isStopWanted.withLock { $0 } }
            )
            do throws(DaemonError) {
                try service.run()
                ending.withLock { $0 = .some(nil) }
            } catch {
                ending.withLock { $0 = error }
            }
        }
    }

    /// Sets how far the wall clock is ahead, in milliseconds.
    func setClock(ahead milliseconds: Int64) {
        offset.withLock { $0 = milliseconds }
    }

    /// Lets time pass, on all clocks that ticks are made by.
    func letPass(milliseconds: Int64) {
        passed.withLock { $0 += milliseconds }
    }

    /// What it has logged so far.
    var lines: [String] { log.withLock { $0 } }

    /// Ends it in good order.
    func stop(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        isStopWanted.withLock { $0 = true }
        try await eventually("the daemon ends", sourceLocation: sourceLocation) {
            ending.withLock { $0 != nil }
        }
        thread.join()
        #expect(ending.withLock { $0.flatMap { $0?.text } } == nil, sourceLocation: sourceLocation)
    }
}
