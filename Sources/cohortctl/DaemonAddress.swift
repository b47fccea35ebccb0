import Basics
import Glibc

/// Where the daemon is asked: `http://HOST:PORT`, without a slash at the end.
struct DaemonAddress {
    /// The scheme, the host and the port.
    let text: String

    /// Whether what is sent there can be read on its way.
    var isPlain: Bool { text.lowercased().hasPrefix("http://") }

    /// Whether it is on this machine, as far as its text says.
    var isLoopback: Bool {
        let authority = text.dropFirst(isPlain ? "http://".count : "https://".count)
        var host = String(authority)
        // In a bracketed address the colons before the bracket are its own.
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            host = String(authority[..<colon])
        }
        if host.lowercased() == "localhost" { return true }
        return NetworkAddress(urlHost: host)?.isLoopback ?? false
    }

    private static let fallback = "http://127.0.0.1:8080"

    /// The address of `--address`, else of the environment, else the default of `http.listen`.
    init(option: String?) throws(ExitStatus) {
        if let option {
            try self.init(option, from: "--address")
        } else if let value = getenv("COHORTD_ADDRESS"), value.pointee != 0 {
            try self.init(String(cString: value), from: "COHORTD_ADDRESS")
        } else {
            try self.init(Self.fallback, from: "the default")
        }
    }

    private init(_ given: String, from source: String) throws(ExitStatus) {
        var bytes = Array(given.utf8)
        if bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        let scheme = ["http://", "https://"].first { given.lowercased().hasPrefix($0) }
        let rest = bytes.dropFirst(scheme?.utf8.count ?? 0)
        // Neither a path, nor a query, nor user:password@ has a place here.
        let isPlain = rest.allSatisfy { byte in
            byte > 0x20 && byte < 0x7f && !"/?#@\\".utf8.contains(byte)
        }
        guard scheme != nil, !rest.isEmpty, isPlain else {
            printError(
                "cohortctl: \(source) \(given): an address such as \(Self.fallback) is expected"
            )
            throw .usage
        }
        text = String(decoding: bytes, as: UTF8.self)
    }
}
