package import Basics
import Glibc
import Synchronization

/// Sends the requests of all destinations from one thread and says how each ended.
///
/// - A destination that hangs, resolves slowly or answers byte by byte costs no other one anything:
///   no call waits, no lock is shared, connections are each destination's own.
/// - Every request ends in exactly one outcome, on shutdown too.
/// - The address of every socket is vetted before it connects; redirects are not followed.
package final class HTTPSender: Sendable {
    /// What is kept of an answer's body; what comes beyond is not read and the status alone
    /// decides.
    package static let bodyBytesMax = 64 << 10
    /// An answer with more bytes of headers than this is none.
    package static let headerBytesMax = 32 << 10

    private let mailbox: Mailbox
    private let thread: Mutex<LoopThread?>
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
        let mailbox = Mailbox()
        self.mailbox = mailbox
        self.complete = complete
        thread = Mutex(
            LoopThread {
                HTTPLoop(
                    mailbox: mailbox,
                    clock: clock,
                    authorities: authorities,
                    complete: complete
                ).run()
            }
        )
    }

    /// Hands a request over and returns at once; any thread may.
    ///
    /// After `stop` nothing is sent any more: such a request ends as `notSent`, on the calling
    /// thread if the sender's is gone.
    package func submit(_ request: HTTPRequest) {
        if !mailbox.put(request) {
            complete(request.token, .notSent(HTTPLoop.stoppedText(request)))
        }
    }

    /// Lets requests under way end for that long, cuts off the others, and returns when every
    /// request has had its outcome.
    package func stop(graceMilliseconds: Int) {
        mailbox.stop(at: monotonicMilliseconds() + Int64(graceMilliseconds))
        let ending = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        ending?.join()
    }
}

/// Carries requests to the loop's thread and wakes it.
final class Mailbox: Sendable {
    private struct Content {
        var requests: [HTTPRequest] = []
        var stopDeadline: Int64?
        var isClosed = false
    }

    private let content = Mutex(Content())
    private let readEnd: Int32
    private let writeEnd: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        let status = pipe(&ends)
        precondition(status == 0, "no pipe can be made: \(systemErrorText(errno))")
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    /// What `poll` waits on.
    var descriptor: Int32 { readEnd }

    /// False when nobody will take it any more.
    func put(_ request: HTTPRequest) -> Bool {
        let isTaken = content.withLock { content in
            if !content.isClosed { content.requests.append(request) }
            return !content.isClosed
        }
        if isTaken { wake() }
        return isTaken
    }

    func stop(at deadline: Int64) {
        content.withLock { $0.stopDeadline = $0.stopDeadline ?? deadline }
        wake()
    }

    /// What came since the last call.
    func take() -> (requests: [HTTPRequest], stopDeadline: Int64?) {
        var bytes: [UInt8] = Array(repeating: 0, count: 64)
        while read(readEnd, &bytes, bytes.count) == bytes.count {}
        return content.withLock { content in
            defer { content.requests = [] }
            return (content.requests, content.stopDeadline)
        }
    }

    /// Refuses everything from now on; returns what came last.
    func close() -> [HTTPRequest] {
        content.withLock { content in
            content.isClosed = true
            defer { content.requests = [] }
            return content.requests
        }
    }

    /// A full pipe wakes as well, so the result does not matter.
    private func wake() {
        _ = write(writeEnd, [1], 1)
    }

    private func close(_ descriptor: Int32) {
        _ = Glibc.close(descriptor)
    }
}
