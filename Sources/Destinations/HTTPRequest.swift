/// One HTTP request to a destination; added to it are only `Host`, `Accept: */*` and
/// `Content-Length`.
package struct HTTPRequest: Sendable {
    /// The destination's id; requests of one destination share connections, with no other's.
    package var destination: String
    /// The method: `POST`, `PUT`, `GET` and the like.
    package var method: String
    /// Where to.
    package var url: DestinationURL
    /// Names and values in the order sent; neither may hold a control character.
    package var headers: [(name: String, value: String)]
    /// The body; empty for none.
    package var body: [UInt8]
    /// The time for the whole exchange, name look-up to last byte.
    package var timeoutMilliseconds: Int
    /// Which addresses may be dialled.
    package var policy: AddressPolicy
    /// Comes back with the outcome.
    package var token: UInt64

    /// A request from its parts.
    package init(
        destination: String,
        method: String = "POST",
        url: DestinationURL,
        headers: [(name: String, value: String)],
        body: [UInt8],
        timeoutMilliseconds: Int = 30_000,
        policy: AddressPolicy,
        token: UInt64
    ) {
        self.destination = destination
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeoutMilliseconds = timeoutMilliseconds
        self.policy = policy
        self.token = token
    }
}
