import Glibc

/// An IPv4 or IPv6 address.
public struct NetworkAddress: Hashable, Sendable {
    /// 4 or 16 bytes in network order.
    public let bytes: [UInt8]

    /// 127.0.0.1.
    public static let loopback = NetworkAddress(bytes: [127, 0, 0, 1])

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads dotted decimal IPv4 or IPv6 without a zone; nil for every other spelling.
    public init?(_ text: String) {
        var address4 = in_addr()
        var address6 = in6_addr()
        if inet_pton(AF_INET, text, &address4) == 1 {
            bytes = withUnsafeBytes(of: address4) { Array($0) }
        } else if inet_pton(AF_INET6, text, &address6) == 1 {
            bytes = withUnsafeBytes(of: address6) { Array($0) }
        } else {
            return nil
        }
    }

    /// Reads an address as it stands in a URL: version 6 in brackets, version 4 without.
    public init?(urlHost text: String) {
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        guard
            let address = NetworkAddress(isBracketed ? String(text.dropFirst().dropLast()) : text),
            address.isIPv6 == isBracketed
        else { return nil }
        self = address
    }

    /// Reads the address of a `sockaddr` of `count` bytes; nil for families other than IPv4 and
    /// IPv6.
    public init?(socketAddress: UnsafeRawPointer, count: Int) {
        guard count >= MemoryLayout<sa_family_t>.size else { return nil }
        switch Int32(socketAddress.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET where count >= MemoryLayout<sockaddr_in>.size:
            let address = socketAddress.loadUnaligned(as: sockaddr_in.self).sin_addr
            bytes = withUnsafeBytes(of: address) { Array($0) }
        case AF_INET6 where count >= MemoryLayout<sockaddr_in6>.size:
            let address = socketAddress.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            bytes = withUnsafeBytes(of: address) { Array($0) }
        default:
            return nil
        }
    }

    /// Whether this is an IPv6 address.
    public var isIPv6: Bool { bytes.count == 16 }

    /// Whether only this machine can reach it: 127.0.0.0/8 or ::1.
    public var isLoopback: Bool {
        isIPv6 ? bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1 : bytes[0] == 127
    }

    /// As it stands in a URL: version 6 in brackets.
    public var urlHost: String { isIPv6 ? "[\(self)]" : "\(self)" }

    /// The IPv4 address that an IPv4-mapped address (`::ffff:a.b.c.d`) really dials; else this one.
    public var unmapped: NetworkAddress {
        let mapped =
            isIPv6 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10...11] == [0xff, 0xff]
        return mapped ? NetworkAddress(bytes: Array(bytes[12...])) : self
    }

    /// The address with every bit after the first `prefixLength` cleared.
    public func masked(to prefixLength: Int) -> NetworkAddress {
        var masked = bytes
        for index in masked.indices {
            let kept = min(8, max(0, prefixLength - 8 * index))
            masked[index] &= UInt8(truncatingIfNeeded: 0xff00 >> kept)
        }
        return NetworkAddress(bytes: masked)
    }
}

extension NetworkAddress: CustomStringConvertible {
    /// The address as it is written in configurations.
    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = isIPv6 ? AF_INET6 : AF_INET
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }
}
