import Configuration
import YAML

/// A place in a JSON value (RFC 6901): `/errors/0/code`; `*` stands for every element of a list.
struct JSONPointer: Sendable, Equatable {
    /// The names, unescaped.
    let steps: [String]

    /// The element itself.
    static let element = JSONPointer(steps: [])

    /// A pointer from its names.
    init(steps: [String]) {
        self.steps = steps
    }

    /// Reads a pointer.
    ///
    /// - Parameters:
    ///   - text: As written.
    ///   - takesWildcard: Whether `*` may stand in it.
    /// - Throws: What is wrong with it.
    init(_ text: String, takesWildcard: Bool = false) throws(Refusal) {
        guard text.isEmpty || text.hasPrefix("/") else {
            throw Refusal(
                .badValue,
                "\"\(text.excerpt)\" is no JSON pointer (expected such as /error/code)"
            )
        }
        steps = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
            Self.replacing("~0", by: "~", in: Self.replacing("~1", by: "/", in: String($0)))
        }
        if !takesWildcard, steps.contains("*") {
            throw Refusal(.badValue, "\"\(text.excerpt)\": * stands only in items.at and in lookup")
        }
    }

    private static func replacing(_ old: String, by new: String, in text: String) -> String {
        var result = ""
        var rest = text[...]
        while let range = rest.firstRange(of: old) {
            result += rest[..<range.lowerBound] + new
            rest = rest[range.upperBound...]
        }
        return result + rest
    }

    /// What stands at the place; nil where there is nothing, or null.
    func find(in root: Node) -> Node? {
        findAll(in: root).first
    }

    /// What stands at all the places that the pointer names.
    func findAll(in root: Node) -> [Node] {
        var nodes = [root]
        for step in steps {
            nodes = nodes.flatMap { node -> [Node] in
                switch node.value {
                case .mapping(let pairs):
                    return pairs.first { $0.key == step }.map { [$0.value] } ?? []
                case .sequence(let elements):
                    if step == "*" { return elements }
                    guard let index = Int(step), elements.indices.contains(index),
                        String(index) == step
                    else { return [] }
                    return [elements[index]]
                default: return []
                }
            }
        }
        return nodes.filter { if case .null = $0.value { false } else { true } }
    }
}

extension Node {
    /// A scalar as text: numbers and booleans as the answer writes them.
    var scalarText: String? {
        switch value {
        case .text(let text): text
        case .integer, .double, .boolean: source
        default: nil
        }
    }
}

extension ValueReader where Value == JSONPointer {
    static var pointer: ValueReader<JSONPointer> { pointer(takesWildcard: false) }

    static func pointer(takesWildcard: Bool) -> ValueReader<JSONPointer> {
        ValueReader<String>.anyText.map { text throws(Refusal) in
            try JSONPointer(text, takesWildcard: takesWildcard)
        }
    }
}
