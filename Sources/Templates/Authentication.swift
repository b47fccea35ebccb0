import Configuration
import YAML

/// How requests prove who sends them: `auth` of a template.
enum Authentication: Sendable {
    case none
    case header(name: String, value: TemplateText)
    case basic(user: TemplateText, password: TemplateText)
    case bearer(TemplateText)
    /// Added to the query.
    case query([RequestForm.Parameter])
    /// Added to the outermost map of the body, behind everything else.
    case body([RequestForm.Parameter])
    /// `Authorization: Bearer` with a token that is fetched first.
    indirect case oauth2(TokenGrant)

    /// The words of `kind`; a closed list.
    enum Kind: String, CaseIterable, Sendable {
        case none
        case header
        case basic
        case bearer
        case query
        case body
        case oauth2
        case awsSigV4 = "aws_sigv4"
    }

    /// Reads `auth`.
    ///
    /// `isOfRequest` where it is that of a single request: tokens are fetched for the template as a whole.
    static func read(
        _ section: consuming Section,
        _ vocabulary: Vocabulary,
        _ findings: Findings,
        isOfRequest: Bool = false
    ) -> Authentication? {
        let vocabulary = vocabulary.at(vocabulary.scope.intersection([.settings]))
        let kind = section.required("kind", ValueReader<Kind>.word)
        var authentication: Authentication?
        switch kind {
        case .some(.none): authentication = Authentication.none
        case .header:
            let name = section.required("name", .text("the name of a header"))
            let value = section.required("value", vocabulary.text)
            if let name, let value {
                if RequestForm.isToken(name) {
                    authentication = .header(name: name, value: value)
                } else {
                    section.report(
                        .badValue,
                        at: section.mark,
                        "\(section.path(of: "name")): \"\(name.excerpt)\" is no name of a header"
                    )
                }
            }
        case .basic:
            let user = section.required("user", vocabulary.text)
            let password = section.required("password", vocabulary.text)
            if let user, let password { authentication = .basic(user: user, password: password) }
        case .bearer:
            if let token = section.required("token", vocabulary.text) {
                authentication = .bearer(token)
            }
        case .query, .body:
            if let node = section.node("fields") {
                let path = section.path(of: "fields")
                let fields = RequestForm.parameters(node, path, vocabulary, findings)
                authentication = kind == .query ? .query(fields) : .body(fields)
            } else {
                section.report(
                    .missingKey,
                    at: section.mark,
                    "\(section.path(of: "fields")) is missing (expected a map of names and texts)"
                )
            }
        case .oauth2 where isOfRequest:
            section.report(
                .conflict,
                at: section.mark,
                "\(section.path(of: "kind")): oauth2 stands only in the template's own auth"
            )
            _ = section.openPairs()
        case .oauth2:
            if let inner = section.sectionIfGiven("token") {
                authentication = TokenGrant.read(inner, vocabulary, findings).map { .oauth2($0) }
            } else {
                section.report(
                    .missingKey,
                    at: section.mark,
                    "\(section.path(of: "token")) is missing (expected {request: {method, url, body}})"
                )
            }
        case .awsSigV4:
            section.report(
                .notYet,
                at: section.mark,
                "\(section.path(of: "kind")): not yet: expected none, header, basic, bearer, query, body or oauth2"
            )
            _ = section.openPairs()
        case nil: _ = section.openPairs()
        }
        section.finish()
        return authentication
    }
}
