import Foundation
import Glibc
import Synchronization

/// Stands before a server on loopback and cuts a connection at a byte of a request or of an answer.
package final class CuttingProxy: Sendable {
    /// Where to cut.
    package struct Cut: Sendable {
        /// Of the next answer, or of the next request.
        package var isOfAnswer: Bool
        /// How many bytes pass.
        package var byte: Int
        /// By a RST, or by a FIN.
        package var isReset: Bool

        /// A cut from its parts.
        package init(ofAnswer: Bool, byte: Int, isReset: Bool) {
            isOfAnswer = ofAnswer
            self.byte = byte
            self.isReset = isReset
        }
    }

    private let shared: Shared
    private let server: LoopbackServer

    /// The cut that waits.
    private final class Shared: Sendable {
        let cut = Mutex<Cut?>(nil)
    }

    /// Forwards to a port.
    package init(to port: Int) throws {
        let shared = Shared()
        self.shared = shared
        server = try LoopbackServer { connection in
            Self.forward(connection, to: port, shared)
        }
    }

    /// Where it listens.
    package var port: Int { server.port }

    /// Cuts the next connection that gets so far; before anything is under way.
    package func arm(_ cut: Cut) { shared.cut.withLock { $0 = cut } }

    /// Takes back a cut; false where it was made already.
    package func disarm() -> Bool {
        shared.cut.withLock { cut in
            defer { cut = nil }
            return cut != nil
        }
    }

    private static func forward(_ connection: Connection, to port: Int, _ shared: Shared) {
        let upstream = connect(to: port)
        guard upstream >= 0 else { return }
        defer { _ = Glibc.close(upstream) }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            var entries = [
                pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: upstream, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&entries, 2, -1) > 0 else { continue }
            // An answer first: it is of a request that passed.
            let isAnswer = entries[1].revents != 0
            let (from, to) =
                isAnswer ? (upstream, connection.descriptor) : (connection.descriptor, upstream)
            let count = recv(from, &buffer, buffer.count, 0)
            if count <= 0 { return }
            // What passes counts down; nil where the cut is not in these bytes.
            let made: (passing: Int, isReset: Bool)? = shared.cut.withLock { cut in
                guard let waiting = cut, waiting.isOfAnswer == isAnswer else { return nil }
                guard waiting.byte < count else {
                    cut?.byte -= count
                    return nil
                }
                cut = nil
                return (waiting.byte, waiting.isReset)
            }
            guard send(buffer[..<(made?.passing ?? count)], to: to) else { return }
            guard let made else { continue }
            if made.isReset { connection.reset() }
            return
        }
    }

    private static func send(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent <= 0 { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    private static func connect(to port: Int) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                Glibc.connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if status == 0 { return descriptor }
        _ = Glibc.close(descriptor)
        return -1
    }
}
