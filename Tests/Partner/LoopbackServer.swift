import Foundation
import Glibc
import Synchronization

/// A server on 127.0.0.1 that does with each connection what the test says, on a thread per
/// connection.
package final class LoopbackServer: Sendable {
    /// Where it listens.
    package let port: Int
    private let listener: Int32
    private let requestArrived = DispatchSemaphore(value: 0)
    private let state = Mutex((connectionCount: 0, requests: [ReceivedRequest](), isOpen: true))

    /// Starts it; `script` ends with the connection.
    package init(_ script: @escaping @Sendable (Connection) -> Void) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, size) | listen(descriptor, 64)
                    | getsockname(descriptor, generic, &size)
            }
        }
        guard status == 0 else { throw POSIXError(.EADDRINUSE) }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [weak self] in
            // This thread alone closes the listener: a number closed elsewhere could be another
            // server's by now.
            defer { _ = Glibc.close(descriptor) }
            while true {
                let accepted = accept(descriptor, nil, nil)
                if accepted < 0 { return }
                guard let self else {
                    _ = Glibc.close(accepted)
                    return
                }
                let connection = Connection(descriptor: accepted, server: self)
                state.withLock { $0.connectionCount += 1 }
                Thread.detachNewThread {
                    script(connection)
                    connection.close()
                }
            }
        }
    }

    deinit {
        stopListening()
    }

    /// Answers every request on every connection with this text.
    package convenience init(answering text: String) throws {
        try self.init { connection in
            while connection.readRequest() != nil { connection.send(text) }
        }
    }

    /// Connections that were accepted.
    package var connectionCount: Int { state.withLock { $0.connectionCount } }
    /// Whole requests, in the order they arrived.
    package var requests: [ReceivedRequest] { state.withLock { $0.requests } }

    /// Waits for the first request.
    package func waitForRequest() throws {
        // Far beyond every timeout of the tests: only a hang gets here.
        guard requestArrived.wait(timeout: .now() + 60) == .success else {
            throw POSIXError(.ETIMEDOUT)
        }
    }

    fileprivate func record(_ request: ReceivedRequest) {
        state.withLock { $0.requests.append(request) }
        requestArrived.signal()
    }

    /// Refuses connections from now on.
    package func stopListening() {
        state.withLock { state in
            if state.isOpen { shutdown(listener, Int32(SHUT_RDWR)) }
            state.isOpen = false
        }
    }
}

/// A request as it arrived.
package struct ReceivedRequest: Sendable {
    /// `POST /hook HTTP/1.1`.
    package let line: String
    /// `Name: value`.
    package let headers: [String]
    /// The body, by `Content-Length`.
    package let body: [UInt8]

    /// The value of the first header of that name, in any case.
    package func header(_ name: String) -> String? {
        headers.first { $0.lowercased().hasPrefix(name.lowercased() + ": ") }
            .map { String($0.dropFirst(name.count + 2)) }
    }
}

/// One connection that a server accepted.
package final class Connection: @unchecked Sendable {
    // Used by the connection's own thread only.
    private(set) var descriptor: Int32
    private var pending: [UInt8] = []
    /// Who accepted it.
    package let server: LoopbackServer

    init(descriptor: Int32, server: LoopbackServer) {
        self.descriptor = descriptor
        self.server = server
    }

    /// The next request, recorded by the server as well; nil when the peer closed.
    package func readRequest() -> ReceivedRequest? {
        let separator = Array("\r\n\r\n".utf8)
        while true {
            if let end = pending.firstRange(of: separator) {
                let head = String(decoding: pending[..<end.lowerBound], as: UTF8.self)
                    .components(separatedBy: "\r\n")
                let probe = ReceivedRequest(line: head[0], headers: Array(head[1...]), body: [])
                let count = probe.header("Content-Length").flatMap { Int($0) } ?? 0
                if pending.count >= end.upperBound + count {
                    let body = Array(pending[end.upperBound..<(end.upperBound + count)])
                    pending.removeFirst(end.upperBound + count)
                    let request = ReceivedRequest(
                        line: probe.line,
                        headers: probe.headers,
                        body: body
                    )
                    server.record(request)
                    return request
                }
            }
            if !readMore() { return nil }
        }
    }

    /// The next bytes, so many; nil when the peer closed before.
    package func read(_ count: Int) -> [UInt8]? {
        while pending.count < count {
            if !readMore() { return nil }
        }
        defer { pending.removeFirst(count) }
        return Array(pending[..<count])
    }

    /// Whether there is something to read, or the end, within that time.
    package func isReadable(withinMilliseconds milliseconds: Int32) -> Bool {
        if !pending.isEmpty { return true }
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, milliseconds) > 0
    }

    /// Throws away what comes within that time; false when the peer is gone.
    package func discard(withinMilliseconds milliseconds: Int32) -> Bool {
        pending = []
        return !isReadable(withinMilliseconds: milliseconds) || readMore()
    }

    /// Waits until the peer is gone.
    package func waitForEnd() {
        while readMore() { pending = [] }
    }

    /// False when the peer is gone.
    @discardableResult
    package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// False when the peer is gone.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let step = bytes[sent...].withUnsafeBytes { buffer in
                Glibc.send(
                    descriptor,
                    buffer.baseAddress,
                    buffer.count,
                    Int32(MSG_NOSIGNAL)
                )
            }
            if step <= 0 { return false }
            sent += step
        }
        return true
    }

    /// Does nothing for a while, as a slow peer.
    package func pause(milliseconds: Int) {
        usleep(UInt32(milliseconds) * 1000)
    }

    /// Ends the connection with a RST.
    package func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor,
            SOL_SOCKET,
            SO_LINGER,
            &option,
            socklen_t(MemoryLayout<linger>.size)
        )
        close()
    }

    /// Ends the connection with a FIN.
    package func close() {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
    }

    private func readMore() -> Bool {
        guard descriptor >= 0 else { return false }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count > 0 { pending.append(contentsOf: buffer[..<count]) }
        return count > 0
    }
}

/// Answers as texts.
package enum Answer {
    /// 200 with a body.
    package static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    /// An answer without a body.
    package static func status(_ status: Int, _ headers: [String] = []) -> String {
        (["HTTP/1.1 \(status) Text", "Content-Length: 0"] + headers).joined(separator: "\r\n")
            + "\r\n\r\n"
    }
}
