import Basics
import HTTPAPI
import Synchronization
import Testing

/// A daemon that answers from a table, and remembers what it was asked.
final class CannedDaemon: Sendable {
    private let asked = Mutex<[String]>([])

    /// Path and query of every request, as they came; behind its method where that is not GET.
    var requests: [String] { asked.withLock { $0 } }

    /// Starts; the answer to a path that is not in the table is 404.
    func start(
        _ answers: @escaping @Sendable (HTTPRequest) -> HTTPResponse?
    ) throws -> HTTPServer {
        try HTTPServer(listen: ListenAddress(port: 0)) { request in
            let method = request.method == "GET" ? "" : request.method + " "
            self.asked.withLock { $0.append(method + request.target) }
            return answers(request)
                ?? .error(status: 404, code: "not_found", "there is nothing at this path")
        }
    }

    /// A daemon that gives these bodies with status 200.
    static func serving(_ bodies: [String: String]) throws -> HTTPServer {
        try CannedDaemon().start { request in
            bodies["/" + request.path.joined(separator: "/")].map { json($0) }
        }
    }
}

/// A JSON answer from its text.
func json(status: Int = 200, _ text: String) -> HTTPResponse {
    HTTPResponse(status: status, contentType: "application/json", body: Array(text.utf8))
}
