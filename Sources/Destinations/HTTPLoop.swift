import Basics
import Delivery
import Glibc
import Threads

/// The sender's thread: waits for sockets, times and new requests, and lets the pools act.
final class HTTPLoop {
    private struct PoolKey: Hashable {
        let destination: String
        let policy: AddressPolicy
    }

    private let inbox: RequestInbox
    private let clock: any Clock
    private let authorities: String?
    private let complete: (UInt64, HTTPOutcome) -> Void
    private var pools: [PoolKey: HTTPPool] = [:]

    init(
        inbox: RequestInbox,
        clock: any Clock,
        authorities: String?,
        complete: @escaping (UInt64, HTTPOutcome) -> Void
    ) {
        self.inbox = inbox
        self.clock = clock
        self.authorities = authorities
        self.complete = complete
    }

    /// Runs until stopped and every request has its outcome.
    func run() {
        while true {
            let (requests, stopDeadline) = inbox.take()
            for request in requests {
                if stopDeadline == nil {
                    start(request)
                } else {
                    complete(request.token, .notSent(Self.stoppedText(request)))
                }
            }
            if let stopDeadline,
                pools.values.allSatisfy(\.isIdle)
                    || stopDeadline <= SystemClock().monotonicMilliseconds
            {
                break
            }
            wait(until: stopDeadline)
            finish()
        }
        for request in inbox.close() {
            complete(request.token, .notSent(Self.stoppedText(request)))
        }
        for pool in pools.values { report(pool.cut()) }
        pools = [:]
    }

    /// The reason of a request that came after the end.
    static func stoppedText(_ request: HTTPRequest) -> String {
        "\(request.url.target): not sent because the program stops; it is sent after the next start"
    }

    private func start(_ request: HTTPRequest) {
        guard let pool = pool(for: request) else {
            complete(
                request.token,
                .notSent("\(request.url.target): no memory for connections; give the process more")
            )
            return
        }
        if let failure = pool.start(request, authorities: authorities) {
            complete(request.token, .notSent(failure))
        }
    }

    private func pool(for request: HTTPRequest) -> HTTPPool? {
        let key = PoolKey(destination: request.destination, policy: request.policy)
        if let pool = pools[key] { return pool }
        // A changed policy starts with fresh connections; the old pool goes when it is done.
        for old in pools where old.key.destination == key.destination && old.value.isIdle {
            pools[old.key] = nil
        }
        let pool = HTTPPool()
        pools[key] = pool
        return pool
    }

    private func wait(until stopDeadline: Int64?) {
        var entries = [pollfd(fd: inbox.descriptor, events: Int16(POLLIN), revents: 0)]
        var owners: [HTTPPool?] = [nil]
        var deadline = stopDeadline
        for pool in pools.values {
            for (socket, events) in pool.interest {
                entries.append(pollfd(fd: socket, events: events, revents: 0))
                owners.append(pool)
            }
            if let next = pool.nextDeadline { deadline = min(deadline ?? next, next) }
        }
        let timeout =
            deadline.map { max(0, min($0 - SystemClock().monotonicMilliseconds, 60_000)) } ?? -1
        let readyCount = poll(&entries, nfds_t(entries.count), Int32(timeout))
        precondition(
            readyCount >= 0 || errno == EINTR || errno == ENOMEM,
            "poll of \(entries.count) sockets: \(SystemError.text(errno))"
        )
        if readyCount > 0 {
            for (entry, owner) in zip(entries, owners) where entry.revents != 0 {
                owner?.advance(socket: entry.fd, events: entry.revents)
            }
        }
        let now = SystemClock().monotonicMilliseconds
        for pool in pools.values { pool.advance(to: now) }
    }

    private func finish() {
        for pool in pools.values { report(pool.takeEnded(now: { clock.now })) }
    }

    private func report(_ ended: [(token: UInt64, outcome: HTTPOutcome)]) {
        for (token, outcome) in ended { complete(token, outcome) }
    }
}
