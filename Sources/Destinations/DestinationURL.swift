import Basics
import CCurl

/// The `url` of a destination, checked as far as that is possible without asking DNS.
///
/// It is taken apart by libcurl, which also dials it, so that the two cannot disagree about the
/// host.
package struct DestinationURL: Hashable, Sendable {
    /// The whole URL, which may hold a secret: not for logs.
    package let text: String
    /// Whether the scheme is http.
    package let isPlain: Bool
    /// The host, without the brackets of IPv6.
    package let host: String
    /// The port written in the URL, else the one of the scheme.
    package let port: Int

    /// `https://host` or `https://host:port`: what logs and errors name.
    package var target: String {
        let shownHost = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        let shownPort = port == (isPlain ? 80 : 443) ? "" : ":\(port)"
        return "\(isPlain ? "http" : "https")://\(shownHost)\(shownPort)"
    }

    /// Reads and checks a URL when configuration is loaded.
    ///
    /// Names are checked again, by the address they resolve to, when they are dialled.
    /// - Throws: `AddressError` with the remedy; its text never holds the URL.
    package init(_ text: String, policy: AddressPolicy) throws(AddressError) {
        try Self.checkCharacters(of: text)
        // libcurl overlooks an empty fragment, and takes https:///name for https://name.
        if text.utf8.contains(UInt8(ascii: "#")) {
            throw .badURL(
                reason: "it holds a #fragment, which is never sent",
                remedy: "remove it"
            )
        }
        if text.contains(":///") {
            throw .badURL(reason: "it names no host", remedy: "write https://HOST/PATH")
        }
        let parts = try URLParts(text)
        try parts.refuseWhatHasNoPlace()
        switch parts.scheme {
        case "https": isPlain = false
        case "http": isPlain = true
        default:
            throw .badURL(
                reason: "the scheme is not https",
                remedy: "write https://HOST/PATH"
            )
        }
        self.text = text
        host = parts.host
        port = parts.port
        try checkHost(policy)
    }

    private init(_ text: String, like other: DestinationURL) {
        self.text = text
        isPlain = other.isPlain
        host = other.host
        port = other.port
    }

    /// Another path, and query, at the same place; it must be percent-encoded and begin with a slash.
    func sibling(_ path: String) -> DestinationURL {
        DestinationURL(target + path, like: self)
    }

    private func checkHost(_ policy: AddressPolicy) throws(AddressError) {
        if let address = NetworkAddress(host) {
            // libcurl reads 0x7f.1 and 2130706433 as 127.0.0.1; such spellings only ever hide an
            // address.
            guard address.isIPv6 || text.contains(host) else {
                throw .badURL(
                    reason: "the host is an address in an unusual spelling",
                    remedy: "write it as \(host)"
                )
            }
            try policy.check(address, isPlain: isPlain, target: target)
        } else if isPlain, policy.allowPrivate.isEmpty {
            throw .badURL(
                reason: "http sends user ids in the clear and is used only where every address of "
                    + "the host is in allow_private, which is empty",
                remedy:
                    "use https, or, inside a network of your own, add its range to allow_private"
            )
        }
    }

    private static func checkCharacters(of text: String) throws(AddressError) {
        for byte in text.utf8 {
            if byte <= 0x20 || byte == 0x7f {
                throw .badURL(
                    reason: "it holds a space or a control character",
                    remedy: "remove it, or write it as % and two hexadecimal digits"
                )
            }
            if byte >= 0x80 {
                throw .badURL(
                    reason: "it holds a character beyond ASCII",
                    remedy: "write the host in its xn-- form and the rest percent-encoded"
                )
            }
        }
    }
}

/// A URL taken apart by libcurl.
struct URLParts: ~Copyable {
    private let handle: OpaquePointer

    init(_ text: String) throws(AddressError) {
        guard let handle = curl_url() else {
            throw .badURL(reason: "there is no memory to read it", remedy: "free some memory")
        }
        let code = curl_url_set(handle, CURLUPART_URL, text, 0)
        guard code == CURLUE_OK else {
            curl_url_cleanup(handle)
            throw .badURL(
                reason: "it is no URL (\(String(cString: curl_url_strerror(code))))",
                remedy: "write https://HOST/PATH"
            )
        }
        self.handle = handle
    }

    deinit {
        curl_url_cleanup(handle)
    }

    var scheme: String { part(CURLUPART_SCHEME) ?? "" }

    /// The host without brackets.
    var host: String {
        let host = part(CURLUPART_HOST) ?? ""
        return host.hasPrefix("[") && host.hasSuffix("]")
            ? String(host.dropFirst().dropLast()) : host
    }

    var port: Int {
        part(CURLUPART_PORT, flags: UInt32(CURLU_DEFAULT_PORT)).flatMap { Int($0) } ?? 0
    }

    /// From the first slash behind the host up to a query; `/` where none is written.
    var path: String { part(CURLUPART_PATH) ?? "/" }

    var hasQuery: Bool { part(CURLUPART_QUERY) != nil }

    func refuseWhatHasNoPlace() throws(AddressError) {
        if part(CURLUPART_USER) != nil || part(CURLUPART_PASSWORD) != nil {
            throw .badURL(
                reason: "it holds user:password@",
                remedy: "remove it; requests are authenticated by their signature"
            )
        }
        if part(CURLUPART_FRAGMENT) != nil {
            throw .badURL(
                reason: "it holds a #fragment, which is never sent",
                remedy: "remove it"
            )
        }
        if part(CURLUPART_ZONEID) != nil {
            throw .badURL(
                reason: "the host names a zone of this machine",
                remedy: "use an address without %"
            )
        }
        if host.isEmpty {
            throw .badURL(reason: "it names no host", remedy: "write https://HOST/PATH")
        }
    }

    private func part(_ part: CURLUPart, flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
