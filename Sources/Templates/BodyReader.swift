import Basics
import Configuration
import YAML

/// Reads a body and collects the lists of users in it.
struct BodyReader {
    private let vocabulary: Vocabulary
    private let findings: Findings
    /// Whether lists of users may stand in it.
    private let takesUsers: Bool
    private var isInItem = false
    /// The lists of users, in the order of the body.
    private(set) var lists: [BodyTree.UserList] = []

    private static let directives = ["$each", "$if", "$omit_empty", "$key"]

    init(vocabulary: Vocabulary, findings: Findings, takesUsers: Bool) {
        self.vocabulary = vocabulary
        self.findings = findings
        self.takesUsers = takesUsers
    }

    /// Reads a node of the body; parts that cannot be taken are reported and become null.
    mutating func read(_ node: Node, _ path: String) -> BodyTree {
        switch node.value {
        case .null: return .null
        case .boolean(let flag): return .boolean(flag)
        case .integer(let number): return .integer(number)
        case .double(let number):
            guard number.isFinite else {
                findings.report(.badValue, node.mark, "\(path): JSON has no \(node.source)")
                return .null
            }
            return .double(number)
        case .text(let text):
            return self.text(text, node.mark, path).map { .text($0) } ?? .null
        case .sequence(let nodes):
            return .list(nodes.enumerated().map { read($1, "\(path)[\($0)]") })
        case .mapping(let pairs): return map(pairs, node.mark, path)
        }
    }

    /// In an item a user is at hand, and which page it will be on is not known yet.
    private var vocabularyHere: Vocabulary {
        isInItem ? vocabulary.at(vocabulary.scope.union(.user).subtracting(.page)) : vocabulary
    }

    private func text(_ text: String, _ mark: Mark, _ path: String) -> TemplateText? {
        do {
            return try TemplateText(text, vocabularyHere)
        } catch {
            findings.report(error.code, mark, "\(path): \(error.text)")
            return nil
        }
    }

    private mutating func map(_ pairs: [Node.Pair], _ mark: Mark, _ path: String) -> BodyTree {
        let keys = pairs.map(\.key)
        if keys.contains("$each") {
            return each(Directive(pairs, mark, path, known: ["$each", "item"], findings))
        }
        if keys.contains("$if") {
            return choice(Directive(pairs, mark, path, known: ["$if", "then", "else"], findings))
        }
        if keys.contains("$omit_empty") {
            let directive = Directive(pairs, mark, path, known: ["$omit_empty"], findings)
            guard let inner = directive["$omit_empty"] else { return .null }
            return .omitEmpty(read(inner, path))
        }
        if let pair = pairs.first(where: { $0.key.hasPrefix("$") && $0.key != "$key" }) {
            let hint =
                Suggestion.nearest(to: pair.key, among: Self.directives)
                .map { "did you mean \"\($0)\"?" }
                ?? "expected $each, $if, $omit_empty or $key"
            findings.report(
                .unknownKey,
                pair.keyMark,
                "\(path): there is no directive \"\(pair.key.excerpt)\" (\(hint))"
            )
            return .null
        }
        var members: [BodyTree.Member] = []
        for pair in pairs {
            let inner = path.isEmpty ? pair.key : "\(path).\(pair.key)"
            if pair.key == "$key" {
                if let member = computed(pair.value, inner) { members.append(member) }
            } else {
                members.append(
                    BodyTree.Member(
                        key: TemplateText(literal: pair.key),
                        value: read(pair.value, inner)
                    )
                )
            }
        }
        return .map(members)
    }

    private mutating func each(_ directive: Directive) -> BodyTree {
        let selection: BodyTree.Selection? = directive.read("$each", .word)
        guard let item = directive.required("item") else { return .null }
        guard takesUsers, !isInItem else {
            findings.report(
                .refused,
                directive.mark,
                isInItem
                    ? "\(directive.path): a $each does not stand in the item of another"
                    : "\(directive.path): there are no users here, so no $each"
            )
            return .null
        }
        isInItem = true
        let tree = read(item, directive.path + ".item")
        isInItem = false
        guard let selection else { return .null }
        lists.append(BodyTree.UserList(selection: selection, item: tree))
        return .each(lists.count - 1)
    }

    private mutating func choice(_ directive: Directive) -> BodyTree {
        var condition: BodyTree.Condition?
        if let node = directive["$if"] {
            if case .text(let text) = node.value {
                do {
                    let expression = try TemplateText.expression(text, vocabularyHere)
                    switch expression.kind {
                    case .boolean: condition = .flag(expression.placeholder)
                    case .text: condition = .present(expression)
                    default:
                        findings.report(
                            .badValue,
                            node.mark,
                            "\(directive.path).$if: \"\(text.excerpt)\" is neither true or false nor a text"
                        )
                    }
                } catch {
                    findings.report(
                        error.code,
                        node.mark,
                        "\(directive.path).$if: \(error.text)"
                    )
                }
            } else {
                findings.report(
                    .badType,
                    node.mark,
                    "\(directive.path).$if: expected a placeholder's name such as u.entering, "
                        + "not \(node.kind)"
                )
            }
        }
        let then = directive.required("then").map { read($0, directive.path + ".then") }
        let otherwise = directive["else"].map { read($0, directive.path + ".else") }
        guard let condition, let then else { return .null }
        return .choice(condition, then: then, otherwise: otherwise ?? .null)
    }

    private mutating func computed(_ node: Node, _ path: String) -> BodyTree.Member? {
        guard case .mapping(let pairs) = node.value else {
            findings.report(.badType, node.mark, "\(path): expected {name, value}")
            return nil
        }
        let directive = Directive(pairs, node.mark, path, known: ["name", "value"], findings)
        var name: TemplateText?
        if let given = directive.required("name") {
            // The same for all users, so that the name is worked out once.
            let constant = vocabulary.at(
                vocabulary.scope.intersection([.settings, .cohort, .list])
            )
            name = directive.read("name", constant.text)
            if name?.literal == "" {
                findings.report(.badValue, given.mark, "\(path).name: a key cannot be empty")
            }
        }
        let value = directive.required("value").map { read($0, path + ".value") }
        guard let name, let value else { return nil }
        return BodyTree.Member(key: name, value: value)
    }
}

/// The keys of a map that is a directive; others are refused.
private struct Directive {
    let pairs: [Node.Pair]
    let mark: Mark
    let path: String
    let findings: Findings

    init(
        _ pairs: [Node.Pair],
        _ mark: Mark,
        _ path: String,
        known: [String],
        _ findings: Findings
    ) {
        self.pairs = pairs
        self.mark = mark
        self.path = path.isEmpty ? "body" : path
        self.findings = findings
        for pair in pairs where !known.contains(pair.key) {
            let hint =
                Suggestion.nearest(to: pair.key, among: known).map { "did you mean \"\($0)\"?" }
                ?? "known keys: \(known.joined(separator: ", "))"
            findings.report(
                .unknownKey,
                pair.keyMark,
                "\(self.path): unknown key \"\(pair.key.excerpt)\" beside \(known[0]) (\(hint))"
            )
        }
    }

    subscript(key: String) -> Node? { pairs.first { $0.key == key }?.value }

    func required(_ key: String) -> Node? {
        if let node = self[key] { return node }
        findings.report(.missingKey, mark, "\(path): \(key) is missing")
        return nil
    }

    func read<Value>(_ key: String, _ reader: ValueReader<Value>) -> Value? {
        guard let node = self[key] else { return nil }
        do {
            return try reader.read(node)
        } catch {
            findings.report(error.code, node.mark, "\(path).\(key): \(error.text)")
            return nil
        }
    }
}
