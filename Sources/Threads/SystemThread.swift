import Glibc

/// A thread of our own that runs one function to its end and can be waited for.
///
/// Signals are left to the other threads; SIGPIPE most of all: a peer that closes its end must be an
/// error of the write (EPIPE), not the death of the process, whatever the process does with the signal.
package final class SystemThread: @unchecked Sendable {
    // Written once by `init`, before any other thread can see the object.
    private var handle = pthread_t()

    private final class Body {
        let run: @Sendable () -> Void
        package init(run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    /// Starts the thread.
    package init(run: @escaping @Sendable () -> Void) {
        let body = Unmanaged.passRetained(Body(run: run))
        let status = pthread_create(
            &handle,
            nil,
            { context in
                guard let context else { return nil }
                let body = Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                var signals = sigset_t()
                sigfillset(&signals)
                // A blocked fault would kill without the backtrace.
                for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT] {
                    sigdelset(&signals, fault)
                }
                pthread_sigmask(SIG_BLOCK, &signals, nil)
                body.run()
                return nil
            },
            body.toOpaque()
        )
        precondition(status == 0, "no thread can be started: \(String(cString: strerror(status)))")
    }

    /// Waits for the end of the function; to be called once.
    package func join() {
        pthread_join(handle, nil)
    }
}
