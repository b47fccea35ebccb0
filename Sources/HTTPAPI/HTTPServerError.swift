/// Why a server could not be started.
package enum HTTPServerError: Error, Equatable, CustomStringConvertible {
    /// The listen address is not `ADDRESS:PORT`.
    case address(text: String)
    /// The kernel refused the address.
    case listen(address: String, call: String, reason: String)
    /// The library refused to start.
    case start(address: String)

    package var description: String {
        switch self {
        case .address(let text):
            """
            http.listen: "\(text)" is no address to listen on; write ADDRESS:PORT with a numeric \
            address or localhost, as in 127.0.0.1:8080 or [::1]:8080 (port 0: the kernel chooses)
            """
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
