import Basics
import Configuration
import YAML

extension Template {
    /// Notes what does not go together, once everything is read.
    func check(_ findings: Findings, _ top: Section) {
        let mark = { (key: String) in findings.places.mark(of: key) ?? top.mark }
        checkMembers(findings, mark("members"))
        for request in requests where request.isWhole { checkBody(request, findings) }
        if let lookup, list?.isMadeWithFirstBatch == true {
            findings.report(
                .conflict,
                lookup.request.mark,
                "lookup: users are looked up when the list is there: remove audience.ensure.with"
            )
        }
        let indexed = (rules + (confirm?.rules ?? [])).contains { rule in
            switch rule.items?.key {
            case .index, .pointer: true
            default: false
            }
        }
        if indexed {
            for request in memberRequests where request.isWhole && request.lists.count != 1 {
                findings.report(
                    .conflict,
                    request.mark,
                    "\(request.name): has \(request.lists.count) $each, but responses name users by their "
                        + "place in one list"
                )
            }
        }
    }

    private var memberRequests: [RequestForm] {
        [members.add, members.remove, members.change, members.replace].compactMap { $0 }
    }

    private var requests: [RequestForm] {
        var others: [RequestForm] = []
        if case .oauth2(let grant) = authentication { others.append(grant.request) }
        if let lookup { others.append(lookup.request) }
        if let confirm { others.append(confirm.request) }
        return memberRequests + others
            + [members.begin, members.end, list?.ensure, list?.rename, list?.delete].compactMap {
                $0
            }
    }

    private func checkMembers(_ findings: Findings, _ mark: Mark) {
        func report(_ code: ConfigurationProblem.Code, _ text: String) {
            findings.report(code, mark, "members: \(text)")
        }
        if members.change == nil, members.add == nil || members.remove == nil {
            report(.missingKey, "expected change, or both add and remove")
        }
        if members.change != nil, members.add != nil || members.remove != nil {
            report(.conflict, "change stands beside add or remove: choose one way")
        }
        if batch.mixes, members.change == nil {
            report(.conflict, "batch.mix: true needs change, which carries both directions")
        }
        if members.replace == nil, members.begin != nil || members.end != nil {
            report(.conflict, "begin and end go only with replace")
        }
        checkSelection(members.add, [true], findings)
        checkSelection(members.remove, [false], findings)
        checkSelection(members.change, [true, false], findings)
        checkSelection(members.replace, [true], findings)
    }

    /// Refuses a request that would leave out, in silence, the users it is for.
    private func checkSelection(
        _ request: RequestForm?,
        _ directions: [Bool],
        _ findings: Findings
    ) {
        guard let request, request.isWhole else { return }
        if request.lists.isEmpty {
            if batch.itemsMax == 1 { return }
            findings.report(
                .conflict,
                request.mark,
                "\(request.name): carries no users: add a $each, or batch.max_items: 1"
            )
            return
        }
        for isEntering in directions
        where !request.lists.contains(where: { $0.selection.takes(isEntering: isEntering) }) {
            findings.report(
                .conflict,
                request.mark,
                "\(request.name): carries no users who \(isEntering ? "enter" : "leave"): add "
                    + "$each: \(isEntering ? "adds" : "removes"), changes or batch"
            )
        }
    }

    /// Refuses a body that the fields of `auth` cannot be added to.
    private func checkBody(_ request: RequestForm, _ findings: Findings) {
        guard case .body = request.authentication ?? authentication else { return }
        switch request.body {
        case nil, .map, .omitEmpty(.map): return
        default:
            findings.report(
                .conflict,
                request.mark,
                "\(request.name).body: is no map, so the fields of auth cannot be added to it"
            )
        }
    }
}

extension Vocabulary {
    /// The start of every URL: a scheme and host that no setting can change but by a host of its own.
    var baseURL: ValueReader<TemplateText> {
        let vocabulary = self
        return text.map { text throws(Refusal) in
            try vocabulary.refuseSecrets(in: text, "a URL, which logs show")
            func kind(_ expression: TemplateText.Expression) -> SettingDeclaration.Kind? {
                vocabulary.declarations.first { expression.settings.first == $0.name }?.kind
            }
            if let whole = text.whole {
                guard kind(whole) == .url, whole.filters.isEmpty else {
                    throw Refusal(.badValue, "a URL that is a setting needs one of type url")
                }
                return text
            }
            guard case .literal(let scheme)? = text.segments.first, scheme.hasPrefix("https://")
            else {
                throw Refusal(.badValue, "expected https://HOST, or one setting of type url")
            }
            var isInHost = true
            for (index, segment) in text.segments.enumerated() {
                switch segment {
                case .literal(let piece):
                    let rest = index == 0 ? piece.dropFirst(8) : piece[...]
                    guard
                        rest.utf8.allSatisfy({
                            PercentEncoding.isUnreserved($0) || "/:".utf8.contains($0)
                        })
                    else {
                        throw Refusal(
                            .badValue,
                            "\"\(piece.excerpt)\" does not stand in a URL (expected https://HOST/PATH)"
                        )
                    }
                    if rest.contains("/") { isInHost = false }
                case .expression(let expression):
                    guard isInHost else { continue }
                    guard [.host, .choice].contains(kind(expression)), expression.filters.isEmpty
                    else {
                        throw Refusal(
                            .refused,
                            "in the host only a setting of type host or enum may stand: any other could "
                                + "send the secrets elsewhere"
                        )
                    }
                }
            }
            return text
        }
    }
}
