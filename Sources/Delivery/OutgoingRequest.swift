/// A request that a worker wants sent now.
///
/// Headers and body may hold secrets and identifiers: it describes itself by its size only.
package struct OutgoingRequest: Sendable {
    /// What the sender adds.
    package enum Form: Sendable {
        /// Method, URL and headers are those of the webhook's transport, which signs the body under this id.
        case webhook(messageID: String)
        /// Nothing; the URL is whole and not for logs.
        case whole(method: String, url: String, headers: [(name: String, value: String)])
    }

    /// Under which its outcome comes back; counts the requests of one worker.
    package var token: UInt64
    /// What is sent but for the body.
    package var form: Form
    /// The body; empty for none.
    package var body: [UInt8]
    /// How long the whole exchange may take, in milliseconds.
    package var timeoutMilliseconds: Int64
    /// How many users it carries; 0 for one that makes a list.
    package var userCount: Int
}

extension OutgoingRequest: CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    package var description: String {
        "request \(token) (\(userCount) users, \(body.count) bytes)"
    }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
