package import Basics

/// Which addresses a destination may dial: no private or reserved one outside its `allow_private`,
/// and plain http only inside it.
///
/// A URL is input from outside, and what a name resolves to is the choice of whoever owns the name;
/// so the check that counts is made on the address of each socket, right before it connects.
/// Source: docs/destinations/webhook.md, "Addresses".
package struct AddressPolicy: Hashable, Sendable {
    /// The destination's `allow_private`.
    package let allowPrivate: [AddressRange]

    /// A policy with these exceptions.
    package init(allowPrivate: [AddressRange] = []) {
        self.allowPrivate = allowPrivate
    }

    /// A policy from the texts of `allow_private`.
    /// - Throws: `AddressError.badRange` for the first text that is no range.
    package init(allowPrivate texts: [String]) throws(AddressError) {
        var ranges: [AddressRange] = []
        for text in texts { ranges.append(try AddressRange(text)) }
        allowPrivate = ranges
    }

    /// Refuses an address that this destination may not dial.
    /// - Parameters:
    ///   - address: The address of the socket about to be connected.
    ///   - isPlain: Whether the request travels as http, not https.
    ///   - target: Scheme and host of the URL, for the text.
    /// - Throws: `AddressError.blocked`, `AddressError.plainHTTP`.
    package func check(
        _ address: NetworkAddress,
        isPlain: Bool,
        target: String
    ) throws(AddressError) {
        let dialled = address.unmapped
        for range in allowPrivate where range.contains(dialled) || range.contains(address) {
            return
        }
        if Self.isReserved(dialled) {
            throw .blocked(
                address: address.description,
                target: target,
                remedy: Self.remedy(for: dialled)
            )
        }
        if isPlain {
            throw .plainHTTP(
                address: address.description,
                target: target,
                remedy: Self.remedy(for: dialled)
            )
        }
    }

    /// Whether the address is private, reserved, or one that carries an IPv4 address inside.
    static func isReserved(_ address: NetworkAddress) -> Bool {
        reserved.contains { $0.contains(address) }
    }

    /// `add 10.1.2.0/24 to allow_private`: the network around the address, small enough to be
    /// meant.
    private static func remedy(for address: NetworkAddress) -> String {
        let length =
            switch (address.isIPv6, address.bytes[0]) {
            case (false, 127): 8
            case (false, _): 24
            case (true, 0): 128
            case (true, _): 64
            }
        return "add \(AddressRange(around: address, prefixLength: length)) to allow_private"
    }

    /// What is not the public internet.
    ///
    /// The IPv6 forms that embed an IPv4 address (compatible, NAT64, Teredo, 6to4) are closed as a
    /// whole, since a relay could turn them into any IPv4 address; the IPv4-mapped form is judged
    /// by the IPv4 address inside, which is what the kernel dials.
    private static let reserved: [AddressRange] = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        // ::, ::1 and the IPv4-compatible addresses.
        "::/96",
        "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
        "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    ].map { (text: String) in
        do {
            return try AddressRange(text)
        } catch {
            preconditionFailure("the list of reserved addresses: \(error)")
        }
    }
}
