import Glibc

/// A range of IP addresses in CIDR form: `10.0.0.0/8`, `fd00::/8`.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16 bytes, network order, zero beyond the prefix.
    package let network: [UInt8]
    /// How many leading bits count.
    package let prefixBits: Int

    /// Reads `ADDRESS/BITS`.
    ///
    /// - Throws: What is wrong and what to write instead.
    package init(_ text: String) throws(AddressError) {
        guard let slash = text.lastIndex(of: "/") else {
            if let address = Self.address(text) {
                throw AddressError(text: "write \(text)/\(address.count * 8) for this one address")
            }
            throw AddressError(text: "expected a CIDR range such as 10.0.0.0/8")
        }
        guard let address = Self.address(String(text[..<slash])),
            let bits = Self.number(text[text.index(after: slash)...], UInt8.self), bits <= address.count * 8
        else { throw AddressError(text: "expected a CIDR range such as 10.0.0.0/8") }
        prefixBits = Int(bits)
        network = Self.masked(address, prefixBits)
        if network != address {
            throw AddressError(text: "has bits beyond its prefix, write \(description)")
        }
    }

    /// A range known to be right.
    init(_ network: [UInt8], _ prefixBits: Int) {
        self.network = network
        self.prefixBits = prefixBits
    }

    /// Whether an address of 4 or 16 bytes lies in the range; an IPv4 address mapped into IPv6 counts as IPv4.
    package func contains(_ address: [UInt8]) -> Bool {
        let address = Self.unmapped(address)
        return address.count == network.count && Self.masked(address, prefixBits) == network
    }

    /// `10.0.0.0/8`
    package var description: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = network.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, network, &buffer, socklen_t(buffer.count)) != nil else { return "?" }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(text)/\(prefixBits)"
    }

    /// The bytes of an IP address in text form; nil for anything else.
    package static func address(_ text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 4)
        if inet_pton(AF_INET, text, &bytes) == 1 { return bytes }
        bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET6, text, &bytes) == 1 { return bytes }
        return nil
    }

    /// A number of digits only; `+8` is none.
    fileprivate static func number<Number: FixedWidthInteger>(
        _ text: Substring, _ type: Number.Type
    ) -> Number? {
        text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? Number(text) : nil
    }

    private static func unmapped(_ address: [UInt8]) -> [UInt8] {
        let prefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
        return address.count == 16 && address.starts(with: prefix) ? Array(address[12...]) : address
    }

    private static func masked(_ address: [UInt8], _ bits: Int) -> [UInt8] {
        address.enumerated().map { index, byte in
            let kept = min(8, max(0, bits - index * 8))
            return kept == 0 ? 0 : byte & (0xff << UInt8(8 - kept))
        }
    }
}

/// Why a text is no range of addresses.
package struct AddressError: Error, Equatable {
    /// What to write instead.
    package var text: String
}

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
            let port = AddressRange.number(text[text.index(after: colon)...], UInt16.self)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard AddressRange.address(host)?.count == 16 else { return nil }
        } else if host != "localhost" {
            guard AddressRange.address(host)?.count == 4 else { return nil }
        }
        self.init(host: host, port: port)
    }

    /// Whether only programs of the same machine can reach it.
    package var isLoopback: Bool {
        guard let address = AddressRange.address(host) else { return host == "localhost" }
        if address.count == 4 { return address[0] == 127 }
        return address == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    }

    /// As it is written.
    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
