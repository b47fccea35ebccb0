package import Basics

/// Which requests a browser may have been tricked into sending.
///
/// A page of any site can make a browser send requests to 127.0.0.1, and a name that resolves to it
/// even lets the page read the answers (DNS rebinding). Both show in the header: such a page cannot
/// choose `Host`, which is its own name, nor `Origin`.
package struct HostRule: Sendable {
    /// Why a request is refused; the value is for the client.
    package struct Refusal: Error, Equatable {
        /// What is wrong and what to do.
        package let text: String
    }

    private let listen: ListenAddress

    /// The rule of a server that listens on `listen`.
    package init(listen: ListenAddress) {
        self.listen = listen
    }

    /// Checks the header of one request.
    ///
    /// The port of `Host` may be any, so that a forwarded port works. A request without `Host` is
    /// refused like one with a foreign `Host`. With keys `Host` may be any, for such a page knows none.
    ///
    /// - Parameters:
    ///   - headers: Of the request.
    ///   - withKey: Whether the server takes keys.
    /// - Throws: `Refusal` when, without keys, `Host` is not the listen address, `localhost` or a loopback
    ///   address, or when there is an `Origin` that is not the request's own `Host`.
    package func check(_ headers: HTTPHeaders, withKey: Bool = false) throws(Refusal) {
        let host = headers["host"].flatMap { Authority($0) }
        guard withKey || host.map({ isOurs($0.name) }) ?? false else {
            throw Refusal(
                text: "the Host of the request is neither \(listen.host.urlHost) nor localhost nor "
                    + "another loopback address"
            )
        }
        let origins = headers.all("origin")
        if origins.isEmpty { return }
        guard origins.count == 1, let host, Self.isOwn(origin: origins[0], host: host) else {
            throw Refusal(text: "the Origin of the request is not its own Host")
        }
    }

    private func isOurs(_ name: String) -> Bool {
        if name == "localhost" { return true }
        guard let address = NetworkAddress(urlHost: name) else { return false }
        return address.isLoopback || address == listen.host
    }

    private static func isOwn(origin: String, host: Authority) -> Bool {
        for (scheme, port) in [("http://", UInt16(80)), ("https://", UInt16(443))] {
            guard origin.lowercasedASCII.hasPrefix(scheme) else { continue }
            guard let authority = Authority(String(origin.dropFirst(scheme.count))) else {
                return false
            }
            return authority.name == host.name && authority.port ?? port == host.port ?? port
        }
        return false
    }

    /// `name[:port]`, the name in lower case.
    private struct Authority {
        let name: String
        let port: UInt16?

        init?(_ text: String) {
            var name = text[...]
            var port: UInt16?
            // In a bracketed address the colons before the bracket are its own.
            if let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") {
                let digits = text[text.index(after: colon)...]
                guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                    let number = UInt16(digits)
                else { return nil }
                port = number
                name = text[..<colon]
            }
            guard !name.isEmpty, !name.contains(where: { "/@?# ".contains($0) }) else { return nil }
            self.name = String(name).lowercasedASCII
            self.port = port
        }
    }
}
