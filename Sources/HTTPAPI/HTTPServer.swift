package import Basics
internal import CMicroHTTPD
import Dispatch
import Glibc
import Synchronization
import Threads

/// An HTTP/1.1 server on libmicrohttpd: a small pool of epoll threads that read requests, call one
/// synchronous handler and write its answers.
///
/// - It runs from `init` to ``stop()``.
/// - A handler is called on the pool's threads, several at a time, with a complete request. It
///   should answer within milliseconds: while it runs, the other connections of its thread wait.
/// - Refused before a handler is asked: targets that break the rules of ``RequestTarget``,
///   ambiguous framing (400), a large header (431), a large body (413). Slow clients are cut
///   (``HTTPLimits``).
/// - With a ``TLSIdentity`` it speaks TLS 1.2 and 1.3 and nothing else. Another identity, as any other setting, takes
///   another server: one that takes over the socket loses no connection.
/// - It knows no routes: those are the handler's (``APIHandler`` for the daemon's).
package final class HTTPServer: Sendable {
    private struct State {
        var daemon: OpaquePointer?
        var reaper: (any DispatchSourceTimer)?
    }

    /// Where it listens; the port is the real one when the kernel chose.
    package let address: ListenAddress
    private let core: HTTPServerCore
    /// Alive until the library has stopped.
    private let texts: TLSTexts?
    /// The socket that listens; open until the library has stopped.
    private let socket: Int32
    /// The pointers belong to whoever takes them out under the lock, which is the first call of
    /// `stop`.
    private let state: Mutex<State>

    /// Starts listening.
    ///
    /// - Parameters:
    ///   - listen: Port 0 lets the kernel choose; ``address`` says what it chose.
    ///   - limits: What it takes from its clients.
    ///   - identity: Nil for plain HTTP.
    ///   - other: A server on the same address, not stopped yet, whose socket this one listens on too: connections that
    ///     come from now on are served by either until that one is stopped, then by this one.
    ///   - refusal: Asked when the header of a request with a body is there and before the body is
    ///     read; an answer refuses the request, and the connection ends with it. The request has no
    ///     body yet.
    ///   - handler: Called for every other request.
    /// - Throws: `HTTPServerError` when the address cannot be had.
    package init(
        listen: ListenAddress,
        limits: HTTPLimits = HTTPLimits(),
        identity: TLSIdentity? = nil,
        takingOver other: HTTPServer? = nil,
        refusal: @escaping @Sendable (HTTPRequest) -> HTTPResponse? = { _ in nil },
        handler: @escaping @Sendable (HTTPRequest) -> HTTPResponse
    ) throws(HTTPServerError) {
        precondition((1...16).contains(limits.threads), "\(limits.threads) threads")
        precondition(
            limits.headerBytesMax * 2 <= limits.connectionMemoryBytes,
            "\(limits.connectionMemoryBytes) bytes are no room for a header of \(limits.headerBytesMax)"
        )
        let socket: Int32
        var address = listen
        if let other {
            address = other.address
            socket = fcntl(other.socket, F_DUPFD_CLOEXEC, 0)
            guard socket >= 0 else { throw .socket("fcntl", of: address) }
        } else {
            (socket, address.port) = try listeningSocket(listen)
        }
        let texts = identity.map { TLSTexts($0) }
        let core = HTTPServerCore(limits: limits, refusal: refusal, handler: handler)

        var options = cohortd_mhd_options()
        options.listen_socket = socket
        options.threads = UInt32(limits.threads)
        // The library deals the connections out among its threads, at least one to each.
        options.connections_max = UInt32(max(limits.connectionsMax, limits.threads))
        options.per_address_max = UInt32(limits.perAddressMax)
        // Rounded up: our own deadline comes first, this one is the net below it.
        options.idle_seconds = UInt32((limits.idleMilliseconds + 999) / 1000 + 1)
        options.connection_memory_bytes = limits.connectionMemoryBytes
        options.context = Unmanaged.passUnretained(core).toOpaque()
        options.access = accessCallback
        options.target = targetCallback
        options.completed = completedCallback
        options.connection = connectionCallback
        options.certificate = texts?.certificate.map { UnsafePointer($0) }
        options.key = texts?.key.map { UnsafePointer($0) }
        var problem = [CChar](repeating: 0, count: cohortd_mhd_problem_size)
        guard let daemon = cohortd_mhd_start(&options, &problem) else {
            close(socket)
            throw HTTPServerError.start(address: "\(address)")
        }

        let reaper = DispatchSource.makeTimerSource(queue: .global(qos: .utility))
        let shortest = min(limits.idleMilliseconds, limits.headerMilliseconds)
        let period = Int(min(1000, max(10, shortest / 4)))
        reaper.schedule(deadline: .now(), repeating: .milliseconds(period))
        reaper.setEventHandler { core.connections.cutLate(at: SystemClock().monotonicMilliseconds) }
        reaper.activate()

        self.address = address
        self.core = core
        self.texts = texts
        self.socket = socket
        state = Mutex(State(daemon: daemon, reaper: reaper))
    }

    deinit {
        stop()
    }

    /// The port it listens on.
    package var port: UInt16 { address.port }

    /// How many connections are open.
    package var connectionCount: Int { core.connections.count }

    /// How many requests are between their first line and the end of their answer.
    package var requestCount: Int { core.exchangeCount.load(ordering: .relaxed) }

    /// Takes no more connections, lets the running requests end (at most `drainMilliseconds`),
    /// closes all.
    ///
    /// Waits for a handler that is still running, so it must not be called from one. A second call
    /// does nothing.
    /// - Parameter patienceMilliseconds: How long it waits before for the first requests of connections that it took
    ///   already: none of those should be lost where another server takes over.
    package func stop(patienceMilliseconds: Int64 = 0) {
        let (daemon, reaper) = state.withLock { state in
            defer { state = State() }
            return (state.daemon, state.reaper)
        }
        guard let daemon else { return }
        core.isDraining.store(true, ordering: .relaxed)
        let socket = MHD_quiesce_daemon(daemon)
        let end = SystemClock().monotonicMilliseconds + patienceMilliseconds
        while core.connections.hasNew, SystemClock().monotonicMilliseconds < end { usleep(2000) }
        _ = core.running.wait(timeout: .now() + .milliseconds(core.limits.drainMilliseconds))
        MHD_stop_daemon(daemon)
        // Not before the library has stopped: until then its threads may still look at it.
        if socket >= 0 { close(socket) }
        reaper?.cancel()
    }
}

// MARK: The library's callbacks

private func core(_ context: UnsafeMutableRawPointer?) -> HTTPServerCore? {
    context.map { Unmanaged<HTTPServerCore>.fromOpaque($0).takeUnretainedValue() }
}

private let connectionCallback: MHD_NotifyConnectionCallback = { context, connection, slot, event in
    guard let core = core(context), let connection, let slot else { return }
    if event == .CONNECTION_NOTIFY_STARTED {
        slot.pointee = Unmanaged.passRetained(core.opened(connection)).toOpaque()
    } else if let state = slot.pointee {
        core.connections.remove(Unmanaged<HTTPConnection>.fromOpaque(state).takeRetainedValue())
        slot.pointee = nil
    }
}

private let targetCallback: cohortd_mhd_target_callback = { context, target, connection in
    guard let core = core(context), let connection, let target else { return nil }
    let state = cohortd_mhd_socket_context(connection).map {
        Unmanaged<HTTPConnection>.fromOpaque($0).takeUnretainedValue()
    }
    let text =
        cohortd_mhd_target_is_whole(target) ? String(validatingCString: target) : nil
    let exchange = core.began(target: text, on: state)
    return Unmanaged.passRetained(exchange).toOpaque()
}

private let completedCallback: MHD_RequestCompletedCallback = { context, _, slot, _ in
    guard let core = core(context), let slot, let exchange = slot.pointee else { return }
    core.completed(Unmanaged<HTTPExchange>.fromOpaque(exchange).takeRetainedValue())
    slot.pointee = nil
}

private let accessCallback: MHD_AccessHandlerCallback = {
    context,
    connection,
    _,
    method,
    _,
    piece,
    pieceCount,
    slot in
    guard let core = core(context), let connection, let method, let pieceCount,
        let pointer = slot?.pointee
    else { return .NO }
    let exchange = Unmanaged<HTTPExchange>.fromOpaque(pointer).takeUnretainedValue()
    let goesOn = core.advance(
        exchange,
        connection,
        method: String(cString: method),
        piece: UnsafeRawBufferPointer(start: piece, count: piece == nil ? 0 : pieceCount.pointee)
    )
    // Whatever is left unconsumed, the library takes for an error of ours.
    pieceCount.pointee = 0
    return goesOn ? .YES : .NO
}

// MARK: The socket

/// A socket that listens on `address`, and its port.
private func listeningSocket(
    _ address: ListenAddress
) throws(HTTPServerError) -> (socket: Int32, port: UInt16) {
    func failure(_ call: String) -> HTTPServerError { .socket(call, of: address) }
    let family = address.host.isIPv6 ? AF_INET6 : AF_INET
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(family, type, 0)
    guard descriptor >= 0 else { throw failure("socket") }
    // A restart must not wait until the old connections have left TIME_WAIT.
    var one: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    if family == AF_INET6 {
        setsockopt(
            descriptor,
            Int32(IPPROTO_IPV6),
            IPV6_V6ONLY,
            &one,
            socklen_t(MemoryLayout<Int32>.size)
        )
    }
    let bound = address.withSocketAddress { bind(descriptor, $0, $1) }
    guard bound == 0 else {
        let error = failure("bind")
        close(descriptor)
        throw error
    }
    guard listen(descriptor, 1024) == 0 else {
        let error = failure("listen")
        close(descriptor)
        throw error
    }
    var name = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let port = withUnsafeMutableBytes(of: &name) { bytes -> UInt16? in
        guard let base = bytes.baseAddress,
            getsockname(descriptor, base.assumingMemoryBound(to: sockaddr.self), &size) == 0
        else { return nil }
        // Both families keep the port, big-endian, in bytes 2 and 3.
        return UInt16(bytes[2]) << 8 | UInt16(bytes[3])
    }
    guard let port else {
        let error = failure("getsockname")
        close(descriptor)
        throw error
    }
    return (descriptor, port)
}

extension ListenAddress {
    /// Lends the address in the kernel's form.
    fileprivate func withSocketAddress<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        if host.isIPv6 {
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: host.bytes) }
            return withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        withUnsafeMutableBytes(of: &name.sin_addr) { $0.copyBytes(from: host.bytes) }
        return withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
