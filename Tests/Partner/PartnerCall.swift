import Foundation

/// A request as a persona looks at it.
package struct PartnerCall {
    /// `POST` and the like.
    package let method: String
    /// Without the query.
    package let path: String
    /// The request as it arrived.
    package let request: ReceivedRequest
    /// The body; empty where it is no JSON object.
    package let json: [String: Any]

    init(_ request: ReceivedRequest) {
        let parts = request.line.split(separator: " ")
        method = parts.first.map(String.init) ?? ""
        path = String(parts.dropFirst().first?.split(separator: "?").first ?? "")
        self.request = request
        let tree = try? JSONSerialization.jsonObject(with: Data(request.body))
        json = tree as? [String: Any] ?? [:]
    }

    /// A text of the body; empty where there is none.
    func text(_ key: String) -> String { json[key] as? String ?? "" }

    /// The objects of a list of the body.
    func objects(_ key: String) -> [[String: Any]] { json[key] as? [[String: Any]] ?? [] }
}

/// What a partner answers.
package struct PartnerReply: Sendable {
    /// The status code.
    package var status: Int
    /// `Name: value`.
    package var headers: [String]
    /// The body.
    package var body: String
    /// Whether the status alone tells everything, so that a body that breaks off misleads nobody.
    package var isTold: Bool

    /// A reply from its parts.
    package init(_ status: Int, _ body: String = "", headers: [String] = [], isTold: Bool = true) {
        self.status = status
        self.body = body
        self.headers = headers
        self.isTold = isTold
    }

    /// As it is sent, with a `Content-Length` that may be wrong.
    func bytes(lengthOff: Int = 0) -> [UInt8] {
        var text = "HTTP/1.1 \(status) Text\r\nContent-Length: \(body.utf8.count + lengthOff)\r\n"
        for header in headers { text += header + "\r\n" }
        return Array((text + "\r\n" + body).utf8)
    }
}
