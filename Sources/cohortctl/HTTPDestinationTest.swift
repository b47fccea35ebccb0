import Basics
import Destinations
import Templates

/// A test of a destination that is asked by HTTP.
protocol HTTPDestinationTest {
    /// The requests for both users, without secrets.
    func rendered() throws(ExitStatus) -> [ShownRequest]
    /// Adds a user and removes the same one; ends early where going on makes no sense.
    func steps(by sender: TestSender) throws(ExitStatus) -> [TestStep]
}

/// A request for people to read.
struct ShownRequest {
    var name: String
    var method: String
    var url: String
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    /// Method and URL, headers, and the body one member a line.
    var text: String {
        var text = "\(name)\n\(method) \(url)\n"
        for header in headers { text += "\(header.name): \(header.value)\n" }
        guard !body.isEmpty else { return text }
        let isJSON = body.first == UInt8(ascii: "{") || body.first == UInt8(ascii: "[")
        return text + "\n"
            + (isJSON ? JSONText(body).indented : String(decoding: body, as: UTF8.self)) + "\n"
    }
}

extension ShownRequest {
    /// A request of a template, which was rendered without its secrets.
    init(_ request: TemplateRequest) {
        self.init(
            name: request.name,
            method: request.method,
            url: request.url,
            headers: request.headers.map { name, value in
                // The base64 of stand-ins says nothing to a reader.
                (name, value.hasPrefix("Basic ") ? "Basic ***" : value)
            },
            body: request.body
        )
    }
}

/// How one request of a test ended.
struct TestStep {
    var name: String
    /// Status and verdict.
    var text: String
    var isTaken: Bool
}

extension TestStep {
    /// What a partner says who did not take a request: its beginning, without control characters.
    static func excerpt(of body: [UInt8]) -> String {
        let text = TextTable.shown(String(decoding: body.prefix(1000), as: UTF8.self))
        return text.isEmpty ? "" : "; it says: \(text)"
    }
}
