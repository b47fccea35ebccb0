package import Basics

/// A range of addresses as `allow_private` lists them: `10.1.2.0/24`, `fd00::/8`.
package struct AddressRange: Hashable, Sendable {
    private let first: NetworkAddress
    private let prefixLength: Int

    /// Reads a CIDR range; a single address stands for itself.
    /// - Throws: `AddressError.badRange` with the remedy.
    package init(_ text: String) throws(AddressError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = NetworkAddress(String(parts[0])) else {
            throw .badRange(
                text,
                remedy: "write an IPv4 or IPv6 range such as 10.1.2.0/24 or fd00::/8"
            )
        }
        let bitCount = address.bytes.count * 8
        prefixLength = try Self.prefixLength(of: parts, bitCount: bitCount, text: text)
        first = address.masked(to: prefixLength)
        guard first == address else {
            throw .badRange(
                text,
                remedy: "write \(first)/\(prefixLength) for the range or \(address)/\(bitCount) "
                    + "for this address alone"
            )
        }
    }

    /// The range of every address that shares the first bits with `address`.
    init(around address: NetworkAddress, prefixLength: Int) {
        first = address.masked(to: prefixLength)
        self.prefixLength = prefixLength
    }

    /// Whether `address` lies in the range; IPv4 and IPv6 are never in each other's ranges.
    package func contains(_ address: NetworkAddress) -> Bool {
        address.isIPv6 == first.isIPv6 && address.masked(to: prefixLength) == first
    }

    private static func prefixLength(
        of parts: [Substring],
        bitCount: Int,
        text: String
    ) throws(AddressError) -> Int {
        if parts.count == 1 { return bitCount }
        guard parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let length = Int(parts[1]), length <= bitCount
        else {
            throw .badRange(text, remedy: "what follows the / is a number from 0 to \(bitCount)")
        }
        return length
    }
}

extension AddressRange: CustomStringConvertible {
    package var description: String { "\(first)/\(prefixLength)" }
}
