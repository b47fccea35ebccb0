import Basics
internal import CMicroHTTPD
import Glibc
import Synchronization

/// One accepted connection: its socket and the instant at which it is cut unless it gets on.
///
/// The library's own timeout starts anew with every byte, so a client that sends one byte now and
/// then would hold a connection for ever. This deadline does not move with bytes: it is set when a
/// phase begins.
///
/// ```
/// accepted -> idle -request line-> header -> body -> handler -> answer
///              ^ |                   |        |                   |
///              | idle time           |        header time + bytes/pace
///              |                     header time                  |
///              +--------------------------------------------------+
/// ```
final class HTTPConnection: Sendable {
    /// The numeric address and port of the other side.
    let remoteAddress: String
    private let socket: Int32
    /// Monotonic milliseconds; `Int64.max` while a handler runs.
    private let deadline: Atomic<Int64>
    /// Whether it ever began a request.
    private let hasAsked = Atomic(false)

    init(_ connection: OpaquePointer, deadline: Int64) {
        socket = cohortd_mhd_socket(connection)
        remoteAddress = Self.addressText(cohortd_mhd_client(connection))
        self.deadline = Atomic(deadline)
    }

    func setDeadline(_ milliseconds: Int64) {
        deadline.store(milliseconds, ordering: .relaxed)
    }

    func beginRequest() { hasAsked.store(true, ordering: .relaxed) }

    /// Whether its first request is still to come.
    var isNew: Bool { !hasAsked.load(ordering: .relaxed) }

    func isLate(at now: Int64) -> Bool {
        deadline.load(ordering: .relaxed) < now
    }

    /// Ends both directions; the library then finds the connection at its end and closes the
    /// socket.
    ///
    /// Only for a connection that is still in its table: there the socket is open.
    func cut() {
        if socket >= 0 { shutdown(socket, Int32(SHUT_RDWR)) }
    }

    private static func addressText(_ address: UnsafePointer<sockaddr>?) -> String {
        guard let raw = address.map({ UnsafeRawPointer($0) }),
            // The library hands out a sockaddr_in or a sockaddr_in6, as the family says.
            let host = NetworkAddress(socketAddress: raw, count: MemoryLayout<sockaddr_in6>.size)
        else { return "?" }
        // Both families keep the port, big-endian, in bytes 2 and 3.
        let port = UInt16(bigEndian: raw.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        return "\(host.urlHost):\(port)"
    }
}

/// The open connections of a server.
///
/// A connection leaves the table, under the lock, before the library closes its socket; so whoever
/// holds the lock may use the sockets of those that are in it.
final class HTTPConnectionTable: Sendable {
    private let connections = Mutex<[ObjectIdentifier: HTTPConnection]>([:])

    var count: Int { connections.withLock { $0.count } }

    func insert(_ connection: HTTPConnection) {
        connections.withLock { $0[ObjectIdentifier(connection)] = connection }
    }

    func remove(_ connection: HTTPConnection) {
        connections.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(connection)) }
    }

    /// Whether the first request of one is still to come.
    var hasNew: Bool { connections.withLock { $0.values.contains(where: \.isNew) } }

    /// Cuts every connection whose deadline has passed.
    func cutLate(at now: Int64) {
        connections.withLock { table in
            for connection in table.values where connection.isLate(at: now) { connection.cut() }
        }
    }
}
