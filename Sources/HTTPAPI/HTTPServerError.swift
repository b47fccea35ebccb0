import Basics
import Glibc

/// Why a server could not be started.
package enum HTTPServerError: Error, Equatable, CustomStringConvertible {
    /// The kernel refused the address.
    case listen(address: String, call: String, reason: String)
    /// The library refused to start.
    case start(address: String)

    package var description: String {
        switch self {
        case .listen(let address, let call, let reason):
            """
            http.listen: cannot listen on \(address): \(call): \(reason); stop the program that \
            holds the address or choose another one
            """
        case .start(let address):
            """
            http.listen: the HTTP server on \(address) did not start: no threads or descriptors \
            left; raise the process's limits (TasksMax=, LimitNOFILE=)
            """
        }
    }
}

extension HTTPServerError {
    /// What `errno` says of a call that was just made.
    static func socket(_ call: String, of address: ListenAddress) -> HTTPServerError {
        .listen(address: "\(address)", call: call, reason: SystemError.text(errno))
    }
}
