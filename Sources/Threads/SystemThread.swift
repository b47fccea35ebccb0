import Basics
import Glibc

/// A thread of our own that runs one function to its end and can be waited for.
///
/// Signals are left to the other threads; SIGPIPE most of all: a peer that closes its end must be an
/// error of the write (EPIPE), not the death of the process, whatever the process does with the signal.
package final class SystemThread: Sendable {
    private let handle: pthread_t

    private final class Body {
        let run: @Sendable () -> Void

        init(run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    /// Starts the thread.
    package init(run: @escaping @Sendable () -> Void) {
        let (status, handle) = Self.start(run)
        precondition(status == 0, "no thread can be started: \(SystemError.text(status))")
        self.handle = handle
    }

    /// Waits for the end of the function; to be called once.
    package func join() {
        pthread_join(handle, nil)
    }

    /// Starts a thread that nobody waits for; false when the system has no thread left to give.
    package static func detached(run: @escaping @Sendable () -> Void) -> Bool {
        let (status, handle) = start(run)
        if status == 0 { pthread_detach(handle) }
        return status == 0
    }

    private static func start(_ run: @escaping @Sendable () -> Void) -> (status: Int32, pthread_t) {
        let body = Unmanaged.passRetained(Body(run: run))
        var handle = pthread_t()
        let status = pthread_create(
            &handle,
            nil,
            { context in
                guard let context else { return nil }
                let body = Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                SystemThread.blockSignals()
                body.run()
                return nil
            },
            body.toOpaque()
        )
        if status != 0 { body.release() }
        return (status, handle)
    }

    private static func blockSignals() {
        var signals = sigset_t()
        sigfillset(&signals)
        // A blocked fault would kill without the backtrace.
        for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT] {
            sigdelset(&signals, fault)
        }
        // Set, not added: a thread of a dispatch queue, which may have started this one, blocks more.
        pthread_sigmask(SIG_SETMASK, &signals, nil)
    }
}
