import Basics
import Configuration
import YAML

/// A request as the template has it.
struct RequestForm: Sendable {
    /// The methods a request may have.
    enum Method: String, CaseIterable, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    /// How the body is written.
    enum Encoding: String, CaseIterable, Sendable {
        case json
        case form
    }

    /// A name and its value, left out where empty if so asked.
    struct Parameter: Sendable {
        var name: String
        var value: TemplateText
        var omitsEmpty = false
    }

    var method = Method.post
    /// Instead of `base_url`.
    var url: TemplateText?
    var path = TemplateText(literal: "")
    var query: [Parameter] = []
    var headers: [Parameter] = []
    var body: BodyTree?
    /// The `$each` of the body.
    var lists: [BodyTree.UserList] = []
    var encoding = Encoding.json
    /// Over that of the template.
    var authentication: Authentication?
    /// Whether it goes without the headers of the template.
    var isApart = false
    /// Where it stands.
    var mark: Mark
    /// What messages call it: `members.add`.
    var name: String
    /// Whether all of it could be read, so that further checks make sense.
    var isWhole = true
}

extension RequestForm {
    /// Reads a request.
    ///
    /// - Parameters:
    ///   - section: Its map.
    ///   - vocabulary: What it may speak of.
    ///   - takesUsers: Whether it carries users.
    ///   - findings: Receives problems.
    ///   - base: The request that `like` names, found by the caller.
    ///   - takesURL: Whether it may go elsewhere than to `base_url`.
    /// - Returns: The request as far as it could be read.
    static func read(
        _ section: consuming Section,
        _ vocabulary: Vocabulary,
        takesUsers: Bool,
        _ findings: Findings,
        like base: RequestForm? = nil,
        takesURL: Bool = false
    ) -> RequestForm {
        let problemsBefore = findings.problemCount
        var request = base ?? RequestForm(mark: section.mark, name: section.path)
        request.mark = section.mark
        request.name = section.path
        if base == nil {
            if let method = section.required("method", ValueReader<Method>.word) {
                request.method = method
            }
            if takesURL { request.url = section.optional("url", vocabulary.baseURL) }
            if !takesURL || section.node("url") == nil {
                if let path = section.required("path", vocabulary.path) { request.path = path }
            } else if let node = section.node("path") {
                section.report(
                    .conflict,
                    node,
                    "\(section.path(of: "path")): stands beside url: choose one of them"
                )
            }
        } else {
            section.read("method", into: &request.method, .word)
            section.read("path", into: &request.path, vocabulary.path)
            _ = section.node("like")
        }
        section.read("encoding", into: &request.encoding, .word)
        if let node = section.node("query") {
            request.query = parameters(node, section.path(of: "query"), vocabulary, findings)
        }
        if let node = section.node("headers") {
            request.headers = headers(node, section.path(of: "headers"), vocabulary, findings)
        }
        if let node = section.node("body") {
            var reader = BodyReader(
                vocabulary: vocabulary,
                findings: findings,
                takesUsers: takesUsers
            )
            request.body = reader.read(node, section.path(of: "body"))
            request.lists = reader.lists
            if request.encoding == .form { request.checkForm(node, findings) }
        }
        if let inner = section.sectionIfGiven("auth", table: "auth") {
            request.authentication = Authentication.read(
                inner,
                vocabulary,
                findings,
                isOfRequest: true
            )
        }
        section.finish()
        request.isWhole = request.isWhole && findings.problemCount == problemsBefore
        return request
    }

    /// Whether a placeholder stands anywhere in it.
    func reads(_ placeholder: Placeholder) -> Bool {
        let texts = [path] + (query + headers).map(\.value) + (body?.texts ?? [])
        return texts.contains { $0.expressions.contains { $0.placeholder == placeholder } }
    }

    /// A form has names and texts, no trees.
    private func checkForm(_ node: Node, _ findings: Findings) {
        var tree = body
        if case .omitEmpty(let inner) = tree { tree = inner }
        guard case .map(let members) = tree,
            members.allSatisfy({
                switch $0.value {
                case .null, .boolean, .integer, .double, .text: true
                default: false
                }
            })
        else {
            findings.report(
                .badValue,
                node.mark,
                "\(name).body: with encoding: form the body is a map of names and texts, with no map or list in it"
            )
            return
        }
    }

    /// Reads names and values, under `$omit_empty` or not.
    static func parameters(
        _ node: Node,
        _ path: String,
        _ vocabulary: Vocabulary,
        _ findings: Findings
    ) -> [Parameter] {
        guard case .mapping(let pairs) = node.value else {
            findings.report(.badType, node.mark, "\(path): expected a map, not \(node.kind)")
            return []
        }
        var parameters: [Parameter] = []
        for pair in pairs {
            if pair.key == "$omit_empty" {
                parameters += Self.parameters(pair.value, path, vocabulary, findings).map {
                    Parameter(name: $0.name, value: $0.value, omitsEmpty: true)
                }
                continue
            }
            do {
                let value = try vocabulary.text.read(pair.value)
                parameters.append(Parameter(name: pair.key, value: value))
            } catch {
                findings.report(
                    error.code,
                    pair.value.mark,
                    "\(path).\(pair.key): \(error.text)"
                )
            }
        }
        return parameters
    }

    /// Reads headers; names are tokens of HTTP, and those that the transport sets are refused.
    static func headers(
        _ node: Node,
        _ path: String,
        _ vocabulary: Vocabulary,
        _ findings: Findings
    ) -> [Parameter] {
        let headers = parameters(node, path, vocabulary, findings)
        let reserved = ["host", "content-length", "transfer-encoding", "connection"]
        for header in headers {
            if !isToken(header.name) {
                findings.report(
                    .badValue,
                    node.mark,
                    "\(path): \"\(header.name.excerpt)\" is no name of a header"
                )
            } else if reserved.contains(header.name.lowercased()) {
                findings.report(
                    .refused,
                    node.mark,
                    "\(path): the transport sets \"\(header.name)\": remove it"
                )
            }
        }
        return headers
    }

    static func isToken(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy {
                PercentEncoding.isUnreserved($0) || "!#$%&'*+^`|".utf8.contains($0)
            }
    }
}

extension Vocabulary {
    /// A path: begins with `/`, holds no query, and no secret, for paths are logged.
    fileprivate var path: ValueReader<TemplateText> {
        let vocabulary = self
        return text.map { text throws(Refusal) in
            guard case .literal(let start)? = text.segments.first, start.hasPrefix("/") else {
                throw Refusal(.badValue, "a path begins with \"/\"")
            }
            for case .literal(let piece) in text.segments {
                guard
                    piece.utf8.allSatisfy({
                        PercentEncoding.isUnreserved($0) || "/:@!$&'()*+,;=%".utf8.contains($0)
                    })
                else {
                    throw Refusal(
                        .badValue,
                        "\"\(piece.excerpt)\" does not stand in a path (a query goes under `query`)"
                    )
                }
            }
            try vocabulary.refuseSecrets(in: text, "a path, which logs show")
            return text
        }
    }

    /// Throws where a text reads a secret.
    func refuseSecrets(in text: TemplateText, _ place: String) throws(Refusal) {
        for name in text.expressions.flatMap(\.settings) where secrets.contains(name) {
            throw Refusal(
                .plainSecret,
                "the secret \"settings.\(name)\" does not stand in \(place): send it in a header"
            )
        }
    }
}
