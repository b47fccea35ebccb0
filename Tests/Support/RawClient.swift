import Glibc

/// An answer as it came over the wire.
package struct RawResponse: Sendable {
    /// The status.
    package let status: Int
    /// Names in lower case.
    package let headers: [(name: String, value: String)]
    /// The body.
    package let body: String

    /// The first value of a header field, by its name in lower case.
    package subscript(name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// A client that writes exactly the bytes it is given: no library repairs what a test breaks on
/// purpose.
package final class RawClient {
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    /// Connects to 127.0.0.`lastByte`; reads give up after 30 s, so that a hanging server fails a
    /// test.
    ///
    /// A test that gives a port back uses an address of its own: on 127.0.0.1 another test could
    /// get it.
    package init(port: UInt16, lastByte: UInt32 = 1) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw ClientError(text: "socket: \(errno)") }
        var timeout = timeval(tv_sec: 30, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = (0x7f00_0000 | lastByte).bigEndian
        let connected = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw ClientError(text: "connect: \(errno)") }
    }

    deinit {
        close(descriptor)
    }

    /// What went wrong with the connection.
    package struct ClientError: Error {
        /// A call and its errno.
        package let text: String
    }

    /// Sends all of `text`; false when the server has closed.
    @discardableResult
    package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Sends all of `bytes`; false when the server has closed.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor,
                    $0.baseAddress?.advanced(by: sent),
                    bytes.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    /// Says that nothing more will be sent.
    package func finishSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Reads more into the buffer; false at the end of the stream.
    private func receive() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count < 0, errno == ECONNRESET { return false }
        guard count >= 0 else { throw ClientError(text: "recv: \(errno)") }
        buffer.append(contentsOf: chunk[..<count])
        return count > 0
    }

    /// Whether the server has closed the connection and sent nothing more; waits for it.
    package func isClosed() throws -> Bool {
        if !buffer.isEmpty { return false }
        return try !receive()
    }

    /// Everything that the server still sends until it closes the connection.
    package func untilClosed() throws -> String {
        while try receive() {}
        return String(decoding: buffer, as: UTF8.self)
    }

    /// Reads one answer; nil when the server closed without one.
    package func response(toHead: Bool = false) throws -> RawResponse? {
        let separator = Array("\r\n\r\n".utf8)
        while true {
            if let end = buffer.firstRange(of: separator) {
                let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
                let lines = head.split(separator: "\r\n").map(String.init)
                let status = Int(lines[0].split(separator: " ")[1]) ?? 0
                if status == 100 {
                    buffer.removeSubrange(..<end.upperBound)
                    continue
                }
                let headers = lines.dropFirst().map { line in
                    let colon = line.firstIndex(of: ":") ?? line.endIndex
                    return (
                        name: line[..<colon].lowercased(),
                        value: String(line[colon...].dropFirst().drop { $0 == " " })
                    )
                }
                let length = Int(headers.first { $0.name == "content-length" }?.value ?? "0") ?? 0
                let needed = end.upperBound + (toHead ? 0 : length)
                while buffer.count < needed {
                    guard try receive() else { throw ClientError(text: "cut inside a body") }
                }
                let body = String(decoding: buffer[end.upperBound..<needed], as: UTF8.self)
                buffer.removeSubrange(..<needed)
                return RawResponse(status: status, headers: headers, body: body)
            }
            guard try receive() else {
                if buffer.isEmpty { return nil }
                throw ClientError(text: "cut inside a header")
            }
        }
    }

    /// Sends a request with this Host and reads the answer.
    package func get(
        _ target: String,
        method: String = "GET",
        host: String = "localhost",
        headers: [String] = [],
        body: String? = nil
    ) throws -> RawResponse? {
        let length = body.map { ["Content-Length: \($0.utf8.count)"] } ?? []
        let fields = (["Host: \(host)"] + headers + length).map { $0 + "\r\n" }.joined()
        send("\(method) \(target) HTTP/1.1\r\n\(fields)\r\n\(body ?? "")")
        return try response(toHead: method == "HEAD")
    }
}

/// Sends one request on a connection of its own and reads the answer.
package func fetch(
    _ port: UInt16,
    _ target: String,
    method: String = "GET",
    host: String = "localhost",
    headers: [String] = [],
    body: String? = nil
) throws -> RawResponse? {
    try RawClient(port: port)
        .get(target, method: method, host: host, headers: headers, body: body)
}
