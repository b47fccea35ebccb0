import Delivery
import Destinations
import Glibc
import Templates
import Threads

/// Sends one request after the other as the daemon does, and waits for each.
struct TestSender {
    private let destination: String
    private let outcomes = Mailbox<HTTPOutcome>(capacity: 1)
    private let sender: HTTPSender

    init(destination: String) {
        self.destination = destination
        let outcomes = outcomes
        sender = HTTPSender(
            clock: SystemClock(),
            authorities: getenv("SSL_CERT_FILE").map { String(cString: $0) }.flatMap {
                $0.isEmpty ? nil : $0
            },
            complete: { _, outcome in outcomes.postAtOnce(outcome) }
        )
    }

    /// Sends a request to a URL that was vetted, by the rules of the destination's addresses.
    func send(_ request: HTTPRequest) -> HTTPOutcome {
        sender.submit(request)
        let wait = Int64(request.timeoutMilliseconds) + 5000
        return outcomes.takeAll(timeoutMilliseconds: wait).first
            ?? .unknown("no outcome within \(wait / 1000) s")
    }

    /// Sends a request of a template.
    ///
    /// - Throws: `AddressError` where its URL cannot be used.
    func send(
        _ request: TemplateRequest,
        _ policy: AddressPolicy
    ) throws(AddressError) -> HTTPOutcome {
        send(
            HTTPRequest(
                destination: destination,
                method: request.method,
                url: try DestinationURL(request.url, policy: policy),
                headers: request.headers,
                body: request.body,
                timeoutMilliseconds: Int(request.timeoutMilliseconds),
                policy: policy,
                token: 1
            )
        )
    }

    func stop() { sender.stop(graceMilliseconds: 0) }
}
