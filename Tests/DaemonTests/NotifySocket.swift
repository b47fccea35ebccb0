import Foundation
import Glibc
import Testing

/// The end of `NOTIFY_SOCKET` that a service manager has: keeps what a service tells it.
///
/// Belongs to one test.
final class NotifySocket {
    let path: String
    private let descriptor: Int32
    private var received: [String] = []

    /// Listens in a folder of the test, whose path must be short.
    init(folder: String) throws {
        path = "\(folder)/notify"
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        try #require(bytes.count < MemoryLayout.size(ofValue: address.sun_path))
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(status == 0, "\(path): \(String(cString: strerror(errno)))")
    }

    deinit { close(descriptor) }

    /// The assignments so far, in their order: `READY=1`.
    var messages: [String] {
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return received }
            received += String(decoding: buffer[..<count], as: UTF8.self)
                .split(separator: "\n").map(String.init)
        }
    }

    func count(of message: String) -> Int { messages.filter { $0 == message }.count }

    /// The last status line.
    var status: String? {
        messages.last { $0.hasPrefix("STATUS=") }.map { String($0.dropFirst("STATUS=".count)) }
    }
}
