/// One request, complete and decoded, as a handler gets it.
package struct HTTPRequest: Sendable {
    /// One `name=value` of the query, decoded.
    package struct QueryItem: Sendable, Equatable {
        /// The name, decoded.
        package let name: String
        /// The value, decoded; empty when there was no `=`.
        package let value: String

        /// A pair of decoded texts.
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// `GET`, `POST`, …, as it came; methods are case-sensitive.
    package let method: String
    /// Path and query as they came.
    package let target: String
    /// The segments of the path, percent-decoded.
    ///
    /// `/v1/cohorts` is `["v1", "cohorts"]`, `/` is `[]`, and a slash at the end makes an empty
    /// last one. None is `.`, `..`, or holds a slash, a backslash or a control character.
    package let path: [String]
    /// The query in the order in which it came; a name may repeat.
    package let query: [QueryItem]
    /// The header fields.
    package let headers: HTTPHeaders
    /// The body; empty when there is none, and while a body is still to come (``HTTPServer``,
    /// `refusal`).
    package internal(set) var body: [UInt8] = []
    /// The numeric address and port of the other side.
    package let remoteAddress: String

    /// A request from its parts, for the server and for tests of handlers.
    package init(
        method: String,
        target: RequestTarget,
        headers: HTTPHeaders,
        body: [UInt8] = [],
        remoteAddress: String
    ) {
        self.method = method
        self.target = target.text
        self.path = target.path
        self.query = target.query
        self.headers = headers
        self.body = body
        self.remoteAddress = remoteAddress
    }
}
