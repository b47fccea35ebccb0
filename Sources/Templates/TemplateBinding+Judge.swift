package import Basics
import YAML

extension TemplateBinding {
    /// What an answer means for the users of its request.
    ///
    /// - Parameters:
    ///   - answer: The partner's.
    ///   - request: A request of this template.
    ///   - changes: The changes that it was planned from.
    ///   - now: For waiting times that are given as instants.
    /// - Returns: The verdict by the first rule that fits.
    /// - Complexity: O(bytes of the body), and O(users) where the answer names users by id.
    package func judge(
        _ answer: TemplateAnswer,
        of request: TemplateRequest,
        changes: ChangeList,
        now: EventTime
    ) -> TemplateVerdict {
        judge(answer, by: template.rules, of: request, changes: changes, now: now)
    }

    /// The same by other rules.
    func judge(
        _ answer: TemplateAnswer,
        by rules: [ResponseRule],
        of request: TemplateRequest,
        changes: ChangeList,
        now: EventTime
    ) -> TemplateVerdict {
        var judge = AnswerJudge(answer, now: now)
        return judge.verdict(
            rules,
            request,
            changes,
            cellCount: template.cellCount
        )
    }

    /// What an answer to ``ensure(_:changes:)`` means.
    ///
    /// - Parameters: as of ``judge(_:of:changes:now:)``.
    /// - Returns: Whether the list is there, with its id.
    package func judgeEnsure(
        _ answer: TemplateAnswer,
        of request: TemplateRequest,
        changes: ChangeList = ChangeList(),
        now: EventTime
    ) -> EnsureVerdict {
        var judge = AnswerJudge(answer, now: now)
        let isThere = template.list?.exists?.takes(status: answer.status) ?? false
        var verdict =
            isThere
            ? TemplateVerdict(outcome: .delivered)
            : judge.verdict(
                template.rules,
                request,
                changes,
                cellCount: template.cellCount
            )
        guard verdict.outcome == .delivered || verdict.outcome == .accepted else {
            // Halving users does not help a list, nor does making it once more in place of itself.
            if verdict.outcome == .skip || verdict.outcome == .gone, !verdict.isSplit {
                verdict.outcome = .fatal
            }
            return .refused(verdict)
        }
        let id: String? =
            switch template.list?.id {
            case .given: constants.listID
            case .answered(let pointer): judge.json.flatMap { pointer.find(in: $0)?.scalarText }
            case nil: nil
            }
        guard let id, !id.isEmpty, id.utf8.count <= 512,
            id.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
        else {
            return .refused(
                TemplateVerdict(
                    outcome: .fatal,
                    reason: TemplateVerdict.Reason.listIDMissing.rawValue
                )
            )
        }
        return .ready(listID: id, users: verdict)
    }
}

/// Reads one answer.
private struct AnswerJudge {
    private enum Body {
        case none
        case json(Node)
        case unreadable
    }

    private let answer: TemplateAnswer
    private let now: EventTime
    private let body: Body

    init(_ answer: TemplateAnswer, now: EventTime) {
        self.answer = answer
        self.now = now
        if answer.body.isEmpty {
            body = .none
        } else if !answer.isBodyCut, let tree = DocumentReader.readJSON(answer.body) {
            body = .json(tree)
        } else {
            body = .unreadable
        }
    }

    var json: Node? {
        if case .json(let tree) = body { tree } else { nil }
    }

    private var isReadable: Bool {
        if case .unreadable = body { false } else { true }
    }

    mutating func verdict(
        _ rules: [ResponseRule],
        _ request: TemplateRequest,
        _ changes: ChangeList,
        cellCount: Int
    ) -> TemplateVerdict {
        var wasUnreadable = false
        for (index, rule) in rules.enumerated() {
            guard rule.condition.takes(status: answer.status) else { continue }
            if let test = rule.condition.header {
                let value = answer.header(test.name)
                guard test.test.passes(value, isThere: value != nil) else { continue }
            }
            var code: String?
            if let test = rule.condition.body {
                guard isReadable else {
                    wasUnreadable = true
                    continue
                }
                let found = json.flatMap { test.pointer.find(in: $0) }
                guard test.test.passes(found?.scalarText, isThere: found != nil) else { continue }
                code = test.test.code(found?.scalarText)
            }
            var verdict = TemplateVerdict(outcome: rule.outcome, reason: rule.reason, code: code)
            verdict.rule = index
            verdict.isSplit = rule.isSplit && request.changes.count > 1
            verdict.retryAfterMilliseconds = rule.after.flatMap(milliseconds)
            apply(rule, request, changes, cellCount: cellCount, to: &verdict)
            // A rule before this one would have looked for users who were not taken.
            let isTaken = verdict.outcome == .delivered || verdict.outcome == .accepted
            if wasUnreadable, isTaken { verdict.doubt() }
            return verdict
        }
        return TemplateVerdict(
            outcome: .retry,
            reason: TemplateVerdict.Reason.unexpectedAnswer.rawValue
        )
    }

    private func apply(
        _ rule: ResponseRule,
        _ request: TemplateRequest,
        _ changes: ChangeList,
        cellCount: Int,
        to verdict: inout TemplateVerdict
    ) {
        if let count = rule.countSkipped, let json {
            let number = count.pointer.find(in: json)?.scalarText.flatMap { Int($0) }
            let samples = count.samples.flatMap { $0.find(in: json) }.map(\.elementCount)
            verdict.skippedCount = min(max(number ?? samples ?? 0, 0), request.changes.count)
            if verdict.skippedCount > 0 { verdict.reason = count.reason }
        }
        guard let items = rule.items else { return }
        guard let json else {
            verdict.doubt()
            return
        }
        let lists = items.pointer.findAll(in: json)
        var elements: [Node] = []
        for list in lists {
            guard case .sequence(let nodes) = list.value else {
                verdict.doubt()
                continue
            }
            elements += nodes
        }
        if lists.isEmpty { verdict.doubt() }
        var naming = ItemNaming(items, request, changes, cellCount: cellCount)
        for element in elements { naming.take(element) }
        let (users, hasOthers) = naming.users()
        verdict.users = users
        if hasOthers {
            verdict.outcome = items.unkeyed
            verdict.reason = TemplateVerdict.Reason.unknownItem.rawValue
        }
    }

    private func milliseconds(_ after: ResponseRule.After) -> Int64? {
        guard let text = answer.header(after.header), text.utf8.count <= 4096 else { return nil }
        let wait: Int64?
        switch after.unit {
        case .seconds: wait = RetryAfter.milliseconds(text, now: now)
        case .milliseconds: wait = number(text)
        case .epochSeconds:
            wait = number(text).map { min($0, Int64(UInt32.max)) * 1000 - now.milliseconds }
        case .epochMilliseconds: wait = number(text).map { $0 - now.milliseconds }
        case .httpDate: wait = EventTime(httpDate: text, now: now).map { $0 - now }
        case .metaUsage: wait = metaMinutes(text).map { $0 * 60_000 }
        }
        return wait.map { max(0, $0) }
    }

    /// Digits only, so that nothing overflows on the way.
    private func number(_ text: String) -> Int64? {
        guard (1...15).contains(text.utf8.count), text.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else {
            return nil
        }
        return Int64(text)
    }

    /// The longest `estimated_time_to_regain_access` of `{"<id>": [{…}, …], …}`, in minutes.
    private func metaMinutes(_ text: String) -> Int64? {
        guard let tree = DocumentReader.readJSON(Array(text.utf8)),
            case .mapping(let pairs) = tree.value
        else { return nil }
        let place = JSONPointer(steps: ["*", "estimated_time_to_regain_access"])
        return pairs.flatMap { place.findAll(in: $0.value) }
            .compactMap { $0.scalarText.flatMap(number) }
            .filter { $0 <= 1_000_000 }.max()
    }
}

extension TemplateVerdict {
    /// The partner may have left users out, and it cannot be read whom.
    fileprivate mutating func doubt() {
        outcome = .accepted
        reason = Reason.unreadableAnswer.rawValue
    }
}

extension ResponseRule.Test {
    /// The text, where the template lists it: so it is a code and no identifier.
    fileprivate func code(_ text: String?) -> String? {
        switch self {
        case .equals, .isIn: text
        case .exists, .matches: nil
        }
    }
}

extension Node {
    fileprivate var elementCount: Int {
        switch value {
        case .sequence(let nodes): nodes.count
        case .mapping(let pairs): pairs.count
        default: 0
        }
    }
}
