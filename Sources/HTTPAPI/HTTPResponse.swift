package import Basics

/// What a handler answers.
///
/// The server adds `Content-Length`, `Date`, `Cache-Control: no-store` and `X-Content-Type-Options:
/// nosniff`, and leaves the body out of the answer to `HEAD`.
package struct HTTPResponse: Sendable {
    /// 200…599.
    package var status: Int
    /// Fields beyond those of the server; no line breaks in them.
    package var headers: [(name: String, value: String)]
    /// The body.
    package var body: [UInt8]
    /// Whether the connection ends with this answer.
    package var closesConnection = false

    /// An answer from its parts.
    package init(
        status: Int,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer with a body of the media type `contentType`.
    package init(status: Int = 200, contentType: String, body: [UInt8]) {
        self.init(status: status, headers: [("Content-Type", contentType)], body: body)
    }

    /// Plain text.
    package static func text(status: Int = 200, _ text: String) -> HTTPResponse {
        HTTPResponse(
            status: status,
            contentType: "text/plain; charset=utf-8",
            body: Array(text.utf8)
        )
    }

    /// A JSON document.
    package static func json(status: Int = 200, _ writer: JSONWriter) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "application/json", body: writer.bytes)
    }

    /// The error body of every route: `{"error":{"code","text"}}`.
    package static func error(status: Int, code: String, _ text: String) -> HTTPResponse {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("error")
        writer.beginObject()
        writer.member("code", code)
        writer.member("text", text)
        writer.endObject()
        writer.endObject()
        return json(status: status, writer)
    }
}
