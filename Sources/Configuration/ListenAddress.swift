import Glibc

/// Where the API listens.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// An IP address, or `localhost`.
    package var host: String
    /// 0 = any free one.
    package var port: UInt16

    /// An address from its parts.
    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`; nil for anything else.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = Self.port(text[text.index(after: colon)...])
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard Self.address(host)?.count == 16 else { return nil }
        } else if host != "localhost" {
            guard Self.address(host)?.count == 4 else { return nil }
        }
        self.init(host: host, port: port)
    }

    /// Whether only programs of the same machine can reach it.
    package var isLoopback: Bool {
        guard let address = Self.address(host) else { return host == "localhost" }
        if address.count == 4 { return address[0] == 127 }
        return address == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    }

    /// As it is written.
    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// A number of digits only; `+80` is none.
    private static func port(_ text: Substring) -> UInt16? {
        text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? UInt16(text) : nil
    }

    /// The bytes of an IP address, nil for anything else.
    private static func address(_ text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &bytes) == 1 { return bytes }
        bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET6, text, &bytes) == 1 { return bytes }
        return nil
    }
}
