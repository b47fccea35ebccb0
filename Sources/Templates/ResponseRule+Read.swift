import Basics
import Configuration
import YAML

extension ResponseRule {
    /// Reads `responses` and checks that every answer finds a rule.
    static func read(
        _ top: inout Section,
        _ findings: Findings,
        batchItemsMax: Int
    ) -> [ResponseRule] {
        guard let node = top.node("responses") else {
            top.report(
                .missingKey,
                at: top.mark,
                "\(top.path(of: "responses")) is missing (expected a list of {when, then})"
            )
            return []
        }
        guard case .sequence(let nodes) = node.value, !nodes.isEmpty else {
            top.report(
                .badType,
                node,
                "\(top.path(of: "responses")): expected a list of {when, then}"
            )
            return []
        }
        var rules: [ResponseRule] = []
        var isWhole = true
        for (index, node) in nodes.enumerated() {
            let section = Section(
                path: top.path(of: "responses[\(index)]"),
                node: node,
                findings: findings,
                table: "responses"
            )
            guard let rule = read(section, findings, batchItemsMax: batchItemsMax) else {
                isWhole = false
                continue
            }
            if isWhole, let status = rule.shadowedStatus(by: rules) {
                top.report(
                    .conflict,
                    node,
                    "\(top.path(of: "responses[\(index)]")): never reached: the rules before it take every "
                        + "\(status) answer; move it up"
                )
            }
            rules.append(rule)
        }
        if isWhole { checkReach(rules, &top, node) }
        return rules
    }

    /// Refuses a list that leaves a whole class of answers without a rule.
    private static func checkReach(_ rules: [ResponseRule], _ top: inout Section, _ node: Node) {
        let classes: [(String, ClosedRange<Int>)] = [
            ("2xx", 200...299), ("429", 429...429), ("4xx", 400...499), ("5xx", 500...599),
        ]
        for (name, statuses) in classes
        where !statuses.contains(where: { status in
            rules.contains { $0.condition.takes(status: status) }
        }) {
            top.report(
                .missingKey,
                node,
                "\(top.path(of: "responses")): no rule takes a \(name) answer: add {when: {status: [\(statuses.lowerBound)]}, then: …}"
            )
        }
    }

    /// A class of answers that earlier rules leave nothing of for this one; nil where some is left.
    private func shadowedStatus(by rules: [ResponseRule]) -> String? {
        let taken = rules.filter(\.condition.isStatusOnly)
        let own = (100...599).filter { condition.takes(status: $0) }
        guard let first = own.first,
            own.allSatisfy({ status in taken.contains { $0.condition.takes(status: status) } })
        else { return nil }
        return String(first)
    }

    private static func read(
        _ section: consuming Section,
        _ findings: Findings,
        batchItemsMax: Int
    ) -> ResponseRule? {
        let condition: Condition?
        if let inner = section.sectionIfGiven("when") {
            condition = Condition.read(inner)
        } else {
            section.report(
                .missingKey,
                at: section.mark,
                "\(section.path(of: "when")) is missing (expected {status, body, header})"
            )
            condition = nil
        }
        let outcome = section.required("then", ValueReader<Outcome>.word)
        var rule = ResponseRule(
            condition: condition ?? Condition(),
            outcome: outcome ?? .retry
        )
        section.read("split", into: &rule.isSplit, .flag)
        rule.reason = section.optional("reason", .reason)
        if let inner = section.sectionIfGiven("after") { rule.after = After.read(inner) }
        if let inner = section.sectionIfGiven("count_skipped") {
            rule.countSkipped = CountSkipped.read(inner)
        }
        let scope = section.optional("scope", ValueReader<RuleScope>.word) ?? .batch
        if let inner = section.sectionIfGiven("items") { rule.items = Items.read(inner, findings) }
        rule.checkAgreement(&section, scope, batchItemsMax: batchItemsMax)
        section.finish()
        return condition == nil || outcome == nil ? nil : rule
    }

    private enum RuleScope: String, CaseIterable, Sendable {
        case batch
        case items
    }

    private func checkAgreement(
        _ section: inout Section,
        _ scope: RuleScope,
        batchItemsMax: Int
    ) {
        func refuse(_ key: String, _ text: String) {
            section.report(.conflict, at: section.mark, "\(section.path(of: key)): \(text)")
        }
        if (scope == .items) != (items != nil) {
            refuse("items", "goes with scope: items, and only with it")
        }
        let takesUsers = outcome == .delivered || outcome == .accepted
        if items != nil || countSkipped != nil, !takesUsers {
            refuse("then", "an answer that names users is delivered or accepted for the others")
        }
        if countSkipped != nil, outcome == .delivered {
            refuse("count_skipped", "who was skipped is not known, so the others are only accepted")
        }
        if isSplit, outcome != .skip, outcome != .fatal {
            refuse("split", "goes only with then: skip or fatal")
        }
        if outcome == .skip, !isSplit, batchItemsMax > 1 {
            refuse(
                "split",
                "a refused batch is split, or one user would cost all others: add split: true"
            )
        }
        if after != nil, outcome != .retry, outcome != .throttle {
            refuse("after", "goes only with then: retry or throttle")
        }
    }
}

extension ResponseRule.Condition {
    fileprivate static func read(_ section: consuming Section) -> ResponseRule.Condition? {
        var condition = ResponseRule.Condition()
        var isRead = true
        if section.node("status") != nil {
            condition.statuses = section.optional("status", .statuses)
            isRead = condition.statuses != nil
        }
        if var inner = section.sectionIfGiven("body") {
            let pointer = inner.required("pointer", .pointer)
            let test = ResponseRule.Test.read(&inner)
            inner.finish()
            if let pointer, let test {
                condition.body = ResponseRule.BodyTest(pointer: pointer, test: test)
            } else {
                isRead = false
            }
        }
        if var inner = section.sectionIfGiven("header") {
            let name = inner.required("name", .text("the name of a header"))
            let test = ResponseRule.Test.read(&inner)
            inner.finish()
            if let name, let test {
                condition.header = ResponseRule.HeaderTest(name: name, test: test)
            } else {
                isRead = false
            }
        }
        if isRead, condition.statuses == nil, condition.isStatusOnly {
            section.report(
                .missingKey,
                at: section.mark,
                "\(section.path): expected one at least of status, body, header"
            )
            isRead = false
        }
        section.finish()
        return isRead ? condition : nil
    }
}

extension ResponseRule.Test {
    /// The one of `equals`, `matches`, `exists`, `in` that is given.
    fileprivate static func read(_ section: inout Section) -> ResponseRule.Test? {
        var tests: [ResponseRule.Test] = []
        var given = 0
        if let node = section.node("equals") {
            given += 1
            if let text = section.scalar(node, "equals") { tests.append(.equals(text)) }
        }
        if section.node("matches") != nil {
            given += 1
            if let pattern = section.optional("matches", .pattern) {
                tests.append(.matches(pattern))
            }
        }
        if section.node("exists") != nil {
            given += 1
            if let flag = section.optional("exists", .flag) { tests.append(.exists(flag)) }
        }
        if let node = section.node("in") {
            given += 1
            if case .sequence(let nodes) = node.value, !nodes.isEmpty {
                let texts = nodes.compactMap { section.scalar($0, "in") }
                if texts.count == nodes.count { tests.append(.isIn(texts)) }
            } else {
                section.report(.badType, node, "\(section.path(of: "in")): expected a list")
            }
        }
        if given != 1 {
            section.report(
                .conflict,
                at: section.mark,
                "\(section.path): expected exactly one of equals, matches, exists, in"
            )
            return nil
        }
        return tests.first
    }
}

extension Section {
    fileprivate func scalar(_ node: Node, _ key: String) -> String? {
        if let text = node.scalarText { return text }
        report(.badType, node, "\(path(of: key)): expected a text or number, not \(node.kind)")
        return nil
    }
}

extension ResponseRule.After {
    fileprivate static func read(_ section: consuming Section) -> ResponseRule.After? {
        let header = section.required("header", .text("the name of a header"))
        let unit = section.required("unit", ValueReader<Unit>.word)
        section.finish()
        guard let header, let unit else { return nil }
        return ResponseRule.After(header: header, unit: unit)
    }
}

extension ResponseRule.CountSkipped {
    fileprivate static func read(_ section: consuming Section) -> ResponseRule.CountSkipped? {
        let pointer = section.required("pointer", .pointer)
        let samples = section.optional("samples", .pointer)
        let reason = section.optional("reason", .reason)
        section.finish()
        return pointer.map {
            ResponseRule.CountSkipped(
                pointer: $0,
                samples: samples,
                reason: reason ?? ResponseRule.rejectedReason
            )
        }
    }
}

extension ResponseRule.Items {
    fileprivate static func read(
        _ section: consuming Section,
        _ findings: Findings
    ) -> ResponseRule.Items? {
        let pointer = section.required("at", .pointer(takesWildcard: true))
        let key = section.required("key", .itemKey)
        let unkeyed = section.optional("unkeyed", .itemOutcome) ?? .retry
        let reason = section.optional("reason", .pointer)
        var rules: [ResponseRule.ItemRule] = []
        if let node = section.node("rules") {
            if case .sequence(let nodes) = node.value {
                for (index, node) in nodes.enumerated() {
                    let inner = Section(
                        path: section.path(of: "rules[\(index)]"),
                        node: node,
                        findings: findings,
                        table: "responses.items.rules"
                    )
                    if let rule = ResponseRule.ItemRule.read(inner) { rules.append(rule) }
                }
            } else {
                section.report(
                    .badType,
                    node,
                    "\(section.path(of: "rules")): expected a list of {when, then}"
                )
            }
        }
        section.finish()
        guard let pointer, let key else { return nil }
        return ResponseRule.Items(
            pointer: pointer,
            key: key,
            rules: rules,
            unkeyed: unkeyed,
            reason: reason
        )
    }
}

extension ResponseRule.ItemRule {
    fileprivate static func read(_ section: consuming Section) -> ResponseRule.ItemRule? {
        var condition: ResponseRule.BodyTest?
        var isRead = true
        if var inner = section.sectionIfGiven("when") {
            let pointer = inner.required("pointer", .pointer)
            let test = ResponseRule.Test.read(&inner)
            inner.finish()
            if let pointer, let test {
                condition = ResponseRule.BodyTest(pointer: pointer, test: test)
            } else {
                isRead = false
            }
        }
        let outcome = section.required("then", .itemOutcome)
        let reason = section.optional("reason", .reason)
        section.finish()
        guard isRead, let outcome else { return nil }
        return ResponseRule.ItemRule(condition: condition, outcome: outcome, reason: reason)
    }
}

extension ResponseRule {
    /// The reason where a template gives none.
    static let rejectedReason = "rejected_by_partner"
}

extension ValueReader where Value == Outcome {
    /// What can happen to a single user of a batch.
    fileprivate static var itemOutcome: ValueReader<Outcome> {
        word.map { outcome throws(Refusal) in
            switch outcome {
            case .delivered, .accepted, .skip, .retry: return outcome
            default:
                throw Refusal(
                    .badValue,
                    "\"\(outcome.rawValue)\" is not of one user (expected delivered, accepted, skip or retry)"
                )
            }
        }
    }
}

extension ValueReader where Value == String {
    /// A stable word for histories: no place for what a partner or a setting says.
    fileprivate static var reason: ValueReader<String> {
        text("a word such as rejected_by_partner").map { text throws(Refusal) in
            guard text.utf8.count <= 64,
                text.utf8.allSatisfy({ $0 == 0x5f || $0 &- 0x61 < 26 || $0 &- 0x30 < 10 })
            else {
                throw Refusal(
                    .badValue,
                    "\"\(text.excerpt)\" is no word of up to 64 of a-z 0-9 _"
                )
            }
            return text
        }
    }
}

extension ValueReader where Value == ResponseRule.ItemKey {
    /// `id`, `index`, `pointer`, or a map of one of them and where it stands in the element.
    fileprivate static var itemKey: ValueReader<ResponseRule.ItemKey> {
        ValueReader { node throws(Refusal) in
            let expected = "id, index, pointer or {id: /PLACE}, {index: /PLACE}, {pointer: /PLACE}"
            let word: String
            var place: JSONPointer?
            switch node.value {
            case .text(let text): word = text
            case .mapping(let pairs) where pairs.count == 1:
                word = pairs[0].key
                place = try ValueReader<JSONPointer>.pointer.read(pairs[0].value)
            default: throw Refusal(.badType, "expected \(expected), not \(node.kind)")
            }
            switch word {
            case "id": return .id(place ?? .element)
            case "index": return .index(place ?? JSONPointer(steps: ["index"]))
            case "pointer": return .pointer(place ?? JSONPointer(steps: ["pointer"]))
            default:
                throw Refusal(.badValue, "\"\(word.excerpt)\" is not known (expected \(expected))")
            }
        }
    }
}

extension ValueReader where Value == [ClosedRange<Int>] {
    /// A list of statuses and ranges: `[200, 201, 500-599]`.
    static var statuses: ValueReader<[ClosedRange<Int>]> {
        ValueReader { node throws(Refusal) in
            guard case .sequence(let nodes) = node.value, !nodes.isEmpty else {
                throw Refusal(.badType, "expected a list such as [200, 500-599], not \(node.kind)")
            }
            var ranges: [ClosedRange<Int>] = []
            for node in nodes {
                let bounds = (node.scalarText ?? "").split(
                    separator: "-",
                    omittingEmptySubsequences: false
                ).map { Int($0) }
                guard (1...2).contains(bounds.count), let first = bounds[0],
                    let last = bounds[bounds.count - 1], (100...599).contains(first),
                    (first...599).contains(last)
                else {
                    throw Refusal(
                        .badValue,
                        "\(node.kind) is no status (expected such as 429 or 500-599)"
                    )
                }
                ranges.append(first...last)
            }
            return ranges
        }
    }
}
