package import Basics
package import Delivery
import Synchronization
import Threads

/// Sends the requests of all destinations from one thread and says how each ended.
///
/// - A destination that hangs, resolves slowly or answers byte by byte costs no other one anything:
///   no call waits, no lock is shared, connections are each destination's own.
/// - Every request ends in exactly one outcome, on shutdown too.
/// - The address of every socket is vetted before it connects; redirects are not followed.
package final class HTTPSender: Sendable {
    private let inbox: RequestInbox
    private let exchanges: Exchanges
    private let thread: Mutex<SystemThread?>
    private let complete: @Sendable (UInt64, HTTPOutcome) -> Void

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - clock: The wall clock, for dates in `Retry-After`.
    ///   - authorities: A file of CA certificates to trust instead of the system's
    ///     (`SSL_CERT_FILE`).
    ///   - complete: Called with token and outcome of every request, on the sender's thread, which
    ///     it must not hold up.
    package init(
        clock: any Clock,
        authorities: String? = nil,
        complete: @escaping @Sendable (UInt64, HTTPOutcome) -> Void
    ) {
        let inbox = RequestInbox()
        let exchanges = Exchanges()
        let complete: @Sendable (UInt64, HTTPOutcome) -> Void = { token, outcome in
            if !exchanges.end(token, outcome) { complete(token, outcome) }
        }
        self.inbox = inbox
        self.exchanges = exchanges
        self.complete = complete
        thread = Mutex(
            SystemThread {
                HTTPLoop(
                    inbox: inbox,
                    clock: clock,
                    authorities: authorities,
                    complete: complete
                ).run()
            }
        )
    }

    /// Hands a request over and returns at once; any thread may.
    ///
    /// Its token is below 2^63. After `stop` nothing is sent any more: such a request ends as
    /// `notSent`, on the calling thread if the sender's is gone.
    package func submit(_ request: HTTPRequest) {
        if !inbox.put(request) {
            complete(request.token, .notSent(HTTPLoop.stoppedText(request)))
        }
    }

    /// Sends a request, whatever its token is, and waits for its outcome.
    ///
    /// For a thread that may wait, so never from `complete`.
    package func exchange(_ request: HTTPRequest) -> HTTPOutcome {
        let (token, outcome) = exchanges.begin()
        var request = request
        request.token = token
        submit(request)
        return outcome.next() ?? .unknown("\(request.url.target): no outcome was told")
    }

    /// Lets requests under way end for that long, cuts off the others, and returns when every
    /// request has had its outcome.
    package func stop(graceMilliseconds: Int) {
        inbox.stop(at: SystemClock().monotonicMilliseconds + Int64(graceMilliseconds))
        let ending = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        ending?.join()
    }
}
