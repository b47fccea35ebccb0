/// One document of `config/destinations/*.yaml`.
package struct DestinationConfiguration: Hashable, Sendable {
    /// The settings of the template `webhook`.
    package struct Webhook: Hashable, Sendable {
        /// A plain one is checked; one that is referred to is checked with ``WebhookURL`` once resolved.
        package var url: ReferencedText
        /// Always a reference.
        package var secret: ReferencedText
        /// 1 s … 120 s; also the base of the settle rule.
        package var timeoutMilliseconds: Int64 = 30_000
    }

    /// The settings of the template `file`.
    package struct File: Hashable, Sendable {
        /// A relative one begins at the working directory.
        package var path: String
    }

    /// How it is spoken to.
    package enum Template: Hashable, Sendable {
        case webhook(Webhook)
        case file(File)
    }

    /// Unique among destinations.
    package var id: String
    /// How it is spoken to, with what that needs.
    package var template: Template
    /// Private and loopback addresses it may be at.
    package var allowPrivate: [AddressRange]
    /// Where its values stand.
    package var places: Places
}

/// The rules for the address of a webhook, as far as they need no name lookup.
package enum WebhookURL {
    /// Says what is wrong with a URL; nil if nothing is.
    ///
    /// What a host name resolves to is looked at when it is dialled.
    ///
    /// - Parameters:
    ///   - text: The URL.
    ///   - allowPrivate: The ranges of the destination.
    package static func complaint(about text: String, allowPrivate: [AddressRange]) -> String? {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            return "a URL has no spaces and only ASCII: encode them"
        }
        let isPlain = text.lowercased().hasPrefix("http://")
        guard isPlain || text.lowercased().hasPrefix("https://") else {
            return "expected a URL such as https://example.com/hook"
        }
        let rest = text[text.index(text.startIndex, offsetBy: isPlain ? 7 : 8)...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if authority.contains("@") {
            return "a user or password in the URL is refused: it would stand in logs"
        }
        if text.contains("#") { return "a URL of a webhook has no #fragment" }
        guard let host = host(of: authority) else {
            return "expected a URL such as https://example.com/hook"
        }
        let remedy = "list it in allow_private, such as [10.0.0.0/8], if that is meant"
        if let address = AddressRange.address(host) {
            let isAllowed = allowPrivate.contains { $0.contains(address) }
            if AddressRange.isPrivate(address), !isAllowed {
                return "\(host) is a private or loopback address: \(remedy)"
            }
            if isPlain, !isAllowed { return "http is only for addresses in allow_private: use https" }
        } else if isPlain, allowPrivate.isEmpty {
            return "http is only for addresses in allow_private: use https, or \(remedy)"
        }
        return nil
    }

    /// The host of `HOST`, `HOST:PORT`, `[V6]:PORT`; nil where there is none or the port is no port.
    private static func host(of authority: Substring) -> String? {
        var host = authority
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let after = authority[authority.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":") else { return nil }
            port = after.isEmpty ? nil : after.dropFirst()
            guard AddressRange.address(String(host))?.count == 16 else { return nil }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        if let port {
            guard port.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = UInt16(port),
                number > 0
            else { return nil }
        }
        return host.isEmpty ? nil : String(host)
    }
}

extension AddressRange {
    /// Whether an address is of a network that is not the internet: loopback, private, link-local, shared.
    ///
    /// Source: the special-purpose registries of IANA (RFC 6890).
    package static func isPrivate(_ address: [UInt8]) -> Bool {
        notPublic.contains { $0.contains(address) }
    }

    private static let notPublic: [AddressRange] = [
        AddressRange([0, 0, 0, 0], 8), AddressRange([10, 0, 0, 0], 8), AddressRange([100, 64, 0, 0], 10),
        AddressRange([127, 0, 0, 0], 8), AddressRange([169, 254, 0, 0], 16),
        AddressRange([172, 16, 0, 0], 12), AddressRange([192, 168, 0, 0], 16),
        AddressRange([UInt8](repeating: 0, count: 15) + [1], 128),
        AddressRange([UInt8](repeating: 0, count: 16), 128),
        AddressRange([0xfc] + [UInt8](repeating: 0, count: 15), 7),
        AddressRange([0xfe, 0x80] + [UInt8](repeating: 0, count: 14), 10),
    ]
}
