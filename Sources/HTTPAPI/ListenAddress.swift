import Glibc

/// A numeric address and a port to listen on.
package struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// A numeric IP address.
    package enum Host: Sendable, Equatable {
        /// Four bytes.
        case v4([UInt8])
        /// Sixteen bytes.
        case v6([UInt8])

        /// Reads `127.0.0.1` or `::1` (no brackets, no zone); nil for anything else.
        package init?(_ text: String) {
            var v4 = in_addr()
            var v6 = in6_addr()
            if inet_pton(AF_INET, text, &v4) == 1 {
                self = .v4(withUnsafeBytes(of: &v4) { Array($0) })
            } else if inet_pton(AF_INET6, text, &v6) == 1 {
                self = .v6(withUnsafeBytes(of: &v6) { Array($0) })
            } else {
                return nil
            }
        }

        /// Whether only this machine can reach it: 127.0.0.0/8 or ::1.
        package var isLoopback: Bool {
            switch self {
            case .v4(let bytes): bytes.first == 127
            case .v6(let bytes): bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
            }
        }

        /// As it stands in a URL: version 6 in brackets.
        package var text: String {
            var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            let family: Int32
            let bytes: [UInt8]
            switch self {
            case .v4(let address): (family, bytes) = (AF_INET, address)
            case .v6(let address): (family, bytes) = (AF_INET6, address)
            }
            guard inet_ntop(family, bytes, &buffer, socklen_t(buffer.count)) != nil else {
                return "?"
            }
            let characters = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let numeric = String(decoding: characters, as: UTF8.self)
            return family == AF_INET6 ? "[\(numeric)]" : numeric
        }
    }

    /// Where to listen.
    package let host: Host
    /// 0 lets the kernel choose.
    package var port: UInt16

    /// Reads `ADDRESS:PORT`: a numeric address, version 6 in brackets, or `localhost`, which is
    /// 127.0.0.1.
    ///
    /// - Throws: `HTTPServerError.address` for anything else.
    package init(_ text: String) throws(HTTPServerError) {
        guard let colon = text.lastIndex(of: ":") else { throw .address(text: text) }
        let portText = text[text.index(after: colon)...]
        guard !portText.isEmpty, portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(portText)
        else { throw .address(text: text) }
        var hostText = String(text[..<colon])
        let bracketed = hostText.hasPrefix("[") && hostText.hasSuffix("]")
        if bracketed { hostText = String(hostText.dropFirst().dropLast()) }
        if hostText.lowercasedASCII == "localhost", !bracketed { hostText = "127.0.0.1" }
        guard let host = Host(hostText) else { throw .address(text: text) }
        if case .v6 = host, !bracketed { throw .address(text: text) }
        if case .v4 = host, bracketed { throw .address(text: text) }
        self.host = host
        self.port = port
    }

    package var description: String { "\(host.text):\(port)" }
}
