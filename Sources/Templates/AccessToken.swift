import YAML

/// What a partner gave us to prove ourselves for a while; describes itself as `***`.
package struct AccessToken: Sendable, Equatable {
    /// How long one lives of which the answer does not say.
    package static let defaultLifetime: Int64 = 600_000

    let text: String
    /// How long it lives, in milliseconds since it was asked for.
    package let lifetimeMilliseconds: Int64

    /// A token from its parts; nil where a header cannot hold the text.
    init?(_ text: String, lifetimeMilliseconds: Int64) {
        guard (1...16_384).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return nil }
        self.text = text
        self.lifetimeMilliseconds = lifetimeMilliseconds
    }
}

extension AccessToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// What an answer to ``TemplateBinding/tokenRequest()`` means.
package enum TokenVerdict: Sendable, Equatable {
    case granted(AccessToken)
    /// The partner does not give us one, and asking again does not help.
    case refused
    /// It may give us one later; `isTooFast` where it asks for fewer requests.
    case failed(isTooFast: Bool)
}

extension TemplateBinding {
    /// Whether requests carry an access token.
    package var needsToken: Bool { tokenProgram != nil }

    /// The request that fetches an access token; nil where requests need none.
    package func tokenRequest() -> TemplateRequest? {
        tokenProgram?.request(RequestContext(), user: nil, items: [], changes: [])
    }

    /// What an answer to ``tokenRequest()`` means.
    package func judgeToken(_ answer: TemplateAnswer) -> TokenVerdict {
        guard case .oauth2(let grant) = template.authentication else { return .refused }
        switch answer.status {
        case 200...299:
            guard !answer.isBodyCut, let tree = DocumentReader.readJSON(answer.body),
                let text = grant.token.find(in: tree)?.scalarText
            else { return .failed(isTooFast: false) }
            let seconds = grant.lifetime.find(in: tree)?.scalarText.flatMap { Int64($0) }
            let lifetime = seconds.map { min(max($0, 0), 30 * 86_400) * 1000 }
            let token = AccessToken(
                text,
                lifetimeMilliseconds: lifetime ?? AccessToken.defaultLifetime
            )
            return token.map { .granted($0) } ?? .failed(isTooFast: false)
        case 429: return .failed(isTooFast: true)
        case 408, 500...599: return .failed(isTooFast: false)
        default: return .refused
        }
    }
}

extension TemplateRequest {
    /// The request with the proof of who sends it.
    package func carrying(_ token: AccessToken) -> TemplateRequest {
        carrying(authorization: "Bearer \(token.text)")
    }

    /// The request as it is shown to people.
    package func carryingRedactedToken() -> TemplateRequest {
        carrying(authorization: "Bearer \(TemplateConstants.redaction)")
    }

    private func carrying(authorization: String) -> TemplateRequest {
        guard needsToken else { return self }
        var request = self
        request.headers.removeAll { $0.name.lowercased() == "authorization" }
        request.headers.append(("Authorization", authorization))
        return request
    }
}
