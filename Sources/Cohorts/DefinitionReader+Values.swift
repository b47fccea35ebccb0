import Basics
import YAML

/// The keys of a map, to be looked up by name.
struct Fields {
    /// In the order written.
    let pairs: [Node.Pair]
    /// Where the map begins.
    let mark: Mark

    /// The pair of a key.
    subscript(key: String) -> Node.Pair? { pairs.first { $0.key == key } }

    /// The pairs of several keys, in the order written.
    func all(of keys: [String]) -> [Node.Pair] { pairs.filter { keys.contains($0.key) } }
}

extension DefinitionReader {
    /// The keys of a map that must not be empty.
    mutating func map(_ node: Node, _ what: String, mayBeEmpty: Bool = false) -> Fields? {
        guard case .mapping(let pairs) = node.value else {
            report(
                .wrongType,
                node.mark,
                "\(what) is a map, not \(Self.kind(node))",
                expected: "a map"
            )
            return nil
        }
        if pairs.isEmpty, !mayBeEmpty {
            report(.empty, node.mark, "\(what) cannot be an empty map")
            return nil
        }
        return Fields(pairs: pairs, mark: node.mark)
    }

    /// The items of a list that must not be empty.
    mutating func list(_ node: Node, _ what: String) -> [Node]? {
        guard case .sequence(let items) = node.value else {
            report(
                .wrongType,
                node.mark,
                "\(what) is a list, not \(Self.kind(node))",
                expected: "a list"
            )
            return nil
        }
        if items.isEmpty {
            report(.empty, node.mark, "\(what) cannot be an empty list")
            return nil
        }
        return items
    }

    /// A text; a number or boolean is refused with the remedy.
    mutating func text(_ node: Node, _ what: String, mayBeEmpty: Bool = false) -> String? {
        switch node.value {
        case .text(let text):
            if text.isEmpty, !mayBeEmpty {
                report(.empty, node.mark, "\(what) cannot be empty")
                return nil
            }
            return text
        case .integer, .double, .boolean:
            report(
                .notText,
                node.mark,
                "\(what) is a text, and \(node.source.excerpt) is \(Self.kind(node)): quote it",
                expected: "\"\(node.source.excerpt)\""
            )
        default:
            report(
                .wrongType,
                node.mark,
                "\(what) is a text, not \(Self.kind(node))",
                expected: "a text"
            )
        }
        return nil
    }

    /// One text or a list of them.
    mutating func texts(_ node: Node, _ what: String, mayBeEmpty: Bool = false) -> [String]? {
        guard case .sequence = node.value else {
            return text(node, what, mayBeEmpty: mayBeEmpty).map { [$0] }
        }
        guard let items = list(node, what) else { return nil }
        var texts: [String] = []
        var isComplete = true
        for item in items {
            if let text = text(item, what, mayBeEmpty: mayBeEmpty) {
                // By bytes, which equality of `String` is not.
                if !texts.contains(where: { $0.utf8.elementsEqual(text.utf8) }) {
                    texts.append(text)
                }
            } else {
                isComplete = false
            }
        }
        return isComplete ? texts : nil
    }

    /// `true` or `false`.
    mutating func boolean(_ node: Node, _ what: String) -> Bool? {
        if case .boolean(let flag) = node.value { return flag }
        report(
            .wrongType,
            node.mark,
            "\(what) is a boolean, not \(Self.kind(node))",
            expected: "true or false"
        )
        return nil
    }

    /// An integer in a range.
    mutating func integer(_ node: Node, _ what: String, in range: ClosedRange<Int64>) -> Int64? {
        let expected = "an integer from \(range.lowerBound) to \(range.upperBound)"
        switch node.value {
        case .integer(let number):
            if range.contains(number) { return number }
            report(
                .outOfRange,
                node.mark,
                "\(what) cannot be \(node.source.excerpt)",
                expected: expected
            )
        case .double:
            report(
                .outOfRange,
                node.mark,
                "\(what) cannot be \(node.source.excerpt)",
                expected: expected
            )
        default:
            report(
                .wrongType,
                node.mark,
                "\(what) is an integer, not \(Self.kind(node))",
                expected: expected
            )
        }
        return nil
    }

    /// One of a few words.
    mutating func word(_ node: Node, _ what: String, of words: [String]) -> String? {
        guard case .text(let text) = node.value else {
            report(
                .wrongType,
                node.mark,
                "\(what) is a word, not \(Self.kind(node))",
                expected: words.joined(separator: ", ")
            )
            return nil
        }
        if words.contains(text) { return text }
        report(
            .unknownWord,
            node.mark,
            "\(what) cannot be \"\(text.excerpt)\"",
            expected: words.joined(separator: ", "),
            suggestion: Self.nearest(text, words)
        )
        return nil
    }

    /// The value of a key that must be there.
    mutating func require(_ key: String, _ fields: Fields, _ what: String) -> Node? {
        if let pair = fields[key] { return pair.value }
        report(.missingKey, fields.mark, "\(what) needs `\(key)`")
        return nil
    }

    /// Reports every key that is not among the known ones.
    mutating func refuseUnknownKeys(_ fields: Fields, known: [String]) {
        for pair in fields.pairs where !known.contains(pair.key) {
            let suggestion = Self.nearest(pair.key, known)
            let expected = suggestion == nil ? "one of \(known.joined(separator: " "))" : nil
            report(
                .unknownKey,
                pair.keyMark,
                "unknown key \"\(pair.key.excerpt)\"",
                expected: expected,
                suggestion: suggestion
            )
        }
    }

    /// The known word nearest to one written: by edits of the whole, else of its beginning.
    static func nearest(_ word: String, _ known: [String]) -> String? {
        // Words of other lengths are too many edits away; a very long one is near to nothing.
        let length = word.utf8.count
        let near = known.filter { abs($0.utf8.count - length) <= 3 }
        if let nearest = Suggestion.nearest(to: word, among: near) { return nearest }
        let longer = known.filter { $0.utf8.count > length }
        guard length >= 4,
            let start = Suggestion.nearest(
                to: word,
                among: longer.map { String($0.prefix(length)) }
            )
        else { return nil }
        return longer.first { $0.hasPrefix(start) }
    }

    /// What a node is, with its article.
    static func kind(_ node: Node) -> String {
        switch node.value {
        case .null: "nothing"
        case .boolean: "a boolean"
        case .integer, .double: "a number"
        case .text: "a text"
        case .sequence: "a list"
        case .mapping: "a map"
        }
    }
}
