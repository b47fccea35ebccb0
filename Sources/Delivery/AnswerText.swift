import Templates

/// What operators are told of an answer: destination, status, request and the template's word, and nothing of the
/// body, the URL or the users.
enum AnswerText {
    /// Why users are sent again, or why nothing is sent any more.
    static func detail(
        _ destination: String,
        _ answer: HTTPAnswer,
        _ request: String,
        _ verdict: TemplateVerdict
    ) -> String {
        let word = verdict.reason.map { reason in
            " (\(reason)\(verdict.code.map { ":\($0)" } ?? ""))"
        }
        let start = "\(destination) answers \(answer.status) to \(request)\(word ?? "")"
        switch verdict.outcome {
        case .delivered, .accepted, .skip:
            return "\(start): users whom it did not take are sent again"
        case .throttle:
            return "\(start): too many requests; sent again, more slowly"
        case .auth:
            return
                "\(start): it does not accept the credential; correct it, or the rights it has there"
        case .gone:
            return "\(start): the list is not there any more; look at who removed it there"
        case .fatal:
            return
                "\(start): trying again does not mend this; correct the cause at the partner or in "
                + "the settings, then resume the sync"
        case .retry where (300...399).contains(answer.status):
            let place = answer.redirectHost.map { " to \($0)" } ?? ""
            return
                "\(start): it redirects\(place), which is not followed; correct the host in the settings"
        case .retry:
            return "\(start): sent again until it is taken"
        }
    }

    /// Why there is no access token.
    static func token(
        _ destination: String,
        _ answer: HTTPAnswer,
        _ verdict: TokenVerdict
    ) -> String {
        let start = "\(destination) answers \(answer.status) to auth.token.request"
        switch verdict {
        case .granted: return "\(start): it gives an access token"
        case .refused:
            return
                "\(start): it gives no access token for these credentials; correct them, or the rights they have there"
        case .failed(isTooFast: true):
            return "\(start): too many requests; asked again, more slowly"
        case .failed(isTooFast: false):
            return "\(start): no access token came; asked again"
        }
    }
}
