import Sync
import Synchronization
import Threads

/// A thread of one destination: does one piece of work after the other, for a disk may hang and a large upload
/// lasts.
final class DeliveryThread<Work: Sendable>: Sendable {
    // Not bounded here: the planner bounds what may be under way.
    private let queue = Mailbox<(token: UInt64, work: Work)>(capacity: .max)
    private let thread: Mutex<SystemThread?>
    private let complete: @Sendable (UInt64, DeliveryOutcome) -> Void

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - begin: Called once, on the thread; what it gives does each piece of work there.
    ///   - complete: Called with token and outcome of each, on the thread or, after the stop, on the caller's.
    init(
        begin: @escaping @Sendable () -> (Work) -> DeliveryOutcome,
        complete: @escaping @Sendable (UInt64, DeliveryOutcome) -> Void
    ) {
        let queue = queue
        self.complete = complete
        thread = Mutex(
            SystemThread {
                let deliver = begin()
                while let next = queue.next() { complete(next.token, deliver(next.work)) }
            }
        )
    }

    /// Hands work over and returns at once; any thread may.
    func submit(_ work: Work, token: UInt64) {
        if !queue.post((token, work)) {
            complete(
                token,
                .retriable(
                    detail: "not written because the program stops; it is after the next start",
                    knownNotApplied: true
                )
            )
        }
    }

    /// Does what was handed over, then ends the thread; returns when it has ended.
    func stop() {
        queue.close()
        let ending = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        ending?.join()
    }
}
