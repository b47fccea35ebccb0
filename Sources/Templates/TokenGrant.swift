import Configuration
import YAML

/// How access tokens are fetched: `auth` of kind `oauth2`.
struct TokenGrant: Sendable {
    /// Sent without the template's headers, for it may go to another host.
    var request: RequestForm
    /// Where the answer holds the token.
    var token: JSONPointer
    /// Where the answer says how many seconds it lives.
    var lifetime: JSONPointer

    /// Reads `auth.token`.
    static func read(
        _ section: consuming Section,
        _ vocabulary: Vocabulary,
        _ findings: Findings
    ) -> TokenGrant? {
        var request: RequestForm?
        if let inner = section.sectionIfGiven("request", table: "request") {
            var form = RequestForm.read(
                inner,
                vocabulary,
                takesUsers: false,
                findings,
                takesURL: true
            )
            form.authentication = form.authentication ?? Authentication.none
            form.isApart = true
            request = form
        } else {
            section.report(
                .missingKey,
                at: section.mark,
                "\(section.path(of: "request")) is missing (expected {method, url, body})"
            )
        }
        let token = section.optional("access_token", .pointer)
        let lifetime = section.optional("expires_in", .pointer)
        section.finish()
        return request.map {
            TokenGrant(
                request: $0,
                token: token ?? JSONPointer(steps: ["access_token"]),
                lifetime: lifetime ?? JSONPointer(steps: ["expires_in"])
            )
        }
    }
}
