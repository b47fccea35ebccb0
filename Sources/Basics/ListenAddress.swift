/// An address of this machine and a port to listen on.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// Where to listen.
    public let host: NetworkAddress
    /// 0 lets the kernel choose.
    public var port: UInt16

    /// An address from its parts.
    public init(host: NetworkAddress = .loopback, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `ADDRESS:PORT`: a numeric address, version 6 in brackets, or `localhost`, which is
    /// 127.0.0.1; nil for anything else.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        // A number of digits only; `+80` is none.
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits)
        else {
            return nil
        }
        let name = text[..<colon]
        if name.lowercased() == "localhost" {
            self.init(port: port)
        } else {
            guard let host = NetworkAddress(urlHost: String(name)) else { return nil }
            self.init(host: host, port: port)
        }
    }

    /// The address as it is written in configurations.
    public var description: String { "\(host.urlHost):\(port)" }
}
